"""Reads a YAML file, `--config run.yaml`: its sections `params:`, `data:` and `solve:`.

Values are what an `.mlo` file would have in their place (`1e-8`, `inf`, `[1, 2]`,
`adam(0.1, b1 = 0.5)`), in quotes or not, however YAML itself would read them; YAML's own
spellings of infinity and of truth values (`.inf`, `True`) count too. Instead of a call there
may be a mapping: `{name: implicit, linear_solver: cg}`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from mlodsl.diagnostics import Diagnostic, ModelError, Source, Span, did_you_mean
from mlodsl.syntax.nodes import (
    Call,
    Constant,
    Expression,
    Identifier,
    Keyword,
    LevelOptions,
    ListLiteral,
    Option,
)

from .embedded import embedded_expression, number_at
from .kinds import listed
from .options import LEVEL_KEYS, SOLVE_KEYS
from .read import Layer
from .yaml_tree import YamlList, YamlMapping, YamlNode, YamlScalar, parse_yaml

_SECTIONS = ("params", "data", "solve")
_INFINITIES = {".inf": 1, "+.inf": 1, "-.inf": -1}
_TRUTHS = {"True": "true", "TRUE": "true", "False": "false", "FALSE": "false"}


@dataclass(frozen=True, slots=True)
class YamlConfig:
    """What a YAML file says.

    Arguments:
        params: the params' values by name.
        data: the paths by data name, with their places in the file.
        layer: the options under `solve:`.
    """

    params: dict[str, Expression] = field(default_factory=dict)
    data: dict[str, tuple[str, Span]] = field(default_factory=dict)
    layer: Layer = ()


def read_yaml(source: Source, folder: Path | None = None) -> YamlConfig:
    """What a YAML text says.

    Arguments:
        source: the text; its name is what diagnostics show.
        folder: the file's folder, to which the paths under `data:` are relative; without it
            they are returned as they were written.

    Raises:
        ModelError: with everything that is wrong: E701 for what isn't YAML or isn't a mapping,
            E702 for unknown sections and values of the wrong form, E506 for keys given twice.
    """
    root = parse_yaml(source)
    reader = _Reader(folder)
    config = reader.config(root)
    if reader.diagnostics:
        raise ModelError(reader.diagnostics)
    return config


class _Reader:
    """Turns the tree into a `YamlConfig`; what is wrong goes to `diagnostics`."""

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder
        self.diagnostics: list[Diagnostic] = []

    def config(self, root: YamlNode | None) -> YamlConfig:
        if root is None or (isinstance(root, YamlScalar) and root.is_null):
            return YamlConfig()
        if not isinstance(root, YamlMapping):
            message = f"expected the sections {listed(_SECTIONS)}, found {_noun(root)}"
            self._report("E701", message, root.span, "write `solve:` and the options below it")
            return YamlConfig()
        sections: dict[str, YamlNode] = {}
        for key, node in self._distinct(root):
            if key.value in _SECTIONS:
                sections[key.value] = node
            else:
                self._refuse_section(key)
        params = {
            key.value: value
            for key, node in self._section(sections, "params")
            if (value := self._expression(node, f"the param `{key.value}`")) is not None
        }
        data = {
            key.value: path
            for key, node in self._section(sections, "data")
            if (path := self._path(key, node)) is not None
        }
        return YamlConfig(params, data, tuple(self._solve(sections)))

    def _section(
        self, sections: dict[str, YamlNode], name: str
    ) -> Iterator[tuple[YamlScalar, YamlNode]]:
        node = sections.get(name)
        if isinstance(node, YamlMapping):
            yield from self._distinct(node)
        elif node is not None and not (isinstance(node, YamlScalar) and node.is_null):
            message = f"`{name}` must hold names and values, found {_noun(node)}"
            self._report("E702", message, node.span, "write `NAME: VALUE` lines below it")

    def _distinct(self, mapping: YamlMapping) -> Iterator[tuple[YamlScalar, YamlNode]]:
        """The entries; a key that was there before is reported and left out."""
        seen: set[str] = set()
        for key, node in mapping.entries:
            if key.value in seen:
                message = f"`{key.value}` is given twice"
                self._report("E506", message, key.span, "remove one of the two")
            else:
                yield key, node
            seen.add(key.value)

    def _refuse_section(self, key: YamlScalar) -> None:
        hint = did_you_mean(key.value, _SECTIONS)
        if key.value in (*SOLVE_KEYS, *LEVEL_KEYS, "level"):
            hint = "write it below `solve:`"
        message = f"unknown section `{key.value}`; the sections are {listed(_SECTIONS)}"
        self._report("E702", message, key.span, hint)

    def _path(self, key: YamlScalar, node: YamlNode) -> tuple[str, Span] | None:
        if not isinstance(node, YamlScalar) or node.is_null:
            message = f"the data `{key.value}` must be a path, found {_noun(node)}"
            self._report("E702", message, node.span if node.span.text else key.span)
            return None
        path = node.value if self.folder is None else str(self.folder / node.value)
        return path, node.span

    def _solve(self, sections: dict[str, YamlNode]) -> Iterator[Option | LevelOptions]:
        for key, node in self._section(sections, "solve"):
            if key.value == "level":
                yield from self._levels(node)
            else:
                yield from self._option(key, node)

    def _levels(self, node: YamlNode) -> Iterator[LevelOptions]:
        for key, block in self._section({"level": node}, "level"):
            options = [
                option
                for item, value in self._section({key.value: block}, key.value)
                for option in self._option(item, value)
            ]
            name = Identifier(name=key.value, span=key.span)
            yield LevelOptions(name=name, options=tuple(options), span=key.span.to(block.span))

    def _option(self, key: YamlScalar, node: YamlNode) -> Iterator[Option]:
        value = self._expression(node, f"`{key.value}`")
        if value is not None:
            name = Identifier(name=key.value, span=key.span)
            yield Option(key=name, value=value, span=key.span.to(node.span))

    def _expression(self, node: YamlNode, owner: str) -> Expression | None:
        """A value as the expression that an `.mlo` file would have in its place."""
        match node:
            case YamlScalar():
                return self._scalar(node, owner)
            case YamlList(items=items, span=span):
                values = [self._expression(item, owner) for item in items]
                known = tuple(value for value in values if value is not None)
                return ListLiteral(items=known, span=span) if len(known) == len(values) else None
            case YamlMapping():
                return self._call(node, owner)

    def _scalar(self, node: YamlScalar, owner: str) -> Expression | None:
        if node.is_null:
            self._report("E702", f"{owner} has no value", node.span, "remove it, or write a value")
            return None
        if node.plain and node.value.lower() in _INFINITIES:
            sign = _INFINITIES[node.value.lower()]
            return number_at(node.span, sign * float("inf"))
        if node.plain and node.value in _TRUTHS:
            return Constant(name=_TRUTHS[node.value], span=node.span)
        try:
            return embedded_expression(node.span, node.value)
        except ModelError as error:
            self.diagnostics.extend(error.diagnostics)
            return None

    def _call(self, mapping: YamlMapping, owner: str) -> Expression | None:
        """`{name: implicit, linear_solver: cg}` as the call `implicit(linear_solver = cg)`."""
        function: Identifier | None = None
        keywords: list[Keyword] = []
        for key, node in self._distinct(mapping):
            if key.value == "name" and isinstance(node, YamlScalar):
                function = Identifier(name=node.value, span=node.span)
            elif (value := self._expression(node, f"`{key.value}`")) is not None:
                name = Identifier(name=key.value, span=key.span)
                keywords.append(Keyword(name=name, value=value, span=key.span.to(node.span)))
        if function is None:
            message = f"{owner} is a mapping without a `name`"
            hint = "write for example `{name: implicit, linear_solver: cg}`"
            self._report("E702", message, mapping.span, hint)
            return None
        return Call(function=function, arguments=(), keywords=tuple(keywords), span=mapping.span)

    def _report(self, code: str, message: str, span: Span, hint: str | None = None) -> None:
        self.diagnostics.append(Diagnostic(code, message, span, hint))


def _noun(node: YamlNode) -> str:
    match node:
        case YamlScalar():
            return "nothing" if node.is_null else "a single value"
        case YamlList():
            return "a list"
        case YamlMapping():
            return "a mapping"
