"""From a strategy's options to the strategy: what `auto` options mean, given a probe."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp
import numpy as np

from mlodsl.diagnostics import Diagnostic, ModelError
from mlodsl.modules import Problem
from mlodsl.settings import (
    OPTIMIZERS,
    STRATEGIES as SIGNATURES,
    LevelSettings,
    OptimizerChoice,
    OptionValue,
    Settings,
)
from mlodsl.strategies import (
    AbstractStrategy,
    FiniteDifferences,
    FirstOrderBilevel,
    Galet,
    Hoag,
    Implicit,
    IterativeDifferentiation,
    PartialGradient,
    ProximalFirstOrderBilevel,
    Tikhonov,
    Unrolling,
    ValueFunction,
)

from .probe import Constants, Probe, estimate_constants

# The accuracy that penalty methods aim at where no σ is given.
ACCURACY = 1e-3

GRADIENT_STEPS = 1000
# Descent ends by its tolerance; constants that are estimated at the start may be off tenfold.
_DESCENT_RESERVE = 10
_LEAST_DESCENT_STEPS = 500
_MOST_DESCENT_STEPS = 200_000
_MOST_UNROLLED = 2**14
# Of the bottom level, for one answer of the second: steps multiply from level to level.
_MOST_UNROLLED_IN_ALL = 2**17
_MOST_UNROLLED_EVER = 2**28
# What is left of an error after the unrolled steps.
_UNROLLED_REST = 1e-6


_IMPLICIT = Implicit()


@dataclass(frozen=True, slots=True)
class Built:
    """A strategy as it runs.

    Arguments:
        strategy: with its options as numbers.
        options: what they are, by name, those that were settled by a rule included.
        between: how levels in between find their total gradients, where not by the strategy.
        descent: τ and K of gradient descent in the second level, unless it has an optimiser.
        eta: the step of gradient descent in the top level.
        flat: whether lower levels may be flat at their answers.
        gradients_only: whether lower levels move without second derivatives.
        note: what the rules settled, in words.
    """

    strategy: AbstractStrategy
    options: Mapping[str, OptionValue]
    between: AbstractStrategy = _IMPLICIT
    descent: tuple[float, int] | None = None
    eta: float | None = None
    flat: bool = False
    gradients_only: bool = False
    note: str = ""


def flat_follower(dtype: np.dtype) -> Built:
    """F²BA for a second level that is flat at its answers, as exact as differences allow.

    Its error is of order σ², and differences lose the precision over σ: σ is the cube root of
    the precision. The minimisations are by the level's own optimiser, not by gradient descent.
    """
    sigma = float(np.finfo(dtype).eps) ** (1 / 3)
    strategy = FirstOrderBilevel(jnp.asarray(sigma), "extrapolated")
    return Built(strategy, {"sigma": sigma, "form": "extrapolated"}, flat=True)


EXACT = Built(_IMPLICIT, {})
"""Implicit differentiation as it comes, by which every level can be solved."""


@dataclass(frozen=True, slots=True)
class Request:
    """What a rule may look at.

    Arguments:
        name: of the strategy.
        given: the options that were given.
        look: the probe, where a rule needs it.
    """

    problem: Problem
    settings: Settings
    name: str
    given: Mapping[str, OptionValue]
    look: Callable[[], Probe]

    def value(self, option: str) -> Any:
        """An option's value, the table's default where it wasn't given."""
        table = {parameter.name: parameter.default for parameter in SIGNATURES[self.name].options}
        return self.given.get(option, table[option])

    def values(self) -> dict[str, Any]:
        """All options."""
        return {item.name: self.value(item.name) for item in SIGNATURES[self.name].options}

    def constants(self, option: str) -> Constants:
        """The estimated constants, for settling `option`."""
        constants = estimate_constants(self.problem, self.look())
        if constants is None:
            reason = (
                f"`{self.name}` can't settle `{option}` by itself: the levels' derivatives aren't "
                "finite at the start, or the second level is linear there"
            )
            hint = f"give it: `{self.name}({option} = …)`"
            raise ModelError([Diagnostic("E507", reason, None, hint)])
        return constants

    def sigma(self) -> float:
        """σ, by Theorem 4.1's rule where it wasn't given."""
        given = self.value("sigma")
        if given != "auto":
            return float(given)
        return theorem_sigma(self.constants("sigma"), self.problem.structure.dtype)


def build_strategy(request: Request) -> Built:
    """The strategy that is asked for, with its options settled.

    Raises:
        ModelError: E507, the strategy doesn't fit the model, or an option can't be settled.
    """
    _verify_fit(request.problem, request.name)
    return _RULES[request.name](request)


