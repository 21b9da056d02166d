"""The checker's shapes against NumPy's, on random expressions that are mostly right.

Each expression is written twice, as `.mlo` and as Python. What NumPy computes, the checker must
accept, with the same shape; what NumPy refuses, the checker must refuse.
"""

import random
import warnings
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from mlodsl.check import check
from mlodsl.check.types import ArrayType
from mlodsl.diagnostics import Source
from mlodsl.syntax import parse_program

Pair = tuple[str, str]  # `.mlo`, Python

SHAPES: dict[str, tuple[int, ...]] = {
    "s": (),
    "x": (3,),
    "w": (4,),
    "A": (3, 3),
    "B": (3, 4),
    "C": (2, 3, 4),
    "one": (1,),
}


def reduced(function: Callable[..., np.ndarray]) -> Callable[..., np.ndarray]:
    """A NumPy reduction that also takes the items of a `for`."""

    def call(values: object, **keywords: int) -> np.ndarray:
        if isinstance(values, Iterator):
            return function(np.array(list(values)), axis=0)
        if keywords and np.ndim(values) == 0:
            raise ValueError  # NumPy allows an axis of a scalar, JAX and the checker don't
        result = function(np.array(values), **keywords)
        if function is np.mean and np.isnan(result).any():
            raise ValueError  # nothing has no mean
        return result

    return call


def square(matrix: np.ndarray) -> np.ndarray:
    if np.ndim(matrix) < 2 or matrix.shape[-1] != matrix.shape[-2]:
        raise ValueError
    return matrix + 0.0


def dot(first: np.ndarray, second: np.ndarray) -> float:
    if np.shape(first) != np.shape(second):
        raise ValueError
    return float(np.sum(np.multiply(first, second)))


def whole(value: float) -> int:
    if value != int(value):
        raise ValueError
    return int(value)


def walk(*arrays: np.ndarray) -> Iterator[tuple[np.ndarray, ...]]:
    if len({len(array) for array in arrays}) > 1:
        raise ValueError
    return zip(*arrays, strict=True)


