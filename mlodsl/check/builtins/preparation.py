"""Functions that prepare data, and those that bring it in."""

from __future__ import annotations

from mlodsl.check.misfit import Misfit
from mlodsl.check.types import ArrayType

from .signature import Arguments, Builtin, Parameter, Place, Role


def _same(arguments: Arguments) -> ArrayType:
    shape = arguments.shape("A")
    if shape == ():
        raise Misfit("E201", "a scalar has no rows")
    return ArrayType(shape)


def _shuffle(arguments: Arguments) -> ArrayType:
    if "seed" in arguments:
        arguments.whole("seed")
    return _same(arguments)


def _loaded(arguments: Arguments) -> ArrayType:
    """Data's shapes are read before checking, not worked out."""
    return ArrayType(None)


_PATH = Parameter("path", role=Role.OPTION)

PREPARATION = (
    Builtin(
        "standardize",
        "data",
        (Parameter("A"),),
        _same,
        "Each column shifted to mean 0 and scaled to population standard deviation 1.",
    ),
    Builtin("normalize", "data", (Parameter("A"),), _same, "Each row to Euclidean length 1."),
    Builtin(
        "shuffle",
        "data",
        (Parameter("A"), Parameter("seed", 0, Role.WHOLE)),
        _shuffle,
        "The rows in the order of JAX's `random.permutation` under `PRNGKey(seed)`.",
    ),
    Builtin(
        "csv",
        "sources",
        (
            _PATH,
            Parameter("delimiter", "auto", Role.OPTION),
            Parameter("header", "auto", Role.OPTION),
            Parameter("columns", None, Role.OPTION),
        ),
        _loaded,
        "A table of numbers; comma, semicolon and tab are told apart.",
        Place.SOURCE,
    ),
    Builtin("npy", "sources", (_PATH,), _loaded, "An array of a NumPy file.", Place.SOURCE),
    Builtin(
        "npz",
        "sources",
        (_PATH, Parameter("key", role=Role.OPTION)),
        _loaded,
        "The array of that name of a NumPy archive.",
        Place.SOURCE,
    ),
)
