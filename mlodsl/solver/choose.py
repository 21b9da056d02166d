"""Which strategy runs, and why: the one that is named, or `auto`'s choice from what it sees."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import jax
import numpy as np

from mlodsl.calculus import EliminationForm
from mlodsl.diagnostics import Diagnostic, ModelError
from mlodsl.modules import Problem
from mlodsl.settings import OptionValue, Settings
from mlodsl.strategies import Implicit

from .certificate.lower import LowerLevel
from .certificate.names import name_of_entry
from .compiling import is_traced
from .lanes import in_lane
from .plan import exact_nest, plan_nest
from .probe import Probe, probe
from .rules import EXACT, Built, Request, build_strategy, flat_follower

_FORMS: dict[EliminationForm, str] = {
    "full": "dense matrices of all unknowns below it",
    "reduced": "a dense reduced Hessian",
    "cg": "conjugate gradients without matrices",
    "minres": "MINRES without matrices",
    "neumann": "a Neumann series without matrices",
}


# Curvatures this much smaller than the largest one are suspicious.
_ILL = 1e-8

# Built-in functions whose second derivatives don't exist everywhere.
_KINKED = frozenset(
    (
        *("abs", "relu", "elu", "huber", "sign", "floor", "clip", "where"),
        *("max", "min", "maximum", "minimum", "norm1", "norm2", "norm_inf"),
    )
)


@dataclass(frozen=True, slots=True)
class ChosenStrategy:
    """Which strategy runs, who chose it, and why, as the result file reports it.

    Arguments:
        options: of the strategy, those that a rule settled included.
        built: the strategy as it runs.
        warnings: what the probe saw that may keep any strategy from an answer.
        otherwise: makes what to go on with where the run fails; only after `auto`.
    """

    name: str
    chosen_by: str
    reason: str
    options: Mapping[str, OptionValue]
    built: Built
    warnings: tuple[str, ...] = ()
    otherwise: Callable[[], ChosenStrategy] | None = None


def choose_strategy(problem: Problem, settings: Settings) -> ChosenStrategy:
    """The strategy the settings name, or for `auto` the one that fits, with the reason.

    Inside of a transformation of JAX, where the numbers aren't known, `auto` is `implicit`.

    Raises:
        ModelError: E507, the named strategy doesn't fit the model.
    """

    name = settings.strategy.name
    if name == "auto":
        if is_traced(problem) or problem.number_of_levels == 1:
            return _choose_implicit(problem, ())
        return _choose(problem, settings, probe_start(problem, settings))

    @functools.cache
    def look() -> Probe:
        return probe_start(problem, settings)

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
    # Inside of somebody's `jit` a model's own numbers are known all the same. Outside, what is
    # compiled here serves the run and the certificate too, which that context would prevent. (To
    # look by `jnp.zeros` would compile a program.)
    staged = not in_lane() and isinstance(jax.device_put(np.zeros(())), jax.core.Tracer)
    with jax.ensure_compile_time_eval() if staged else contextlib.nullcontext():
        nest = exact_nest(problem, plan_nest(problem, settings, EXACT))
        return probe(problem, settings, nest)


def _choose(problem: Problem, settings: Settings, seen: Probe) -> ChosenStrategy:
    evidence = _evidence(problem, seen)
    warnings = _warnings(problem, seen)
    penalty = functools.partial(_choose_penalty, problem, evidence, warnings)
    implicit = functools.partial(_choose_implicit, problem, evidence, warnings)
    flat = [read.level for read in seen.lower if _is_flat(read)]
    if settings.level(problem.level_names[0]).optimizer.name == "newton":
        # Only implicit differentiation comes with second derivatives of the top level.
        return implicit()
    if problem.number_of_levels == 2 and seen.lacks_second_derivatives:
        first_order = _choose_first_order(problem, evidence, warnings)
        return replace(first_order, otherwise=implicit)
    if flat == [1]:
        return replace(penalty(), otherwise=implicit)
    return implicit(penalty)


def _is_flat(read: LowerLevel) -> bool:
    curvature = read.curvature
    if curvature is None:
        return False
    largest = max(abs(curvature.largest), abs(curvature.smallest))
    return abs(curvature.smallest) <= max(curvature.floor, 1e-10 * largest)


def _choose_implicit(
    problem: Problem,
    evidence: tuple[str, ...],
    warnings: tuple[str, ...] = (),
    otherwise: Callable[[], ChosenStrategy] | None = None,
) -> ChosenStrategy:
    forms = _linear_solves(problem.level_names, problem.sizes)
    parts = ["exact total gradients by implicit differentiation", *evidence]
    parts.append(
        f"linear solves by size: {'; '.join(forms)}" if forms else "there is no lower level"
    )
    if evidence:
        parts.append(
            "ruled out: `itd` and `fd`, exact only in the limit and slower; `f2ba` and its like, "
            "biased by their σ; `vgd`, which leaves the followers' answer out"
        )
    return ChosenStrategy("implicit", "auto", "; ".join(parts), {}, EXACT, warnings, otherwise)


@functools.lru_cache(maxsize=64)
def _linear_solves(names: tuple[str, ...], sizes: tuple[int, ...]) -> tuple[str, ...]:
    """How K_k is solved with at each lower level, in words."""
    assert isinstance(EXACT.strategy, Implicit)
    plans = EXACT.strategy.elimination_plans(sizes)
    return tuple(
        f"level `{name}` ({size} variable{'s' * (size != 1)}): {_FORMS[plan.form]}"
        for name, size, plan in list(zip(names, sizes, plans, strict=True))[1:]
    )


def _choose_penalty(
    problem: Problem,
    evidence: tuple[str, ...],
    warnings: tuple[str, ...],
) -> ChosenStrategy:
    """F²BA for a level that is flat, its minimisations by the level's own optimiser."""
    built = flat_follower(problem.structure.dtype)
    reason = "; ".join(
        (
            "penalised minima of the lower level instead of an inverse of its Hessian",
            *evidence,
            "ruled out: `implicit` and `itd`, which need an answer that is unique",
        )
    )
    return ChosenStrategy("f2ba", "auto", reason, built.options, built, warnings)


