"""Many instances of one problem, which differ in params alone, solved side by side."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

import equinox as eqx
import jax
import numpy as np
from jaxtyping import Array

from mlodsl.calculus import flat_size
from mlodsl.modules import Instances, Problem, default_platform, names_that_vary, with_params
from mlodsl.settings import Settings

from .constrained import is_constrained
from .lanes import clock
from .run import Watch
from .side_by_side import FEW_LANES, Stack, run_lanes
from .solution import Solution
from .solve import solve, solve_smooth

# How many lanes there may be: a few sizes alone, as each compiles anew.
_WIDTHS = (FEW_LANES, 32, 128, 256, 512)
# Unknowns of all levels, above which a processor is as busy with one instance as with several, of
# which each waits for those that need more. Sixteen regressions side by side took a fifth of the
# time at 21 unknowns, 1.3 times the time at 61, twice the time at 201.
_SMALL = 48
# For the matrices of all lanes, of which a level may hold several at once.
_BYTES = 2**28
_MATRICES = 10


def solve_batch(instances: Instances, settings: Settings) -> Iterator[Solution]:
    """A certified solution for each instance, in order, as `solve` finds them one by one.

    So many at once as fit into memory, padded, so that all run the same compiled programs. Where
    there is nothing to gain by that they run them one after the other: large instances on a
    processor, and models with constraints, which are searched on the host.

    Raises:
        ModelError: where the settings don't fit the problem.
    """
    problem, values, count = instances.problem, instances.values, instances.count
    width = _width(problem, count)
    for first in range(0, count, width):
        rows = np.minimum(np.arange(first, first + width), count - 1)
        wanted = min(width, count - first)
        with jax.enable_x64(True):
            stack = _stack(problem.fold(), {name: value[rows] for name, value in values.items()})
            if _together(problem):
                found = run_lanes(stack, width, partial(_solve, settings), wanted)
            else:
                found = [solve(stack.lane(index), settings) for index in range(wanted)]
        yield from found


def _solve(settings: Settings, problem: Problem) -> Solution:
    return solve_smooth(problem, settings, Watch(), clock())


def _together(problem: Problem) -> bool:
    """Whether instances take less time side by side than one after the other."""
    small = flat_size(problem.sizes, 0) <= _SMALL or default_platform() != "cpu"
    return small and not is_constrained(problem)


def _width(problem: Problem, count: int) -> int:
    """How many lanes there are."""
    size = problem.structure.dtype.itemsize * _MATRICES * flat_size(problem.sizes, 0) ** 2
    most = max(1, _BYTES // max(size, 1))
    width = next((width for width in _WIDTHS if width >= count), _WIDTHS[-1])
    return min(width, most)


def _stack(problem: Problem, values: Mapping[str, np.ndarray]) -> Stack:
    """The problems of some instances."""
    own = names_that_vary(problem, values.keys())
    paths, _ = jax.tree.flatten_with_path(problem)
    numbers = [number for number, (path, _) in enumerate(paths) if _name(path) in own]
    stacked = _own_leaves(problem, tuple(numbers), dict(values))
    return Stack(problem, dict(zip(numbers, stacked, strict=True)))


def _name(path: tuple[jax.tree_util.KeyEntry, ...]) -> tuple[str, str]:
    """`params`, `data` or `folded`, and the name in it, of a problem's leaf."""
    kind, name = path[:2]
    assert isinstance(kind, jax.tree_util.GetAttrKey) and isinstance(name, jax.tree_util.DictKey)
    return kind.name, str(name.key)


@eqx.filter_jit
def _own_leaves(
    problem: Problem, numbers: tuple[int, ...], values: Mapping[str, Any]
) -> list[Array]:
    """Those leaves of the problem that vary, for each instance."""

    def of_instance(values: dict[str, Array]) -> list[Array]:
        leaves = jax.tree.leaves(with_params(problem, values))
        return [leaves[number] for number in numbers]

    return jax.vmap(of_instance)(dict(values))
