"""What is found once for an object and kept as long as that lives."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Hashable
from typing import Any, Generic, TypeVar

Found = TypeVar("Found")


class Kept(Generic[Found]):
    """Values by object and key. Objects are told apart by identity: they may hold arrays, which
    are neither hashable nor soon compared."""

    def __init__(self) -> None:
        self._owners: dict[int, tuple[weakref.ref[Any], dict[Hashable, Found]]] = {}

    def find(self, owner: Any, key: Hashable = None) -> Found | None:
        """What is kept for the object."""
        known = self._owners.get(id(owner))
        return None if known is None or known[0]() is not owner else known[1].get(key)

    def keep(self, owner: Any, found: Found, key: Hashable = None) -> Found:
        """Keeps what was found; returns it."""
        number = id(owner)
        known = self._owners.get(number)
        if known is None or known[0]() is not owner:
            known = (weakref.ref(owner, lambda _: self._owners.pop(number, None)), {})
            self._owners[number] = known
        known[1][key] = found
        return found

    def once(self, owner: Any, make: Callable[[], Found], key: Hashable = None) -> Found:
        """What is kept for the object, made where it isn't yet."""
        found = self.find(owner, key)
        return self.keep(owner, make(), key) if found is None else found
