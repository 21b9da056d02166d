"""Random programs as trees, for hypothesis; their spans are empty and point nowhere."""

from typing import Any

from hypothesis import strategies as st

from mlodsl.diagnostics import Source, Span
from mlodsl.syntax import nodes
from mlodsl.syntax.table import load_table

HERE = Span(Source("generated", ""), 0, 0)

_RESERVED = frozenset(load_table().keywords)

NAMES = st.one_of(
    st.sampled_from(["x", "y", "real", "int", "csv", "range", "axis", "auto", "T", "_", "e1"]),
    st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,12}", fullmatch=True),
).filter(lambda name: name not in _RESERVED)
IDENTIFIERS = NAMES.map(lambda name: nodes.Identifier(name, span=HERE))
TEXTS = st.text(
    st.characters(exclude_characters='"\n', exclude_categories=["Cs"]), max_size=12
).map(lambda value: nodes.Text(value, span=HERE))


def _tuples(items: st.SearchStrategy[Any], least: int = 0, most: int = 3) -> st.SearchStrategy[Any]:
    return st.lists(items, min_size=least, max_size=most).map(tuple)


def _node(kind: type[nodes.Node], *fields: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.tuples(*fields).map(lambda values: kind(*values, span=HERE))


def _number(value: int | float) -> nodes.Number:
    return nodes.Number(value, repr(value), span=HERE)


NUMBERS = st.one_of(
    st.integers(0, 10**20).map(_number),
    st.floats(0, allow_nan=False, allow_infinity=False).map(_number),
    st.sampled_from([".5", "1.", "1e-3", "2E+4", "0.0"]).map(
        lambda text: nodes.Number(float(text), text, span=HERE)
    ),
)
_ATOMS = st.one_of(
    NUMBERS,
    _node(nodes.Name, NAMES),
    _node(nodes.Constant, st.sampled_from(["pi", "inf", "true", "false"])),
    TEXTS,
)
_COMPARISON_OPERATORS = st.sampled_from(["<=", ">=", "==", "<", ">"])


def _chains(inner: st.SearchStrategy[Any], operators: list[str]) -> st.SearchStrategy[Any]:
    pairs = st.tuples(st.sampled_from(operators), inner)
    return _node(nodes.Chain, inner, _tuples(pairs, least=1, most=4))


def clauses(inner: st.SearchStrategy[Any], least: int) -> st.SearchStrategy[Any]:
    rows = _node(nodes.TupleLiteral, _tuples(inner, least=2))
    clause = _node(nodes.ForClause, _tuples(IDENTIFIERS, least=1), st.one_of(inner, rows))
    return _tuples(clause, least=least, most=2)


def _composite(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    generators = _node(nodes.Generator, inner, clauses(inner, least=1))
    keywords = _tuples(_node(nodes.Keyword, IDENTIFIERS, inner), most=2)
    slices = _node(nodes.Slice, *[st.none() | inner] * 3)
    functions = st.one_of(IDENTIFIERS, st.just(nodes.Identifier("dual", span=HERE)))
    return st.one_of(
        _node(nodes.ListLiteral, _tuples(inner)),
        _node(nodes.Negation, inner),
        _chains(inner, ["+", "-"]),
        _chains(inner, ["*", "/", "@"]),
        _node(nodes.Power, inner, inner),
        _node(nodes.Comparison, inner, _tuples(st.tuples(_COMPARISON_OPERATORS, inner), 1, 2)),
        _node(nodes.Index, inner, _tuples(st.one_of(inner, slices), least=1)),
        _node(nodes.Transpose, inner),
        _node(nodes.Call, functions, _tuples(inner), keywords),
        _node(nodes.Call, functions, st.tuples(generators), keywords),
    )


EXPRESSIONS = st.recursive(_ATOMS, _composite, max_leaves=12)
_SMALL = st.recursive(_ATOMS, _composite, max_leaves=4)
_OPTIONAL = st.none() | _SMALL

_KEYWORDS = _tuples(_node(nodes.Keyword, IDENTIFIERS, _SMALL), most=2)
_REAL = _node(nodes.RealType, _tuples(_SMALL))
_INT = _node(nodes.IntType)
_NETWORK = _node(
    nodes.NetworkType,
    IDENTIFIERS.filter(lambda name: name.name not in ("real", "int")),
    _tuples(_SMALL),
    _KEYWORDS,
)
_SIZED_INT = _node(nodes.IntType, _tuples(_SMALL))
_DOMAINS = st.one_of(
    _node(nodes.IntervalDomain, _SMALL, _SMALL),
    _node(nodes.NamedDomain, IDENTIFIERS, _tuples(_SMALL, most=2)),
)
_DRAWS = _node(nodes.Draw, _node(nodes.Call, IDENTIFIERS, _tuples(_SMALL), _KEYWORDS))
_COMPARISONS = _node(
    nodes.Comparison, _SMALL, _tuples(st.tuples(_COMPARISON_OPERATORS, _SMALL), 1, 2)
)

_LETS = st.one_of(
    _node(nodes.LetValue, IDENTIFIERS, EXPRESSIONS),
    _node(nodes.LetParts, _tuples(IDENTIFIERS, least=1), _SMALL),
    _node(nodes.LetFunction, IDENTIFIERS, _tuples(IDENTIFIERS), _SMALL),
)
_CHOICES = st.one_of(
    _LETS,
    _node(
        nodes.Var,
        IDENTIFIERS,
        st.one_of(_REAL, _SIZED_INT, _NETWORK),
        st.none() | _DOMAINS,
        st.one_of(_OPTIONAL, _DRAWS),
    ),
    _node(nodes.Objective, st.sampled_from(["minimize", "maximize"]), st.just(HERE), EXPRESSIONS),
    _node(
        nodes.SubjectTo,
        _tuples(
            _node(nodes.Constraint, st.none() | IDENTIFIERS, _COMPARISONS, clauses(_SMALL, 0)),
            least=1,
        ),
    ),
)
_TITLES = st.none() | TEXTS
_PLAYERS = _node(nodes.Player, IDENTIFIERS, _TITLES, _tuples(_CHOICES))
_LEVELS = _node(nodes.Level, IDENTIFIERS, _TITLES, _tuples(st.one_of(_CHOICES, _PLAYERS)))
_OPTIONS = _node(nodes.Option, IDENTIFIERS, _SMALL)
_SOLVES = _node(
    nodes.Solve,
    _tuples(st.one_of(_OPTIONS, _node(nodes.LevelOptions, IDENTIFIERS, _tuples(_OPTIONS))), most=5),
)
_DECLARED = st.none() | _REAL
_STATEMENTS = st.one_of(
    _node(nodes.Param, IDENTIFIERS, st.one_of(_DECLARED, _INT), _OPTIONAL),
    _node(nodes.Data, IDENTIFIERS, _DECLARED, _OPTIONAL),
    _LETS,
    _LEVELS,
    _SOLVES,
)


@st.composite
def programs(draw: st.DrawFn) -> nodes.Program:
    """Programs that the grammar allows; what they mean is nobody's business here."""
    header = draw(st.none() | _node(nodes.ModelHeader, IDENTIFIERS, _TITLES))
    first = () if header is None else (header,)
    return nodes.Program((*first, *draw(_tuples(_STATEMENTS, most=4))), span=HERE)
