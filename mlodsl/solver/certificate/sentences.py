"""The sentences that say what keeps a point from being certified."""

from __future__ import annotations

import numpy as np

from mlodsl.modules import Problem

from ..outcome import Outcome
from .better import BetterResponse
from .lower import LowerLevel
from .names import name_of_entry, quote_choice
from .norms import eps_of
from .surroundings import Fall


def level_words(problem: Problem, level: int) -> tuple[str, str, str]:
    """A level's name in quotes, what it looks for, and the keyword that would mend a mix-up."""
    name = f"level `{problem.level_names[level]}`"
    if problem.senses[level] == "maximize":
        return name, "maximum", "minimize"
    return name, "minimum", "maximize"


def unbounded_sentence(problem: Problem, read: LowerLevel) -> str:
    """A level whose objective runs away; curved the wrong way it may be a mixed-up sense."""
    name, sought, other = level_words(problem, read.level)
    side = "above" if sought == "maximum" else "below"
    sentence = (
        f"{name} is unbounded {side}: its objective still improves at {_where(problem, read)}"
    )
    if read.curvature is not None and read.curvature.smallest < -read.curvature.floor:
        opposite = "minimum" if sought == "maximum" else "maximum"
        sentence += (
            f"; it curves the wrong way along {_along(problem, read)} (curvature "
            f"{read.curvature.smallest:.3g}), as at a {opposite} where a {sought} is asked for: "
            f"add a cost that grows with it, or write `{other}` if that is meant"
        )
    else:
        sentence += "; add a cost that grows with its variables"
    return sentence


def runaway_sentence(problem: Problem, read: LowerLevel, outcome: int) -> str | None:
    """A level that ran away or has no finite start; None where it didn't."""
    if outcome == Outcome.UNBOUNDED:
        return unbounded_sentence(problem, read)
    if outcome == Outcome.NONFINITE:
        name, _, _ = level_words(problem, read.level)
        return (
            f"{name}: its objective or gradient is not a finite number at "
            f"{_where(problem, read)}; set a start with `var … = …` where it is"
        )
    return None


def unsolved_sentence(problem: Problem, read: LowerLevel, outcome: int) -> str | None:
    """A level that its solve left far from any optimum; None where its gradient is small."""
    eps = eps_of(read.own)
    if outcome not in (Outcome.LIMIT, Outcome.STALLED) or read.gradient_norm <= eps**0.4:
        return None
    name, sought, _ = level_words(problem, read.level)
    if read.curvature is not None and read.curvature.is_positive:
        return (
            f"{name} could not be solved: its gradient norm is still {read.gradient_norm:.3g} at "
            f"{_where(problem, read)}, and its steps improve it no further; its objective may have "
            "a kink there (`abs`, `max`, `relu`): use a smooth form such as `smooth_abs`, or start "
            "it elsewhere"
        )
    side = "above" if sought == "maximum" else "below"
    sentence = (
        f"{name} is unbounded {side}, or has no {sought} that could be found: its gradient norm is "
        f"still {read.gradient_norm:.3g} at {_where(problem, read)}"
    )
    if read.curvature is not None and read.curvature.smallest < -read.curvature.floor:
        opposite = "minimum" if sought == "maximum" else "maximum"
        sentence += (
            f", where it curves the wrong way along {_along(problem, read)} (curvature "
            f"{read.curvature.smallest:.3g}), as around a {opposite}"
        )
    return sentence + "; add a cost that grows with its variables, or start it elsewhere"


def curvature_sentence(problem: Problem, read: LowerLevel) -> str | None:
    """A level that is not at a strict optimum; None where it is."""
    name, sought, other = level_words(problem, read.level)
    curvature = read.curvature
    if curvature is None:
        return f"{name}: its curvature could not be computed at {_where(problem, read)}"
    if curvature.smallest < -curvature.floor:
        saddle = curvature.largest > curvature.floor
        opposite = "minimum" if sought == "maximum" else "maximum"
        kind = "saddle point" if saddle else opposite
        return (
            f"{name} is at a {kind} along {_along(problem, read)}, where a {sought} is asked for "
            f"(curvature {curvature.smallest:.3g}); write `{other}` if that is meant"
        )
    if not curvature.is_positive:
        return (
            f"{name} is flat along {_along(problem, read)} (curvature {curvature.smallest:.3g}): "
            f"its best response isn't unique there, so the levels above have no definite gradient; "
            f"add a small cost on that direction, e.g. `1e-3 * sumsq(…)`"
        )
    return None


