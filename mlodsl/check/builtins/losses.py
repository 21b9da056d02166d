"""Losses of regression and classification."""

from __future__ import annotations

from mlodsl.check.misfit import Misfit
from mlodsl.check.shapes import agree, broadcast, misfit
from mlodsl.check.types import ArrayType, Shape

from .signature import Arguments, Builtin, Parameter, Rule


def _elementwise(*names: str) -> Rule:
    def rule(arguments: Arguments) -> ArrayType:
        shapes = [arguments.shape(name) for name in names if name in arguments]
        return ArrayType(broadcast(*shapes))

    return rule


def _fit(first: Shape, second: Shape) -> bool:
    return len(first) == len(second) and all(map(agree, first, second))


def _cross_entropy(arguments: Arguments) -> ArrayType:
    logits, labels = arguments.shape("logits"), arguments.shape("labels")
    if logits is None:
        return ArrayType(None)
    if logits == ():
        raise Misfit("E201", "the logits need an axis of classes, not real")
    if labels is not None and not _fit(labels, logits[:-1]) and not _fit(labels, logits):
        raise misfit(logits, labels, "labels are a class number or a one-hot row for each row")
    return ArrayType(logits[:-1])


LOSSES = (
    Builtin(
        "smooth_abs",
        "losses",
        (Parameter("x"), Parameter("eps", 1e-3)),
        _elementwise("x", "eps"),
        "`sqrt(x^2 + eps^2)`: a differentiable `abs`.",
    ),
    Builtin(
        "huber",
        "losses",
        (Parameter("x"), Parameter("delta", 1)),
        _elementwise("x", "delta"),
        "`x^2 / 2` where `abs(x) <= delta`, `delta * (abs(x) - delta / 2)` elsewhere.",
    ),
    Builtin(
        "logistic_loss",
        "losses",
        (Parameter("margin"),),
        _elementwise("margin"),
        "`log(1 + exp(-margin))`.",
    ),
    Builtin(
        "cross_entropy",
        "losses",
        (Parameter("logits"), Parameter("labels")),
        _cross_entropy,
        "One loss a row: minus the log-softmax at the label, a class number or a one-hot row.",
    ),
)
