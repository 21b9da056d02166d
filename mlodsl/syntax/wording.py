"""Syntax errors in the words of somebody who writes models, not parsers."""

from __future__ import annotations

from types import MappingProxyType

from mlodsl.diagnostics import Diagnostic, Source, Span

from .lexer import END, UNTERMINATED, Token
from .table import load_table

STATEMENTS = frozenset(
    {"MODEL", "PARAM", "DATA", "LET", "LEVEL", "PLAYER", "VAR"}
    | {"MINIMIZE", "MAXIMIZE", "SUBJECT", "SOLVE"}
)
"""The keywords that statements start with."""

EXPRESSION_STARTS = frozenset(
    {"NUMBER", "TEXT", "NAME", "PI", "INF", "TRUE", "FALSE", "DUAL", "LPAR", "LSQB", "MINUS"}
)
"""The tokens that expressions start with."""

_OPERATORS = frozenset(
    {"PLUS", "MINUS", "TIMES", "DIVIDE", "MATMUL", "CARET", "DOUBLE_STAR", "DOT", "LPAR", "LSQB"}
    | {"LESS_EQUAL", "GREATER_EQUAL", "EQUAL_EQUAL", "LESS", "GREATER"}
)
# Fits too, but says nothing where an operator does.
_LESS_LIKELY = frozenset({"COLON", "EQUAL", "IN", "TILDE", "FOR"})

_CHARACTER_HINTS = MappingProxyType(
    {
        **dict.fromkeys("“”„‟″«»‘’‚'`", 'texts stand in `"`'),
        "≤": "write `<=`",
        "≥": "write `>=`",
        "≠": "there is no `!=`",
        **dict.fromkeys("×·∙⋅∗", "write `*`"),
        **dict.fromkeys("−–—‐‑", "write `-`"),
        "÷": "write `/`",
        "²": "write `^2`",
        "³": "write `^3`",
        "∞": "write `inf`",
        "π": "write `pi`",
        "!": "constraints are `<=`, `>=` or `==`",
        "%": "comments begin with `#`",
        "\\": "a line needs no mark to go on",
    }
)


def describe_character(source: Source, token: Token) -> Diagnostic:
    """E001 or E007, for a place where no token begins."""
    span = Span(source, token.start, token.end)
    if token.kind == UNTERMINATED:
        return Diagnostic("E007", "the text is not closed on its line", span, 'close it with `"`')
    character = token.text[0]
    more = len(token.text) - 1
    message = f"unexpected character {_show_character(character)}"
    if more:
        message += f" and {more} more"
    return Diagnostic("E001", message, span, _character_hint(character))


def _show_character(character: str) -> str:
    code_point = f"U+{ord(character):04X}"
    if not character.isprintable() or character.isspace():
        return code_point
    return f"`{character}`" if character.isascii() else f"`{character}` ({code_point})"


def _character_hint(character: str) -> str:
    if character in _CHARACTER_HINTS:
        return _CHARACTER_HINTS[character]
    if character.isspace():
        return "replace it by a plain space"
    if character.isalnum():
        return "names are made of the letters a-z and A-Z, digits and `_`"
    return "remove it"


def describe_token(
    source: Source,
    token: Token,
    previous: Token | None,
    expected: frozenset[str],
    brackets: list[Token],
) -> Diagnostic:
    """E002: the token fits nowhere.

    Arguments:
        source: the text.
        token: the first that doesn't fit.
        previous: the one before it.
        expected: the kinds of token that would fit.
        brackets: the brackets that are open, the innermost last.
    """
    between = "" if previous is None else source.text[previous.end : token.start]
    wanted = _join(_expected_words(expected, "\n" in between))
    hint = _find_hint(source, token, previous, expected, brackets)
    span = Span(source, token.start, token.end)
    return Diagnostic("E002", f"expected {wanted}, found {show_token(token)}", span, hint)


def show_token(token: Token) -> str:
    """What the user sees for a token: its text, cut where it is long."""
    if token.kind == END:
        return "the end of the text"
    text = token.text if len(token.text) <= 30 else token.text[:29] + "…"
    return f"`{text}`"


