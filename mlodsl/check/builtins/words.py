"""Built-ins that stand in one place only: after `for … in`, after `~`, as a type."""

from __future__ import annotations

from mlodsl.check.misfit import Misfit
from mlodsl.check.types import ArrayType, Dimension, NetworkType

from .signature import Arguments, Builtin, Parameter, Place, Role, Rule


def _range(arguments: Arguments) -> ArrayType:
    """The evaluator gives the index its bounds."""
    return ArrayType((None,), "int")


def _draw(first: str, second: str) -> Rule:
    def rule(arguments: Arguments) -> ArrayType:
        """The evaluator fits both arguments to the variable's shape."""
        arguments.array(first)
        arguments.array(second)
        return ArrayType(None)

    return rule


def _width(size: Dimension) -> Dimension:
    if size == 0:
        raise Misfit("E403", "a layer is at least 1 wide")
    return size


def _layers(arguments: Arguments) -> NetworkType:
    widths = [_width(size) for size in arguments.sizes("widths")]
    if len(widths) < 2:
        raise Misfit("E202", "a network needs at least the widths of its input and its output")
    return NetworkType(widths[0], widths[-1])


def _linear(arguments: Arguments) -> NetworkType:
    return NetworkType(_width(arguments.size("inputs")), _width(arguments.size("outputs")))


def _module(arguments: Arguments) -> NetworkType:
    return NetworkType()


WORDS = (
    Builtin(
        "range",
        "indices",
        (
            Parameter("start", role=Role.WHOLE),
            Parameter("stop", None, Role.WHOLE),
            Parameter("step", 1, Role.WHOLE),
        ),
        _range,
        "The whole numbers from 0, or from `start`, up to but without `stop`.",
        Place.FOR,
    ),
    Builtin(
        "normal",
        "distributions",
        (Parameter("mean"), Parameter("sd")),
        _draw("mean", "sd"),
        "Each entry drawn from the normal distribution.",
        Place.DRAW,
    ),
    Builtin(
        "uniform",
        "distributions",
        (Parameter("a"), Parameter("b")),
        _draw("a", "b"),
        "Each entry drawn evenly between `a` and `b`.",
        Place.DRAW,
    ),
    Builtin(
        "mlp",
        "networks",
        (
            Parameter("widths", role=Role.WHOLE, variadic=True),
            Parameter("activation", "tanh", Role.OPTION, keyword_only=True),
        ),
        _layers,
        "A fully connected network with layers of these widths.",
        Place.TYPE,
    ),
    Builtin(
        "linear",
        "networks",
        (Parameter("inputs", role=Role.WHOLE), Parameter("outputs", role=Role.WHOLE)),
        _linear,
        "One affine layer.",
        Place.TYPE,
    ),
    Builtin(
        "module",
        "networks",
        (),
        _module,
        "An Equinox module that the Python caller gives.",
        Place.TYPE,
    ),
)
