"""The table of strategies: their names, options and docs; what they compute is `strategies/`."""

from __future__ import annotations

from .kinds import BOOLEAN, POSITIVE, Choice, Kind, Number, WholeNumber
from .signatures import Parameter, StrategySignature
from .structure import OptionValue

_POSITIVE_OR_AUTO = Number(minimum=0.0, exclusive=True, words=("auto",))


def _option(name: str, kind: Kind, default: OptionValue, doc: str) -> Parameter:
    return Parameter(name, kind, default, keyword_only=True, doc=doc)


_AUTO = StrategySignature(
    name="auto",
    options=(),
    doc="""Chooses a strategy by what the model is, and says which one and why.

It solves the lower levels at the start and looks at the number of levels and their sizes,
whether second derivatives are finite, and the smallest and largest curvature of each lower
level. Levels that curve upwards are differentiated implicitly; one that is flat in some
directions goes to `f2ba`, which needs no inverse of its Hessian. Where the choice fails in the
run, the next one that fits is tried. `mlodsl explain` says it without solving.""",
)

_IMPLICIT = StrategySignature(
    name="implicit",
    options=(
        _option(
            "linear_solver",
            Choice(("auto", "cg", "dense", "minres", "neumann")),
            "auto",
            "How systems with a level's Hessian are solved: `dense` factorises the Hessian; the "
            "others never form it: `cg` runs conjugate gradients on the reduced Hessian, "
            "`neumann` sums its Neumann series, `minres` runs MINRES on the system of all levels "
            "below at once; `auto` chooses by the level's size, or `cg` where `iterations` "
            "are given.",
        ),
        _option(
            "iterations",
            WholeNumber(0),
            0,
            "A fixed number of iterations of `cg`, `minres` or `neumann` (there the paper's Q); "
            "0 runs them until `tolerance`.",
        ),
        _option(
            "tolerance",
            POSITIVE,
            1e-10,
            "The relative residual at which a linear system counts as solved; systems solved by "
            "iterations are left a larger one while the run is far from its end.",
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
converges to another point. `neumann` is equation (3) of "Stochastic Bilevel Optimization"
without sampling; its error falls geometrically in the number of terms.

It needs lower levels whose second derivatives are positive definite at their answers.""",
)

_ITD = StrategySignature(
    name="itd",
    options=(
        _option(
            "truncate",
            WholeNumber(1, words=("auto",)),
            "auto",
            "How many steps of each lower level, the last ones, are differentiated through; "
            "`auto`: all steps of an Optax optimiser, else as many as the level's condition "
            "number asks for.",
        ),
        _option(
            "mode",
            Choice(("auto", "reverse", "forward")),
            "auto",
            "Reverse mode recomputes each step on the way back; forward mode costs a pass a "
            "variable of the upper level and is `auto` where there are at most three.",
        ),
    ),
    doc="""Iterative differentiation: through the steps that the lower solvers make.

The total gradient of what a finite number of lower steps computes, for any number of levels:
the steps of a level in between use total gradients that are unrolled themselves. With an Optax
optimiser in a lower level's options, its own steps are unrolled. Without one, the level is
solved first, and steps of gradient descent from its answer, of length 1 / L, are differentiated.

With strongly convex lower levels the error falls geometrically with the number of steps
(Shaban et al. 2019; the baseline ITD of "Towards Differentiable Multilevel Optimization").""",
)

_FD = StrategySignature(
    name="fd",
    options=(
        _option(
            "step",
            Number(minimum=0.0),
            0.0,
            "The length of the differences; 0: the cube root of the precision (the square root, "
            "where they are not central), relative to 1 + the size of the variable.",
        ),
        _option(
            "central",
            BOOLEAN,
            True,
            "Whether differences are central, with an error of the second order in `step`, or "
            "one-sided, at half the cost, with one of the first order.",
        ),
        _option(
            "between",
            Choice(("implicit", "vgd")),
            "implicit",
            "How levels in between find their own total gradients.",
        ),
    ),
    doc="""Finite differences of the top objective at the lower solvers' answers.

The baseline FD of "Towards Differentiable Multilevel Optimization". It solves the lower levels
anew for each variable of the top level, twice with central differences, and needs no derivative
of the answers. With a fixed number of lower steps it differentiates what those steps compute.""",
)

_VGD = StrategySignature(
    name="vgd",
    options=(
        _option(
            "between",
            Choice(("vgd", "implicit")),
            "vgd",
            "How levels in between find their gradients: by partial gradients too, or exactly.",
        ),
    ),
    doc="""Vanilla gradients: the partial gradient alone, as if the levels below did not follow.

A baseline. Its fixed points are those of a game in which nobody leads; they are solutions only
where an objective does not depend on the levels below, or its dependence happens to cancel.""",
)

_SIGMA = _option(
    "sigma",
    _POSITIVE_OR_AUTO,
    "auto",
    "The weight of the upper objective beside the lower one; the error of the total gradient is "
    "of its order. `auto`: by the rule of Theorem 4.1 for an accuracy of 1e-3, from constants "
    "that are estimated at the start.",
)

_F2BA = StrategySignature(
    name="f2ba",
    options=(
        _SIGMA,
        _option(
            "form",
            Choice(("one_sided", "central", "extrapolated")),
            "one_sided",
            "`one_sided` is the paper's, with an error of the first order in `sigma`. `central` "
            "also minimises the lower objective less `sigma` times the upper one: an error of "
            "the second order, but only where the lower objective curves in every direction. "
            "`extrapolated` is of second order too, from `sigma` and half of it.",
        ),
        _option(
            "tau",
            _POSITIVE_OR_AUTO,
            "auto",
            "The step of gradient descent in the second level. `auto`: 1 / (σ L_f + L_g).",
        ),
        _option(
            "steps",
            WholeNumber(1, words=("auto",)),
            "auto",
            "K, the most steps of gradient descent in the second level. `auto`: by the theorem's "
            "rule, of the order (L_g / μ) log(L_g / (μ σ)). An optimiser in that level's options "
            "takes the place of gradient descent; so does its own, Newton's method, where it is "
            "flat in some directions at the start and neither `tau` nor `steps` is given.",
        ),
        _option(
            "eta",
            _POSITIVE_OR_AUTO,
            "auto",
            "The step of gradient descent in the top level. `auto`: the top level moves by its "
            "own optimiser; the theorem's 1 / (ℓ κ³) would take κ³ times as many steps.",
        ),
    ),
    doc="""Fully first-order bilevel approximation: two lower minimisations, no second derivatives.

Algorithm 2 of "On Finding Small Hyper-Gradients in Bilevel Optimization": with z minimising g
and y minimising σ f + g, the total gradient is ∇_x f(x, y) + (∇_x g(x, y) - ∇_x g(x, z)) / σ up
to an error of order σ. It also holds where the lower level has many minima, as long as the
Polyak-Łojasiewicz condition does.

With more than two levels, g is the second level's objective with the levels below it
anticipated; those are differentiated implicitly.""",
    minimum_levels=2,
)

_PROX_F2BA = StrategySignature(
    name="prox_f2ba",
    options=(
        _SIGMA,
        _option(
            "rho",
            _POSITIVE_OR_AUTO,
            "auto",
            "The length of a proximal step. `auto`: 1 / μ where the second level curves upwards, "
            "else 1 / (2 L_g).",
        ),
        _option("steps", WholeNumber(1), 1000, "The most proximal steps of a minimisation."),
    ),
    doc="""F²BA whose two lower minimisations are proximal point iterations.

The method of Kwon et al. (2024), under the name that "On Finding Small Hyper-Gradients in
Bilevel Optimization" gives it (Appendix D). Each proximal problem is strongly convex for a
short enough step, also where the lower objective is flat or not convex. Levels in between are
differentiated implicitly.""",
    minimum_levels=2,
)

_GALET = StrategySignature(
    name="galet",
    options=(
        _option(
            "iterations",
            WholeNumber(0),
            0,
            "A fixed number of the paper's gradient steps on the least squares; 0 runs conjugate "
            "gradients on them until `tolerance`.",
        ),
        _option(
            "tolerance",
            POSITIVE,
            1e-12,
            "The relative residual of the normal equations at which they count as solved.",
        ),
    ),
    doc="""Implicit differentiation by least squares, also where the lower Hessian is singular.

Xiao et al. (2023), as Appendix C of "On Finding Small Hyper-Gradients in Bilevel Optimization"
states it: w minimises |H w + ∇_y f|² with H the lower Hessian (equation (12)), and the total
gradient is ∇_x f + ∇²_xy g w. It takes Hessian-vector products with H twice, so its condition
number is that of H squared. Levels in between are differentiated implicitly.""",
    minimum_levels=2,
)

_HOAG = StrategySignature(
    name="hoag",
    options=(
        _option("initial", POSITIVE, 0.1, "The tolerance of the first step's solves."),
        _option(
            "decay",
            Number(minimum=0.0, exclusive=True, below=1.0),
            0.2,
            "What the tolerance is multiplied with each step; below 1, so that the tolerances "
            "have a finite sum.",
        ),
    ),
    doc="""Implicit differentiation with inexact solves that get exact as the run goes on.

Pedregosa (2016), the method that "Stochastic Bilevel Optimization" makes stochastic: at step t
the lower levels and the linear system are solved to the tolerance initial · decay^t, whose sum
is finite. The first steps are cheap, the last ones exact. Levels in between are differentiated
implicitly.""",
    minimum_levels=2,
)

_VALUE_FUNCTION = StrategySignature(
    name="value_function",
    options=(
        _option(
            "penalty",
            _POSITIVE_OR_AUTO,
            "auto",
            "The weight of g - g* in the end. `auto`: 1 / σ, σ by the rule of `f2ba`.",
        ),
        _option("initial", POSITIVE, 10.0, "The weight at the first step."),
        _option("growth", Number(minimum=1.0, exclusive=True), 10.0, "Its factor a step."),
    ),
    doc="""A growing penalty on how far the lower level is from its best value.

The lower problem is replaced by g(x, y) ≤ g*(x), g* its value function (equation (4) of
"Differentiable Engine for Tri-level Optimization"), and the constraint by a penalty. The lower
variables are minimised out, which leaves a total gradient in the upper ones whose error falls
with the inverse of the penalty. Levels in between are differentiated implicitly.

In models of two levels with constraints g(x, y) ≤ g(x, ŷ) is a constraint for each better answer ŷ
that was found, no penalty; the piece of the KKT conditions that this ends on adds the last digits.
There it has no options.""",
    minimum_levels=2,
)

_TIKHONOV = StrategySignature(
    name="tikhonov",
    options=(
        _option(
            "sigma",
            POSITIVE,
            1e-7,
            "The last weight of the upper objective; the first one is 1.",
        ),
    ),
    doc="""Tikhonov regularisation for simple bilevel problems: the best among many lower minima.

Where the lower objective does not depend on the upper variables and has several minima, the
upper level picks the one that suits it. Minimising g + σ f for σ → 0 finds it (equation (5) of
"Differentiable Engine for Tri-level Optimization"; there the weight stands at the wrong
objective). Two levels only: with a third one, what σ → 0 selects in the middle would depend on
how fast σ goes to zero below it.""",
    minimum_levels=2,
    maximum_levels=2,
)

_KKT = StrategySignature(
    name="kkt",
    options=(),
    doc="""For models with constraints or players: lower levels replaced by their KKT conditions.

With multipliers λ ≥ 0 of a lower level's inequalities g ≤ 0, complementarity λ·g = 0 is first
relaxed (λ_i g_i ≥ -t, t smaller and smaller; Scholtes 2001), then resolved piece by piece: on a
piece each constraint is active or without force, and neighbouring pieces are tried until none is
better, so that active bounds are met exactly. On a piece the conditions of a level are equations,
which the level above anticipates among its own constraints, and so on up; players of a level each
have multipliers of their own. Answers that are only locally best are cut off by better ones that
were found (f(x, y) ≤ f(x, ŷ)); where the lowest level has no multipliers, such cuts alone stand
for its conditions. Ties break in favour of the level above, each of them being followed.

It starts from several points (`starts`; where none are asked for 12, from three levels on fewer)
spread over the domains, and the result file lists the distinct local answers.""",
)

STRATEGIES: dict[str, StrategySignature] = {
    strategy.name: strategy
    for strategy in (
        _AUTO,
        _IMPLICIT,
        _ITD,
        _FD,
        _VGD,
        _F2BA,
        _PROX_F2BA,
        _GALET,
        _HOAG,
        _VALUE_FUNCTION,
        _TIKHONOV,
        _KKT,
    )
}
