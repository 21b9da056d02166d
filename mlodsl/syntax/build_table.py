"""Makes the parser's table from the grammar with lark: `python -m mlodsl.syntax.build_table`."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from .table import STARTS, TABLE_PATH, Rule, Table, encode_table, hash_grammar, read_grammar

if TYPE_CHECKING:
    from lark import Lark


def build_lark(grammar: str) -> Lark:
    """The grammar as lark reads it: what the table must agree with."""
    from lark import Lark

    return Lark(grammar, parser="lalr", lexer="basic", start=list(STARTS), maybe_placeholders=True)


def build_table(grammar: str) -> Table:
    """The table of a grammar; one grammar always gives the same table."""
    lark = build_lark(grammar)
    parse_table = lark.parser.parser._parse_table
    rules = sorted(
        set(lark.rules), key=lambda rule: (str(rule.origin.name), [s.name for s in rule.expansion])
    )
    rule_numbers = {rule: number for number, rule in enumerate(rules)}
    nonterminals = {str(rule.origin.name) for rule in rules}
    states = _number_states(parse_table.states, [parse_table.start_states[s] for s in STARTS])
    actions: list[dict[str, int]] = [{} for _ in states]
    gotos: list[dict[str, int]] = [{} for _ in states]
    for state, number in states.items():
        for symbol, (action, argument) in sorted(parse_table.states[state].items()):
            if symbol in nonterminals:
                gotos[number][str(symbol)] = states[argument]
            elif action.name == "Shift":
                actions[number][str(symbol)] = states[argument]
            else:
                actions[number][str(symbol)] = ~rule_numbers[argument]
    patterns, keywords, symbols = _read_terminals(lark)
    return Table(
        grammar_hash=hash_grammar(grammar),
        actions=tuple(actions),
        gotos=tuple(gotos),
        rules=tuple(_read_rule(rule) for rule in rules),
        starts={start: states[parse_table.start_states[start]] for start in STARTS},
        ends={start: states[parse_table.end_states[start]] for start in STARTS},
        patterns=patterns,
        keywords=keywords,
        symbols=symbols,
        ignored=frozenset(lark.ignore_tokens),
    )


def _number_states(states: dict[Any, dict[str, Any]], starts: list[Any]) -> dict[Any, int]:
    """Lark numbers states by chance; breadth first in the symbols' order is always the same."""
    numbers: dict[Any, int] = {}
    waiting = deque(starts)
    while waiting:
        state = waiting.popleft()
        if state in numbers:
            continue
        numbers[state] = len(numbers)
        waiting.extend(
            argument
            for _, (action, argument) in sorted(states[state].items())
            if action.name == "Shift"
        )
    return numbers


def _read_rule(rule: Any) -> Rule:
    """What lark's tree builder would do with the children of this rule."""
    # `empty_indices` has a True for each `[…]` left out and a False for each symbol.
    absent_or_present = rule.options.empty_indices or (False,) * len(rule.expansion)
    take: list[int] = []
    splice: list[int] = []
    position = 0
    for is_absent in absent_or_present:
        if is_absent:
            take.append(-1)
            continue
        symbol = rule.expansion[position]
        if not (symbol.is_term and symbol.filter_out):
            take.append(position)
            if not symbol.is_term and symbol.name.startswith("_"):
                splice.append(position)
        position += 1
    origin = str(rule.origin.name)
    stands_for_child = rule.options.expand1 and not rule.alias and len(take) == 1
    is_nameless = origin.startswith("_") or stands_for_child
    handler = "" if is_nameless else str(rule.alias or origin)
    return Rule(origin, len(rule.expansion), handler, tuple(take), frozenset(splice))


def _read_terminals(
    lark: Lark,
) -> tuple[tuple[tuple[str, str], ...], dict[str, str], dict[str, str]]:
    """Patterns in lark's order (the longest fixed text first), keywords, fixed texts."""
    import re

    name = re.compile(next(t for t in lark.terminals if t.name == "NAME").pattern.to_regexp())
    symbols = {t.name: t.pattern.value for t in lark.terminals if t.pattern.type == "str"}
    keywords = {text: name_ for name_, text in symbols.items() if name.fullmatch(text)}
    ordered = sorted(
        (t for t in lark.terminals if t.pattern.value not in keywords),
        key=lambda t: (-t.priority, -t.pattern.max_width, -len(t.pattern.value), t.name),
    )
    patterns = tuple((t.name, t.pattern.to_regexp()) for t in ordered)
    return patterns, keywords, symbols


def main() -> None:
    """Writes `table.json` from the grammar of this source checkout."""
    grammar = read_grammar()
    if grammar is None:
        raise SystemExit("the grammar mlo.lark is missing")
    TABLE_PATH.write_text(encode_table(build_table(grammar)), encoding="utf-8")


if __name__ == "__main__":
    main()
