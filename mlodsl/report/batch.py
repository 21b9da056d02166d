"""What came of many instances of one model."""

from __future__ import annotations

import io
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, overload

import numpy as np
from jaxtyping import Array
from rich.console import Console

from mlodsl.solver import Solution, Status

from .batch_table import batch_table
from .python_result import Result, as_it_is, result_of
from .result import result_dict

_WIDTH = 80


@dataclass(frozen=True, slots=True)
class BatchResult(Sequence[Result]):
    """The results of many instances, in order; `batch[3]` is the `Result` of one of them.

    `batch["x"]` is the variable x of all instances, stacked along the first axis.

    Arguments:
        params: the values that vary, by name, stacked.
        seconds: of the whole batch, compilation included.
    """

    _solutions: tuple[Solution, ...] = field(repr=False)
    _model: str = field(repr=False)
    params: Mapping[str, np.ndarray] = field(repr=False)
    seconds: float

    def __len__(self) -> int:
        return len(self._solutions)

    @overload
    def __getitem__(self, index: int) -> Result: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Result, ...]: ...
    @overload
    def __getitem__(self, index: str) -> Array: ...
    def __getitem__(self, index: int | slice | str) -> Result | tuple[Result, ...] | Array:
        """An instance's result, several of them, or a variable of all instances, stacked.

        Raises:
            IndexError: there is no such instance.
            KeyError: there is no such variable.
        """
        if isinstance(index, str):
            names = self._solutions[0].variables
            if index not in names:
                raise KeyError(f"the model has no variable `{index}`; it has {', '.join(names)}")
            return as_it_is(np.stack([one.variables[index] for one in self._solutions]))
        if isinstance(index, slice):
            return tuple(result_of(one, self._model) for one in self._solutions[index])
        return result_of(self._solutions[index], self._model)

    def __iter__(self) -> Iterator[Result]:
        return (result_of(one, self._model) for one in self._solutions)

    def __repr__(self) -> str:
        """How many instances ended how, on one line."""
        told = ", ".join(f"{number} {status}" for status, number in self.counts.items())
        return f"BatchResult({len(self)} instances of {self._model!r}: {told})"

    @property
    def status(self) -> tuple[str, ...]:
        """The status of each instance."""
        return tuple(str(one.status) for one in self._solutions)

    @property
    def converged(self) -> np.ndarray:
        """For each instance whether it converged: a mask for the arrays."""
        return np.array([one.status is Status.CONVERGED for one in self._solutions])

    @property
    def counts(self) -> dict[str, int]:
        """How many instances ended with which status."""
        return dict(Counter(self.status))

    @property
    def messages(self) -> tuple[str, ...]:
        """The message of each instance."""
        return tuple(one.message for one in self._solutions)

    @property
    def variables(self) -> dict[str, Array]:
        """All variables by name, stacked: [instance, *shape of the variable]."""
        return {name: self[name] for name in self._solutions[0].variables}

    @property
    def objectives(self) -> dict[str, np.ndarray]:
        """Objectives by level, in the sense written, one value for each instance."""
        names = self._solutions[0].objectives
        return {name: np.array([one.objectives[name] for one in self._solutions]) for name in names}

    def table(self) -> str:
        """A table of all instances as text, at most 80 columns wide."""
        text = io.StringIO()
        console = Console(file=text, width=_WIDTH, color_system=None, highlight=False)
        console.print(batch_table(self._solutions, self._model, self.params, self.seconds))
        return text.getvalue()

    def to_list(self) -> list[dict[str, Any]]:
        """For each instance what `mlodsl solve --out` writes."""
        return [result_dict(one, self._model) for one in self._solutions]

    def to_json(self) -> str:
        """The result files' texts as one list."""
        return json.dumps(self.to_list(), indent=2)
