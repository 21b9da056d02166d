"""The result that the Python interface returns."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from mlodsl.solver import Solution

from .result import result_dict


@dataclass(frozen=True, slots=True)
class Result:
    """A solved model; `result["x"]` is the variable x as a JAX array.

    Arguments:
        status: `converged`, `max_steps`, `timeout`, `stalled`, `diverged`, `infeasible` or
            `interrupted`.
        message: a sentence on how it ended.
        variables: the returned point by variable name.
        objectives: by level, in the sense written.
        certificate: what was verified at the point, as in the result file.
        steps: of the top level.
        strategy: `name`, `chosen_by` (`auto` or `user`), `reason` and `options`.
    """

    status: str
    message: str
    variables: dict[str, Array]
    objectives: dict[str, float]
    certificate: dict[str, Any] = dataclasses.field(repr=False)
    steps: int
    strategy: dict[str, Any] = dataclasses.field(repr=False)
    _file: dict[str, Any] = dataclasses.field(repr=False)

    def __getitem__(self, name: str) -> Array:
        """The variable `name`; an unknown one is a `KeyError` that names those there are."""
        if name not in self.variables:
            known = ", ".join(self.variables)
            raise KeyError(f"the model has no variable `{name}`; it has {known}")
        return self.variables[name]

    def to_dict(self) -> dict[str, Any]:
        """The result as the file that `mlodsl solve --out` writes."""
        return self._file

    def to_json(self) -> str:
        """The result file's text."""
        return json.dumps(self._file, indent=2)


def as_it_is(value: np.ndarray) -> Array:
    """As a JAX array of the same precision, whatever the caller's settings are."""
    with jax.enable_x64(True):
        return jnp.asarray(value)


def result_of(found: Solution, name: str) -> Result:
    """A solution as Python's result.

    Arguments:
        name: of the model.
    """
    file = result_dict(found, name)
    return Result(
        status=str(found.status),
        message=found.message,
        variables={key: as_it_is(value) for key, value in found.variables.items()},
        objectives=found.objectives,
        certificate=file["certificate"],
        steps=found.steps,
        strategy=file["strategy"],
        _file=file,
    )
