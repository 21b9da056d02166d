"""Local answers from several starts, the answers of all levels below verified at each.

A level's best choice is found by the same search, one level down; the lowest level's by samples.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from .feasibility import nearest_feasible
from .first_order import conditions
from .functions import Functions
from .kkt import Candidate, Piece, deeper, descend, piece_at, relaxed
from .lowest import Effort, best_of_samples, choice_near, ties_of
from .place import AT_MOST, EQUAL, FORCE, OWN, SLACK
from .rivals import Rival, Rivals
from .state import (
    LocalAnswer,
    Response,
    Search,
    Tools,
    new_search,
    no_piece,
    player_point,
    rival_of,
    starts_of,
)
from .value_function import minimize_under_rivals

# Relative to 1 + the size of the objective.
GAP = 1e-7
_ROUNDS = 6
_SAME = 1e-6
# How far from stationary an answer may be.
_STATIONARY = 1e-6
_HUGE = 1e4
# How far from the own constraints a choice may be that is fallen back on.
_KEPT = 1e-8
_MOST_EXCHANGES = 60
# Points looked at for each start of a level above the lowest one.
_DRAWN = 6
# How far turns may be from the equilibrium that their conditions lead to, relative to 1 + its size.
_CLOSE = 1.0


# ---------------------------------------------------------------- answers of the levels below


def best_choices(
    functions: Functions, near: np.ndarray, piece: Piece | None, tools: Tools, effort: Effort
) -> list[tuple[Candidate, Rivals]]:
    """The best choice of a player, everyone above standing still, and its ties, with the rivals
    they were found under; the best comes first, none where none was found.

    Arguments:
        near: a z to start from.
        piece: of it, where it is known.
    """
    if functions.place.below is None:
        found = best_of_samples(functions, near, tools.bounds, tools.generator, effort)
        return [(one, Rivals(functions)) for one in found]
    here = new_search(functions, tools, effort.below)
    for index, start in enumerate(_deep_starts(here, near, effort.deep_starts)):
        if tools.is_late and here.found:
            break
        search_from(here, start, piece if index == 0 else None, relaxing=False)
    return [(one, here.rivals) for one in ties_of([answer.candidate for answer in here.found])]


def _deep_starts(here: Search, near: np.ndarray, count: int) -> list[np.ndarray]:
    """A start and others; above the lowest level those whose local answers promise most."""
    functions = here.functions
    if not functions.is_last_but_one or not count:
        return starts_of(here, near, 1 + count)
    ranked: list[tuple[float, np.ndarray]] = []
    for z in starts_of(here, near, 1 + _DRAWN * count)[1:]:
        answer = choice_near(functions.of_player(z, 0), player_point(functions, z, 0))
        other = np.concatenate(
            [z[: functions.place.size], answer.point, z[functions.place.choices :]]
        )
        values, _ = functions.at(other, ())
        outside = max(np.max(values[AT_MOST], initial=0), np.max(np.abs(values[EQUAL]), initial=0))
        ranked.append((float(values[OWN]) if outside <= _KEPT else np.inf, other))
    ranked.sort(key=lambda one: one[0])
    return [near, *(z for _, z in ranked[:count])]


def responses(
    functions: Functions, z: np.ndarray, piece: Piece | None, tools: Tools, effort: Effort
) -> list[Response]:
    """The answer of the levels below to the own choice in z, and its ties; none where none was
    found. Of several players one equilibrium.

    Arguments:
        z: its answer is where the levels below start from.
        piece: of it, where it is known.
    """
    if functions.players_below == 1:
        mine = functions.of_player(z, 0)
        below = None if piece is None else piece[1:]
        found = best_choices(mine, player_point(functions, z, 0), below, tools, effort)
        return [_assembled(functions, z, [(mine, *one)]) for one in found]
    equilibrium = _equilibrium(functions, z, tools, effort)
    return [] if equilibrium is None else [equilibrium]


def _assembled(
    functions: Functions, z: np.ndarray, choices: list[tuple[Functions, Candidate, Rivals]]
) -> Response:
    """The answer that the best choices of all players of the next level make, with multipliers."""
    shape = functions.place.below
    assert shape is not None, "there is a level below"
    vector = functions.place.answer(z).copy()
    multipliers: list[np.ndarray] = []
    holds = True
    below: np.ndarray = np.zeros(0)
    masks: Piece = ()
    for player, (mine, candidate, rivals) in zip(shape.players, choices, strict=True):
        vector[player.own] = candidate.point[: mine.place.size]
        below = candidate.point[mine.place.size :]
        if candidate.piece is None:
            holds = False
            masks = no_piece(mine)
            sizes = shape.multipliers[len(multipliers)]
            multipliers.append(np.zeros(sum(sizes, 0)))
            continue
        masks = candidate.piece
        found = conditions(mine, rivals, candidate.point, candidate.piece, second=False)
        size = 1 + np.linalg.norm(vector)
        # Next to a point without multipliers they are huge.
        largest = np.max(np.abs(found.multipliers[: len(player.at_most)]), initial=0.0)
        holds = holds and bool(found.residual <= _STATIONARY * size)
        holds = holds and bool(largest <= _HUGE * size) and found.of_rivals <= _STATIONARY
        multipliers.append(found.multipliers)
    point = np.concatenate([z[: functions.place.size], vector, *multipliers, below])
    values, _ = functions.at(point, masks)
    return Response(point, (values[FORCE] > values[SLACK], *masks), bool(holds))


def _equilibrium(
    functions: Functions, z: np.ndarray, tools: Tools, effort: Effort
) -> Response | None:
    """An equilibrium of the next level's players: by best choices in turn; where these go on and
    on, by their conditions."""
    shape = functions.place.below
    assert shape is not None, "there is a level below"
    response = None
    for _ in range(_MOST_EXCHANGES):
        before = functions.place.answer(z)
        choices = []
        for player in range(functions.players_below):
            mine = functions.of_player(z, player)
            near = player_point(functions, z, player)
            if response is None or mine.place.below is not None:
                found = best_choices(mine, near, None, tools, effort)
            else:
                local = choice_near(mine, near)
                candidate = Candidate(local.point, local.value, (), complete=True)
                found = [(candidate, Rivals(mine))]
                if local.violation > effort.feasibility:
                    found = []
            if not found:
                return response
            choices.append((mine, *found[0]))
            z = z.copy()
            mine_now = found[0][0].point[: mine.place.size]
            z[functions.place.size :][shape.players[player].own] = mine_now
        response = _assembled(functions, z, choices)
        z = response.point
        values, _, exact = functions.follow(z, response.piece)
        leap = np.linalg.norm(exact - z)
        if np.all(np.isfinite(values)) and leap <= _CLOSE * (1 + np.linalg.norm(z)):
            return Response(exact, response.piece, response.holds)
        moved = np.linalg.norm(functions.place.answer(z) - before)
        if moved <= 1e-7 * (1 + np.linalg.norm(before)):
            break
        if tools.is_late:
            return response
    assert response is not None, "there is at least one exchange"
    return _settled(functions, response)


def _settled(functions: Functions, response: Response) -> Response:
    """An equilibrium's conditions solved exactly, from close by or from where turns had led."""
    values, _, exact = functions.follow(response.point, response.piece)
    if np.all(np.isfinite(values)):
        return Response(exact, response.piece, holds=True)
    still = functions.frozen(response.point)
    rivals = Rivals(still)
    w = functions.place.split(response.point)[1]
    loose = relaxed(still, rivals, w, response.piece)
    found = descend(still, rivals, loose, piece_at(still, loose, response.piece))
    if found is None or found.piece is None:
        return Response(response.point, response.piece, holds=False)
    z = np.concatenate([response.point[: functions.place.size], found.point])
    return Response(z, found.piece, holds=True)


