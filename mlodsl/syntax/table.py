"""The parser's table, made in advance from `grammar/mlo.lark`, and where both stand.

Making the table with lark takes longer than checking a model, so it ships beside this file
as `table.json`, with the hash of the grammar that it was made from. Where that hash isn't
the grammar's (somebody edits the grammar), the table is made anew in memory. Nothing is
written at run time, so read-only installations and concurrent runs are safe.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

STARTS = ("program", "expression", "kept")

_HERE = Path(__file__).parent
TABLE_PATH = _HERE / "table.json"
# In a wheel the grammar stands beside this file, in a source checkout in `grammar/`.
_GRAMMAR_PATHS = (_HERE / "mlo.lark", _HERE.parent.parent / "grammar" / "mlo.lark")


@dataclass(frozen=True, slots=True)
class Rule:
    """One alternative of a grammar rule.

    Arguments:
        origin: the rule's name.
        size: how many symbols the alternative has.
        handler: the builder's name; empty where the children are only collected (`_rule`)
            or where the only child stands for the whole (`?rule`).
        take: which symbols become children: an index, -1 for a part left out (None).
        splice: the indices among `take` whose value is a list of children.
        is_collected: whether the children go to the rule that names this one.
        is_passed: whether the only symbol stands for the whole.
    """

    origin: str
    size: int
    handler: str
    take: tuple[int, ...]
    splice: frozenset[int]
    is_collected: bool = field(init=False)
    is_passed: bool = field(init=False)

    def __post_init__(self) -> None:
        # Asked for at each reduction, so computed once.
        is_collected = self.origin.startswith("_")
        object.__setattr__(self, "is_collected", is_collected)
        is_passed = self.size == 1 and not self.handler and not is_collected
        object.__setattr__(self, "is_passed", is_passed)


@dataclass(frozen=True, slots=True)
class Table:
    """A LALR(1) automaton and the words it reads.

    Arguments:
        grammar_hash: SHA-256 of the grammar's text.
        actions: for each state, by terminal: the next state, or `~rule` to reduce.
        gotos: for each state, by nonterminal: the next state.
        rules: what `~rule` refers to.
        starts, ends: first and last state, by start rule.
        patterns: the regular expressions of the terminals, in the order to try them.
        keywords: reserved words and their terminals.
        symbols: terminals that are a fixed text, keywords included, and that text.
        ignored: terminals that the parser doesn't see.
    """

    grammar_hash: str
    actions: tuple[dict[str, int], ...]
    gotos: tuple[dict[str, int], ...]
    rules: tuple[Rule, ...]
    starts: dict[str, int]
    ends: dict[str, int]
    patterns: tuple[tuple[str, str], ...]
    keywords: dict[str, str]
    symbols: dict[str, str]
    ignored: frozenset[str]


def read_grammar() -> str | None:
    """The grammar's text, or None where only the table was installed."""
    for path in _GRAMMAR_PATHS:
        try:
            return path.read_text(encoding="utf-8")
        except OSError:
            continue
    return None


def hash_grammar(grammar: str) -> str:
    """What ties a table to the grammar it was made from."""
    import hashlib  # 1 ms; needed once a run

    return hashlib.sha256(grammar.encode()).hexdigest()


@cache
def load_table() -> Table:
    """The table of the grammar as it is now."""
    grammar = read_grammar()
    try:
        table = decode_table(TABLE_PATH.read_text(encoding="utf-8"))
    except (OSError, ValueError, KeyError, TypeError):
        table = None  # missing or damaged: as good as out of date
    if table is not None and (grammar is None or hash_grammar(grammar) == table.grammar_hash):
        return table
    if grammar is None:
        raise FileNotFoundError(f"neither {TABLE_PATH} nor the grammar mlo.lark can be read")
    from .build_table import build_table  # loads lark

    return build_table(grammar)


def encode_table(table: Table) -> str:
    """The table as JSON, a line for each state and rule."""

    def rows(items: list[object]) -> str:
        return "[\n" + ",\n".join(json.dumps(item) for item in items) + "\n]"

    parts = {
        "grammar_hash": json.dumps(table.grammar_hash),
        "starts": json.dumps(table.starts),
        "ends": json.dumps(table.ends),
        "keywords": json.dumps(table.keywords),
        "symbols": json.dumps(table.symbols),
        "ignored": json.dumps(sorted(table.ignored)),
        "patterns": rows([list(pattern) for pattern in table.patterns]),
        "rules": rows(
            [
                [rule.origin, rule.size, rule.handler, list(rule.take), sorted(rule.splice)]
                for rule in table.rules
            ]
        ),
        "actions": rows(list(table.actions)),
        "gotos": rows(list(table.gotos)),
    }
    return "{\n" + ",\n".join(f'"{key}": {value}' for key, value in parts.items()) + "\n}\n"


def decode_table(text: str) -> Table:
    """The table that `encode_table` wrote."""
    read = json.loads(text)
    return Table(
        grammar_hash=read["grammar_hash"],
        actions=tuple(read["actions"]),
        gotos=tuple(read["gotos"]),
        rules=tuple(
            Rule(origin, size, handler, tuple(take), frozenset(splice))
            for origin, size, handler, take, splice in read["rules"]
        ),
        starts=read["starts"],
        ends=read["ends"],
        patterns=tuple((name, pattern) for name, pattern in read["patterns"]),
        keywords=read["keywords"],
        symbols=read["symbols"],
        ignored=frozenset(read["ignored"]),
    )
