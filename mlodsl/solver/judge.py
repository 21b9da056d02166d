"""The status and the message that follow from how a run ended and from its certificate."""

from __future__ import annotations

import numpy as np

from mlodsl.modules import Problem

from .attempt import Attempt
from .certificate.names import quote_choice
from .outcome import Outcome
from .status import Status

# What brings a strategy closer that stands still beside the solution.
_REMEDIES = {
    "implicit": "letting its linear solves go on (`iterations = 0`)",
    "itd": "differentiating more steps (`truncate`), or giving the lower levels more of them",
    "fd": "another `step`, or exact lower levels",
    "vgd": "another strategy: this one leaves out how the levels below follow",
    "f2ba": "a smaller `sigma`, or `form = extrapolated`",
    "prox_f2ba": "a smaller `sigma`",
    "value_function": "a larger `penalty`",
    "tikhonov": "a smaller `sigma`",
    "galet": "more `iterations`",
    "hoag": "a tighter `tolerance`",
}


def judge(problem: Problem, found: Attempt, tolerance: float) -> tuple[Status, str]:
    """The status that follows from how the run ended and from the certificate."""
    ran, certificate, name = found.ran, found.certificate, found.chosen.name
    reason = ran.reason
    findings = in_a_row((*certificate.findings, *found.chosen.warnings))
    top = f"level `{problem.level_names[0]}`"
    if reason in (Status.MAX_STEPS, Status.TIMEOUT, Status.INTERRUPTED):
        limits = {
            Status.MAX_STEPS: f"stopped after {int(ran.state.steps)} steps",
            Status.TIMEOUT: "stopped at the time limit",
            Status.INTERRUPTED: "interrupted",
        }
        return reason, in_a_row((limits[reason], *certificate.findings))
    if certificate.unbounded:
        return Status.DIVERGED, findings
    lower = [certificate.levels[name] for name in problem.level_names[1:]]
    many = any(level.unique is False for level in lower)
    ran_away = int(ran.state.outcome) == Outcome.UNBOUNDED
    known = certificate.hypergradient_norm is not None
    if reason is Status.DIVERGED and known and not many and not ran_away:
        return reason, (
            f"the total gradient of {top} by `{name}` stopped being a finite number; what takes it "
            f"further is {_REMEDIES[name]}, or another strategy"
        )
    if reason is Status.DIVERGED and known and not many:
        side = "above" if problem.senses[0] == "maximize" else "below"
        where = quote_choice(problem, 0, np.asarray(ran.point.own))
        return reason, (
            f"{top} is unbounded {side}: its objective still improves at {where}; bound its "
            "variables, or add a cost that grows with them"
        )
    if reason is Status.DIVERGED:
        # A start that isn't finite, or lower levels whose failure leaves no gradient.
        if many and certificate.hypergradient_norm is not None:
            findings += f". `{name}` needs lower levels with one best answer: use `auto` or `f2ba`"
        return (Status.STALLED if many else Status.DIVERGED), findings
    if certificate.findings:
        norm = certificate.hypergradient_norm
        off = (certificate.response_error or 0.0) > 1e-6
        if reason is None and norm is not None and (norm > tolerance or off):
            findings += (
                f". By its own measure `{name}` is done here; what takes it closer is "
                f"{_REMEDIES[name]}"
            )
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


def in_a_row(sentences: tuple[str, ...]) -> str:
    """Sentences as one text; all but the first, which a caller may go on from, capitalised."""
    rest = [sentence[:1].upper() + sentence[1:] for sentence in sentences[1:]]
    return ". ".join([*sentences[:1], *rest])
