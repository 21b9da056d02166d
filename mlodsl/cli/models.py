"""`mlodsl models [NAME]`: the models that come with mlodsl. Loads neither JAX nor Equinox."""

from __future__ import annotations

from pathlib import Path

from mlodsl.diagnostics import Diagnostic, ModelError, did_you_mean
from mlodsl.loading import ready_models
from mlodsl.syntax import decode, nodes, parse_program

from .command import Arguments, Command
from .terminal import note, say


def show_models(arguments: Arguments) -> int:
    """Lists the ready models, or prints one: its path on standard error, its text."""
    models = ready_models()
    if not arguments.words:
        width = max((len(name) for name in models), default=0)
        for name, path in models.items():
            say(f"{name:<{width}}  {_title(path)}".rstrip())
        return 0
    name = arguments.words[0].removesuffix(".mlo")
    if name not in models:
        known = ", ".join(f"`{model}`" for model in models)
        message = f"there is no ready model `{name}`; there are {known}"
        raise ModelError([Diagnostic("E703", message, None, did_you_mean(name, models))])
    note(str(models[name]))
    say(models[name].read_text(encoding="utf-8").rstrip("\n"))
    return 0


def _title(path: Path) -> str:
    program, _ = parse_program(decode(path.name, path.read_bytes()))
    if program is not None:
        for statement in program.statements:
            if isinstance(statement, nodes.ModelHeader) and statement.title is not None:
                return statement.title.value
    return ""


COMMAND = Command(
    name="models",
    words="[NAME]",
    least=0,
    most=1,
    doc="""Lists the models that come with mlodsl, a line each. With a name: that model's path (on
    standard error) and its text, to be read or to begin with. Every command that takes a MODEL
    takes such a name, too.""",
    flags=(),
    run=show_models,
    examples=(
        ("mlodsl models", "what there is"),
        ("mlodsl models three_generals > mine.mlo", "a copy to change"),
    ),
)
