"""The table of strategies: their names, options and docs; what they compute is `strategies/`."""

from __future__ import annotations

from .kinds import POSITIVE, Choice, WholeNumber
from .signatures import Parameter, StrategySignature

_AUTO = StrategySignature(
    name="auto",
    options=(),
    doc="""Chooses a strategy by what the model is, and says which one and why.

The choice looks at the number of levels, their sizes and the lower levels' curvature. Today
`implicit` is the one strategy to choose; what `auto` settles is how its linear systems are
solved.""",
)

_IMPLICIT = StrategySignature(
    name="implicit",
    options=(
        Parameter(
            "linear_solver",
            Choice(("auto", "cg", "dense")),
            "auto",
            keyword_only=True,
            doc="How systems with a level's Hessian are solved: `dense` factorises the Hessian, "
            "`cg` runs conjugate gradients on Hessian-vector products and never forms it, "
            "`auto` chooses by the level's size.",
        ),
        Parameter(
            "iterations",
            WholeNumber(0),
            0,
            keyword_only=True,
            doc="A fixed number of iterations of conjugate gradients; 0 runs them until "
            "`tolerance`.",
        ),
        Parameter(
            "tolerance",
            POSITIVE,
            1e-10,
            keyword_only=True,
            doc="The relative residual at which a linear system counts as solved.",
        ),
    ),
    doc="""Exact total gradients by implicit differentiation of the lower levels' conditions.

Each lower level is solved to the accuracy that the level above needs. Its answer's derivative
follows from its first-order condition: the total gradient of a level vanishes along its best
response, and differentiating that once more gives a linear system with the level's total
Hessian. The recursion runs from the bottom level to the top, for any number of levels.

It is Theorem 3.3 and Algorithm 1 of "Towards Differentiable Multilevel Optimization" in the
corrected form: the second derivative in line 4 is the total derivative of line 3, with the
factors `dx_i/dx_2` differentiated as functions and not held constant. As printed, the algorithm
converges to another point.

It needs lower levels whose second derivatives are positive definite at their answers.""",
)

STRATEGIES: dict[str, StrategySignature] = {
    strategy.name: strategy for strategy in (_AUTO, _IMPLICIT)
}

PLANNED_STRATEGIES: tuple[str, ...] = (
    "f2ba",
    "fd",
    "galet",
    "hoag",
    "itd",
    "kkt",
    "prox_f2ba",
    "tikhonov",
    "value_function",
    "vgd",
)
"""Strategies that are known and not built yet; naming one is an error that says so."""
