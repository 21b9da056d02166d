"""Models as mathematics: what a person reads is what the model says."""

import pytest
from hypothesis import given, settings

from mlodsl.check import check
from mlodsl.diagnostics import Source
from mlodsl.report.mathematics import expression_document, spelling_of, statement_of
from mlodsl.syntax import decode, parse_expression, parse_program
from mlodsl.syntax.layout import lay_out
from tests.syntax.mlo_programs import EXPRESSIONS


def written(text, spelling=None):
    """An expression as mathematics, on one line."""
    document = expression_document(parse_expression(Source("test", text)), spelling or {})
    (line,) = lay_out(document, 0, 10**6)
    return line


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a * b + c", "a · b + c"),
        ("(a + b) * c", "(a + b) · c"),
        ("a - (b - c)", "a − (b − c)"),
        ("a - b - c", "a − b − c"),
        ("a / b * c", "(a / b) · c"),
        ("a * b / c", "a · b / c"),
        ("a / (b * c)", "a / (b · c)"),
        ("a / b / c", "a / b / c"),
        ("-x^2", "−x²"),
        ("(-x)^2", "(−x)²"),
        ("a + -b", "a + (−b)"),
        ("x^-1", "x⁻¹"),
        ("x^n", "xⁿ"),
        ("x^T", "x^T"),
        ("2^(x + 1)", "2^(x + 1)"),
        ("x^2^3", "x^(2³)"),
        ("X.T @ (y - z)", "Xᵀ (y − z)"),
        ("sumsq(A @ w - b)", "‖A w − b‖²"),
        ("sumsq(x)^2", "(‖x‖²)²"),
        ("norm1(x) + norm2(y) - norm_inf(z)", "‖x‖₁ + ‖y‖ − ‖z‖∞"),
        ("dot(x, y) / abs(z)", "⟨x, y⟩ / |z|"),
        ("sqrt(x) * sqrt(x + 1)", "√x · √(x + 1)"),
        ("linsolve(A + B, b)", "(A + B)⁻¹ b"),
        ("inv(A) @ b", "A⁻¹ b"),
        ("trace(A) + logdet(A)", "tr(A) + log det(A)"),
        ("outer(x, y)", "x yᵀ"),
        ("sum(w[i] * x[i]^2 for i in range(n))", "Σ_{i < n} w[i] · x[i]²"),
        ("sum(x[i] + 1 for i in range(1, n))", "Σ_{1 ≤ i < n} (x[i] + 1)"),
        ("mean(f(a, b) for a, b in (X, t))", "mean_{(a, b) ∈ (X, t)} f(a, b)"),
        ("2 * sum(x[i] for i in range(n))", "2 · (Σ_{i < n} x[i])"),
        ("where(x <= pi, 1, -inf)", "where(x ≤ π, 1, −∞)"),
        ("X[:, :-1]", "X[:, :−1]"),
        ("smooth_norm1(x, eps = 0.1)", "smooth_norm1(x, eps = 0.1)"),
        ("maximum(x, [1, 2])", "max(x, [1, 2])"),
        ("exp(-x)", "exp(−x)"),
    ],
)
def test_an_expression_reads_as_mathematics(text, expected):
    assert written(text) == expected


@given(EXPRESSIONS)
@settings(max_examples=200, deadline=None)
def test_every_expression_can_be_written(expression):
    lines = lay_out(expression_document(expression, {}), 0, 60)
    assert all(isinstance(line, str) for line in lines)


def test_names_are_written_with_greek_letters_and_subscripts():
    found = spelling_of(["lam", "x1", "theta_2", "y", "price2go"])
    assert dict(found) == {
        "lam": "λ",
        "x1": "x₁",
        "theta_2": "θ₂",
        "y": "y",
        "price2go": "price2go",
    }


def test_names_that_would_look_alike_stay_as_they_are():
    found = spelling_of(["lam", "lambda", "x1", "x_1", "mu"])
    assert dict(found) == {
        "lam": "lam",
        "lambda": "lambda",
        "x1": "x1",
        "x_1": "x_1",
        "mu": "μ",
    }


MODEL = """
model market "Two sellers under a state"
param c = 100
param k : int = 3
let total = a + sum(b)
let unused = 7
let cost(t) = c * t^2
level state "sets a tax" {
  var tax : real in [0, c]
  var lam : real[k] in nonnegative
  minimize cost(tax) - total
  subject to budget : tax + sum(lam) <= c, lam[i] >= 0 for i in range(k)
}
level sellers {
  player one { var a : real maximize a - tax * a^2 }
  player two "the other" { var b : real[k, 2] in ball(2) minimize sumsq(b) - a }
}
"""


@pytest.fixture(scope="module")
def statement():
    program, _ = parse_program(decode("market.mlo", MODEL.encode()))
    checked, found = check(program)
    assert checked is not None, found
    return statement_of(checked, 88)


def test_each_level_says_what_it_chooses_to_optimise_what(statement):
    assert statement.levels == (
        'level state "sets a tax" chooses tax ∈ [0, c], λ ∈ ℝ³, λ ≥ 0 to minimise',
        "    cost(tax) − total",
        "    subject to budget: tax + sum(λ) ≤ c",
        "               λ[i] ≥ 0 for i in range(k)",
        "level sellers: its players choose at the same time (Nash equilibrium)",
        "  player one chooses a ∈ ℝ to maximise",
        "    a − tax · a²",
        '  player two "the other" chooses b ∈ ℝ³ˣ², ‖b‖ ≤ 2 to minimise',
        "    ‖b‖² − a",
    )


def test_the_nest_names_what_each_objective_depends_on(statement):
    assert statement.nest == (
        "min f₁(tax, a, b) over (tax, λ) within its constraints such that",
        "  a ∈ argmax f₂.one(tax, a) and",
        "  b ∈ argmin f₂.two(a, b)",
    )


def test_names_that_the_levels_use_are_explained_and_no_others(statement):
    assert statement.names == (
        "    total = a + sum(b)",
        "    cost(t) = c · t²",
        "    c = 100 (a param)",
        "    k = 3 (a param)",
    )


def test_a_long_objective_breaks_at_its_operators():
    terms = " + ".join(f"sumsq(variable{n} - x)" for n in range(12))
    names = "\n".join(f"let variable{n} = {n}" for n in range(12))
    text = f"{names}\nlevel a {{ var x : real minimize {terms} }}"
    program, _ = parse_program(decode("a.mlo", text.encode()))
    checked, _ = check(program)
    lines = statement_of(checked, 60).levels
    assert len(lines) > 3
    assert max(map(len, lines)) <= 60
    assert all(line.lstrip().startswith("+ ") for line in lines[2:])
