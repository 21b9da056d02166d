"""`mlodsl check MODEL…`: reads and checks without solving. Loads neither JAX nor Equinox."""

from __future__ import annotations

import json
import math

from mlodsl.check import CheckedModel
from mlodsl.diagnostics import Diagnostic, ModelError, has_errors, render_json
from mlodsl.loading import find_model

from .command import Arguments, Command, Flag
from .inputs import CONFIG, DATA, SET, Inputs, load, read_inputs
from .terminal import print_diagnostics, say


def check_models(arguments: Arguments) -> int:
    """Prints everything that is wrong with the models; 2 where there is an error."""
    inputs = read_inputs(arguments, require_values=False)
    as_json = arguments.has("--json")
    seen: dict[Diagnostic, None] = {}
    listed: list[dict[str, object]] = []
    for word in arguments.words:
        diagnostics, line = _check_one(word, inputs)
        # What is wrong with the flags is the same for every model.
        fresh = [diagnostic for diagnostic in diagnostics if diagnostic not in seen]
        seen.update(dict.fromkeys(fresh))
        if as_json:
            for entry in render_json(fresh):
                listed.append(entry if entry["file"] is not None else {**entry, "file": word})
            continue
        print_diagnostics(fresh)
        if line is not None:
            say(line)
    if as_json:
        say(json.dumps(listed, indent=2))
    return 2 if has_errors(seen) else 0


def _check_one(word: str, inputs: Inputs) -> tuple[tuple[Diagnostic, ...], str | None]:
    """The diagnostics of one model, and its line where it has no error."""
    try:
        text = find_model(word)
    except ModelError as error:
        return (*inputs.diagnostics, *error.diagnostics), None
    loaded = load(text, inputs)
    line = None if loaded.checked is None else f"{word}: ok, {_size(loaded.checked)}"
    return loaded.diagnostics, line


def _size(checked: CheckedModel) -> str:
    """What a model is made of, in a few words."""
    levels = _count(len(checked.levels), "level")
    variables = [variable for level in checked.levels for variable in level.variables]
    sizes = [size for variable in variables for size in variable.shape]
    if any(variable.network is not None for variable in variables):
        return f"{levels}, with networks"
    if not all(isinstance(size, int) for size in sizes):
        return f"{levels}, sizes not known yet"
    total = sum(
        math.prod(size for size in variable.shape if isinstance(size, int))
        for variable in variables
    )
    return f"{levels}, {_count(total, 'variable')}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


COMMAND = Command(
    name="check",
    words="MODEL…",
    least=1,
    most=None,
    doc="""Reads and checks models without solving them: names, shapes, levels, domains, options,
    data. Prints every error found, not only the first, and warnings.

    Exits with 2 where there is an error, with 0 otherwise.""",
    flags=(
        Flag("--json", "print the diagnostics as a JSON list, and nothing else"),
        SET,
        DATA,
        CONFIG,
    ),
    run=check_models,
    examples=(
        ("mlodsl check game.mlo", "one model"),
        ("mlodsl check models/*.mlo --json", "many, for machines"),
        ("mlodsl check tuning.mlo --data X=train.csv", "with the shapes of its data"),
    ),
)
