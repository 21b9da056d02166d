"""Tree to text in the canonical layout; comments stay with what they stand beside."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TypeAlias

from . import nodes
from .format_expression import (
    CONTINUATION,
    document,
    domain_document,
    for_clauses,
    format_expression,
    type_document,
)
from .layout import WIDTH, Document, Nest, lay_out
from .rows import CommentCursor, RowWriter, write_rows

INDENT = 2

_SUBJECT_TO = "subject to "
_Block: TypeAlias = nodes.Level | nodes.Player | nodes.Solve | nodes.LevelOptions
# From the end of a block's head to the end of its brace, comments included.
_TO_BRACE = re.compile(r"(?:\s|#[^\n]*)*\{")


def format_program(program: nodes.Program) -> str:
    """The whole program as text; parsing that gives the same program again.

    Comments are kept: one on its own line stays before what follows it, one at a line's end
    stays there, one inside of a statement moves to its end or before it. Of blank lines
    between statements one is kept; levels and the `solve` block are always set off.
    """
    return _Formatter(program).run()


class _Formatter:
    """One run over a program."""

    def __init__(self, program: nodes.Program) -> None:
        self._program = program
        self._text = program.span.source.text
        self._writer = RowWriter(self._text, CommentCursor(program.comments))

    def run(self) -> str:
        self._write_statements(self._program.statements, 0)
        self._writer.write_comments_before(len(self._text) + 1, 0)
        return write_rows(self._writer.rows)

    def _write_statements(self, statements: Sequence[nodes.Statement], indent: int) -> None:
        writer = self._writer
        for position, statement in enumerate(statements):
            writer.write_comments_before(statement.span.start, indent)
            is_block = isinstance(statement, nodes.Level | nodes.Player | nodes.Solve)
            if is_block and position and writer.rows[-1].code.strip():
                writer.require_blank()
            match statement:
                case nodes.Level() | nodes.Player():
                    self._write_block(statement, _head(statement), indent)
                case nodes.Solve():
                    self._write_block(statement, "solve", indent)
                case nodes.SubjectTo():
                    self._write_constraints(statement, indent)
                case _:
                    self._write_simple(statement, statement_document(statement), indent)
            if is_block:
                writer.require_blank()

    def _write_simple(self, node: nodes.Node, content: Document, indent: int) -> None:
        start, end = node.span.start, node.span.end
        comment = self._writer.take_comments_inside(start, end, indent)
        lines = lay_out(Nest(CONTINUATION, (content,)), indent)
        self._writer.write(lines, start, end, comment)

    def _write_constraints(self, statement: nodes.SubjectTo, indent: int) -> None:
        writer = self._writer
        column = indent + len(_SUBJECT_TO)
        last = len(statement.constraints) - 1
        for position, constraint in enumerate(statement.constraints):
            start = constraint.span.start if position else statement.span.start
            end = constraint.span.end
            if position:
                writer.write_comments_before(start, column)
            comment = writer.take_comments_inside(start, end, column if position else indent)
            content = (_constraint(constraint), "," if position < last else "")
            lines = lay_out(Nest(CONTINUATION, content), column)
            if not position:
                lines[0] = " " * indent + _SUBJECT_TO + lines[0].lstrip(" ")
            writer.write(lines, start, end, comment)

    def _write_block(self, block: _Block, head: str, indent: int) -> None:
        writer = self._writer
        start, end = block.span.start, block.span.end
        brace = self._end_of_brace(block)
        comment = writer.take_comments_inside(start, brace, indent)
        writer.write([f"{' ' * indent}{head} {{"], start, brace, comment)
        match block:
            case nodes.Solve(options) | nodes.LevelOptions(_, options):
                self._write_options(options, indent + INDENT)
            case _:
                self._write_statements(block.statements, indent + INDENT)
        writer.write_comments_before(end, indent + INDENT)
        writer.close(" " * indent + "}", end)

    def _end_of_brace(self, block: _Block) -> int:
        match block:
            case nodes.Level(name, title) | nodes.Player(name, title):
                position = (title or name).span.end
            case nodes.LevelOptions(name):
                position = name.span.end
            case nodes.Solve():
                position = block.span.start + len("solve")
        found = _TO_BRACE.match(self._text, position)
        return found.end() if found else position

    def _write_options(
        self, options: Sequence[nodes.Option | nodes.LevelOptions], indent: int
    ) -> None:
        writer = self._writer
        names: dict[int, str] = {}
        for position, option in enumerate(options):
            writer.write_comments_before(option.span.start, indent)
            if isinstance(option, nodes.Option):
                self._write_simple(option, _option(option), indent)
                continue
            if position not in names:
                names.update(self._aligned_names(options, position, indent))
            line = _one_line(option, names[position], indent)
            if self._fits_on_one_line(option, line):
                start, end = option.span.start, option.span.end
                writer.take_comments_inside(start, end, indent)
                writer.write([line], start, end)
            else:
                self._write_block(option, f"level {option.name.name}", indent)

    def _aligned_names(
        self, options: Sequence[nodes.Option | nodes.LevelOptions], first: int, indent: int
    ) -> dict[int, str]:
        """The names of neighbouring one-line `level … { … }`, padded to one length."""
        run: dict[int, nodes.LevelOptions] = {}
        for position in range(first, len(options)):
            option = options[position]
            if not isinstance(option, nodes.LevelOptions):
                break
            run[position] = option
        names = {position: option.name.name for position, option in run.items()}
        short = [
            position
            for position, option in run.items()
            if self._fits_on_one_line(option, _one_line(option, names[position], indent))
        ]
        length = max((len(names[position]) for position in short), default=0)
        padded = {position: names[position].ljust(length) for position in short}
        if any(len(_one_line(run[p], padded[p], indent)) > WIDTH for p in short):
            return names
        return names | padded

    def _fits_on_one_line(self, option: nodes.LevelOptions, line: str) -> bool:
        return len(line) <= WIDTH and not self._keeps_comment_inside(option)

    def _keeps_comment_inside(self, option: nodes.LevelOptions) -> bool:
        """Whether a comment will stand between the braces, as `take_comments_inside` has it."""
        brace, end = self._end_of_brace(option), option.span.end
        starts = [comment.span.start for comment in self._program.comments]
        if any(brace <= start < end for start in starts):
            return True
        before_brace = sum(option.span.start < start < brace for start in starts)
        following = next((start for start in starts if start >= end), None)
        trails = following is not None and "\n" not in self._text[brace:following]
        return before_brace == 1 and not trails


def statement_document(statement: nodes.Statement) -> Document:
    """A statement that is neither a block nor `subject to`, with the places it may break."""
    match statement:
        case nodes.ModelHeader():
            return _head(statement)
        case nodes.Param(name, kind, value):
            return ("param ", name.name, *_type(kind), *_value(value))
        case nodes.Data(name, kind, value):
            return ("data ", name.name, *_type(kind), *_value(value))
        case nodes.LetValue(name, value):
            return ("let ", name.name, *_value(value))
        case nodes.LetParts(names, value):
            return ("let (", _names(names), ")", *_value(value))
        case nodes.LetFunction(name, parameters, body):
            return ("let ", name.name, "(", _names(parameters), ")", *_value(body))
        case nodes.Var(name, kind, domain, start):
            inside = () if domain is None else (" in ", domain_document(domain))
            return ("var ", name.name, *_type(kind), *inside, *_start(start))
        case nodes.Objective(sense, _, value):
            return (sense, " ", document(value))
        case _:
            raise AssertionError(f"{type(statement).__name__} has a layout of its own")


def _head(node: nodes.ModelHeader | nodes.Level | nodes.Player) -> str:
    keyword = type(node).__name__.removesuffix("Header").lower()
    title = "" if node.title is None else f' "{node.title.value}"'
    return f"{keyword} {node.name.name}{title}"


def _names(names: Sequence[nodes.Identifier]) -> str:
    return ", ".join(name.name for name in names)


def _type(kind: nodes.Type | None) -> tuple[Document, ...]:
    return () if kind is None else (" : ", type_document(kind))


def _value(value: nodes.Expression | None) -> tuple[Document, ...]:
    return () if value is None else (" = ", document(value))


def _start(start: nodes.Expression | nodes.Draw | None) -> tuple[Document, ...]:
    if isinstance(start, nodes.Draw):
        return (" ~ ", document(start.distribution))
    return _value(start)


def _constraint(constraint: nodes.Constraint) -> Document:
    name = () if constraint.name is None else (constraint.name.name, " : ")
    return (*name, document(constraint.comparison), *for_clauses(constraint.clauses))


def _option(option: nodes.Option) -> Document:
    return (option.key.name, *_value(option.value))


def _one_line(level: nodes.LevelOptions, name: str, indent: int) -> str:
    options = "  ".join(f"{o.key.name} = {format_expression(o.value)}" for o in level.options)
    return f"{' ' * indent}level {name} " + (f"{{ {options} }}" if options else "{ }")