def distance_sentence(problem: Problem, level: int, gradient: float, distance: float) -> str:
    """A level whose gradient is small though no optimum is near."""
    name, sought, _ = level_words(problem, level)
    return (
        f"{name}: its gradient fades out (norm {gradient:.3g}) without a {sought} nearby; the next "
        f"Newton step would be {distance:.3g} long, so its objective flattens out towards "
        f"infinity or its {sought} is degenerate: bound its variables (`in [a, b]`), or add a cost "
        "that grows with them"
    )


def flattening_sentence(problem: Problem, gradient: float, step: np.ndarray) -> str:
    """A top level that goes on falling, ever less, however far one looks along a Newton step."""
    name, sought, _ = level_words(problem, 0)
    along = name_of_entry(problem, 0, step)
    verb = "falls" if sought == "maximum" else "rises"
    return (
        f"{name}: its gradient fades out (norm {gradient:.3g}) without a {sought} nearby; the next "
        f"Newton step would be {float(np.linalg.norm(step)):.3g} long, and its objective never "
        f"{verb} within sixteen of them: it flattens out along `{along}` towards infinity; bound "
        "that with a domain (`in [a, b]`), or add a cost that grows with it"
    )


def degenerate_sentence(problem: Problem, gradient: float, distance: float) -> str:
    """A top level whose minimum is near and flatter than a quadratic one."""
    name, sought, _ = level_words(problem, 0)
    return (
        f"{name}: its gradient is small (norm {gradient:.3g}), but its {sought} is degenerate, and "
        f"the next Newton step towards it would be {distance:.3g} long; ask for a smaller "
        "`tolerance`, or add a small cost that is curved there"
    )


def fall_sentence(problem: Problem, fall: Fall) -> str:
    """A top level that is no minimum, as a ray from it shows."""
    name, sought, _ = level_words(problem, 0)
    verb = "rises" if sought == "maximum" else "falls"
    along = name_of_entry(problem, 0, fall.direction)
    much = f" by {fall.drop:.3g}" if fall.drop > 0 else ""
    return (
        f"{name} is not at a {sought}: at a distance of {fall.distance:.3g} along `{along}` its "
        f"objective {verb}{much}, though its gradient {'and curvature allow' if much else 'allows'}"
        f" a {sought}; it may have a kink, a jump or a plateau there: start it elsewhere"
    )


def far_sentence(problem: Problem, residual: float, distance: float) -> str:
    """A top level whose gradient is small though its minimum is some way off."""
    name, sought, _ = level_words(problem, 0)
    return (
        f"{name}: its gradient is small (norm {residual:.3g}), but so is its curvature, and its "
        f"{sought} is about {distance:.3g} away: its objective is written in small units; multiply "
        "it by a large number, or ask for a smaller `tolerance`"
    )


def better_sentence(problem: Problem, better: BetterResponse) -> str:
    """A level that has a better response elsewhere."""
    name, sought, _ = level_words(problem, better.level)
    where = quote_choice(problem, better.level, better.own)
    if better.unbounded:
        side = "above" if sought == "maximum" else "below"
        return (
            f"{name} is unbounded {side}: from another start its objective improves up to {where}"
        )
    if better.favours is not None:
        above = level_words(problem, better.favours)[0]
        return (
            f"{name} has another best response, {where}: as good for itself and better by "
            f"{better.gain:.3g} for {above}, in whose favour ties break; start it nearer to that "
            "with `var … = …`"
        )
    return (
        f"{name} is at a local {sought} that isn't its best response: {where} is better for it "
        f"by {better.gain:.3g}; start it nearer to that with `var … = …`"
    )


def _where(problem: Problem, read: LowerLevel) -> str:
    return quote_choice(problem, read.level, read.own)


def _along(problem: Problem, read: LowerLevel) -> str:
    assert read.curvature is not None
    return f"`{name_of_entry(problem, read.level, read.curvature.axis)}`"
