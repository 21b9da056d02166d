"""The table that ships is the grammar's, and reads what lark reads."""

import random
import subprocess
import sys
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from lark import Lark, UnexpectedInput

from mlodsl.diagnostics import Source
from mlodsl.syntax import table as table_module
from mlodsl.syntax.build_table import build_lark, build_table
from mlodsl.syntax.builders import BUILDERS
from mlodsl.syntax.engine import Engine, Misuse, Unexpected
from mlodsl.syntax.lexer import BAD, UNTERMINATED, tokenize
from mlodsl.syntax.table import (
    TABLE_PATH,
    decode_table,
    encode_table,
    hash_grammar,
    load_table,
    read_grammar,
)

REBUILD = "run `python -m mlodsl.syntax.build_table`"
SAMPLE = (Path(__file__).parents[1] / "golden" / "good" / "everything.mlo").read_text()


@cache
def lark() -> Lark:
    return build_lark(grammar())


def grammar() -> str:
    text = read_grammar()
    assert text is not None
    return text


def test_the_shipped_table_is_the_grammars() -> None:
    assert TABLE_PATH.read_text(encoding="utf-8") == encode_table(build_table(grammar())), REBUILD


def test_a_table_survives_being_written_and_read() -> None:
    assert decode_table(encode_table(load_table())) == load_table()


@pytest.mark.parametrize("damage", ["stale", "missing", "garbage"])
def test_a_table_that_does_not_fit_the_grammar_is_made_anew(
    damage: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "table.json"
    if damage == "stale":
        path.write_text(encode_table(replace(load_table(), grammar_hash="old", rules=())))
    elif damage == "garbage":
        path.write_text('{"rules": [')
    monkeypatch.setattr(table_module, "TABLE_PATH", path)
    assert load_table.__wrapped__() == load_table()


def test_an_installation_without_the_grammar_trusts_its_table(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    current = hash_grammar(grammar())
    monkeypatch.setattr(table_module, "_GRAMMAR_PATHS", ())
    assert load_table.__wrapped__().grammar_hash == current


def test_reading_a_model_does_not_load_lark() -> None:
    code = (
        "import sys\n"
        "from mlodsl.diagnostics import Source\n"
        "from mlodsl.syntax import format_program, parse_program\n"
        "program, _ = parse_program(Source('a', 'let a = 1'))\n"
        "format_program(program)\n"
        "assert 'lark' not in sys.modules"
    )
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr


def test_the_grammar_has_no_conflicts(caplog: pytest.LogCaptureFixture) -> None:
    starts = list(table_module.STARTS)
    with caplog.at_level("DEBUG", logger="lark"):
        Lark(grammar(), parser="lalr", lexer="basic", start=starts, debug=True)
    assert "onflict" not in caplog.text


def test_each_rule_has_a_comment() -> None:
    blocks = grammar().split("\n\n")
    bare = [
        block.splitlines()[0]
        for block in blocks
        if ":" in block and block.lstrip()[:1] in "?_abcdefghijklmnopqrstuvwxyz"
    ]
    assert bare == []


def test_each_rule_has_a_builder() -> None:
    handlers = {rule.handler for rule in load_table().rules} - {"", "kept"}
    assert handlers == set(BUILDERS)


def mutations(count: int) -> list[str]:
    """The sample with a few words dropped, doubled or swapped."""
    generator = random.Random(7)
    words = [token.text for token in tokenize(Source("sample", SAMPLE))[0][:-1]]
    found: list[str] = []
    for _ in range(count):
        changed = list(words)
        position, other = generator.randrange(len(words)), generator.randrange(len(words))
        how = generator.randrange(3)
        if how == 0:
            del changed[position]
        elif how == 1:
            changed.insert(other, changed[position])
        else:
            changed[position], changed[other] = changed[other], changed[position]
        found.append(" ".join(changed))
    return found


def lark_accepts(text: str) -> bool:
    try:
        lark().parse(text, start="program")
    except UnexpectedInput:
        return False
    return True


def engine_accepts(text: str) -> bool | None:
    """None where a builder refuses what the grammar accepts so far."""
    source = Source("test.mlo", text)
    engine = Engine(load_table(), BUILDERS, source, "program")
    try:
        for token in tokenize(source)[0]:
            engine.feed(token)
    except Unexpected:
        return False
    except Misuse:
        return None
    return True


def test_the_engine_accepts_what_lark_accepts() -> None:
    accepted = [text for text in mutations(80) if lark_accepts(text)]
    assert [text for text in accepted if engine_accepts(text) is False] == []
    assert len(accepted) > 5


def test_the_engine_refuses_what_lark_refuses() -> None:
    refused = [text for text in mutations(80) if not lark_accepts(text)]
    assert [text for text in refused if engine_accepts(text)] == []
    assert len(refused) > 5


def test_the_lexer_cuts_text_as_larks_does() -> None:
    generator = random.Random(3)
    alphabet = 'ab_ T1.5e-+*/^@<>=~#"\n\t ()[]{},;:minimize level'
    for _ in range(300):
        text = "".join(generator.choice(alphabet) for _ in range(30))
        tokens = tokenize(Source("test", text))[0][:-1]
        if any(token.kind in (BAD, UNTERMINATED) for token in tokens):
            continue
        assert [(t.kind, t.text) for t in tokens] == [(t.type, str(t)) for t in lark().lex(text)]
