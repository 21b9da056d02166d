"""The LALR automaton: shifts tokens, and makes a node with each reduction.

Nodes are made while reading, so no pass ever descends a parse tree, and a text that is
nested too deeply is met before anything could recurse over it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from mlodsl.diagnostics import Diagnostic, Source, Span

from . import nodes
from .lexer import END, Token
from .table import Table

Builder = Callable[[Span, list[Any]], Any]

MAXIMUM_DEPTH = 100
"""Nodes inside of nodes; later passes recurse over them, Python's stack holds 1000 frames."""

MAXIMUM_STACK = 1000
"""Unfinished symbols, parentheses among them, which leave no node."""


class Misuse(Exception):
    """What the grammar accepts and the meaning of its rule forbids; drops the statement."""

    def __init__(self, code: str, message: str, span: Span, hint: str | None = None) -> None:
        self.diagnostic = Diagnostic(code, message, span, hint)
        super().__init__(message)


class Unexpected(Exception):
    """No rule goes on with this token; `states` is the stack before it came."""

    def __init__(self, token: Token, states: list[int]) -> None:
        self.token = token
        self.states = states
        super().__init__(token.kind)


class Engine:
    """A run of the automaton over one source: its stacks, and nothing that outlives the run.

    For each symbol on the stack: the state after it, its value (a token, a node, or a list
    of them), its place, and how many nodes deep it is.
    """

    def __init__(
        self, table: Table, builders: Mapping[str, Builder], source: Source, start: str
    ) -> None:
        self._table = table
        self._builders = builders
        self._source = source
        self._end_state = table.ends[start]
        self.states: list[int] = [table.starts[start]]
        self.values: list[Any] = []
        self.starts: list[int] = []
        self.ends: list[int] = []
        self.depths: list[int] = []

    def accepts(self, *kinds: str, states: list[int] | None = None) -> bool:
        """Whether tokens of these kinds could come next, one after the other; nothing moves."""
        stack = list(self.states if states is None else states)
        return all(self._advance(stack, kind) for kind in kinds)

    def _advance(self, stack: list[int], kind: str) -> bool:
        table = self._table
        while True:
            action = table.actions[stack[-1]].get(kind)
            if action is None:
                return False
            if action >= 0:
                stack.append(action)
                return True
            rule = table.rules[~action]
            if rule.size:
                del stack[-rule.size :]
            stack.append(table.gotos[stack[-1]][rule.origin])
            if kind == END and stack[-1] == self._end_state:
                return True

    def expected(self, states: list[int]) -> frozenset[str]:
        """The kinds of token that could come next after these states."""
        kinds = self._table.actions[states[-1]]
        return frozenset(kind for kind in kinds if self.accepts(kind, states=states))

    def shifts(self, position: int, kind: str) -> bool:
        """Whether the state at this position of the stack takes the token as it is."""
        return self._table.actions[self.states[position]].get(kind, -1) >= 0

    def open_brackets(self) -> list[Token]:
        """The brackets and braces that are open, the innermost last."""
        found: list[Token] = []
        for value in self.values:
            if isinstance(value, Token) and value.kind in ("LPAR", "LSQB", "LBRACE"):
                found.append(value)
            elif isinstance(value, Token) and value.kind in ("RPAR", "RSQB", "RBRACE"):
                found.pop()
        return found

    def cut(self, length: int) -> None:
        """Forgets all symbols after the state at this position."""
        del self.states[length + 1 :]
        for stack in (self.values, self.starts, self.ends, self.depths):
            del stack[length:]

    def feed(self, token: Token) -> bool:
        """Takes one token; True once the whole text is read, its node then is the only value.

        Raises:
            Unexpected: the token fits nowhere; the stacks may have been reduced by then.
            Misuse: a builder refused what it was given, or the nesting is too deep.
        """
        table = self._table
        kind = token.kind
        states = self.states
        action = table.actions[states[-1]].get(kind)
        if action is None:
            raise Unexpected(token, list(states))
        before = list(states) if action < 0 else states
        while action < 0:
            rule = table.rules[~action]
            if rule.size == 1 and not rule.handler and not rule.is_collected:
                states.pop()  # `?rule` with one symbol: the value stays what it is
            else:
                self._reduce(~action, token)
            states.append(table.gotos[states[-1]][rule.origin])
            if kind == END and states[-1] == self._end_state:
                return True
            following = table.actions[states[-1]].get(kind)
            if following is None:
                raise Unexpected(token, before)
            action = following
        if len(states) > MAXIMUM_STACK:
            raise self._too_deep(Span(self._source, token.start, token.end))
        states.append(action)
        self.values.append(token)
        self.starts.append(token.start)
        self.ends.append(token.end)
        self.depths.append(0)
        return False

    def _reduce(self, number: int, lookahead: Token) -> None:
        """Replaces a rule's symbols by its value; the caller then moves to the next state."""
        rule = self._table.rules[number]
        size = rule.size
        if size:
            values = self.values[-size:]
            start, end = self.starts[-size], self.ends[-1]
            depth = max(self.depths[-size:])
            self.cut(len(self.values) - size)
        else:
            values, start, end, depth = [], lookahead.start, lookahead.start, 0
        children: list[Any] | None = None
        for index in rule.take:
            if index in rule.splice:
                # The first list grows in place, so that long lists cost linear time.
                if children is None:
                    children = values[index]
                else:
                    children += values[index]
            elif children is None:
                children = [None if index < 0 else values[index]]
            else:
                children.append(None if index < 0 else values[index])
        if children is None:
            children = []
        value: Any = children
        if rule.handler:
            place = Span(self._source, start, end)
            value = self._builders[rule.handler](place, children)
            if isinstance(value, nodes.Node):
                depth += 1
                if depth > MAXIMUM_DEPTH:
                    raise self._too_deep(place)
        elif not rule.is_collected:
            (value,) = children
        self.values.append(value)
        self.starts.append(start)
        self.ends.append(end)
        self.depths.append(depth)

    def _too_deep(self, span: Span) -> Misuse:
        return Misuse(
            "E004",
            f"nested more than {MAXIMUM_DEPTH} levels deep",
            span,
            "name parts of the expression with `let`",
        )
