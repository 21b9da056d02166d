"""The strategies that `mlodsl compare` runs: read from its flag, and run one after the other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from mlodsl.diagnostics import Diagnostic, ModelError
from mlodsl.settings import STRATEGIES, StrategyChoice, layer_of_strategy, read_settings

from .inputs import Ready, wrong_value
from .memory import out_of_memory

if TYPE_CHECKING:
    from mlodsl.report import Contender

FLAG = "--strategies"


def read_strategies(text: str | None) -> tuple[dict[str, StrategyChoice], list[Diagnostic]]:
    """The strategies that `--strategies a,b(c=1)` names, by how they are written.

    Arguments:
        text: the flag's value; None: all strategies there are.

    Returns:
        The strategies, and what is wrong with the flag.
    """
    if text is None:
        return {name: StrategyChoice(name) for name in STRATEGIES}, []
    found: dict[str, StrategyChoice] = {}
    wrong: list[Diagnostic] = []
    for piece in split_at_commas(text):
        label = " ".join(piece.split())
        if not label:
            message = f"`{FLAG} {text}` has an empty entry"
            hint = "separate strategies by one comma, e.g. `implicit,auto`"
            wrong.append(wrong_value(FLAG, text, message, hint))
            continue
        if label in found:
            message, hint = f"the strategy `{label}` is given twice", "remove one of the two"
            wrong.append(wrong_value(FLAG, label, message, hint, code="E506"))
        layer, diagnostics = layer_of_strategy(label, FLAG)
        settings, more = read_settings([layer], [])
        wrong += [*diagnostics, *more]
        found[label] = settings.strategy
    return found, wrong


def split_at_commas(text: str) -> list[str]:
    """The parts between the commas that stand in no brackets.

    >>> split_at_commas("implicit,itd(truncate=20, steps=5),auto")
    ['implicit', 'itd(truncate=20, steps=5)', 'auto']
    """
    parts, depth = [""], 0
    for character in text:
        depth += (character in "([") - (character in ")]")
        if character == "," and depth <= 0:
            parts.append("")
        else:
            parts[-1] += character
    return parts


def run_contenders(
    ready: Ready, choices: Mapping[str, StrategyChoice], quiet: bool
) -> Iterator[Contender]:
    """Solves the model under each strategy; yields each as it ends."""
    import jax

    from mlodsl.report import Contender

    for number, (label, choice) in enumerate(choices.items()):
        if number > 0:
            # Else compiling would seem to take no time where an earlier strategy, or the one
            # that `auto` chose, needed the same code.
            jax.clear_caches()
        try:
            yield _run(ready, label, choice, quiet)
        except ModelError as error:
            yield Contender(label, None, error.diagnostics)
        except (MemoryError, RuntimeError) as problem:
            yield Contender(label, None, (out_of_memory(problem),))


def _run(ready: Ready, label: str, choice: StrategyChoice, quiet: bool) -> Contender:
    from mlodsl.report import Contender
    from mlodsl.solver import Watch, solve

    from .progress import on_phase, progress

    settings = replace(ready.checked.settings, strategy=choice)
    with progress(ready.problem.senses[0], quiet=quiet, label=f"{label}: ") as shown:
        watch = Watch(on_phase=on_phase(shown), on_step=shown.step)
        return Contender(label, solve(ready.problem, settings, watch))
