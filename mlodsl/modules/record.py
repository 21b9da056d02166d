"""Equinox modules that the host reads often."""

from __future__ import annotations

import dataclasses
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


class KeepsMethods(eqx.Module):
    """An Equinox module that makes a module of each of its methods once, not at every look-up.

    Its methods may be arguments of compiled code, as those of any Equinox module.
    """

    if not TYPE_CHECKING:

        def __getattribute__(self, name: str) -> Any:
            found = super().__getattribute__(name)
            if isinstance(found, eqx.Module):
                # A field is there already; what is kept isn't one, so that JAX doesn't see it.
                object.__getattribute__(self, "__dict__").setdefault(name, found)
            return found

    def __getstate__(self) -> dict[str, Any]:
        """The fields alone: a copy makes methods of its own."""
        return {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
