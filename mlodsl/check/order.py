"""The order in which items are checked and computed: each after what it needs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Order:
    """An order of items, and the circles that stand in its way.

    Arguments:
        sequence: all items, each after what it needs where there is no circle.
        circles: each a list of items of which each needs the next, and the last the first.
    """

    sequence: tuple[int, ...]
    circles: tuple[tuple[int, ...], ...]


def sort_by_need(needs: Sequence[tuple[int, ...]]) -> Order:
    """Depth-first search, without recursion: chains of thousands of `let`s are fine.

    Arguments:
        needs: for each item, the items it needs.
    """
    finished: list[int] = []
    circles: list[tuple[int, ...]] = []
    state = [0] * len(needs)  # 0 not met yet, 1 on the path, 2 finished
    in_circle: set[int] = set()
    for start in range(len(needs)):
        if state[start]:
            continue
        path = [start]
        remaining = [iter(needs[start])]
        state[start] = 1
        while path:
            following = next(remaining[-1], None)
            if following is None:
                remaining.pop()
                item = path.pop()
                state[item] = 2
                finished.append(item)
            elif state[following] == 0:
                state[following] = 1
                path.append(following)
                remaining.append(iter(needs[following]))
            elif state[following] == 1:
                circle = tuple(path[path.index(following) :])
                if in_circle.isdisjoint(circle):
                    circles.append(circle)
                in_circle.update(circle)
    return Order(tuple(finished), tuple(circles))