# ---------------------------------------------------------------- the search itself


def search_from(
    here: Search, start: np.ndarray, piece: Piece | None = None, *, relaxing: bool = True
) -> None:
    """Adds the local answers that a start z leads to.

    A better answer below than a candidate's becomes a rival. Where the answer to the choice has no
    multipliers, rivals alone stand for its conditions.

    Arguments:
        piece: of the start, where it is known to hold the answer of the levels below.
        relaxing: whether to start from relaxed pieces too.
    """
    functions = here.functions
    if functions.place.below is None or piece is not None:
        _descend_from(here, start, piece or (), relaxing=relaxing)
        return
    answers = responses(functions, start, None, here.tools, here.effort)
    if not answers:
        start = _repaired(functions, start)
        answers = responses(functions, start, None, here.tools, here.effort)
    for response in answers:
        keep_as_fallback(here, response)
        if here.by_value:
            _search_by_value(here, response)
            continue
        if not response.holds and functions.is_last_but_one:
            _search_under_rivals(here, response.point)
        _descend_from(here, response.point, response.piece, relaxing=relaxing)
    if not answers:
        _descend_from(here, start, no_piece(functions), relaxing=relaxing)


def _repaired(functions: Functions, z: np.ndarray) -> np.ndarray:
    """The point nearest to z at which all levels, those above standing still, keep their
    constraints, as far as that can be; where others choose beside, z itself."""
    problem, level = functions.problem, functions.place.level
    if level < 0 or len(problem.structure.players(level)) > 1:
        return z
    return functions.start_below(nearest_feasible(problem, functions.vectors(z), still=level))


def _descend_from(here: Search, z: np.ndarray, masks: Piece, *, relaxing: bool) -> None:
    functions = here.functions
    for turn in range(_ROUNDS):
        again = None
        for candidate in _candidates(here, z, masks, relaxing=relaxing and turn == 0):
            if _is_known(here, candidate):
                continue
            better = _verified(here, candidate)
            if better is not None and here.rivals.add(rival_of(functions, better)):
                again = better
        if again is None or here.tools.is_late:
            return
        z, masks = again.point, again.piece


