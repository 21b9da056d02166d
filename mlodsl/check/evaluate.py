"""The rule for each kind of expression."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from mlodsl.syntax import nodes

from .calls import call
from .indexing import index
from .operators import (
    chain,
    comparison,
    constant,
    list_literal,
    name,
    negation,
    number,
    power,
    text,
    transpose,
    tuple_literal,
)

HANDLERS: Mapping[type, Any] = MappingProxyType(
    {
        nodes.Number: number,
        nodes.Constant: constant,
        nodes.Text: text,
        nodes.Name: name,
        nodes.ListLiteral: list_literal,
        nodes.TupleLiteral: tuple_literal,
        nodes.Negation: negation,
        nodes.Chain: chain,
        nodes.Power: power,
        nodes.Comparison: comparison,
        nodes.Index: index,
        nodes.Transpose: transpose,
        nodes.Call: call,
    }
)
"""By the class of node: a function of the inference, the node and the local names' types."""
