"""From settings and a strategy to a nest: how each level moves."""

from __future__ import annotations

import dataclasses
import functools
from dataclasses import dataclass

import numpy as np

from mlodsl.calculus import on_host
from mlodsl.diagnostics import Diagnostic, ModelError
from mlodsl.modules import Problem, Structure
from mlodsl.settings import OptimizerChoice, Settings
from mlodsl.strategies import Implicit

from .abilities import abilities_of
from .lanes import in_lane
from .movers import (
    AbstractMover,
    Descent,
    FirstOrder,
    LimitedMemory,
    ProjectedQuasiNewton,
    QuasiNewton,
    TrustRegionNewton,
)
from .nest import LevelPlan, Nest
from .preconditioning import no_preconditioner
from .rules import EXACT, GRADIENT_STEPS, Built, flat_follower

_PLAIN = Settings()
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
    _refuse(settings)
    if built is EXACT:
        nest = _exact_blank(problem.structure, settings).replaced(game=problem)
    else:
        nest = _nest(problem, settings, built)
    # Several devices would form it as often as each of them measures that it pays.
    several = problem.structure.mesh is not None
    if not nest.abilities.remembers or several or in_lane():
        return nest
    return nest.replaced(preconditioner=no_preconditioner(problem.sizes[1]))


@functools.lru_cache(maxsize=256)
def _exact_blank(structure: Structure, settings: Settings) -> Nest:
    """The exact nest of problems that differ in numbers alone, as the instances of a batch do."""
    return _nest(Problem({}, {}, {}, structure), settings, EXACT)


def _nest(problem: Problem, settings: Settings, built: Built) -> Nest:
    plans = _plan_levels(problem.structure, settings, _traits(built))
    patience = on_host(np.array(np.iinfo(np.int32).max, np.int32))
    frozen = on_host(np.zeros(len(plans), bool))
    abilities = abilities_of(problem.sizes, built.strategy, plans)
    return Nest(
        problem, built.strategy, plans, frozen, patience, built.between, abilities=abilities
    )


def exact_nest(problem: Problem, nest: Nest) -> Nest:
    """The nest that certificates re-solve with: Newton at every lower level, no options.

    Where `nest` already is exact in its lower levels it serves, and nothing compiles anew.
    """
    plain = _exact_blank(problem.structure, _PLAIN)
    mine, its = nest.strategy, plain.strategy
    same = mine is its or (isinstance(mine, Implicit) and mine == its)
    serves = same and nest.plans[1:] == plain.plans[1:]
    return nest if serves else plan_nest(problem, _PLAIN, EXACT)


@functools.lru_cache(maxsize=1024)
def _one_of(plan: LevelPlan) -> LevelPlan:
    """One object for all plans that are equal, which are compared faster then."""
    return plan


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


@dataclass(frozen=True, slots=True)
class _Traits:
    """What of a strategy decides how levels move: the top one, and those below it.

    Arguments:
        descent, eta, flat, gradients_only: as in `Built`.
    """

    by_slopes: bool
    keeps_factor: bool
    by_slopes_below: bool
    keeps_factor_below: bool
    descent: tuple[float, int] | None
    eta: float | None
    flat: bool
    gradients_only: bool


def _traits(built: Built) -> _Traits:
    top = built.strategy
    below = top if top.everywhere else built.between
    return _Traits(
        top.judges_by_slopes,
        top.keeps_factor,
        below.judges_by_slopes,
        below.keeps_factor,
        built.descent,
        built.eta,
        built.flat,
        built.gradients_only,
    )


@functools.lru_cache(maxsize=256)
def _plan_levels(
    structure: Structure, settings: Settings, traits: _Traits
) -> tuple[LevelPlan, ...]:
    """The plan of each level, top first; the instances of a batch share them."""
    problem = Problem({}, {}, {}, structure)
    lower = range(1, problem.number_of_levels)
    return (
        _one_of(_plan_top(problem, settings, traits)),
        *(_one_of(_plan_lower(problem, settings, traits, level)) for level in lower),
    )


def _refuse(settings: Settings) -> None:
    """Options of keywords and flags that the model's own text may not have had."""
    wrong = []
    if settings.batch_size is not None:
        message = "`batch_size` cannot be used yet: steps take all rows"
        wrong.append(Diagnostic("E804", message, None, "remove it"))
    if wrong:
        raise ModelError(wrong)


def _plan_top(problem: Problem, settings: Settings, traits: _Traits) -> LevelPlan:
    own = settings.level(problem.level_names[0])
    steps = min(own.steps or settings.max_steps, settings.max_steps)
    constrained = problem.has_domain(0)
    choice = own.optimizer
    if choice.name == "auto" and traits.eta is not None:
        choice = OptimizerChoice("sgd", (("learning_rate", traits.eta),))
    mover: AbstractMover
    if choice.name == "newton":
        _verify_newton(problem, traits.keeps_factor, 0)
        if constrained:
            message = f"`newton` can't keep level `{problem.level_names[0]}` in its domain"
            hint = "use `auto`, `lbfgs` or an Optax optimiser there"
            raise ModelError([Diagnostic("E504", message, None, hint)])
        mover = TrustRegionNewton()
    elif choice.name == "auto" and problem.sizes[0] <= _DENSE_QUASI_NEWTON:
        kind = ProjectedQuasiNewton if constrained else QuasiNewton
        mover = kind(traits.by_slopes)
    elif choice.name in ("auto", "lbfgs"):
        mover = LimitedMemory(_memory(choice), constrained, traits.by_slopes)
    else:
        mover = FirstOrder(choice, constrained, settings.seed)
    return LevelPlan(
        mover,
        steps,
        exact=True,
        constrained=constrained,
        extra_steps=_EXTRA_STEPS,
    )


def _plan_lower(problem: Problem, settings: Settings, traits: _Traits, level: int) -> LevelPlan:
    own = settings.level(problem.level_names[level])
    choice = own.optimizer
    # Levels whose gradients aren't a derivative of anything have no Hessian to factorise.
    bottom = level + 1 == problem.number_of_levels
    by_slopes = traits.by_slopes_below and not bottom
    has_factor = (traits.keeps_factor_below or bottom) and not traits.gradients_only
    mover: AbstractMover
    default, exact = GRADIENT_STEPS, own.steps is None
    if choice.name == "auto" and level == 1 and traits.descent is not None:
        mover = Descent(traits.descent[0])
        default, exact = traits.descent[1], False
    elif choice.name == "newton" or (choice.name == "auto" and has_factor):
        if not bottom:
            _verify_newton(problem, traits.keeps_factor_below, level)
        mover = TrustRegionNewton(flat=traits.flat)
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


def _verify_newton(problem: Problem, keeps_factor: bool, level: int) -> None:
    if not keeps_factor and level + 1 < problem.number_of_levels:
        message = (
            f"`newton` needs second derivatives of level `{problem.level_names[level]}`, which "
            "this strategy doesn't compute"
        )
        raise ModelError([Diagnostic("E507", message, None, "use `auto` or `lbfgs` there")])
