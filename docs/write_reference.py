"""Writes the reference pages from the package's own tables and the ready models.

    python docs/write_reference.py            writes them
    python docs/write_reference.py --check    says whether they are current (exit 1: they aren't)

Run it after a change to a table (codes, functions, options, optimisers, strategies) or a model.
"""

import sys
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from pathlib import Path

from mlodsl.check.builtins import BUILTINS, Place
from mlodsl.diagnostics import CODES, Severity
from mlodsl.settings import (
    LEVEL_OPTIONS,
    OPTIMIZERS,
    SOLVE_OPTIONS,
    STRATEGIES,
    Parameter,
    signature_text,
)
from mlodsl.settings.kinds import describe
from mlodsl.settings.signatures import value_text

DOCS = Path(__file__).parent
MODELS = DOCS.parent / "models"
GOLDEN = DOCS.parent / "tests" / "golden" / "bad"

CHAPTERS = {
    "E0": "The text itself",
    "E1": "Names",
    "E2": "Shapes and kinds",
    "E3": "Levels",
    "E4": "Domains, starts and types",
    "E5": "Options",
    "E6": "Params and data",
    "E7": "Other inputs",
    "E8": "Not solved yet",
    "W9": "Warnings",
}


def diagnostics() -> Iterator[str]:
    """Every code, its meaning, its way out, and what one bad model prints."""
    yield "# Diagnostics\n"
    yield (
        "A diagnostic says what is wrong, where, what was expected, and a likely fix. Codes are "
        "stable: none is ever given a new meaning. Errors begin with `E`; warnings, with `W`, "
        "don't stop a run. `mlodsl check MODEL` prints all it finds, `--json` for machines."
    )
    for chapter, codes in groupby(CODES.items(), key=lambda item: item[0][:2]):
        yield f"\n## {CHAPTERS[chapter]}\n"
        for code, entry in codes:
            kind = "" if entry.severity is Severity.ERROR else " (a warning)"
            yield f"### {code}: {entry.title}{kind}\n"
            yield f"The way out: {entry.way_out}.\n"
            yield from _example(code)


def _example(code: str) -> Iterator[str]:
    """The shortest bad model of a code with what it prints, where it is short enough to read."""
    pairs = [
        (path.read_text(encoding="utf-8"), path.with_suffix(".txt"))
        for path in sorted(GOLDEN.glob(f"{code}*.mlo"))
    ]
    outputs = [output.read_text(encoding="utf-8") for _, output in pairs if output.exists()]
    outputs = [output for output in outputs if 0 < len(output.splitlines()) <= 12]
    if outputs:
        yield f"```text\n{min(outputs, key=len).strip()}\n```\n"


def functions() -> Iterator[str]:
    """Every built-in function by theme."""
    yield "# Functions\n"
    yield (
        "Arguments may be given by position or by name. Elementwise functions broadcast as NumPy's "
        "do. A reduction without `axis` reduces everything to a scalar; those marked † also take "
        "a `for` form, `sum(w[i] * x[i]^2 for i in range(n))`."
    )
    for category in dict.fromkeys(builtin.category for builtin in BUILTINS.values()):
        yield f"\n## {category.capitalize()}\n"
        yield "| function | meaning |\n| --- | --- |"
        for builtin in BUILTINS.values():
            if builtin.category == category:
                mark = " †" if builtin.over_indices else ""
                place = (
                    "" if builtin.place is Place.EXPRESSION else f" Stands {builtin.place.value}."
                )
                yield f"| `{builtin.signature}`{mark} | {_cell(builtin.doc)}{place} |"


def options() -> Iterator[str]:
    """The options of `solve`, the strategies and the optimisers."""
    yield "# Options\n"
    yield (
        "Options stand in the model's `solve { }` block, in a YAML file (`--config`) or on the "
        "command line (`--set solve.KEY=VALUE`); later wins: file, YAML, command line."
    )
    yield "\n## `solve { … }`\n"
    yield "`strategy = NAME(…)` chooses a strategy, see below.\n"
    yield from _table(list(SOLVE_OPTIONS.values()))
    yield "\n## `level NAME { … }` inside it\n"
    yield "`optimizer = NAME(…)` chooses an optimiser, see below.\n"
    yield from _table(list(LEVEL_OPTIONS.values()))
    yield "\n## Strategies\n"
    yield "A strategy is a way to the total gradient of a level's objective."
    for strategy in STRATEGIES.values():
        yield f"\n### `{strategy.name}`\n"
        yield strategy.doc
        if strategy.options:
            yield ""
            yield from _table(strategy.options)
    yield "\n## Optimisers\n"
    yield (
        "How one level moves. `newton`, `lbfgs` and `auto` are the solver's own; the others are "
        "Optax's, by their Optax names. Each of Optax's also takes `schedule = exponential(0.99)`, "
        "which multiplies the learning rate by that factor each step.\n"
    )
    yield "| optimiser | meaning |\n| --- | --- |"
    for name, optimizer in OPTIMIZERS.items():
        signature = signature_text(name, optimizer.parameters)
        yield f"| `{signature}` | {_cell(optimizer.doc)} |"


def _table(parameters: Sequence[Parameter]) -> Iterator[str]:
    yield "| option | values | default | meaning |\n| --- | --- | --- | --- |"
    for parameter in parameters:
        default = parameter.unset if parameter.default is None else parameter.default
        yield (
            f"| `{parameter.name}` | {describe(parameter.kind)} | `{value_text(default)}` "
            f"| {_cell(parameter.doc)} |"
        )


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def models() -> Iterator[str]:
    """The ready models, each in full: their comments say source and answer."""
    yield "# Ready models\n"
    yield (
        "They come with the package: `mlodsl models` lists them, `mlodsl models NAME` shows one, "
        "`mlodsl solve NAME` solves one. `--set` changes a param: `--set goods=100`. The tests "
        "solve every one and compare its answer with a closed form or an independent computation."
    )
    for path in sorted(MODELS.glob("*.mlo")):
        yield f"\n## {path.stem}\n"
        yield f"```mlo\n{path.read_text(encoding='utf-8').strip()}\n```"


PAGES: dict[str, Callable[[], Iterator[str]]] = {
    "diagnostics.md": diagnostics,
    "functions.md": functions,
    "options.md": options,
    "models.md": models,
}


def main(arguments: Sequence[str]) -> int:
    """Writes the pages, or compares them with what they should be."""
    stale = []
    for name, render in PAGES.items():
        page = DOCS / name
        text = "\n".join(render()).rstrip() + "\n"
        if not page.exists() or page.read_text(encoding="utf-8") != text:
            stale.append(name)
            if "--check" not in arguments:
                page.write_text(text, encoding="utf-8")
    for name in stale:
        print(f"docs/{name} {'is stale' if '--check' in arguments else 'written'}")
    return 1 if stale and "--check" in arguments else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
