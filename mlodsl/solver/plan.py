"""From settings and a strategy to a nest: how each level moves."""

from __future__ import annotations

import dataclasses

import numpy as np

from mlodsl.calculus import on_host
from mlodsl.diagnostics import Diagnostic, ModelError
from mlodsl.modules import Problem
from mlodsl.settings import OptimizerChoice, Settings
from mlodsl.strategies import Implicit

from .movers import (
    AbstractMover,
    Descent,
    FirstOrder,
    LimitedMemory,
    QuasiNewton,
    TrustRegionNewton,
)
from .nest import LevelPlan, Nest
from .rules import GRADIENT_STEPS, Built, flat_follower

_DENSE_QUASI_NEWTON = 512
_NEWTON_STEPS = 300
_EXTRA_STEPS = 5
_EXTRA_NEWTON_STEPS = 10


def top_tolerance(problem: Problem, settings: Settings) -> float:
    """The tolerance on the top level's residual: its own, the run's, or the precision's."""
    own = settings.level(problem.level_names[0]).tolerance
    for given in (own, settings.tolerance):
        if given is not None:
            return given
    return 1e-8 if settings.precision == "float64" else 1e-4


def plan_nest(problem: Problem, settings: Settings, built: Built) -> Nest:
    """The nest that solves the problem as the settings say.

    Raises:
        ModelError: where a level's optimiser can't keep to the level's domain or doesn't fit the
            strategy, or where the settings ask for what isn't built yet.
    """
    _refuse(problem, settings)
    names = problem.level_names
    plans = [_plan_top(problem, settings, built)]
    for level in range(1, len(names)):
        plans.append(_plan_lower(problem, settings, built, level))
    patience = on_host(np.array(np.iinfo(np.int32).max, np.int32))
    frozen = on_host(np.zeros(len(names), bool))
    return Nest(problem, built.strategy, tuple(plans), frozen, patience, built.between)


def exact_nest(problem: Problem, nest: Nest) -> Nest:
    """The nest that certificates re-solve with: Newton at every lower level, no options.

    Where `nest` already is exact in its lower levels it serves, and nothing compiles anew.
    """
    plain = plan_nest(problem, Settings(), Built(Implicit(), {}))
    same = isinstance(nest.strategy, Implicit) and nest.strategy == plain.strategy
    return nest if same and nest.plans[1:] == plain.plans[1:] else plain


def optimistic_nest(problem: Problem, settings: Settings) -> Nest | None:
    """The nest that selects among the answers of a flat second level, for two levels alone.

    Where `auto` runs such a nest it is the same, and nothing compiles anew.
    """
    if problem.number_of_levels != 2:
        return None
    top = problem.level_names[0]
    # Newton's method needs second derivatives, which these gradients don't come with.
    own = tuple(
        (name, level)
        for name, level in settings.levels
        if name == top and level.optimizer.name != "newton"
    )
    plain = dataclasses.replace(settings, levels=own)
    return plan_nest(problem, plain, flat_follower(problem.structure.dtype))


def _refuse(problem: Problem, settings: Settings) -> None:
    """Options of keywords and flags that the model's own text may not have had."""
    wrong = []
    if settings.batch_size is not None:
        message = "`batch_size` cannot be used yet: steps take all rows"
        wrong.append(Diagnostic("E804", message, None, "remove it"))
    if wrong:
        raise ModelError(wrong)


def _plan_top(problem: Problem, settings: Settings, built: Built) -> LevelPlan:
    own = settings.level(problem.level_names[0])
    steps = min(own.steps or settings.max_steps, settings.max_steps)
    constrained = problem.has_domain(0)
    by_slopes = built.strategy.judges_by_slopes
    choice = own.optimizer
    if choice.name == "auto" and built.eta is not None:
        choice = OptimizerChoice("sgd", (("learning_rate", built.eta),))
    mover: AbstractMover
    if choice.name == "newton":
        _verify_newton(problem, built, 0)
        if constrained:
            message = f"`newton` can't keep level `{problem.level_names[0]}` in its domain"
            hint = "use `auto`, `lbfgs` or an Optax optimiser there"
            raise ModelError([Diagnostic("E504", message, None, hint)])
        mover = TrustRegionNewton()
    elif choice.name == "auto" and problem.sizes[0] <= _DENSE_QUASI_NEWTON:
        mover = QuasiNewton(constrained, by_slopes)
    elif choice.name in ("auto", "lbfgs"):
        mover = LimitedMemory(_memory(choice), constrained, by_slopes)
    else:
        mover = FirstOrder(choice, constrained, settings.seed)
    return LevelPlan(
        mover,
        steps,
        exact=True,
        constrained=constrained,
        extra_steps=_EXTRA_STEPS,
    )


def _plan_lower(problem: Problem, settings: Settings, built: Built, level: int) -> LevelPlan:
    own = settings.level(problem.level_names[level])
    choice = own.optimizer
    # Levels whose gradients aren't a derivative of anything have no Hessian to factorise.
    bottom = level + 1 == problem.number_of_levels
    strategy = built.strategy if built.strategy.everywhere else built.between
    by_slopes = strategy.judges_by_slopes and not bottom
    has_factor = (strategy.keeps_factor or bottom) and not built.gradients_only
    mover: AbstractMover
    default, exact = GRADIENT_STEPS, own.steps is None
    if choice.name == "auto" and level == 1 and built.descent is not None:
        mover = Descent(built.descent[0])
        default, exact = built.descent[1], False
    elif choice.name == "newton" or (choice.name == "auto" and has_factor):
        if not bottom:
            _verify_newton(problem, built, level)
        mover = TrustRegionNewton(flat=built.flat)
        default = _NEWTON_STEPS
    elif choice.name == "auto" and problem.sizes[level] <= _DENSE_QUASI_NEWTON:
        mover = QuasiNewton(by_slopes=by_slopes)
    elif choice.name in ("auto", "lbfgs"):
        mover = LimitedMemory(_memory(choice), by_slopes=by_slopes)
    else:
        mover = FirstOrder(choice, False, settings.seed)
    return LevelPlan(
        mover,
        own.steps if own.steps is not None else default,
        exact=exact,
        tolerance=own.tolerance,
        extra_steps=_EXTRA_NEWTON_STEPS,
    )


def _memory(choice: OptimizerChoice) -> int:
    return int(dict(choice.arguments).get("memory", LimitedMemory().memory))


def _verify_newton(problem: Problem, built: Built, level: int) -> None:
    strategy = built.strategy if level == 0 or built.strategy.everywhere else built.between
    if not strategy.keeps_factor and level + 1 < problem.number_of_levels:
        message = (
            f"`newton` needs second derivatives of level `{problem.level_names[level]}`, which "
            "this strategy doesn't compute"
        )
        raise ModelError([Diagnostic("E507", message, None, "use `auto` or `lbfgs` there")])
