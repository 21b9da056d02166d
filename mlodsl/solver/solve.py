"""A problem and settings in, a certified solution out."""

from __future__ import annotations

import time
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from mlodsl.calculus import choices
from mlodsl.modules import Problem
from mlodsl.settings import Settings
from mlodsl.strategies import Point

from .certificate import Certificate, certify, finish_point
from .certificate.names import quote_choice
from .choose import ChosenStrategy, choose_strategy
from .nest import Nest
from .oracle import evaluate_top, objectives, project_top
from .plan import exact_nest, plan_nest, top_tolerance
from .run import Run, Step, Watch, response_below, run
from .status import Status

# How often a run goes on from where the top level stood still without being at a minimum.
_ESCAPES = 3


@dataclass(frozen=True, slots=True)
class Solution:
    """What a run found and what is known of it.

    Arguments:
        params: the values it was solved for, by name.
        variables: the returned point by variable name.
        objectives: by level, in the sense written.
        steps: of the top level.
        evaluations: for each level how many of its total gradients were computed.
        products: for each level how many products with its Hessians; a matrix of them counts
            its columns.
        seconds: `compile`, `solve`, `certificate`, `total`.
        trace: the steps of the top level.
    """

    status: Status
    message: str
    strategy: ChosenStrategy
    params: dict[str, np.ndarray]
    variables: dict[str, np.ndarray]
    objectives: dict[str, float]
    certificate: Certificate
    steps: int
    evaluations: dict[str, int]
    products: dict[str, int]
    seconds: dict[str, float]
    seed: int
    device: str
    trace: list[Step]


def solve(problem: Problem, settings: Settings, watch: Watch | None = None) -> Solution:
    """Solves a problem as the settings say and certifies the point it returns.

    Computes in the problem's precision; for float64 it switches 64-bit arithmetic on around
    itself.

    Raises:
        ModelError: where the settings don't fit the problem.
    """
    with jax.enable_x64(True):
        return _solve(problem, settings, watch or Watch())


def _solve(problem: Problem, settings: Settings, watch: Watch) -> Solution:
    began = time.perf_counter()
    problem = problem.fold()
    tolerance = top_tolerance(problem, settings)
    chosen = choose_strategy(problem, settings)
    nest = plan_nest(problem, settings, chosen.built)
    start = problem.start(jax.random.PRNGKey(settings.seed))
    exact = exact_nest(problem, nest)
    ran: Run | None = None
    certifying = 0.0
    for _ in range(1 + _ESCAPES):
        ran = run(
            nest, start, tolerance=tolerance, timeout=settings.timeout, watch=watch, earlier=ran
        )
        before = time.perf_counter()
        watch.on_phase("certificate")
        returned = finish_point(nest, ran.point) if exact is nest else ran.point
        certificate, _ = certify(problem, exact, returned, tolerance=tolerance, seed=settings.seed)
        certifying += time.perf_counter() - before
        if ran.reason is not None or certificate.descent is None:
            break
        start = _escape(problem, exact, returned, certificate.descent)
    assert ran is not None
    vectors = choices(problem.sizes, 0, returned.flat)
    values = np.asarray(objectives(problem, vectors))
    ended = time.perf_counter()
    status, message = judge(problem, ran, certificate, tolerance)
    return Solution(
        status=status,
        message=message,
        strategy=chosen,
        params=_params(problem),
        variables={name: np.asarray(value) for name, value in problem.unpack(vectors).items()},
        objectives={
            name: float(-value if sense == "maximize" else value)
            for name, sense, value in zip(problem.level_names, problem.senses, values, strict=True)
        },
        certificate=certificate,
        steps=int(ran.state.steps),
        evaluations=_by_level(problem, ran.state.point.evaluations),
        products=_by_level(problem, ran.state.point.products),
        seconds={
            "compile": ran.compile_seconds,
            "solve": ran.solve_seconds,
            "certificate": certifying,
            "total": ended - began,
        },
        seed=settings.seed,
        device=str(jax.devices()[0].platform),
        trace=ran.trace,
    )


def _by_level(problem: Problem, counts: Array) -> dict[str, int]:
    return dict(zip(problem.level_names, np.asarray(counts).tolist(), strict=True))


def _params(problem: Problem) -> dict[str, np.ndarray]:
    """All params' values, whole-number ones too, in the model's order."""
    checked = problem.structure.checked
    return {
        info.name: np.asarray(
            problem.params[info.name] if info.name in problem.params else checked.statics[info.name]
        )
        for info in checked.params
    }


def _escape(problem: Problem, nest: Nest, point: Point, descent: np.ndarray) -> tuple[Array, ...]:
    """A start a little off a maximum or a saddle of the top level, on its better side."""
    own = np.asarray(point.own)
    step = 1e-2 * (1 + np.linalg.norm(own)) * descent
    zero = jnp.zeros((), point.own.dtype)
    trials = []
    for sign in (1.0, -1.0):
        moved = project_top(problem, jnp.asarray((own + sign * step).astype(own.dtype)))
        trials.append(evaluate_top(nest, moved, response_below(nest, point), zero))
    best = min(trials, key=lambda trial: float(jnp.nan_to_num(trial.value, nan=jnp.inf)))
    return choices(problem.sizes, 0, best.flat)


def judge(
    problem: Problem, ran: Run, certificate: Certificate, tolerance: float
) -> tuple[Status, str]:
    """The status that follows from how the run ended and from the certificate."""
    reason = ran.reason
    findings = _in_a_row(certificate.findings)
    top = f"level `{problem.level_names[0]}`"
    if reason in (Status.MAX_STEPS, Status.TIMEOUT, Status.INTERRUPTED):
        limits = {
            Status.MAX_STEPS: f"stopped after {int(ran.state.steps)} steps",
            Status.TIMEOUT: "stopped at the time limit",
            Status.INTERRUPTED: "interrupted",
        }
        return reason, _in_a_row((limits[reason], *certificate.findings))
    if certificate.unbounded:
        return Status.DIVERGED, findings
    if reason is Status.DIVERGED and certificate.hypergradient_norm is not None:
        side = "above" if problem.senses[0] == "maximize" else "below"
        where = quote_choice(problem, 0, np.asarray(ran.point.own))
        return reason, (
            f"{top} is unbounded {side}: its objective still improves at {where}; bound its "
            "variables, or add a cost that grows with them"
        )
    if reason is Status.DIVERGED:
        # A start that isn't finite, or lower levels whose failure leaves no gradient.
        lower = any(level.unique is False for level in certificate.levels.values())
        return (Status.STALLED if lower else Status.DIVERGED), findings
    if certificate.findings:
        return Status.STALLED, findings
    norm = certificate.hypergradient_norm
    assert norm is not None
    optimum = "maximum" if problem.senses[0] == "maximize" else "minimum"
    message = f"{top} is at a local {optimum} of its own problem"
    if problem.number_of_levels > 1:
        message += (
            ", and every lower level is at its best response, as far as re-solving from "
            f"{certificate.starts} other starts can tell"
        )
    if norm > tolerance:
        message += (
            f"; the residual {norm:.3g} is above the tolerance {tolerance:.3g} but within its "
            f"rounding error ({certificate.rounding:.3g})"
        )
    return Status.CONVERGED, message


def _in_a_row(sentences: tuple[str, ...]) -> str:
    """Sentences as one text; all but the first, which a caller may go on from, capitalised."""
    rest = [sentence[:1].upper() + sentence[1:] for sentence in sentences[1:]]
    return ". ".join([*sentences[:1], *rest])
