"""Types of network variables: `mlp(4, 32, 3, activation = tanh)`, `linear(2, 1)`, `module`."""

from __future__ import annotations

from mlodsl.diagnostics import did_you_mean
from mlodsl.syntax import nodes

from .builtins import ACTIVATIONS, BUILTINS, Place, bind_arguments
from .calls import apply
from .inference import Inference
from .misfit import Misfit, quote
from .types import UNKNOWN, NetworkType, Type, UnknownType


def network_type(inference: Inference, node: nodes.NetworkType) -> Type:
    """The type of a network variable; reports an unknown kind and wrong widths."""
    kind = node.kind.name
    builtin = BUILTINS.get(kind)
    if builtin is None or builtin.place is not Place.TYPE:
        types = ("real", *(one.name for one in BUILTINS.values() if one.place is Place.TYPE))
        hint = did_you_mean(kind, types) or f"the types are {', '.join(types)}"
        inference.report("E403", f"unknown type `{kind}`", node.kind.span, hint)
        return UNKNOWN
    call = nodes.Call(node.kind, node.arguments, node.keywords, span=node.span)
    try:
        bound = bind_arguments(kind, builtin.parameters, call)
        activation = bound.get("activation")
        if isinstance(activation, nodes.Node):
            _verify_activation(activation)
        found = apply(inference, builtin, bound, {})
    except Misfit as misfit:
        inference.report_misfit(misfit, node)
        return NetworkType()
    return NetworkType() if isinstance(found, UnknownType) else found


def _verify_activation(node: nodes.Node) -> None:
    if isinstance(node, nodes.Name) and node.name in ACTIVATIONS:
        return
    hint = f"there are {', '.join(ACTIVATIONS)}"
    if isinstance(node, nodes.Name):
        hint = did_you_mean(node.name, ACTIVATIONS) or hint
    raise Misfit("E204", f"unknown activation {quote(node)}", hint, node)