def _verify_fit(problem: Problem, name: str) -> None:
    reason, hint = SIGNATURES[name].misfit(problem.number_of_levels), "use `auto`"
    if reason is None and name == "kkt":
        reason = "`kkt` is for models with constraints, and this one has none"
    if reason is None and name == "tikhonov":
        upper = {item.name for item in problem.structure.levels[0].variables}
        shared = sorted(upper & problem.structure.needed[1])
        if shared:
            reason = (
                f"`{name}` is for lower objectives that don't depend on the upper variables, and "
                f"that of level `{problem.level_names[1]}` depends on `{shared[0]}`"
            )
            hint = "use `f2ba`, `value_function` or `implicit`"
    if reason is not None:
        raise ModelError([Diagnostic("E507", reason, None, hint)])


def theorem_sigma(constants: Constants, dtype: np.dtype) -> float:
    """σ by Theorem 4.1 for an accuracy of 1e-3: min(ε / (ℓ κ³), L_g / L_f, 1).

    The theorem's R / κ bounds the first iterations alone, and ρ_g / ρ_f is 0 / 0 for quadratics.
    A smaller σ than about the square root of the precision would lose more in differences than
    it gains.
    """
    smallest = float(np.finfo(dtype).eps) ** 0.45
    # In logarithms: κ³ may be beyond what a float holds.
    rule = math.log(ACCURACY / constants.smoothness) - 3 * math.log(constants.condition)
    sigma = math.exp(min(max(rule, math.log(smallest)), 0.0))
    if constants.upper_curvature > 0:
        sigma = min(sigma, constants.lower_curvature / constants.upper_curvature)
    return _rounded(max(sigma, smallest))


def _implicit(request: Request) -> Built:
    if request.value("linear_solver") == "dense" and request.value("iterations"):
        raise _either("`iterations` is of the matrix-free linear solvers, and `dense` is none")
    return Built(Implicit(**request.values()), request.given)


def _vgd(request: Request) -> Built:
    return Built(PartialGradient(**request.values()), request.given)


def _fd(request: Request) -> Built:
    between = request.value("between")
    differences = FiniteDifferences(
        jnp.asarray(request.value("step")), request.value("central"), between
    )
    return Built(differences, request.given, PartialGradient() if between == "vgd" else Implicit())


def _galet(request: Request) -> Built:
    if request.value("iterations") and "tolerance" in request.given:
        raise _either("`tolerance` is of conjugate gradients, which fixed `iterations` replace")
    return Built(Galet(**request.values()), request.given, flat=True)


def _hoag(request: Request) -> Built:
    numbers = {name: jnp.asarray(value) for name, value in request.values().items()}
    return Built(Hoag(**numbers), request.given)


def _tikhonov(request: Request) -> Built:
    sigma = request.sigma()
    steps = max(2, 1 + round(abs(math.log10(sigma))))
    return Built(Tikhonov(jnp.asarray(sigma), steps), request.given, flat=True)


def _f2ba(request: Request) -> Built:
    sigma = request.sigma()
    strategy = FirstOrderBilevel(jnp.asarray(sigma), request.value("form"))
    found: dict[str, OptionValue] = {**request.given, "sigma": sigma}
    eta = None if request.value("eta") == "auto" else float(request.value("eta"))
    first, second = request.problem.level_names[:2]
    own = request.settings.level(second).optimizer
    tau, steps = request.value("tau"), request.value("steps")
    given_steps = request.settings.level(second).steps
    if eta is not None and request.settings.level(first).optimizer.name != "auto":
        raise _either(f"`eta` is of gradient descent in level `{first}`, which has an optimiser")
    if steps != "auto" and given_steps is not None:
        raise _either(f"`steps` of `f2ba` and of level `{second}` are the same steps")
    if own.name != "auto":
        for option, value in (("tau", tau), ("steps", steps)):
            if value != "auto":
                raise _either(
                    f"`{option}` is of gradient descent in level `{second}`, which moves by "
                    f"`{own.name}`"
                )
        return Built(strategy, found, eta=eta, flat=True, note=f"σ = {sigma:.3g}")
    if tau == steps == "auto" and given_steps is None and request.constants("steps").flat:
        note = (
            f"σ = {sigma:.3g}; level `{second}` is flat in some directions, along which gradient "
            "descent would take in the order of 1 / σ steps, so it moves by its own optimiser"
        )
        return Built(strategy, found, eta=eta, flat=True, note=note)
    if tau == "auto":
        constants = request.constants("tau")
        tau = _rounded(1 / (sigma * constants.upper_curvature + constants.lower_curvature))
    if given_steps is not None:
        steps = given_steps
    if steps == "auto":
        constants = request.constants("steps")
        condition = constants.lower_curvature / constants.growth
        rule = 2 * _DESCENT_RESERVE * condition * math.log(max(condition / sigma, math.e))
        steps = int(_rounded(min(max(rule, _LEAST_DESCENT_STEPS), _MOST_DESCENT_STEPS)))
    found |= {"tau": float(tau), "steps": int(steps)}
    note = f"σ = {sigma:.3g}, τ = {tau:.3g}, K = {steps}"
    return Built(strategy, found, descent=(float(tau), int(steps)), eta=eta, flat=True, note=note)


