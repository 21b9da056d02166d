"""From settings and a problem to a nest: which strategy, and how each level moves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import jax.numpy as jnp

from mlodsl.diagnostics import Diagnostic, ModelError
from mlodsl.modules import Problem
from mlodsl.settings import LevelSettings, OptimizerChoice, OptionValue, Settings
from mlodsl.strategies import STRATEGIES, AbstractStrategy, Implicit

from .movers import AbstractMover, FirstOrder, LimitedMemory, QuasiNewton, TrustRegionNewton
from .nest import LevelPlan, Nest

_DENSE_QUASI_NEWTON = 512
_NEWTON_STEPS = 300
_GRADIENT_STEPS = 1000
_EXTRA_STEPS = 5
_EXTRA_NEWTON_STEPS = 10


@dataclass(frozen=True, slots=True)
class ChosenStrategy:
    """Which strategy runs, who chose it, and why, as the result file reports it."""

    name: str
    chosen_by: str
    reason: str
    options: Mapping[str, OptionValue]
    strategy: AbstractStrategy


def choose_strategy(problem: Problem, settings: Settings) -> ChosenStrategy:
    """The strategy the settings name, or for `auto` the one that fits, with the reason."""
    choice = settings.strategy
    options = dict(choice.options)
    if choice.name != "auto":
        strategy = STRATEGIES[choice.name](**options)
        return ChosenStrategy(choice.name, "user", "named in the settings", options, strategy)
    strategy = Implicit()
    plans = strategy.elimination_plans(problem.sizes)
    words = {
        "full": "dense matrices of all unknowns below it",
        "reduced": "a dense reduced Hessian",
        "free": "conjugate gradients without matrices",
    }
    forms = "; ".join(
        f"level `{name}` ({size} variables): {words[plan.form]}"
        for name, size, plan in list(zip(problem.level_names, problem.sizes, plans, strict=True))[
            1:
        ]
    )
    reason = "exact total gradients by implicit differentiation"
    reason += f"; linear solves by size: {forms}" if forms else "; there is no lower level"
    return ChosenStrategy("implicit", "auto", reason, options, strategy)


def top_tolerance(problem: Problem, settings: Settings) -> float:
    """The tolerance on the top level's residual: its own, the run's, or the precision's."""
    own = settings.level(problem.level_names[0]).tolerance
    for given in (own, settings.tolerance):
        if given is not None:
            return given
    return 1e-8 if settings.precision == "float64" else 1e-4


def plan_nest(problem: Problem, settings: Settings, strategy: AbstractStrategy) -> Nest:
    """The nest that solves the problem as the settings say.

    Raises:
        ModelError: where a level's optimiser can't keep to the level's domain, or where the
            settings ask for what isn't built yet.
    """
    _refuse(settings)
    names = problem.level_names
    plans = [_plan_top(problem, settings)]
    plans += [_plan_lower(settings.level(name), settings.seed) for name in names[1:]]
    patience = jnp.array(jnp.iinfo(jnp.int32).max, jnp.int32)
    return Nest(problem, strategy, tuple(plans), jnp.zeros(len(names), bool), patience)


def exact_nest(problem: Problem, nest: Nest) -> Nest:
    """The nest that certificates re-solve with: Newton at every lower level, no options.

    Where `nest` already is exact in its lower levels it serves, and nothing compiles anew.
    """
    plain = plan_nest(problem, Settings(), Implicit())
    if nest.plans[1:] == plain.plans[1:] and nest.strategy == plain.strategy:
        return nest
    return plain


def _refuse(settings: Settings) -> None:
    """Options of keywords and flags that the model's own text may not have had."""
    wrong = []
    if settings.batch_size is not None:
        message = "`batch_size` cannot be used yet: steps take all rows"
        wrong.append(Diagnostic("E804", message, None, "remove it"))
    if settings.starts not in ("auto", 1):
        message = f"`starts = {settings.starts}` cannot be used yet: a solve has one start"
        wrong.append(Diagnostic("E807", message, None, "draw it with another `seed` each time"))
    if wrong:
        raise ModelError(wrong)


def _plan_top(problem: Problem, settings: Settings) -> LevelPlan:
    own = settings.level(problem.level_names[0])
    steps = min(own.steps or settings.max_steps, settings.max_steps)
    constrained = problem.has_domain(0)
    mover = _mover(own.optimizer, settings.seed, constrained)
    if own.optimizer.name == "auto":
        if problem.sizes[0] <= _DENSE_QUASI_NEWTON:
            mover = QuasiNewton(constrained=constrained)
        else:
            mover = LimitedMemory(constrained=constrained)
    if constrained and isinstance(mover, TrustRegionNewton):
        message = f"`newton` can't keep level `{problem.level_names[0]}` in its domain"
        hint = "use `auto`, `lbfgs` or an Optax optimiser there"
        raise ModelError([Diagnostic("E504", message, None, hint)])
    return LevelPlan(
        mover,
        steps,
        exact=True,
        constrained=constrained,
        extra_steps=_EXTRA_STEPS,
    )


def _plan_lower(own: LevelSettings, seed: int) -> LevelPlan:
    mover = _mover(own.optimizer, seed, constrained=False)
    default = _NEWTON_STEPS if isinstance(mover, TrustRegionNewton) else _GRADIENT_STEPS
    return LevelPlan(
        mover,
        own.steps if own.steps is not None else default,
        exact=own.steps is None,
        tolerance=own.tolerance,
        extra_steps=_EXTRA_NEWTON_STEPS,
    )


def _mover(choice: OptimizerChoice, seed: int, constrained: bool) -> AbstractMover:
    if choice.name in ("auto", "newton"):
        return TrustRegionNewton()
    if choice.name == "lbfgs":
        memory = int(dict(choice.arguments).get("memory", LimitedMemory().memory))
        return LimitedMemory(memory, constrained)
    return FirstOrder(choice, constrained, seed)
