"""Lower levels whose curvature vanishes at the response and nowhere near it.

At such a minimum (y^4) no unit of the objective makes the small curvature an ordinary one, and
the response isn't differentiable, so implicit differentiation has no ground.
"""

from __future__ import annotations

import equinox as eqx
import numpy as np

from mlodsl.calculus import choices, point_of
from mlodsl.modules import Problem
from mlodsl.strategies import Point

from ..nest import Nest
from ..oracle import evaluate_top
from .lower import LowerLevel, read_lower_levels
from .names import name_of_entry

# Only such curvatures, relative to 1 or the largest one, are looked at more closely.
_SUSPICIOUS = 1e-6
_AWAY = 1e-3
_RATIO = 1e-4


def degeneracy_findings(
    problem: Problem, nest: Nest, point: Point, reads: list[LowerLevel]
) -> list[str]:
    """A sentence for each level whose smallest curvature is far larger a short way off."""
    findings = []
    for read in reads:
        curvature = read.curvature
        if curvature is None or curvature.smallest > _SUSPICIOUS * max(1.0, curvature.largest):
            continue
        nearby = _curvature_nearby(nest, point, read)
        if nearby > curvature.floor and curvature.smallest < _RATIO * nearby:
            along = name_of_entry(problem, read.level, curvature.axis)
            findings.append(
                f"level `{problem.level_names[read.level]}` has a degenerate optimum along "
                f"`{along}`: its curvature is {curvature.smallest:.3g} there and {nearby:.3g} a "
                "short way off, so its response has no derivative; add a small cost on that "
                "direction, e.g. `1e-3 * sumsq(…)`"
            )
    return findings


def _curvature_nearby(nest: Nest, point: Point, read: LowerLevel) -> float:
    """The smaller of the level's smallest curvatures a little to both sides along its axis."""
    sizes = nest.game.sizes
    assert read.curvature is not None
    shift = _AWAY * (1 + np.linalg.norm(read.own)) * read.curvature.axis
    still = np.array([0 < other <= read.level for other in range(len(sizes))])
    held = eqx.tree_at(lambda n: n.frozen, nest, still)
    found = []
    for sign in (1.0, -1.0):
        vectors = list(choices(sizes, 0, point.flat))
        vectors[read.level] = (read.own + sign * shift).astype(read.own.dtype)
        flat = point_of(sizes, 1, tuple(vectors[1:]))
        moved = evaluate_top(held, vectors[0], flat, np.zeros((), flat.dtype))
        curvature = read_lower_levels(held, moved)[read.level - 1].curvature
        found.append(-np.inf if curvature is None else curvature.smallest)
    return min(found)
