"""How to solve a model, as one checked structure. Hashable: it is static under `jit`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

OptionValue: TypeAlias = bool | int | float | str


@dataclass(frozen=True, slots=True)
class OptimizerChoice:
    """A level's own optimiser, `adam(0.1, b1 = 0.5, schedule = exponential(0.99))`.

    Arguments:
        name: `auto`, `newton`, `lbfgs`, or an Optax optimiser's name.
        arguments: the optimiser's arguments by name, positional ones already named.
        decay: the factor of `schedule = exponential(decay)` that multiplies the learning
            rate each step; None without a schedule.
    """

    name: str = "auto"
    arguments: tuple[tuple[str, OptionValue], ...] = ()
    decay: float | None = None


@dataclass(frozen=True, slots=True)
class LevelSettings:
    """One level's own solver. None: what the level above needs."""

    optimizer: OptimizerChoice = OptimizerChoice()
    steps: int | None = None
    tolerance: float | None = None


@dataclass(frozen=True, slots=True)
class StrategyChoice:
    """A strategy and the options the user gave it, by name."""

    name: str = "auto"
    options: tuple[tuple[str, OptionValue], ...] = ()


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything `solve { }`, a YAML file, flags and Python keywords can say.

    `tolerance` None: 1e-8 in float64, 1e-4 in float32. `timeout` is in seconds. `levels`
    holds the levels that have options of their own.
    """

    strategy: StrategyChoice = StrategyChoice()
    tolerance: float | None = None
    max_steps: int = 1000
    timeout: float | None = None
    seed: int = 0
    precision: Literal["float64", "float32"] = "float64"
    batch_size: int | None = None
    starts: int | Literal["auto"] = "auto"
    levels: tuple[tuple[str, LevelSettings], ...] = ()

    def level(self, name: str) -> LevelSettings:
        """The settings of the level `name`; the defaults where it has none."""
        return dict(self.levels).get(name, LevelSettings())
