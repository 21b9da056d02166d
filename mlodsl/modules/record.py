"""Equinox modules that the host reads often."""

from __future__ import annotations

from types import FunctionType, MethodType
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


# What Equinox's modules of methods hold beside the object, by the method's function; these live as
# long as their classes.
_methods: dict[FunctionType, tuple[type, dict[str, Any]]] = {}


class QuickMethods(eqx.Module):
    """An Equinox module whose methods are modules too, made in no time once they were looked up.

    Its methods may be arguments of compiled code, as those of any Equinox module.
    """

    if not TYPE_CHECKING:

        def __getattribute__(self, name: str) -> Any:
            found = object.__getattribute__(self, name)
            if type(found) is not MethodType or found.__self__ is not self:
                return found
            known = _methods.get(found.__func__)
            if known is None:
                made = super().__getattribute__(name)
                others = {key: one for key, one in vars(made).items() if key != "__self__"}
                _methods[found.__func__] = (type(made), others)
                return made
            method = object.__new__(known[0])
            method.__dict__.update(known[1], __self__=self)
            return method