def _search_by_value(here: Search, response: Response) -> None:
    """The value-function program from an answer, and the minimum of the piece that it ends on."""
    functions = here.functions
    found = _under_rivals(here, response.point)
    if found is None:
        return
    answers = responses(functions, found.point, None, here.tools, here.effort)
    held = [one for one in answers if one.holds]
    for one in held:
        _descend_from(here, one.point, one.piece, relaxing=False)
    if not held and not _is_known(here, found):
        _verified(here, found)


def _search_under_rivals(here: Search, z: np.ndarray) -> None:
    found = _under_rivals(here, z)
    if found is not None and not _is_known(here, found):
        _verified(here, found)


def _under_rivals(here: Search, z: np.ndarray) -> Candidate | None:
    functions = here.functions

    def best_answer(point: np.ndarray) -> Rival | None:
        found = responses(functions, point, None, here.tools, here.effort)
        return rival_of(functions, found[0]) if found else None

    return minimize_under_rivals(functions, z[: functions.place.choices], best_answer)


def _candidates(
    here: Search, z: np.ndarray, piece: Piece, *, relaxing: bool
) -> Iterator[Candidate]:
    """Local minima over the pieces, from z itself and from where relaxed pieces lead."""
    functions, rivals = here.functions, here.rivals
    direct = descend(functions, rivals, z, piece)
    if direct is not None:
        yield direct
    below = functions.place.below
    if below is not None and below.pairs and (direct is None or relaxing):
        loose = relaxed(functions, rivals, z, piece)
        through = descend(functions, rivals, loose, piece_at(functions, loose, piece))
        if through is not None:
            yield through


def _is_known(here: Search, candidate: Candidate) -> bool:
    choices = here.functions.place.choices
    own = candidate.point[:choices]
    size = _SAME * (1 + np.linalg.norm(own))
    return any(np.linalg.norm(own - one.candidate.point[:choices]) <= size for one in here.found)


def better_below(
    functions: Functions,
    candidate: Candidate,
    tools: Tools,
    effort: Effort,
    *,
    deep: bool = True,
) -> tuple[float, Response | None]:
    """The gap of the next level at a candidate, and an answer that is better by it.

    Of several players: of the one with the largest gap, the others standing still. The gap is NaN
    where solving again found no choice at all, so that nothing is known of the answer.

    Arguments:
        deep: whether the levels below the next one are looked at too; where one of them has a
            better answer, that gap counts, and the answer is the next level's to the same choice.
    """
    z, piece = candidate.point, candidate.piece
    worst, better, unsolved = 0.0, None, False
    for player in range(functions.players_below):
        mine = functions.of_player(z, player)
        near = player_point(functions, z, player)
        value = float(mine.at(near, deeper(piece)[1:])[0][OWN])
        mine.notes.runaways.pop(mine.place.level, None)
        found = best_choices(mine, near, None, tools, effort)
        if mine.place.level in mine.notes.runaways and runs_away(mine, tools, effort):
            return np.inf, Response(z, piece or no_piece(functions), holds=False)
        if not found:
            unsolved = True
            continue
        gap = value - found[0][0].value
        if gap <= worst:
            continue
        worst = gap
        if gap > GAP * (1 + abs(value)):
            if functions.players_below == 1:
                better = _assembled(functions, z, [(mine, *found[0])])
            else:
                better = Response(z, piece or no_piece(functions), holds=False)
    if deep and better is None and piece is not None and len(piece) > 1:
        mine = functions.of_player(z, 0)
        point = Candidate(player_point(functions, z, 0), np.nan, piece[1:], complete=True)
        gap, wrong = better_below(mine, point, tools, effort.below)
        if wrong is not None:
            answers = responses(functions, z, None, tools, effort)
            better = answers[0] if answers else Response(z, piece, holds=False)
            worst = max(worst, gap)
    return np.nan if unsolved and better is None else worst, better


def runs_away(functions: Functions, tools: Tools, effort: Effort) -> bool:
    """Whether the noted fall of a level's objective is one with the best answers below it."""
    noted, z, piece = functions.notes.runaways[functions.place.level]
    if noted.place.below is None:
        return True
    candidate = Candidate(z, np.nan, piece, complete=False)
    return better_below(noted, candidate, tools, effort)[1] is None


def _verified(here: Search, candidate: Candidate) -> Response | None:
    """A better answer of the next level; where there is none, the candidate is kept."""
    gap = 0.0
    if here.functions.place.below is not None:
        gap, better = better_below(here.functions, candidate, here.tools, here.effort)
        if better is not None:
            keep_as_fallback(here, better)
            return better
    here.found.append(LocalAnswer(candidate, gap))
    return None


def keep_as_fallback(here: Search, response: Response) -> None:
    """Notes an answer of the levels below, where it is better than those noted so far."""
    values, _ = here.functions.at(response.point, deeper(response.piece))
    violated = max(np.max(values[AT_MOST], initial=0), np.max(np.abs(values[EQUAL]), initial=0))
    value = float(values[OWN])
    if violated <= _KEPT and (here.fallback is None or value < here.fallback.value):
        here.fallback = Candidate(response.point, value, response.piece, complete=False)
