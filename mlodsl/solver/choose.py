"""Which strategy runs, and why: the one that is named, or `auto`'s choice from what it sees."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass

import jax

from mlodsl.calculus import EliminationForm
from mlodsl.diagnostics import Diagnostic, ModelError
from mlodsl.modules import Problem
from mlodsl.settings import OptionValue, Settings
from mlodsl.strategies import Implicit

from .plan import exact_nest, plan_nest
from .probe import Probe, probe
from .rules import Built, Request, build_strategy

_FORMS: dict[EliminationForm, str] = {
    "full": "dense matrices of all unknowns below it",
    "reduced": "a dense reduced Hessian",
    "cg": "conjugate gradients without matrices",
    "minres": "MINRES without matrices",
    "neumann": "a Neumann series without matrices",
}


@dataclass(frozen=True, slots=True)
class ChosenStrategy:
    """Which strategy runs, who chose it, and why, as the result file reports it.

    Arguments:
        options: of the strategy, those that a rule settled included.
        built: the strategy as it runs.
        otherwise: what to try where it fails in the run; only after `auto`.
    """

    name: str
    chosen_by: str
    reason: str
    options: Mapping[str, OptionValue]
    built: Built
    otherwise: str | None = None


def choose_strategy(problem: Problem, settings: Settings) -> ChosenStrategy:
    """The strategy the settings name, or for `auto` the one that fits, with the reason.

    Inside of a transformation of JAX, where the numbers aren't known, `auto` is `implicit`.

    Raises:
        ModelError: E507, the named strategy doesn't fit the model.
    """

    @functools.cache
    def look() -> Probe:
        return probe_start(problem, settings)

    name = settings.strategy.name
    if name == "auto":
        return _choose(problem, settings, None if is_traced(problem) else look())
    request = Request(problem, settings, name, dict(settings.strategy.options), look)
    built = build_strategy(request)
    reason = "named in the settings" + (f"; {built.note}" if built.note else "")
    return ChosenStrategy(name, "user", reason, built.options, built)


def probe_start(problem: Problem, settings: Settings) -> Probe:
    """What the model's start shows.

    Raises:
        ModelError: E507, inside of a transformation of JAX, where the numbers aren't known.
    """
    if is_traced(problem):
        message = "the strategy's options can't be settled inside of a transformation of JAX"
        hint = "give them, e.g. `f2ba(sigma = 1e-4, tau = 0.1, steps = 500)`, or use `implicit`"
        raise ModelError([Diagnostic("E507", message, None, hint)])
    nest = exact_nest(problem, plan_nest(problem, settings, Built(Implicit(), {})))
    return probe(problem, settings, nest)


def is_traced(problem: Problem) -> bool:
    """Whether JAX is tracing, so that the problem's numbers aren't known."""
    return any(isinstance(leaf, jax.core.Tracer) for leaf in jax.tree.leaves(problem))


def _choose(problem: Problem, settings: Settings, seen: Probe | None) -> ChosenStrategy:
    built = Built(Implicit(), {})
    plans = Implicit().elimination_plans(problem.sizes)
    lower = list(zip(problem.level_names, problem.sizes, plans, strict=True))[1:]
    forms = "; ".join(
        f"level `{name}` ({size} variable{'s' * (size != 1)}): {_FORMS[plan.form]}"
        for name, size, plan in lower
    )
    reason = "exact total gradients by implicit differentiation"
    reason += f"; linear solves by size: {forms}" if forms else "; there is no lower level"
    return ChosenStrategy("implicit", "auto", reason, built.options, built)
