"""How a player stands at a point: his conditions, his curvature, his multipliers."""

from __future__ import annotations

import dataclasses
import warnings
from dataclasses import dataclass

import jax.numpy as jnp
import numpy as np
import scipy

from ..certificate.names import name_of_entry
from ..certificate.structure import LevelCertificate
from .first_order import Conditions, conditions
from .functions import Functions
from .kkt import Candidate, Piece, deeper
from .lowest import choice_near
from .place import AT_MOST, EQUAL, OWN, SLACK
from .rivals import Rivals

_GAP = 1e-7
_FEASIBLE = 1e-10
_NEAR = 1e-6


@dataclass(frozen=True, slots=True)
class Standing:
    """A player's certificate, and a better choice of his where one was found."""

    certificate: LevelCertificate
    better: np.ndarray | None


def title_of(functions: Functions) -> str:
    """The player's level, or `level.player` where it has several."""
    place = functions.place
    return functions.problem.objective_names[place.level][place.player]


def entry_name(functions: Functions, axis: np.ndarray) -> str:
    """The variable that a direction of the own choice points along most."""
    place = functions.place
    assert place.own is not None, "someone chooses"
    whole = np.zeros(place.own.size)
    whole[place.own.players[place.player].own] = axis[: place.size]
    return name_of_entry(functions.problem, place.level, whole)


def certify_player(
    functions: Functions, z: np.ndarray, piece: Piece | None, gap: float
) -> Standing:
    """A player of a lower level at his choice; he has been solved again, this adds the rest.

    Arguments:
        gap: of his level, as solving it again found it; NaN where it found nothing.
    """
    known = None if np.isnan(gap) else gap
    if piece is None and functions.place.below is not None:
        return Standing(LevelCertificate(None, None, None, None, None, known), None)
    found = conditions(functions, Rivals(functions), z, piece or ())
    value = float(functions.at(z, deeper(piece))[0][OWN])
    better = None
    if functions.place.below is None:
        for rival in _by_another_method(functions, z):
            values, _ = functions.at(rival, ())
            outside = np.concatenate([np.maximum(values[AT_MOST], 0), np.abs(values[EQUAL])])
            here = value - float(values[OWN])
            if np.max(outside, initial=0.0) <= _FEASIBLE and here > (known or 0.0):
                known = here
                better = rival if here > _GAP * (1 + abs(value)) else None
    candidate = Candidate(z, value, piece or (), complete=True)
    certificate = standing_of(functions, candidate, found)
    return Standing(dataclasses.replace(certificate, gap=known), better)


def standing_of(functions: Functions, candidate: Candidate, found: Conditions) -> LevelCertificate:
    """The figures of a level at its choice, its gap apart."""
    place = functions.place
    z, piece = candidate.point, candidate.piece or ()
    values, _ = functions.at(z, deeper(piece))
    forces = found.multipliers[: values[AT_MOST].size]
    held = (values[AT_MOST] >= -_NEAR) & (forces > _NEAR)
    direction = None
    if place.below is None:
        unique = _is_alone(functions, z, found, held)
    elif found.curvature is None:
        # A vertex: the choice is alone where every constraint that holds it has a force.
        holding = np.count_nonzero(held) + values[EQUAL].size + values[SLACK].size
        unique = bool(holding >= place.size)
    else:
        unique = bool(found.curvature > 1e-9)
    if found.axis is not None and place.size:
        direction = entry_name(functions, found.axis)
    products = np.abs(forces * values[AT_MOST])
    active = values[AT_MOST] >= -_NEAR
    return LevelCertificate(
        gradient_norm=found.residual,
        min_curvature=found.curvature,
        direction=direction,
        unique=unique,
        distance=None,
        complementarity=float(np.max(products, initial=0.0)) if values[AT_MOST].size else None,
        strict=bool(np.all(forces[active] > _NEAR)) if values[AT_MOST].size else None,
        multipliers=_by_name(functions, z, found.multipliers),
    )


def _is_alone(functions: Functions, z: np.ndarray, found: Conditions, held: np.ndarray) -> bool:
    """Whether the objective curves upwards wherever the constraints with a force let go."""
    values, slopes = functions.at(z, ())
    rows = np.concatenate([slopes[AT_MOST][held], slopes[EQUAL]])
    tangent = scipy.linalg.null_space(rows, rcond=1e-9) if len(rows) else np.eye(z.size)
    if tangent.shape[1] == 0:
        return True
    weights = [np.zeros_like(np.asarray(part)) for part in values]
    weights[OWN] = np.ones_like(weights[OWN])
    count = values[AT_MOST].size
    weights[AT_MOST] = found.multipliers[:count]
    weights[EQUAL] = found.multipliers[count : count + values[EQUAL].size]
    hessian = functions.curvature(z, (), weights)
    if not np.all(np.isfinite(hessian)):
        return False
    return bool(np.linalg.eigvalsh(tangent.T @ hessian @ tangent)[0] > 1e-9)


def _by_name(
    functions: Functions, z: np.ndarray, multipliers: np.ndarray
) -> dict[str, list[float]]:
    """The multipliers of the player's own constraints, by what they come from."""
    place = functions.place
    assert place.own is not None, "someone chooses"
    player = place.own.players[place.player]
    vectors = tuple(map(jnp.asarray, functions.vectors(z)))
    labels = functions.problem.constraint_labels(place.level, vectors, place.player)
    names = [*(labels[0][index] for index in player.at_most), *labels[1]]
    found: dict[str, list[float]] = {}
    for name, value in zip(names, multipliers[: len(names)], strict=True):
        found.setdefault(name.replace("`", ""), []).append(float(value))
    return found


def _by_another_method(functions: Functions, x: np.ndarray) -> list[np.ndarray]:
    """The choice from x by SciPy's `trust-constr`, made exact by a local solve."""
    values, _ = functions.at(x, ())
    constraints = []
    for part, least in ((AT_MOST, -np.inf), (EQUAL, 0.0)):
        if values[part].size:
            constraints.append(
                scipy.optimize.NonlinearConstraint(
                    lambda w, part=part: functions.at(w, ())[0][part],
                    least,
                    0.0,
                    jac=lambda w, part=part: functions.at(w, ())[1][part],
                    hess=scipy.optimize.BFGS(),
                )
            )
    with np.errstate(all="ignore"), warnings.catch_warnings():
        # That a function is linear, so that its Hessian isn't updated.
        warnings.simplefilter("ignore", UserWarning)
        found = scipy.optimize.minimize(
            lambda w: float(functions.at(w, ())[0][OWN]),
            x,
            jac=lambda w: functions.at(w, ())[1][OWN],
            hess=scipy.optimize.BFGS(),
            constraints=constraints,
            method="trust-constr",
            options={"maxiter": 60},
        )
    if not np.all(np.isfinite(found.x)):
        return []
    return [choice_near(functions, np.asarray(found.x, x.dtype)).point]
