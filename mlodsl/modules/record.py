"""Equinox modules that the host reads often."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import equinox as eqx


class Record(eqx.Module):
    """An Equinox module whose attributes are read as those of any Python object.

    Equinox makes each method that is looked up a module of its own, so that a bound method may be
    an argument of compiled code; that takes some 50 microseconds, as long as all of a small
    compiled call. Methods of a record aren't arguments of compiled code: records themselves are.
    """

    if not TYPE_CHECKING:
        __getattribute__ = object.__getattribute__

    def replaced(self, **changes: Any) -> Self:
        """As `dataclasses.replace`, without Equinox's look at each field, which takes longer than
        all of a small compiled call."""
        found = object.__new__(type(self))
        found.__dict__.update(self.__dict__, **changes)
        return found
