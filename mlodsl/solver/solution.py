"""What a run found and what is known of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np
from jaxtyping import Array

from mlodsl.modules import Problem, default_platform

from .certificate import Certificate, LevelCertificate
from .choose import ChosenStrategy
from .run import Step
from .status import Status


@dataclass(frozen=True, slots=True)
class LocalSolution:
    """One of several local answers.

    Arguments:
        objective: of the top level, in the sense written; None where it has several players.
        variables: by name.
    """

    objective: float | None
    variables: dict[str, np.ndarray]


@dataclass(frozen=True, slots=True)
class Solution:
    """What a run found and what is known of it.

    Arguments:
        params: the values it was solved for, by name.
        variables: the returned point by variable name.
        objectives: by level, in the sense written.
        steps: of the top level, from the start that led to the point; with constraints: starts.
        evaluations: for each level how many of its total gradients were computed; with
            constraints: of its functions.
        products: for each level how many products with its Hessians; a matrix of them counts
            its columns.
        seconds: `compile`, `solve`, `certificate`, `total`.
        device: the kind of device it ran on, `cpu` or `gpu`.
        devices: how many shared the rows of the data; 1 where nothing was shared.
        trace: the steps of the top level, from the start that led to the point.
        local_solutions: the distinct local answers, best first, where several starts were tried.
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
    devices: int
    trace: list[Step]
    local_solutions: tuple[LocalSolution, ...] = ()


@dataclass(frozen=True, slots=True)
class ResponseReport:
    """The lower levels' answer to given choices, and what is known of it.

    Arguments:
        variables: of the answering levels, by name.
        objectives: of all levels and players, in the sense written.
        levels: the certificate of each answering level or player.
        findings: what speaks against the answer, a sentence each; empty where nothing does.
    """

    variables: dict[str, np.ndarray]
    objectives: dict[str, float]
    levels: dict[str, LevelCertificate]
    findings: tuple[str, ...]


def platform_of(array: Array | np.ndarray) -> str:
    """The kind of device that an array was computed on, `cpu` or `gpu`.

    Of an array of the host's it is where JAX computes what such arrays are given to.
    """
    if not isinstance(array, jax.Array):
        return default_platform()
    return str(next(iter(array.devices())).platform)


def devices_of(problem: Problem) -> int:
    """On how many devices a problem is solved."""
    mesh = problem.structure.mesh
    return 1 if mesh is None else int(mesh.size)


def answering_variables(
    problem: Problem, level: int, vectors: Sequence[Any]
) -> dict[str, np.ndarray]:
    """The variables of a level and those below, by name, from the vectors of all levels."""
    found: dict[str, np.ndarray] = {}
    for layout, vector in zip(problem.structure.levels[level:], vectors[level:], strict=True):
        found |= {name: np.asarray(value) for name, value in layout.unpack(vector).items()}
    return found


def values_of_params(problem: Problem) -> dict[str, np.ndarray]:
    """All params' values, whole-number ones too, in the model's order."""
    checked = problem.structure.checked
    return {
        info.name: np.asarray(
            problem.params[info.name] if info.name in problem.params else checked.statics[info.name]
        )
        for info in checked.params
    }


def as_written(problem: Problem, values: np.ndarray) -> dict[str, float]:
    """Objectives by level, or `level.player`, in the sense written, from those of minimisations."""
    names = (name for level in problem.objective_names for name in level)
    return {
        name: float(-value if sense == "maximize" else value)
        for name, sense, value in zip(names, problem.objective_senses, values, strict=True)
    }
