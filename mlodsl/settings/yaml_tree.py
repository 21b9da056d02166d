"""Reads YAML text into a small tree with spans, from the parser's events.

Only the events of PyYAML are used, neither its constructor nor its resolver: scalars stay the
text that was written (so `1e-8`, `no` and `on` mean what they say), no tag makes an object,
aliases are refused (so nothing can grow from a few lines), and nesting has a limit.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from mlodsl.diagnostics import Diagnostic, ModelError, Source, Span

if TYPE_CHECKING:
    import yaml

_DEEPEST = 32


@dataclass(frozen=True, slots=True)
class YamlScalar:
    """A scalar: its value after YAML's escapes; `plain` where it stood without quotes.

    The span leaves quotes out.
    """

    span: Span
    value: str
    plain: bool

    @property
    def is_null(self) -> bool:
        """Whether it is YAML's "nothing": empty, `~` or `null`."""
        return self.plain and self.value in ("", "~", "null", "Null", "NULL")


@dataclass(frozen=True, slots=True)
class YamlList:
    """A sequence."""

    span: Span
    items: list[YamlNode] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class YamlMapping:
    """A mapping: keys are scalars, in the order written, possibly twice."""

    span: Span
    entries: list[tuple[YamlScalar, YamlNode]] = field(default_factory=list)


YamlNode: TypeAlias = YamlScalar | YamlList | YamlMapping


def parse_yaml(source: Source) -> YamlNode | None:
    """The tree of a YAML text, None where it holds no document.

    Raises:
        ModelError: E701 where it isn't YAML, and for aliases, tags, merge keys, keys that
            aren't scalars, a second document and nesting of more than 32 levels.
    """
    # A check of a model alone needs no YAML, and loading it takes 20 ms.
    import yaml

    builder = _Builder(source)
    try:
        for event in yaml.parse(source.text, Loader=yaml.SafeLoader):
            builder.take(event)
    except ModelError:
        raise
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        start = len(source.text) if mark is None else min(mark.index, len(source.text))
        message = f"this is not YAML: {error.problem or error.context}"
        raise _error(message, Span(source, start, start + 1)) from None
    except yaml.reader.ReaderError as error:
        message = "this is not YAML: a character that YAML doesn't allow"
        raise _error(message, Span(source, error.position, error.position + 1)) from None
    except (ValueError, OverflowError):
        # PyYAML converts escapes such as "\UFFFFFFFF" without checking them.
        message = "an escape in quotes stands for no character"
        raise _error(message, Span(source, 0, len(source.text))) from None
    return builder.root


def _error(message: str, span: Span, hint: str | None = None) -> ModelError:
    return ModelError([Diagnostic("E701", message, span, hint)])


class _Builder:
    """Builds the tree from events; `stack` holds the open collections, `keys` a pending key
    for each."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.root: YamlNode | None = None
        self.stack: list[YamlList | YamlMapping] = []
        self.keys: list[YamlScalar | None] = []

    def take(self, event: yaml.Event) -> None:
        import yaml

        span = self._span(event)
        match event:
            case yaml.AliasEvent():
                raise _error("aliases are not read here", span, "write the value itself")
            case yaml.ScalarEvent():
                self._verify_tag(event, span)
                self._add(self._scalar(event))
            case yaml.SequenceStartEvent():
                self._verify_tag(event, span)
                self._open(YamlList(span))
            case yaml.MappingStartEvent():
                self._verify_tag(event, span)
                self._open(YamlMapping(span))
            case yaml.SequenceEndEvent() | yaml.MappingEndEvent():
                self._close(event)
            case yaml.DocumentStartEvent() if self.root is not None:
                raise _error("a second YAML document", span, "write one document only")
            case _:
                pass

    def _span(self, event: yaml.Event) -> Span:
        return Span(self.source, event.start_mark.index, event.end_mark.index)

    def _scalar(self, event: yaml.ScalarEvent) -> YamlScalar:
        span = self._span(event)
        if any("\ud800" <= character <= "\udfff" for character in event.value):
            raise _error("an escape in quotes stands for no character", span)
        if event.style in ("'", '"'):
            return YamlScalar(Span(self.source, span.start + 1, span.end - 1), event.value, False)
        return YamlScalar(span, event.value, event.style is None)

    def _verify_tag(self, event: yaml.NodeEvent, span: Span) -> None:
        if event.tag is not None:
            raise _error(f"the tag `{event.tag}` is not read here", span, "remove the tag")

    def _open(self, collection: YamlList | YamlMapping) -> None:
        if len(self.stack) == _DEEPEST:
            raise _error(f"nested more than {_DEEPEST} levels deep", collection.span)
        if self.stack and isinstance(self.stack[-1], YamlMapping) and self.keys[-1] is None:
            raise _error("a key must be a word", collection.span)
        self.stack.append(collection)
        self.keys.append(None)

    def _close(self, event: yaml.Event) -> None:
        opened = self.stack.pop()
        self.keys.pop()
        end = event.end_mark.index
        while end > opened.span.start and self.source.text[end - 1].isspace():
            end -= 1
        span = Span(self.source, opened.span.start, end)
        if isinstance(opened, YamlList):
            self._add(YamlList(span, opened.items))
        else:
            self._add(YamlMapping(span, opened.entries))

    def _add(self, node: YamlNode) -> None:
        if not self.stack:
            self.root = node
            return
        parent = self.stack[-1]
        if isinstance(parent, YamlList):
            parent.items.append(node)
            return
        key = self.keys[-1]
        if key is not None:
            parent.entries.append((key, node))
            self.keys[-1] = None
        elif isinstance(node, YamlScalar) and not (node.plain and node.value == "<<"):
            self.keys[-1] = node
        else:
            raise _error("a key must be a word", node.span)