def _prox_f2ba(request: Request) -> Built:
    sigma, rho = request.sigma(), request.value("rho")
    if rho == "auto":
        constants = request.constants("rho")
        curvature = request.look().lower[0].curvature
        curved = curvature is not None and curvature.is_positive
        rho = _rounded(1 / constants.growth if curved else 1 / (2 * constants.lower_curvature))
    strategy = ProximalFirstOrderBilevel(
        jnp.asarray(sigma), jnp.asarray(rho), request.value("steps")
    )
    found = {**request.given, "sigma": sigma, "rho": float(rho)}
    return Built(strategy, found, flat=True, note=f"σ = {sigma:.3g}, ρ = {rho:.3g}")


def _value_function(request: Request) -> Built:
    penalty = request.value("penalty")
    if penalty == "auto":
        dtype = request.problem.structure.dtype
        penalty = 1 / theorem_sigma(request.constants("penalty"), dtype)
    if "initial" in request.given and request.value("initial") > penalty:
        reason = (
            f"the penalty grows from `initial = {request.value('initial'):.3g}`, which is above "
            f"the last one, {penalty:.3g}"
        )
        raise ModelError([Diagnostic("E507", reason, None, "a smaller `initial`")])
    strategy = ValueFunction(
        jnp.asarray(penalty),
        jnp.asarray(request.value("initial")),
        jnp.asarray(request.value("growth")),
    )
    found = {**request.given, "penalty": float(penalty)}
    return Built(strategy, found, flat=True, note=f"the penalty grows to {penalty:.3g}")


def _itd(request: Request) -> Built:
    truncate = request.value("truncate")
    names = request.problem.level_names[1:]
    by_rule = _unrolled_steps(request) if truncate == "auto" else [int(truncate)] * len(names)
    unrollings = []
    for name, steps in zip(names, by_rule, strict=True):
        own = request.settings.level(name)
        choice = _optax_choice(own)
        last = steps
        if choice is not None:
            steps = own.steps or GRADIENT_STEPS
            last = steps if truncate == "auto" else min(last, steps)
        unrollings.append(Unrolling(choice, steps, last, request.settings.seed))
    if math.prod(one.steps for one in unrollings) > _MOST_UNROLLED_EVER:
        reason = "the steps of all lower levels multiply to more than `itd` can unroll"
        raise ModelError([Diagnostic("E507", reason, None, "fewer `steps`, or a lower `truncate`")])
    strategy = IterativeDifferentiation(tuple(unrollings), request.value("mode"))
    through = ", ".join(
        f"{one.differentiated} of level `{name}`"
        for one, name in zip(unrollings, names, strict=True)
    )
    note = f"differentiated steps: {through}" if through else ""
    return Built(strategy, request.given, note=note)


def _optax_choice(own: LevelSettings) -> OptimizerChoice | None:
    name = own.optimizer.name
    return own.optimizer if name != "auto" and OPTIMIZERS[name].of_optax else None


def _unrolled_steps(request: Request) -> list[int]:
    """For each lower level the steps that leave 1e-6 of an error: κ log 1e6, in powers of two.

    Fewer where all levels' together would be too many.
    """
    free = [
        level
        for level, name in enumerate(request.problem.level_names[1:])
        if _optax_choice(request.settings.level(name)) is None
    ]
    steps = [1] * (request.problem.number_of_levels - 1)
    for level in free:
        curvature = request.look().lower[level].curvature
        wanted = float(_MOST_UNROLLED)
        if curvature is not None and curvature.is_positive:
            wanted = curvature.largest / curvature.smallest * math.log(1 / _UNROLLED_REST)
        steps[level] = min(2 ** math.ceil(math.log2(max(wanted, 16))), _MOST_UNROLLED)
    while math.prod(steps) > _MOST_UNROLLED_IN_ALL:
        steps[steps.index(max(steps))] //= 2
    return steps


def _either(reason: str) -> ModelError:
    """The error of two options of which one excludes the other."""
    return ModelError([Diagnostic("E507", reason, None, "remove one of the two")])


def _rounded(value: float) -> float:
    """Two significant digits, so that models that hardly differ share compiled code."""
    return float(f"{value:.1e}")


_RULES: dict[str, Callable[[Request], Built]] = {
    "implicit": _implicit,
    "itd": _itd,
    "fd": _fd,
    "vgd": _vgd,
    "f2ba": _f2ba,
    "prox_f2ba": _prox_f2ba,
    "galet": _galet,
    "hoag": _hoag,
    "value_function": _value_function,
    "tikhonov": _tikhonov,
}
