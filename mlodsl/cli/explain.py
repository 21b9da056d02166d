"""`mlodsl explain MODEL`: what a model is, which strategy would run, and what a step costs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlodsl.check import CheckedModel
from mlodsl.diagnostics import Diagnostic, ModelError
from mlodsl.loading import Loaded

from .cache import NO_CACHE
from .command import Arguments, Command, Flag
from .inputs import CONFIG, DATA, SET, STRATEGY, build_problem, read_model
from .terminal import print_diagnostics

if TYPE_CHECKING:
    from mlodsl.report import Explanation

# What stands in the way of solving, but not of explaining: not built yet, or no such fit.
_OBSTACLES = ("E8", "E507")


def explain(arguments: Arguments) -> int:
    """Prints what is known of the model without solving it."""
    loaded, checked = read_model(arguments, require_values=False)
    print_diagnostics(loaded.diagnostics)
    explanation = _explanation(loaded, checked)
    if arguments.has("--json"):
        from mlodsl.report import explanation_dict

        from .output import STANDARD_OUTPUT, write_result

        write_result("--json", STANDARD_OUTPUT, explanation_dict(explanation))
        return 0
    from rich.console import Console

    from mlodsl.report import explanation_text

    console = Console(highlight=False)
    console.print(explanation_text(explanation, min(console.width, 100) - 4))
    return 0


def _explanation(loaded: Loaded, checked: CheckedModel) -> Explanation:
    missing = _missing(checked)
    from mlodsl.report import Explanation, find_way

    if missing:
        return Explanation(checked, None, missing)
    try:
        problem = build_problem(loaded, checked)
        return Explanation(checked, find_way(problem, checked.settings))
    except ModelError as error:
        if any(not one.code.startswith(_OBSTACLES) for one in error.diagnostics):
            raise
        return Explanation(checked, None, error.diagnostics)


def _missing(checked: CheckedModel) -> tuple[Diagnostic, ...]:
    """What the model needs to be given before it could be solved."""
    params = [(info.name, f"--set {info.name}=…") for info in checked.params if info.missing]
    data = [(info.name, f"--data {info.name}=PATH") for info in checked.data if info.missing]
    return tuple(
        Diagnostic("E604", f"`{name}` has no value yet", None, f"give it with `{flag}`")
        for name, flag in (*params, *data)
    )


COMMAND = Command(
    name="explain",
    words="MODEL",
    least=1,
    most=1,
    doc="""Says what a model is: its levels, their variables and who listens to whom; all of it as
    mathematics; which strategy would run, and why; and what a step of the top level costs,
    computed from the sizes and measured over the first few steps.

    A model that misses data, or that can't be solved yet, is explained as far as it goes.
    Exits with 2 where the input is wrong, with 0 otherwise.""",
    flags=(
        Flag("--json", "print the explanation as JSON, and nothing else"),
        SET,
        DATA,
        CONFIG,
        STRATEGY,
        NO_CACHE,
    ),
    run=explain,
    examples=(
        ("mlodsl explain stackelberg3", "a ready model"),
        ("mlodsl explain wine_poisoning", "without its data: what is known before"),
        ("mlodsl explain game.mlo --strategy itd", "what another strategy would cost"),
    ),
)
