"""How options, optimisers and strategies are described as data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .kinds import Kind
from .structure import OptionValue


@dataclass(frozen=True, slots=True)
class Parameter:
    """One option, or one argument of an optimiser or a strategy.

    Arguments:
        name: its name.
        kind: the values it takes.
        default: its value where it isn't given; None where that means "none".
        required: whether it has to be given.
        keyword_only: whether it is given by name only.
        unset: the value that stands for None, the default that no number can say, such as
            `auto` for a tolerance or `inf` for a time limit.
        doc: what it does, in one sentence.
    """

    name: str
    kind: Kind
    default: OptionValue | None = None
    required: bool = False
    keyword_only: bool = False
    unset: OptionValue | None = None
    doc: str = ""


@dataclass(frozen=True, slots=True)
class OptimizerSignature:
    """One optimiser of a level.

    Arguments:
        name: its name in the language, and in Optax for those of Optax.
        parameters: its arguments, in the order in which they are given by position.
        doc: what it is, in one sentence.
        scheduled: whether `schedule = exponential(decay)` is allowed.
        of_optax: whether it is Optax's, and not the solver's own.
        draws: whether it draws random numbers, from a key that the solver passes.
    """

    name: str
    parameters: tuple[Parameter, ...]
    doc: str
    scheduled: bool = True
    of_optax: bool = True
    draws: bool = False


@dataclass(frozen=True, slots=True)
class StrategySignature:
    """One strategy: a way to the total gradient of a level.

    Arguments:
        name: its name.
        options: its options; all are given by name.
        doc: the first line is one sentence, the rest says more.
        minimum_levels: the fewest levels it works with.
        maximum_levels: the most levels it works with; None: any number.
    """

    name: str
    options: tuple[Parameter, ...]
    doc: str
    minimum_levels: int = 1
    maximum_levels: int | None = None

    @property
    def summary(self) -> str:
        """The first line of `doc`."""
        return self.doc.partition("\n")[0]

    def misfit(self, levels: int) -> str | None:
        """Why the strategy can't be used with so many levels, None where it can."""
        if levels < self.minimum_levels:
            there_are = "has one level" if levels == 1 else f"has {levels} levels"
            return f"`{self.name}` needs a level below the top one, and the model {there_are}"
        if self.maximum_levels is not None and levels > self.maximum_levels:
            return (
                f"`{self.name}` is for models of {self.maximum_levels} levels, and this one has "
                f"{levels}"
            )
        return None


def value_text(value: OptionValue | None) -> str:
    """A value as it is written in a model: `true`, `1e-08`, `auto`."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int | str) else f"{value:.12g}"


def signature_text(name: str, parameters: Sequence[Parameter]) -> str:
    """A signature as messages and help show it: `sgd(learning_rate, momentum = none, …)`."""
    parts = [
        parameter.name
        if parameter.required
        else f"{parameter.name} = {value_text(parameter.default)}"
        for parameter in parameters
    ]
    return f"{name}({', '.join(parts)})"