def _expected_words(expected: frozenset[str], begins_line: bool) -> list[str]:
    rest = set(expected) - {"SEMICOLON"}
    words: list[str] = []
    if {"NUMBER", "LPAR"} <= expected:
        words.append("an expression")
        rest -= EXPRESSION_STARTS
    elif "PLUS" in expected:
        words.append("an operator")
        rest -= _OPERATORS | _LESS_LIKELY
    if "NAME" in rest and "LEVEL" in rest:
        words.append("an option")
        rest -= {"NAME", "LEVEL", "COMMA"}
    elif rest & STATEMENTS:
        words.append("a statement")
        rest -= STATEMENTS | {END}
        if begins_line and "an operator" in words:
            # A line of its own: nobody meant to go on with the expression above.
            words.remove("an operator")
            rest -= {"COMMA"}
    names = {"NAME": "a name", "TEXT": "a title in quotes", END: "the end of the text"}
    words += [names[kind] for kind in names if kind in rest]
    symbols = load_table().symbols
    return words + [f"`{symbols[kind]}`" for kind in sorted(rest - names.keys())]


def _join(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"


def _find_hint(
    source: Source,
    token: Token,
    previous: Token | None,
    expected: frozenset[str],
    brackets: list[Token],
) -> str | None:
    rest_of_line = source.text[token.end :].partition("\n")[0].lstrip()
    starts_operand = token.kind in ("NUMBER", "NAME", "PI", "INF", "LPAR")
    follows_factor = (
        previous is not None
        and previous.kind in ("NUMBER", "RPAR", "RSQB", "PI")
        and "\n" not in source.text[previous.end : token.start]
        and not rest_of_line.startswith("=")
    )
    match token.kind:
        case "EQUAL" if source.text.startswith(("<", ">"), token.end):
            return f"write `{source.text[token.end]}=`"
        case "EQUAL" if "EQUAL_EQUAL" in expected:
            return "`==` compares"
        case "PLUS" if "NUMBER" in expected:
            return "a number needs no `+`"
        case "DIVIDE" if rest_of_line.startswith("/") or (previous and previous.text == "/"):
            return "comments begin with `#`"
        case "IMPORT":
            return "`import` is kept for a later version"
        case "COMMA" if expected == {"COLON"}:
            return "each variable has a `var` of its own"
        case _ if {"COMMA", "VAR"} <= expected and token.kind in EXPRESSION_STARTS:
            return "write `,` between two constraints"
        case "NAME" if "LET" in expected and rest_of_line.startswith("="):
            return f"write `let {show_token(token)[1:-1]} = …` to name an expression"
    if expected == {"COLON"}:
        return "a variable has a type: `var x : real`"
    if "TIMES" in expected and follows_factor and starts_operand and token.kind != "NUMBER":
        return "write `*` to multiply"
    if not brackets or brackets[-1].kind == "LBRACE":
        return None
    if token.kind in EXPRESSION_STARTS:
        return "write `,` between the two" if "COMMA" in expected else None
    if token.kind == "COMMA" and brackets[-1].kind == "LPAR":
        return "lists are written `[a, b]`"
    line, column = source.position(brackets[-1].start)
    return f"`{brackets[-1].text}` in line {line}, column {column} is open"


def describe_reserved(source: Source, token: Token) -> Diagnostic:
    """E005: a reserved word where a name is expected."""
    message = f"`{token.text}` is a reserved word and cannot be a name"
    return Diagnostic("E005", message, Span(source, token.start, token.end), "use another name")


def describe_unclosed(source: Source, token: Token, brace: Token, owner: str) -> Diagnostic:
    """E002: a block goes on to where something else must begin, or to the text's end."""
    line, _ = source.position(brace.start)
    message = f"expected `}}`, found {show_token(token)}: the `{{` of {owner} is open"
    span = Span(source, token.start, token.end)
    return Diagnostic("E002", message, span, f"close the `{{` of line {line}")
