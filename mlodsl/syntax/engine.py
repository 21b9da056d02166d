"""The LALR automaton: shifts tokens, and makes a node with each reduction.

Nodes are made while reading, so no pass ever descends a parse tree, and a text that is
nested too deeply is met before anything could recurse over it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from mlodsl.diagnostics import Diagnostic, Source, Span

from . import nodes
from .lexer import END, Token
from .table import Rule, Table

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


class _Symbol(NamedTuple):
    """A symbol on the stack: its value (a token, a node or a list of them) and its place.

    `depth` says how many nodes deep it is.
    """

    value: Any
    start: int
    end: int
    depth: int


class Engine:
    """A run of the automaton over one source: its stacks, and nothing that outlives the run.

    `states` has the state before the first symbol and the state after each.
    """

    def __init__(
        self, table: Table, builders: Mapping[str, Builder], source: Source, start: str
    ) -> None:
        self._table = table
        self._builders = builders
        self._source = source
        self._end_state = table.ends[start]
        self.states: list[int] = [table.starts[start]]
        self._symbols: list[_Symbol] = []

    @property
    def values(self) -> list[Any]:
        """The symbols' values; once all is read, the tree alone."""
        return [symbol.value for symbol in self._symbols]

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
        """Forgets all symbols but the first `length`."""
        del self.states[length + 1 :]
        del self._symbols[length:]

    def feed(self, token: Token) -> bool:
        """Takes one token; True once the whole text is read, its node then is the only value.

        Raises:
            Unexpected: the token fits nowhere; the stacks may have been reduced by then.
            Misuse: a builder refused what it was given, or the nesting is too deep.
        """
        kind, start, end, _ = token
        actions, gotos, rules = self._table.actions, self._table.gotos, self._table.rules
        states = self.states
        action = actions[states[-1]].get(kind)
        if action is None:
            raise Unexpected(token, list(states))
        before = list(states) if action < 0 else states
        while action < 0:
            rule = rules[~action]
            if rule.is_passed:
                states.pop()  # the symbol stays what it is
            else:
                self._reduce(rule, start)
            state = gotos[states[-1]][rule.origin]
            states.append(state)
            if kind == END and state == self._end_state:
                return True
            following = actions[state].get(kind)
            if following is None:
                raise Unexpected(token, before)
            action = following
        if len(states) > MAXIMUM_STACK:
            raise self._too_deep(Span(self._source, start, end))
        states.append(action)
        self._symbols.append(_Symbol(token, start, end, 0))
        return False

    def _reduce(self, rule: Rule, position: int) -> None:
        """Replaces a rule's symbols by its value; the caller then moves to the next state."""
        size = rule.size
        if size:
            symbols = self._symbols[-size:]
            del self._symbols[-size:]
            del self.states[-size:]
            start, end = symbols[0].start, symbols[-1].end
            depth = max([symbol.depth for symbol in symbols])
        else:
            symbols, start, end, depth = [], position, position, 0
        children: list[Any] = []
        for index in rule.take:
            value: Any = None if index < 0 else symbols[index].value
            if index not in rule.splice:
                children.append(value)
            elif children:
                children += value
            else:
                children = value  # grows in place, so that long lists cost linear time
        value = children
        if rule.handler:
            place = Span(self._source, start, end)
            value = self._builders[rule.handler](place, children)
            if isinstance(value, nodes.Node):
                depth += 1
                if depth > MAXIMUM_DEPTH:
                    raise self._too_deep(place)
        elif not rule.is_collected:
            (value,) = children
        self._symbols.append(_Symbol(value, start, end, depth))

    def _too_deep(self, span: Span) -> Misuse:
        return Misuse(
            "E004",
            f"nested more than {MAXIMUM_DEPTH} levels deep",
            span,
            "name parts of the expression with `let`",
        )