def _choose_first_order(
    problem: Problem,
    evidence: tuple[str, ...],
    warnings: tuple[str, ...],
) -> ChosenStrategy:
    """F²BA with minimisations that take gradients alone."""
    built = replace(flat_follower(problem.structure.dtype), gradients_only=True)
    reason = "; ".join(("gradients alone, no second derivatives", *evidence))
    return ChosenStrategy("f2ba", "auto", reason, built.options, built, warnings)


def _evidence(problem: Problem, seen: Probe) -> tuple[str, ...]:
    """What the probe saw of each lower level, a clause each."""
    found = []
    for read in seen.lower:
        name = problem.level_names[read.level]
        curvature = read.curvature
        if curvature is None:
            found.append(f"the second derivatives of level `{name}` are not finite at the start")
            continue
        along = name_of_entry(problem, read.level, curvature.axis)
        if _is_flat(read):
            found.append(f"level `{name}` is flat along `{along}` at its answer to the start")
        elif not curvature.is_positive:
            found.append(
                f"level `{name}` has the curvature {curvature.smallest:.3g} along `{along}` at the "
                "start"
            )
        else:
            found.append(
                f"at the start the curvature of level `{name}` is between "
                f"{curvature.smallest:.3g} and {curvature.largest:.3g}"
            )
    return tuple(found)


def _warnings(problem: Problem, seen: Probe) -> tuple[str, ...]:
    found = []
    for read in seen.lower:
        name = problem.level_names[read.level]
        kinks = sorted(_KINKED & problem.structure.needed[read.level])
        if kinks:
            used = ", ".join(f"`{kink}`" for kink in kinks)
            found.append(
                f"level `{name}` uses {used}: where its answer lies on a kink, it has no derivative"
            )
        curvature = read.curvature
        if curvature is None or curvature.smallest > _ILL * max(abs(curvature.largest), 1e-300):
            continue
        if curvature.smallest >= -curvature.floor:
            found.append(
                f"level `{name}` is barely or not at all curved along "
                f"`{name_of_entry(problem, read.level, curvature.axis)}`: if it is merely convex, "
                "stationary points may not exist or be out of reach ('On Finding Small "
                "Hyper-Gradients in Bilevel Optimization', section 3)"
            )
    return tuple(found)
