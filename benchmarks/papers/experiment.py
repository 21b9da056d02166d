"""What an experiment is: a measurement, its picture, and the claims it decides."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from mlodsl.report.pictures.canvas import Drawing


class DataMissing(Exception):
    """A file that an experiment needs isn't there; the message says which, in a sentence."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A sentence of a paper, and what was measured about it.

    Arguments:
        source: the paper and its figure, table or theorem.
        claim: what the paper says.
        figures: what was measured.
        holds: whether the measurement bears it out.
    """

    source: str
    claim: str
    figures: str
    holds: bool

    @property
    def verdict(self) -> str:
        """`reproduced` or `refuted`."""
        return "reproduced" if self.holds else "refuted"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an experiment measured.

    Arguments:
        scheme: the settings, in words; those that the paper doesn't state are named as ours.
        numbers: plain numbers, lists and dicts, which the picture is drawn from.
        claims: what follows.
    """

    scheme: str
    numbers: dict[str, Any]
    claims: tuple[Claim, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class Experiment:
    """One command.

    Arguments:
        name: of the command and of its files in `results/`.
        source: the paper, and which of its figures or tables.
        measure: runs it; with `quick` in a cheap form that decides the same claims.
        draw: the picture of the numbers.
    """

    name: str
    source: str
    measure: Callable[[bool], Outcome]
    draw: Callable[[dict[str, Any]], Drawing]
