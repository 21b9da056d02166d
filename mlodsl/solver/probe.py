"""What the start of a model shows: its lower levels solved there, their curvature, constants."""

from __future__ import annotations

from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from mlodsl.calculus import Vectors, choices, largest_eigenvalue, point_of, split
from mlodsl.modules import Problem
from mlodsl.settings import Settings
from mlodsl.strategies import Point

from .certificate.lower import LowerLevel, read_lower_levels
from .lanes import joined
from .nest import Nest
from .oracle import evaluate_with_objectives
from .outcome import Outcome
from .starts import first_start

# The accuracy of curvatures that a strategy is chosen by.
_ROUGH = 0.5


@dataclass(frozen=True, slots=True)
class Constants:
    """Estimates of the constants of Assumption 4.1 of "On Finding Small Hyper-Gradients in Bilevel
    Optimization", at the lower levels' answer to the start.

    Arguments:
        upper_slope: C_f, the norm of ∇_y f.
        upper_curvature: L_f, of the second derivatives of f.
        lower_curvature: L_g, of the second derivatives of g.
        lower_variation: ρ_g, how fast they change.
        growth: μ, the smallest curvature of g that isn't zero.
        flat: whether g has no curvature in some direction; μ is then only a guess.
    """

    upper_slope: float
    upper_curvature: float
    lower_curvature: float
    lower_variation: float
    growth: float
    flat: bool = False

    @property
    def smoothness(self) -> float:
        """ℓ, the largest of the constants."""
        return max(
            self.upper_slope, self.upper_curvature, self.lower_curvature, self.lower_variation
        )

    @property
    def condition(self) -> float:
        """κ = ℓ / μ."""
        return self.smoothness / self.growth


@dataclass(frozen=True, slots=True)
class Probe:
    """The lower levels at the start.

    Arguments:
        point: of the top level, the lower levels solved.
        lower: each lower level, top first; empty where there is none.
    """

    point: Point
    lower: tuple[LowerLevel, ...]

    @property
    def lacks_second_derivatives(self) -> bool:
        """Whether a lower level has a gradient where it ended and no finite curvature."""
        lacking = any(
            read.curvature is None and np.isfinite(read.gradient_norm) for read in self.lower
        )
        return lacking and not np.any(np.asarray(self.point.outcomes) >= Outcome.UNBOUNDED)


def probe(problem: Problem, settings: Settings, nest: Nest) -> Probe:
    """Solves the lower levels at the model's start and reads what they show there.

    Arguments:
        nest: the exact nest.
    """
    start = first_start(problem, settings.seed)
    own = start[0]
    flat = own[:0] if len(start) == 1 else point_of(problem.sizes, 1, start[1:])
    rough = np.asarray(1e-6, own.dtype)
    point, _, slopes = evaluate_with_objectives(nest, own, flat, rough)
    return Probe(point, tuple(read_lower_levels(nest, point, _ROUGH, slopes)))


def estimate_constants(problem: Problem, seen: Probe) -> Constants | None:
    """The constants at the probed point; None where they aren't finite."""
    if not seen.lower or seen.lower[0].curvature is None:
        return None
    curvature = seen.lower[0].curvature
    own, flat, _ = split(problem.sizes, 0, seen.point.flat)
    below = choices(problem.sizes, 1, flat)
    slope, bend, lower_bend, variation = (
        float(value) for value in _derivatives(problem, own, below)
    )
    largest = max(abs(curvature.largest), abs(curvature.smallest), lower_bend)
    smallest = abs(curvature.smallest)
    is_flat = smallest <= max(curvature.floor, 1e-10 * largest)
    if is_flat:
        # Flat: μ is the smallest curvature across the flat directions; unknown, so of the order
        # of the largest.
        smallest = largest
    found = Constants(slope, bend, largest, variation, smallest, is_flat)
    numbers = (slope, bend, largest, variation, smallest)
    return found if all(map(np.isfinite, numbers)) and smallest > 0 else None


@joined
def _derivatives(
    problem: Problem, own: Float[Array, " own"], below: Vectors
) -> tuple[Array, Array, Array, Array]:
    """‖∇_y f‖, ‖∇²_yy f‖, ‖∇²_yy g‖ and the change of the last along -∇_y f, per length; y the
    second level's variables."""
    chosen = below[0]
    others = below[1:]
    size, dtype = chosen.size, chosen.dtype

    def gradient(level: int, at: Array) -> Array:
        return jax.grad(lambda y: problem.objective(level, (own, y, *others)))(at)

    def norm(level: int, at: Array) -> Array:
        _, product = jax.linearize(lambda y: gradient(level, y), at)
        return largest_eigenvalue(product, size, dtype)

    slope = gradient(0, chosen)
    length = jnp.linalg.norm(slope)
    step = 1e-3 * (1 + jnp.linalg.norm(chosen))
    moved = chosen - step * slope / jnp.where(length > 0, length, 1)

    def changed(vector: Array) -> Array:
        ahead, behind = (
            jax.jvp(lambda y: gradient(1, y), (at,), (vector,))[1] for at in (moved, chosen)
        )
        return (ahead - behind) / step

    variation = largest_eigenvalue(changed, size, dtype)
    return length, norm(0, chosen), norm(1, chosen), variation
