"""The import rule: a room of the package imports only from rooms above it."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "mlodsl"

# From the first room a model passes through to the last.
ROOMS = (
    "diagnostics",
    "syntax",
    "settings",
    "check",
    "data",
    "loading",
    "modules",
    "calculus",
    "strategies",
    "solver",
    "report",
    "api",
    "cli",
)

# What a room may import besides the standard library and what the rooms above it may.
LIBRARIES = {
    "diagnostics": set(),
    "syntax": {"lark"},
    "settings": {"yaml"},
    "check": set(),
    "data": {"numpy"},
    "loading": set(),
    "modules": {"jax", "jaxtyping", "equinox"},
    "calculus": {"optax"},
    "strategies": set(),
    "solver": {"greenlet", "lineax", "optimistix", "scipy"},
    "report": {"rich", "matplotlib"},
    "api": set(),
    "cli": {"platformdirs"},
}

THIRD_PARTY = set().union(*LIBRARIES.values())

FILES = sorted(PACKAGE.rglob("*.py"))


def room_of(path: Path) -> str | None:
    """The room a file belongs to; None for `__init__.py` and `__main__.py` of the package."""
    first = path.relative_to(PACKAGE).parts[0]
    name = first.removesuffix(".py")
    return None if name.startswith("__") else name


def imported_modules(path: Path) -> Iterator[tuple[str, int]]:
    """Absolute names of all modules that a file imports, at its top or inside functions."""
    package = ("mlodsl", *path.relative_to(PACKAGE).parts[:-1])
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, node.lineno
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(package[: len(package) - node.level + 1]) if node.level else ""
            module = ".".join(part for part in (base, node.module) if part)
            if module in ("", "mlodsl"):  # `from . import x`: the names are the modules
                for alias in node.names:
                    yield f"mlodsl.{alias.name}", node.lineno
            else:
                yield module, node.lineno


def test_every_room_has_its_place_in_the_list() -> None:
    assert {room_of(path) for path in FILES} - {None} <= set(ROOMS)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_file_imports_only_from_rooms_above_its_own(path: Path) -> None:
    room = room_of(path)
    if room is None:
        return
    allowed = set(ROOMS[: ROOMS.index(room) + 1])
    later = [
        f"line {line}: {module}"
        for module, line in imported_modules(path)
        if module.startswith("mlodsl.")
        and module.split(".")[1] in ROOMS
        and module.split(".")[1] not in allowed
    ]
    assert later == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_file_imports_only_libraries_its_room_may_use(path: Path) -> None:
    room = room_of(path)
    if room is None:
        return
    allowed = set().union(*(LIBRARIES[name] for name in ROOMS[: ROOMS.index(room) + 1]))
    foreign = [
        f"line {line}: {module}"
        for module, line in imported_modules(path)
        if module.split(".")[0] in THIRD_PARTY - allowed
    ]
    assert foreign == []
