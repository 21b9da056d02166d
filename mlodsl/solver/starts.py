"""Where a solve starts: the point that the model gives, and others spread over its domains."""

from __future__ import annotations

from collections.abc import Iterator

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from mlodsl.calculus import Vectors, on_host
from mlodsl.modules import Problem, around, spread_over
from mlodsl.settings import Settings
from mlodsl.syntax import nodes

from .compiling import is_tracing
from .kept import Kept
from .lanes import joined


def count_of_starts(settings: Settings) -> int:
    """How many starts the settings ask for; one where they leave it open."""
    return 1 if settings.starts == "auto" else int(settings.starts)


def starting_points(problem: Problem, seed: int, count: int) -> Iterator[Vectors]:
    """The model's own start, then others; a vector for each level.

    The others are a Latin hypercube: each variable's range is cut into as many parts of equal
    probability as there are other points, and each part has one. Variables of the top level are
    spread over their domains, or around their start where nothing bounds them, those of lower
    levels around their start. Variables whose start is a draw are drawn again instead.

    Arguments:
        seed: of all draws.
        count: of all points, at least 1.
    """
    own = first_start(problem, seed)
    yield own
    if count == 1:
        return
    key = jax.random.PRNGKey(seed)
    # Variable number i of the start draws with `fold_in(key, i)`.
    variables = sum(len(layout.variables) for layout in problem.structure.levels)
    keys = [jax.random.fold_in(key, variables + number) for number in range(count)]
    shares = [
        _latin_hypercube(jax.random.fold_in(keys[0], level), count - 1, vector)
        for level, vector in enumerate(own)
    ]
    for number in range(count - 1):
        drawn = problem.start(keys[number + 1])
        yield tuple(
            _spread(problem, level, own[level], drawn[level], shares[level][number])
            for level in range(problem.number_of_levels)
        )


def first_start(problem: Problem, seed: int) -> Vectors:
    """The start that the model gives, its draws by a seed; a vector for each level."""
    if is_tracing():
        return problem.start(seed)
    found = _starts.find(problem, seed)
    if found is None:
        found = tuple(
            on_host(np.asarray(vector)) for vector in _first_start(problem, np.asarray(seed))
        )
        _starts.keep(problem, found, seed)
    return found


# It is asked for by what chooses a strategy and by its run.
_starts: Kept[Vectors] = Kept()


@joined
def _first_start(problem: Problem, seed: Int[Array, ""]) -> Vectors:
    return problem.start(jax.random.PRNGKey(seed))


def _latin_hypercube(key: Array, count: int, vector: Float[Array, " size"]) -> Array:
    """`count` rows of shares in (0, 1), one for each entry of a vector."""
    shape = (count, vector.size)
    order, place = jax.random.split(key)
    rows = jnp.broadcast_to(jnp.arange(count, dtype=vector.dtype)[:, None], shape)
    parts = jax.random.permutation(order, rows, axis=0, independent=True)
    tiny = float(jnp.finfo(vector.dtype).eps)
    inside = jax.random.uniform(place, shape, vector.dtype, tiny, 1 - tiny)
    return (parts + inside) / count


def _spread(
    problem: Problem, level: int, own: Array, drawn: Array, shares: Array
) -> Float[Array, " size"]:
    """Another start of a level, within its domain."""
    layout = problem.structure.levels[level]
    values = layout.unpack(own)
    again, of_cube = layout.unpack(drawn), layout.unpack(shares)
    for variable in problem.structure.player(level).variables:
        name = variable.name
        if isinstance(variable.start, nodes.Draw):
            values[name] = again[name]
        elif variable.domain is None:
            values[name] = around(values[name], of_cube[name])
        else:
            scope = problem.scope([variable.domain], level, {})
            values[name] = spread_over(variable.domain, values[name], of_cube[name], scope)
    return problem.project(level, layout.pack(values, problem.structure.dtype))
