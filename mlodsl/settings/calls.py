"""Reads an option whose value is a call: an optimiser, a strategy.

Each function takes the value's expression and returns what `Settings` holds, or None where the
value is wrong; what is wrong is appended to `diagnostics`.
"""

from __future__ import annotations

from collections.abc import Sequence

from mlodsl.diagnostics import Diagnostic, did_you_mean
from mlodsl.syntax.nodes import Call, Expression, Identifier, Keyword, Name

from .arguments import bind_keywords, refuse_repeats
from .kinds import POSITIVE, listed
from .optimizers import OPTIMIZERS
from .signatures import OptimizerSignature, signature_text
from .strategies import STRATEGIES
from .structure import OptimizerChoice, OptionValue, StrategyChoice
from .values import found, read_value


def read_strategy(expression: Expression, diagnostics: list[Diagnostic]) -> StrategyChoice | None:
    """The strategy that an option's value names, with its options (E501, E502, E504)."""
    call = _as_call(expression)
    if call is None:
        message = f"`strategy` must be the name of a strategy, found {found(expression.span)}"
        there_are = f"there are {listed(tuple(STRATEGIES))}"
        diagnostics.append(Diagnostic("E504", message, expression.span, there_are))
        return None
    name = call.function.name
    if name not in STRATEGIES:
        diagnostics.append(_unknown_strategy(call.function))
        return None
    options = STRATEGIES[name].options
    before = len(diagnostics)
    if call.arguments:
        message = f"`{name}` takes its options by name, found {found(call.arguments[0].span)}"
        hint = f"write `{options[0].name} = …`" if options else f"write `{name}` alone"
        diagnostics.append(Diagnostic("E202", message, call.arguments[0].span, hint))
    bound = bind_keywords(call.keywords, options, f"strategy `{name}`", "E501", diagnostics)
    return StrategyChoice(name, bound) if len(diagnostics) == before else None


def _unknown_strategy(identifier: Identifier) -> Diagnostic:
    there_are = listed(tuple(STRATEGIES))
    message = f"unknown strategy `{identifier.name}`; there are {there_are}"
    hint = did_you_mean(identifier.name, STRATEGIES)
    return Diagnostic("E502", message, identifier.span, hint)


def read_optimizer(expression: Expression, diagnostics: list[Diagnostic]) -> OptimizerChoice | None:
    """The optimiser that a level's option names, with its arguments (E202, E203, E503, E504)."""
    call = _as_call(expression)
    if call is None:
        message = f"`optimizer` must be the name of an optimiser, found {found(expression.span)}"
        hint = "for example `adam(0.1)`"
        diagnostics.append(Diagnostic("E504", message, expression.span, hint))
        return None
    name = call.function.name
    signature = OPTIMIZERS.get(name)
    if signature is None:
        message = f"unknown optimiser `{name}`; there are {listed(sorted(OPTIMIZERS))}"
        likely = did_you_mean(name, OPTIMIZERS)
        diagnostics.append(Diagnostic("E503", message, call.function.span, likely))
        return None
    before = len(diagnostics)
    decay, keywords = _take_schedule(call, signature, diagnostics)
    arguments = _bind(call, keywords, signature, diagnostics)
    if len(diagnostics) > before:
        return None
    if decay is not None and not any(item == "learning_rate" for item, _ in arguments):
        message = f"`schedule` multiplies a learning rate, and `{name}` has none here"
        span = next(item.span for item in call.keywords if item.name.name == "schedule")
        diagnostics.append(Diagnostic("E202", message, span, f"write `{name}(0.1, …)`"))
        return None
    return OptimizerChoice(name, arguments, decay)


def _as_call(expression: Expression) -> Call | None:
    match expression:
        case Call():
            return expression
        case Name(name=name, span=span):
            return Call(
                function=Identifier(name=name, span=span), arguments=(), keywords=(), span=span
            )
        case _:
            return None


def _take_schedule(
    call: Call, signature: OptimizerSignature, diagnostics: list[Diagnostic]
) -> tuple[float | None, tuple[Keyword, ...]]:
    """The factor of `schedule = exponential(decay)`, and the other keywords."""
    schedules = [item for item in call.keywords if item.name.name == "schedule"]
    if not schedules or not signature.scheduled:
        return None, call.keywords
    others = tuple(item for item in call.keywords if item.name.name != "schedule")
    refuse_repeats(schedules, diagnostics)
    value = schedules[0].value
    match value:
        case Call(function=Identifier(name="exponential"), arguments=(factor,), keywords=()):
            pass
        case Call(
            function=Identifier(name="exponential"),
            arguments=(),
            keywords=(Keyword(name=Identifier(name="decay"), value=factor),),
        ):
            pass
        case _:
            message = f"`schedule` must be `exponential(decay)`, found {found(value.span)}"
            hint = "for example `schedule = exponential(0.99)`"
            diagnostics.append(Diagnostic("E504", message, value.span, hint))
            return None, others
    decay = read_value("decay", POSITIVE, factor, diagnostics)
    return (float(decay) if isinstance(decay, int | float) else None), others


def _bind(
    call: Call,
    keywords: Sequence[Keyword],
    signature: OptimizerSignature,
    diagnostics: list[Diagnostic],
) -> tuple[tuple[str, OptionValue], ...]:
    """The arguments of an optimiser by name, in the table's order."""
    parameters = signature.parameters
    positional = [item for item in parameters if not item.keyword_only]
    shown = f"`{signature_text(signature.name, parameters)}`"
    if len(call.arguments) > len(positional):
        most = f"at most {len(positional)}" if positional else "no"
        message = (
            f"`{signature.name}` takes {most} argument{'s' * (len(positional) != 1)} by position, "
            f"found {len(call.arguments)}: {shown}"
        )
        diagnostics.append(Diagnostic("E202", message, call.arguments[len(positional)].span))
    given: dict[str, OptionValue | None] = {}
    for parameter, argument in zip(positional, call.arguments, strict=False):
        given[parameter.name] = read_value(parameter.name, parameter.kind, argument, diagnostics)
    for keyword in keywords:
        if keyword.name.name in given:
            message = f"`{keyword.name.name}` is given twice, by position and by name"
            diagnostics.append(Diagnostic("E506", message, keyword.name.span))
    named = [item for item in keywords if item.name.name not in given]
    owner = f"optimiser `{signature.name}`"
    given |= dict(bind_keywords(named, parameters, owner, "E203", diagnostics, shown))
    written = {item.name.name for item in keywords} | set(given)
    missing = [item.name for item in parameters if item.required and item.name not in written]
    if missing:
        message = f"`{signature.name}` needs {listed(missing)}: {shown}"
        diagnostics.append(
            Diagnostic("E202", message, call.span, f"write `{signature.name}(0.1, …)`")
        )
    ordered = ((item.name, given.get(item.name)) for item in parameters)
    return tuple((name, value) for name, value in ordered if value is not None)