def outer(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    if np.ndim(first) != 1 or np.ndim(second) != 1:
        raise ValueError
    return np.outer(first, second)


def rows(matrix: np.ndarray) -> int:
    return int(np.shape(matrix)[0])


def cols(matrix: np.ndarray) -> int:
    return int(np.shape(matrix)[1])


NAMES = {
    **{name: np.ones(shape) for name, shape in SHAPES.items()},
    **{name: reduced(getattr(np, name)) for name in ("sum", "mean", "max", "min", "prod")},
    **{name: getattr(np, name) for name in ("exp", "maximum", "where", "cumsum", "kron", "array")},
    **{"dot": dot, "outer": outer, "rows": rows, "cols": cols, "size": np.size, "walk": walk},
    **{"inv": square, "diag": np.diag, "reshape": lambda a, *sizes: np.reshape(a, sizes)},
    "concat": lambda *arrays, axis=0: np.concatenate(arrays, axis=axis),
    "stack": lambda *arrays, axis=0: np.stack(arrays, axis=axis),
    "zeros": lambda *sizes: np.zeros(sizes),
    "eye": np.eye,
    "range": range,
}


class Writer:
    """Writes random expressions; `indices` are the `for` names that are bound."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.indices: list[str] = []
        self.rows: list[str] = []
        self.count = 0

    def expression(self, depth: int) -> Pair:
        if depth == 0:
            name = self.random.choice([*SHAPES, *SHAPES, *self.indices, *self.rows, "2"])
            return name, name
        kinds = [self.chain, self.chain, self.call, self.index, self.index, self.transpose]
        kinds += [self.literal, self.over_range, self.over_rows, self.reduction, self.join]
        return self.random.choice(kinds)(depth - 1)

    def chain(self, depth: int) -> Pair:
        (left, python_left), (right, python_right) = self.expression(depth), self.expression(depth)
        operator = self.random.choice("++-**/@@^")
        return (
            f"({left}) {operator} ({right})",
            f"(({python_left}) {operator.replace('^', '**')} ({python_right}))",
        )

    def call(self, depth: int) -> Pair:
        name = self.random.choice(["exp", "inv", "diag", "rows", "cols", "size", "cumsum", "exp"])
        if self.random.random() < 0.5:
            inner, python = self.expression(depth)
            return f"{name}({inner})", f"{name}({python})"
        name = self.random.choice(["dot", "maximum", "outer", "kron", "where"])
        (left, python_left), (right, python_right) = self.expression(depth), self.expression(depth)
        condition = f"{left} <= {right}, " if name == "where" else ""
        python_condition = f"{python_left} <= {python_right}, " if name == "where" else ""
        return (
            f"{name}({condition}{left}, {right})",
            f"{name}({python_condition}{python_left}, {python_right})",
        )

    def index(self, depth: int) -> Pair:
        base, python = self.expression(depth)
        items = [self.item() for _ in range(self.random.choice([1, 1, 2, 2, 3]))]
        return f"({base})[{', '.join(items)}]", f"({python})[{', '.join(items)}]"

    def item(self) -> str:
        choice = self.random.random
        if choice() < 0.3:
            return self.random.choice([":", ":-1", "1:", "::2", "::-1", "-2:", "1:3", "5:", ":0"])
        if choice() < 0.2:
            return self.random.choice(["[0, 1]", "[1, 0, 1]", "[0, 3]", "[-1]"])
        if self.indices and choice() < 0.7:
            return self.random.choice(["{0}", "{0} - 1", "2 - {0}", "2 * {0}", "{0} + 1"]).format(
                self.random.choice(self.indices)
            )
        return str(self.random.choice([0, 1, 2, -1, 3, -4]))

    def transpose(self, depth: int) -> Pair:
        base, python = self.expression(depth)
        return f"({base}).T", f"array({python}).T"

    def literal(self, depth: int) -> Pair:
        items = [self.expression(max(depth - 1, 0)) for _ in range(self.random.choice([1, 2, 3]))]
        mlo, python = (", ".join(pair[side] for pair in items) for side in (0, 1))
        return f"[{mlo}]", f"array([{python}])"

    def over_range(self, depth: int) -> Pair:
        self.count += 1
        name = f"i{self.count}"
        # Never empty: what Python makes of no arrays has no shape.
        dependent = [f"{index} + 1" for index in self.indices]
        stop = self.random.choice(["2", "3", "4", "rows(A)", "size(x)", *dependent])
        start = self.random.choice(["", "", "1, "]) if stop not in dependent else ""
        self.indices.append(name)
        body, python = self.expression(depth)
        self.indices.pop()
        name_of = self.random.choice(["sum", "prod"])
        return tuple(  # type: ignore[return-value]
            f"{name_of}({text} for {name} in range({start}{stop}))" for text in (body, python)
        )

    def over_rows(self, depth: int) -> Pair:
        self.count += 1
        first, second = f"a{self.count}", f"b{self.count}"
        left, right = (self.random.choice(["x", "A", "B", "w", "C"]) for _ in range(2))
        self.rows += [first, second]
        body, python = self.expression(depth)
        del self.rows[-2:]
        return (
            f"mean({body} for {first}, {second} in ({left}, {right}))",
            f"mean({python} for {first}, {second} in walk({left}, {right}))",
        )

    def reduction(self, depth: int) -> Pair:
        name = self.random.choice(["sum", "mean", "max", "min", "prod"])
        inner, python = self.expression(depth)
        axis = self.random.choice(["", "", ", axis = 0", ", axis = 1", ", axis = -1"])
        return f"{name}({inner}{axis})", f"{name}(array({python}){axis})"

    def join(self, depth: int) -> Pair:
        name = self.random.choice(["concat", "stack", "concat", "reshape"])
        (left, python_left), (right, python_right) = self.expression(depth), self.expression(depth)
        if name == "reshape":
            sizes = self.random.choice(["3", "2, 6", "-1", "4, -1", "3, 3", "1, 3", "12"])
            return f"reshape({left}, {sizes})", f"reshape(array({python_left}), {sizes})"
        axis = self.random.choice(["", "", ", axis = 1", ", axis = -1"])
        return f"{name}({left}, {right}{axis})", f"{name}({python_left}, {python_right}{axis})"


def shape_by_numpy(python: str) -> tuple[int, ...] | None:
    """The shape of the value, None where NumPy refuses."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return np.shape(eval(python, dict(NAMES)))
    except (ValueError, IndexError, TypeError, np.exceptions.AxisError):
        return None


def shape_by_checker(mlo: str) -> tuple[int | str | None, ...] | None:
    """The shape that the checker finds, None where it refuses."""
    declared = "".join(
        f"var {name} : real[{', '.join(map(str, shape))}]\n" if shape else f"var {name} : real\n"
        for name, shape in SHAPES.items()
    )
    text = f"let e = {mlo}\nlevel l {{ {declared} minimize sumsq(e) }}"
    program, _ = parse_program(Source("test.mlo", text))
    assert program is not None, text
    model, _ = check(program)
    if model is None:
        return None
    found = next(let.type for let in model.lets if let.name == "e")
    assert isinstance(found, ArrayType)
    return found.shape


def compare(seed: int) -> bool:
    """Compares one expression; whether it was a right one."""
    writer = Writer(seed)
    mlo, python = writer.expression(writer.random.choice([1, 2, 3, 4]))
    try:
        expected = shape_by_numpy(python)
    except ZeroDivisionError:
        return False  # Python refuses what NumPy calls infinite
    assert shape_by_checker(mlo) == expected, f"seed {seed}: {mlo}"
    return expected is not None


def test_random_expressions_have_numpys_shapes() -> None:
    right = sum(compare(seed) for seed in range(500))
    assert 100 < right < 450


@pytest.mark.slow
def test_many_random_expressions_have_numpys_shapes() -> None:
    assert sum(compare(seed) for seed in range(1_000, 31_000)) > 5_000
