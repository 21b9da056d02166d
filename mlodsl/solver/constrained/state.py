"""What searches are made of: their state, starts, and answers."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

import numpy as np

from .boxes import Bounds
from .functions import Functions
from .kkt import Candidate, Piece, deeper
from .lowest import Effort
from .rivals import Rival, Rivals
from .system import below_of


@dataclass(slots=True)
class Tools:
    """What all searches of a run share."""

    generator: np.random.Generator
    bounds: Bounds = field(default_factory=Bounds)
    deadline: float = np.inf

    @property
    def is_late(self) -> bool:
        """Whether the time is over."""
        return time.perf_counter() > self.deadline


@dataclass(frozen=True, slots=True, eq=False)
class LocalAnswer:
    """A candidate at which no better answer of the levels below was found.

    Arguments:
        gap: the objective of the next level, of several players the worst, less the best value
            that was found.
    """

    candidate: Candidate
    gap: float


@dataclass(slots=True)
class Search:
    """What a search has found: local answers and rivals of those below.

    Arguments:
        fallback: the best choice that was looked at with the answers of all levels below to it,
            a local answer or not.
        by_value: whether starts are improved under rivals alone, the value-function program, and
            pieces only add the last digits.
    """

    functions: Functions
    rivals: Rivals
    tools: Tools
    effort: Effort
    found: list[LocalAnswer] = field(default_factory=list)
    fallback: Candidate | None = None
    by_value: bool = False

    @property
    def best(self) -> LocalAnswer | None:
        """The local answer with the least objective."""
        return min(self.found, key=lambda one: one.candidate.value, default=None)


@dataclass(frozen=True, slots=True)
class Response:
    """An answer of the levels below.

    Arguments:
        point: z.
        piece: its masks.
        holds: whether their conditions hold with these multipliers.
    """

    point: np.ndarray
    piece: Piece
    holds: bool


def new_search(functions: Functions, tools: Tools, effort: Effort | None = None) -> Search:
    """A search that has found nothing yet."""
    return Search(functions, Rivals(functions), tools, effort or Effort())


def no_piece(functions: Functions) -> Piece:
    """The piece on which all forces below are zero."""
    masks, shape = [], functions.place.below
    while shape is not None:
        masks.append(np.zeros(shape.pairs, bool))
        shape = shape.below
    return tuple(masks)


def starts_of(here: Search, start: np.ndarray, count: int) -> list[np.ndarray]:
    """A start z and others, their own variables spread over what bounds these; where nobody
    chooses, those of the next level's players."""
    functions, tools = here.functions, here.tools
    size = functions.place.size
    found = [start]
    if size:
        box = tools.bounds.box(functions, start, deeper(no_piece(functions)))
        for x in box.sample(tools.generator, count - 1, start[:size]):
            other = np.concatenate([x, start[size:]])
            if functions.players_below > 1:
                # There may be several equilibria.
                other = with_players_moved(functions, other, tools)
            found.append(other)
        return found
    return [start, *(with_players_moved(functions, start, tools) for _ in range(count - 1))]


def with_players_moved(functions: Functions, z: np.ndarray, tools: Tools) -> np.ndarray:
    """z with the variables of the next level's players drawn anew within their bounds."""
    shape = functions.place.below
    assert shape is not None, "there is a level below"
    other = z.copy()
    for player in range(functions.players_below):
        mine = functions.of_player(z, player)
        near = player_point(functions, z, player)
        box = tools.bounds.box(mine, near, deeper(no_piece(mine)))
        drawn = box.sample(tools.generator, 1, near[: mine.place.size])[0]
        other[functions.place.size :][shape.players[player].own] = drawn
    return other


def player_point(functions: Functions, z: np.ndarray, player: int) -> np.ndarray:
    """The z of a player of the next level."""
    shape = functions.place.below
    assert shape is not None, "there is a level below"
    w = functions.place.split(z)[1]
    return np.concatenate([w[shape.players[player].own], below_of(shape, w)])


def in_favour(functions: Functions, found: list[Response]) -> list[Response]:
    """Ties in the order that the level above likes; as they are where that has several players.

    Arguments:
        functions: nobody's, who stands between the two levels.
    """
    level = len(functions.above) - 1
    if level < 0 or functions.problem.structure.checked.levels[level].has_players:
        return found
    return sorted(found, key=lambda one: float(functions.objectives(one.point)[level]))


def rival_of(functions: Functions, response: Response) -> Rival:
    """An answer as a rival of others."""
    below = functions.place.below
    moves = True
    if functions.is_last_but_one and below is not None:
        layouts = functions.problem.structure.levels[: below.level]
        upper = {item.name for layout in layouts for item in layout.variables}
        moves = bool(upper & functions.problem.constrained_names(below.level))
    return Rival(response.point, response.piece, moves)
