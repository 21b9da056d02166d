"""Whatever the parser accepts, the checker answers: with findings, never with a traceback."""

import random
import re
import time
from pathlib import Path

import pytest

from mlodsl.check import check
from mlodsl.diagnostics import Source, render_json, render_text
from mlodsl.syntax import parse_program

ROOT = Path(__file__).parents[2]
FILES = sorted(
    [*(ROOT / "models").glob("*.mlo"), *(ROOT / "tests/golden/bad").glob("E[12346]*.mlo")]
)
TEXTS = [path.read_text(encoding="utf-8") for path in FILES]
TOKEN = re.compile(r'"[^"\n]*"|#[^\n]*|[A-Za-z_]\w*|[0-9.]+(?:e-?[0-9]+)?|<=|>=|==|\*\*|\s+|.')
WORDS = (
    *("x", "w", "A", "0", "1", "2", "3", "-1", "1e30", "inf", "true", "pi", "[1, 2]", "[]"),
    *("[[0, 5], [1, 2]]", "range(3)", "for i in range(3)", "size(x)", "zeros(0)", "x[i]", ":"),
    *("sum", "split", "reshape", "where", "dual", "mlp(2, 3)", "real[2]", "in", "axis = 1"),
)


def mutate(source: str, generator: random.Random) -> str:
    """The text with a few tokens dropped, doubled, swapped or, mostly, replaced by others."""
    tokens = TOKEN.findall(source)
    places = [place for place, token in enumerate(tokens) if not token.isspace()]
    values = [place for place in places if re.fullmatch(r"\w+", tokens[place])]
    for _ in range(generator.randint(1, 3)):
        place, other = generator.choice(places), generator.choice(places)
        match generator.randrange(10):
            case 0:
                tokens[place] = ""
            case 1:
                tokens[place] = f"{tokens[place]} {tokens[place]}"
            case 2:
                tokens[place], tokens[other] = tokens[other], tokens[place]
            case 3 | 4 | 5:
                tokens[generator.choice(values)] = generator.choice(WORDS)
            case _:
                tokens[generator.choice(values)] = tokens[generator.choice(values)]
    return "".join(tokens)


def run(seed: int) -> bool:
    """Checks one mutated model; whether the parser accepted it."""
    generator = random.Random(seed)
    text = mutate(generator.choice(TEXTS), generator)
    started = time.perf_counter()
    program, diagnostics = parse_program(Source("fuzz.mlo", text))
    if program is not None:
        shapes = {"X": (5, 3), "wine": (140, 12)} if generator.random() < 0.5 else {}
        model, diagnostics = check(program, data_shapes=shapes)
        errors = any(one.severity.value == "error" for one in diagnostics)
        assert (model is None) == errors
    render_text(diagnostics)
    render_json(diagnostics)
    assert time.perf_counter() - started < 1
    return program is not None


def test_mutated_models_are_answered() -> None:
    assert sum(run(seed) for seed in range(400)) > 50


@pytest.mark.slow
def test_many_mutated_models_are_answered() -> None:
    assert sum(run(seed) for seed in range(1_000, 21_000)) > 2_000
