"""Damaged models: always diagnostics or a program, never an exception, never slow."""

import random
import time
from pathlib import Path

import pytest

from mlodsl.diagnostics import ModelError, Source, render_json, render_text
from mlodsl.syntax import decode, format_program, parse_program
from mlodsl.syntax.lexer import tokenize

ROOT = Path(__file__).parents[2]
MODELS = [
    path.read_bytes()
    for folder in (ROOT / "models", ROOT / "tests" / "golden" / "good")
    for path in sorted(folder.glob("*.mlo"))
]
LIMIT_IN_SECONDS = 1.0


def flip_bits(raw: bytes, generator: random.Random) -> bytes:
    changed = bytearray(raw)
    for _ in range(generator.randint(1, 8)):
        changed[generator.randrange(len(changed))] ^= 1 << generator.randrange(8)
    return bytes(changed)


def change_tokens(raw: bytes, generator: random.Random) -> bytes:
    """Drops, doubles or swaps a few words, or ends the text early."""
    words = [token.text for token in tokenize(Source("x", raw.decode()))[0][:-1]]
    for _ in range(generator.randint(1, 6)):
        position, other = generator.randrange(len(words)), generator.randrange(len(words))
        match generator.randrange(4):
            case 0 if len(words) > 2:
                del words[position]
            case 1:
                words.insert(other, words[position])
            case 2:
                words[position], words[other] = words[other], words[position]
            case 3 if position > 2:
                del words[position:]
    return generator.choice([" ", "\n"]).join(words).encode()


def try_one(generator: random.Random) -> None:
    change = generator.choice([flip_bits, change_tokens])
    raw = change(generator.choice(MODELS), generator)
    begin = time.perf_counter()
    try:
        program, diagnostics = parse_program(decode("fuzz.mlo", raw))
    except ModelError as error:
        assert [diagnostic.code for diagnostic in error.diagnostics] == ["E003"]
        return
    assert (program is None) == bool(diagnostics), raw
    render_text(diagnostics)
    render_json(diagnostics)
    if program is not None:
        again, _ = parse_program(Source("again.mlo", format_program(program)))
        assert again is not None, raw
        assert again.statements == program.statements, raw
    assert time.perf_counter() - begin < LIMIT_IN_SECONDS, raw


@pytest.mark.parametrize("seed", range(10))
def test_a_damaged_model_is_diagnosed(seed: int) -> None:
    generator = random.Random(seed)
    for _ in range(40):
        try_one(generator)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1000, 1100))
def test_many_damaged_models_are_diagnosed(seed: int) -> None:
    generator = random.Random(seed)
    for _ in range(200):
        try_one(generator)
