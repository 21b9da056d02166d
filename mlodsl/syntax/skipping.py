"""Where reading goes on after a mistake: the next statement, or the end of the block."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from mlodsl.diagnostics import Source

from .engine import Engine
from .lexer import END, Token
from .misspelling import find_meant_keyword
from .wording import EXPRESSION_STARTS, STATEMENTS

FOLLOWERS: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        **{kind: frozenset({"NAME"}) for kind in ("MODEL", "PARAM", "DATA", "LEVEL")},
        **{kind: frozenset({"NAME"}) for kind in ("PLAYER", "VAR")},
        **{kind: EXPRESSION_STARTS for kind in ("MINIMIZE", "MAXIMIZE")},
        "LET": frozenset({"NAME", "LPAR"}),
        "SUBJECT": frozenset({"TO"}),
        "SOLVE": frozenset({"LBRACE"}),
    }
)
"""What must follow a keyword that starts a statement, and isn't a stray word or a name."""

_AFTER_BLOCK = STATEMENTS | {"RBRACE", "SEMICOLON", "COMMA", "NAME", END}


@dataclass(frozen=True, slots=True)
class Resumption:
    """Where reading goes on.

    Arguments:
        position: of the token in the list of tokens.
        length: of the engine's stack then.
        is_block_left_open: whether a brace that should have come before is missing.
    """

    position: int
    length: int
    is_block_left_open: bool = False


def find_resumption(
    engine: Engine, source: Source, tokens: list[Token], position: int
) -> Resumption | None:
    """The first place from `position` on where a statement starts or a block ends, if any.

    Blocks that open on the way are passed over whole. An option of `solve` starts with a
    name and `=`, as a keyword argument does, so it counts only outside of brackets.
    """
    resting = _find_resting(engine)
    depth_of_brackets = sum(
        isinstance(value, Token) and value.kind in ("LPAR", "LSQB")
        for value in engine.values[resting:]
    )
    depth_of_braces = 0
    for at in range(position, len(tokens)):
        kind = tokens[at].kind
        if kind == END:
            return None
        if kind == "LBRACE":
            depth_of_braces += 1
        elif kind == "RBRACE" and depth_of_braces:
            depth_of_braces -= 1
        elif depth_of_braces == 0:
            depth_of_brackets += (kind in ("LPAR", "LSQB")) - (kind in ("RPAR", "RSQB"))
            if _is_misspelt_start(engine, resting, source, tokens, at):
                return Resumption(at, resting)
            is_free = kind != "NAME" or depth_of_brackets <= 0
            if is_free and _is_plausible_start(source, tokens, at):
                if engine.shifts(resting, kind):
                    return Resumption(at, resting)
                outer = _find_outer(engine, resting, kind)
                if outer is not None:
                    return Resumption(at, outer, is_block_left_open=True)
    return None


def _find_resting(engine: Engine) -> int:
    """The length of the stack up to the innermost open place for a statement."""
    values = engine.values
    closed_blocks = 0
    for length in range(len(engine.states) - 1, 0, -1):
        takes_statements = engine.shifts(length, "RBRACE") or engine.shifts(length, "LEVEL")
        if takes_statements and not closed_blocks:
            return length
        value = values[length - 1]
        if isinstance(value, Token) and value.kind in ("LBRACE", "RBRACE"):
            closed_blocks += 1 if value.kind == "RBRACE" else -1
    return 0


def _find_outer(engine: Engine, resting: int, kind: str) -> int | None:
    """Of a `level` or `solve` that can't stand in this block: the place around the block."""
    if kind not in ("LEVEL", "SOLVE"):
        return None
    return next((n for n in range(resting - 1, -1, -1) if engine.shifts(n, kind)), None)


def _is_plausible_start(source: Source, tokens: list[Token], position: int) -> bool:
    """Whether a token starts a statement or option, or ends a block, rather than strays."""
    kind = tokens[position].kind
    following = tokens[position + 1].kind
    if kind == "NAME":
        return following == "EQUAL"
    if kind == "RBRACE":
        return following in _AFTER_BLOCK or _begins_line(source, tokens, position + 1)
    if kind in STATEMENTS:
        return following in FOLLOWERS[kind] or _begins_line(source, tokens, position)
    return False


def _is_misspelt_start(
    engine: Engine, resting: int, source: Source, tokens: list[Token], position: int
) -> bool:
    """Whether a line begins with a misspelt keyword and what must follow that keyword."""
    token, following = tokens[position], tokens[position + 1].kind
    if token.kind != "NAME" or not _begins_line(source, tokens, position):
        return False
    kinds = [
        kind
        for kind, followers in FOLLOWERS.items()
        if following in followers and engine.shifts(resting, kind)
    ]
    return bool(kinds) and find_meant_keyword(token.text, kinds) is not None


def _begins_line(source: Source, tokens: list[Token], position: int) -> bool:
    if position == 0:
        return True
    return "\n" in source.text[tokens[position - 1].end : tokens[position].start]
