"""What commands that read a model have in common: their flags, and the model with its data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from mlodsl.check import CheckedModel, GivenParam
from mlodsl.diagnostics import Diagnostic, ModelError, Source, Span, has_errors
from mlodsl.loading import Loaded, ModelText, Wishes, find_model, load_model
from mlodsl.settings import (
    Layer,
    YamlConfig,
    layer_of_flags,
    layer_of_strategy,
    paths_of_flags,
    read_yaml,
)
from mlodsl.syntax import decode

from .command import Arguments, Flag
from .terminal import print_diagnostics

if TYPE_CHECKING:
    from mlodsl.modules import Problem

SET = Flag(
    "--set",
    "a param by its name, or an option as solve.OPTION or solve.level.NAME.OPTION; VALUE is "
    "written as in a model",
    "KEY=VALUE",
    repeats=True,
)
DATA = Flag("--data", "the file that data is read from", "NAME=PATH", repeats=True)
CONFIG = Flag("--config", "a YAML file with params:, data: and solve:", "FILE.yaml")
STRATEGY = Flag("--strategy", "the same as --set solve.strategy=NAME", "NAME")


@dataclass(frozen=True, slots=True)
class Inputs:
    """What the flags say, and what is wrong with them."""

    wishes: Wishes
    diagnostics: tuple[Diagnostic, ...]


def read_inputs(arguments: Arguments, *, require_values: bool = True) -> Inputs:
    """What `--set`, `--data`, `--config` and `--strategy` say; later wins: YAML, flags."""
    config, wrong = _read_config(arguments.one("--config"))
    layer, params, found = layer_of_flags(arguments.all("--set"))
    wrong += found
    paths, found = paths_of_flags(arguments.all("--data"))
    wrong += found
    layers: list[Layer] = [config.layer, layer]
    strategy = arguments.one("--strategy")
    if strategy is not None:
        chosen, found = layer_of_strategy(strategy)
        layers.append(chosen)
        wrong += found
    wishes = Wishes(
        layers=tuple(layers),
        params={
            name: GivenParam(expression=value)
            for name, value in {**config.params, **params}.items()
        },
        paths={**config.data, **paths},
        # Where a flag is wrong, a value may only seem to be missing.
        require_values=require_values and not wrong,
    )
    return Inputs(wishes, wrong)


def load(text: ModelText, inputs: Inputs) -> Loaded:
    """The model; its diagnostics hold those of the flags."""
    loaded = load_model(text, inputs.wishes)
    everything = (*inputs.diagnostics, *loaded.diagnostics)
    checked = None if has_errors(everything) else loaded.checked
    return replace(loaded, checked=checked, diagnostics=everything)


@dataclass(frozen=True, slots=True)
class Ready:
    """A model that can be compiled, and its data's content hashes."""

    checked: CheckedModel
    problem: Problem
    hashes: dict[str, str]


def compile_model(
    arguments: Arguments,
    *,
    quiet: bool = False,
    adapt: Callable[[Inputs], Inputs] = lambda inputs: inputs,
    prepare: Callable[[], None] = lambda: None,
) -> Ready:
    """The compiled model that a command's first word names; prints warnings.

    Arguments:
        quiet: whether warnings are left out.
        adapt: adds to what the flags say.
        prepare: called once the model is known to be right, before JAX computes anything.

    Raises:
        ModelError: anything is wrong with the flags, the model or its data.
    """
    loaded, checked = read_model(arguments, adapt=adapt)
    if not quiet:
        print_diagnostics(loaded.diagnostics)
    prepare()
    return Ready(checked, build_problem(loaded, checked), dict(loaded.hashes))


def read_model(
    arguments: Arguments,
    *,
    require_values: bool = True,
    adapt: Callable[[Inputs], Inputs] = lambda inputs: inputs,
) -> tuple[Loaded, CheckedModel]:
    """The checked model that a command's first word names, with its warnings.

    Raises:
        ModelError: anything is wrong with the flags, the model or its data.
    """
    inputs = adapt(read_inputs(arguments, require_values=require_values))
    try:
        text = find_model(arguments.words[0])
    except ModelError as error:
        raise ModelError((*inputs.diagnostics, *error.diagnostics)) from None
    loaded = load(text, inputs)
    if loaded.checked is None:
        raise ModelError(loaded.diagnostics)
    return loaded, loaded.checked


def build_problem(loaded: Loaded, checked: CheckedModel) -> Problem:
    """Compiles a checked model.

    Raises:
        ModelError: a value is wrong, or the model uses what can't be solved yet.
    """
    # JAX takes a second to load: not before the model is known to be right.
    import jax

    from mlodsl.modules import build

    with jax.enable_x64(True):
        return build(checked, {}, loaded.arrays, {}, checked.settings.precision)


def _read_config(path: str | None) -> tuple[YamlConfig, tuple[Diagnostic, ...]]:
    if path is None:
        return YamlConfig(), ()
    file = Path(path)
    try:
        return read_yaml(decode(path, file.read_bytes()), file.parent), ()
    except ModelError as error:
        return YamlConfig(), error.diagnostics
    except (OSError, ValueError) as problem:
        reason = getattr(problem, "strerror", None) or problem
        message = f"`{path}` cannot be read: {reason}"
        return YamlConfig(), (wrong_value("--config", path, message, code="E701"),)


def wrong_value(
    flag: str, value: str, message: str, hint: str | None = None, *, code: str = "E702"
) -> Diagnostic:
    """A diagnostic that points at a flag's whole value."""
    return Diagnostic(code, message, Span(Source(flag, value), 0, len(value)), hint)
