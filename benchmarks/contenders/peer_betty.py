"""Betty (`betty-ml`) on torch: its problems, its engine's dependencies, its conjugate gradients.

Betty's `cg` makes a fixed number of iterations, and its directions aren't conjugate (each new one
is made of the residual before the last), so that more of them don't bring it nearer: the rows show
its error. Solves therefore go by its Neumann series. Lower levels, which Betty would step by a
torch optimiser, are solved by torch's L-BFGS, the best that torch has for them. Releases after
0.1.1 say that they need Python below 3.11, but run on it: `pip install --ignore-requires-python
--no-deps betty-ml==0.2.1`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from betty.configs import Config, EngineConfig
from betty.engine import Engine
from betty.hypergradient import get_grads
from betty.problems import ImplicitProblem

from benchmarks.problems.problem import Objective, Problem

from .contender import LOWER_TOLERANCE, Kind, Solved, Unsupported
from .outer import bfgs

_ITERATIONS = 100
# The series converges where the rate times the largest curvature is below 2.
_TERMS, _RATE = 500, 1.0


class _Vector(torch.nn.Module):
    """A level's variables."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.values = torch.nn.Parameter(torch.zeros(size, dtype=torch.float64))


class _Level(ImplicitProblem):
    """A level as Betty has it: a module and a loss; all levels' modules are seen by each."""

    def __init__(
        self, number: int, size: int, objective: Objective, data: Any, method: str
    ) -> None:
        module = _Vector(size)
        super().__init__(
            name=f"level{number}",
            config=Config(
                type=method,
                cg_iterations=_ITERATIONS,
                neumann_iterations=_TERMS,
                neumann_alpha=_RATE,
                retain_graph=True,
            ),
            module=module,
            optimizer=torch.optim.LBFGS(module.parameters()),
            train_data_loader=[0],
        )
        self.objective = objective
        self.tensors = data
        self.modules: list[_Vector] = []

    def training_step(self, batch: Any) -> Any:
        return self.objective(self.tensors, *(module.values for module in self.modules))


def _levels(problem: Problem, method: str) -> list[_Level]:
    """The problem's levels, top first, in an engine that knows who depends on whom.

    Arguments:
        method: Betty's name of a way to differentiate answers.
    """
    if problem.torch_objectives is None:
        raise Unsupported("the problem isn't written in torch")
    torch.set_num_threads(1)
    logging.getLogger("betty").disabled = True
    data = {name: torch.from_numpy(np.ascontiguousarray(a)) for name, a in problem.data.items()}
    objectives = problem.torch_objectives()
    levels = [
        _Level(number, size, objective, data, method)
        for number, (size, objective) in enumerate(zip(problem.sizes, objectives, strict=True))
    ]
    for level in levels:
        level.modules = [one.module for one in levels]
    bottom = levels[-1]
    Engine(
        config=EngineConfig(strategy="cpu"),
        problems=levels,
        dependencies={
            "u2l": {level: [bottom] for level in levels[:-1]},
            "l2u": {level: levels[:number] for number, level in enumerate(levels) if number},
        },
    )
    _set(levels[0], problem.start)
    return levels


def _set(level: _Level, values: np.ndarray) -> None:
    with torch.no_grad():
        level.module.values.copy_(torch.from_numpy(np.array(values)))


def _hypergradient(top: _Level) -> np.ndarray:
    """Betty's, along all paths by which the levels below answer, and directly."""
    top.module.values.grad = None
    loss = top.training_step_exec(0)
    direct = torch.autograd.grad(loss, [top.module.values], retain_graph=True, allow_unused=True)[0]
    total = torch.zeros_like(top.module.values) if direct is None else direct
    for path in top._paths:
        (part,) = get_grads(loss, path, True, False)
        total = total + part
    return total.detach().numpy()


def _solve_lower(level: _Level, tolerance: float) -> None:
    """Minimises by torch's L-BFGS from where the level stands."""
    optimizer = torch.optim.LBFGS(
        [level.module.values],
        max_iter=2000,
        history_size=30,
        tolerance_grad=tolerance / np.sqrt(level.module.values.numel()),
        tolerance_change=0.0,
        line_search_fn="strong_wolfe",
    )

    def closure() -> Any:
        optimizer.zero_grad()
        loss = level.training_step_exec(0)
        (gradient,) = torch.autograd.grad(loss, [level.module.values])
        level.module.values.grad = gradient
        return loss

    optimizer.step(closure)


class Betty:
    """Its `cg` refuses more than two levels, in its own words."""

    def hypergradient(
        self, problem: Problem, kind: Kind, below: Sequence[np.ndarray]
    ) -> Callable[[], np.ndarray]:
        """`get_grads`, for cold solutions after the lower solve."""
        levels = _levels(problem, "cg")
        top = levels[0]
        if kind == "given":
            for level, values in zip(levels[1:], below, strict=True):
                _set(level, values)
            return lambda: _hypergradient(top)
        if problem.levels > 2:
            return lambda: _hypergradient(top)

        def cold() -> np.ndarray:
            _set(levels[1], np.zeros(problem.sizes[1]))
            _solve_lower(levels[1], LOWER_TOLERANCE)
            return _hypergradient(top)

        return cold

    def solve(self, problem: Problem, tolerance: float) -> Callable[[], Solved]:
        """BFGS on Betty's hypergradients by its Neumann series (its `cg` doesn't converge), the
        lower level started from where it last ended."""
        levels = _levels(problem, "neumann")
        top = levels[0]
        if problem.levels > 2:
            return lambda: Solved(_hypergradient(top), 0, 1)
        exact = max(1e-2 * tolerance, 1e-10)

        def once() -> Solved:
            _set(levels[1], np.zeros(problem.sizes[1]))

            def at(point: np.ndarray, last: float) -> tuple[float, np.ndarray]:
                _set(top, point)
                _solve_lower(levels[1], exact)
                return float(top.training_step_exec(0).detach()), _hypergradient(top)

            ended = bfgs(at, problem.start, tolerance)
            return Solved(ended.point, ended.steps, ended.evaluations)

        return once


CONTENDER = Betty()
