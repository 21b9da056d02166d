"""Reading on after a syntax error, so that one run finds every error that stands by itself.

A mistake that has one likely fix (a misspelt keyword, a reserved word as a name, a missing
brace) is reported and reading goes on as if it were fixed. After any other one, what is left
of the statement is skipped: up to the next keyword that starts a statement, or to the brace
that closes the block.
"""

from __future__ import annotations

from types import MappingProxyType

from mlodsl.diagnostics import Diagnostic, Source, Span, did_you_mean

from .engine import Engine, Misuse, Unexpected
from .lexer import BAD, END, UNTERMINATED, Token
from .table import load_table
from .wording import (
    EXPRESSION_STARTS,
    STATEMENTS,
    describe_character,
    describe_reserved,
    describe_token,
    describe_unclosed,
)

MAXIMUM_ERRORS = 100
"""A text with more isn't a model."""

# Words of other languages for what a keyword says.
_SYNONYMS = MappingProxyType(
    {
        "min": "minimize",
        "minimum": "minimize",
        "max": "maximize",
        "maximum": "maximize",
        "variable": "var",
        "variables": "var",
        "const": "param",
        "constant": "param",
        "def": "let",
        "function": "let",
        "options": "solve",
    }
)
_SUBJECT_TO = ("subjectto", "st", "suchthat")
_OUTER = frozenset({"MODEL", "PARAM", "DATA", "LEVEL", "SOLVE"})
_INNER = frozenset({"VAR", "MINIMIZE", "MAXIMIZE", "SUBJECT", "PLAYER"})
# What must follow a keyword, so that it isn't taken for a name.
_FOLLOWERS = MappingProxyType(
    {
        **{kind: {"NAME"} for kind in ("MODEL", "PARAM", "DATA", "LEVEL", "PLAYER", "VAR")},
        **{kind: EXPRESSION_STARTS for kind in ("MINIMIZE", "MAXIMIZE")},
        "LET": {"NAME", "LPAR"},
        "SUBJECT": {"TO"},
        "SOLVE": {"LBRACE"},
    }
)


class Reader:
    """Feeds tokens to the engine and collects what is wrong with them."""

    def __init__(self, engine: Engine, source: Source, tokens: list[Token]) -> None:
        self.diagnostics: list[Diagnostic] = []
        self._engine = engine
        self._source = source
        self._tokens = tokens
        self._position = 0
        # Braces closed on the user's behalf: as many surplus ones are no news later.
        self._forgiven_braces = 0
        # In statements of a level outside of any: the first was reported.
        self._is_astray = False

    def read(self) -> None:
        """Reads all tokens; without diagnostics, the engine then holds the tree."""
        while self._position < len(self._tokens) and len(self.diagnostics) < MAXIMUM_ERRORS:
            token = self._tokens[self._position]
            try:
                self._engine.feed(token)
                self._position += 1
                if token.kind in _OUTER:
                    self._is_astray = False
            except Misuse as misuse:
                self.diagnostics.append(misuse.diagnostic)
                self._skip()
            except Unexpected as problem:
                self._meet(problem)

    # ------------------------------------------------------------ an error

    def _meet(self, problem: Unexpected) -> None:
        token = problem.token
        if token.kind in (BAD, UNTERMINATED):
            self.diagnostics.append(describe_character(self._source, token))
            self._position += 1
            self._skip()
            return
        expected = self._engine.expected(problem.states)
        is_between_statements = bool(expected & (STATEMENTS | {"RBRACE"}))
        if self._mend_misspelling(token, expected) or self._mend_name(token, expected):
            return
        if self._mend_opening(token, expected):
            return
        if is_between_statements and (self._mend_closing(token) or self._pass_misplaced(token)):
            return
        previous = self._tokens[self._position - 1] if self._position else None
        brackets = self._engine.open_brackets()
        self.diagnostics.append(describe_token(self._source, token, previous, expected, brackets))
        self._skip()

    def _report(self, code: str, message: str, token: Token, hint: str | None) -> None:
        span = Span(self._source, token.start, token.end)
        self.diagnostics.append(Diagnostic(code, message, span, hint))

    def _next_kind(self) -> str:
        following = self._position + 1
        return self._tokens[following].kind if following < len(self._tokens) else END

    def _replace(self, kind: str) -> None:
        token = self._tokens[self._position]
        self._tokens[self._position] = token._replace(kind=kind)

    # ------------------------------------------------------------ mistakes with one likely fix

    def _mend_misspelling(self, token: Token, expected: frozenset[str]) -> bool:
        """`minimise` for `minimize`."""
        if token.kind != "NAME":
            return False
        table = load_table()
        keywords = {text: kind for text, kind in table.keywords.items() if kind in expected}
        word = token.text.lower().replace("_", "")
        hint: str | None
        if word in _SUBJECT_TO and "subject" in keywords:
            meant, hint = "subject", "did you mean `subject to`?"
            self._tokens.insert(self._position + 1, token._replace(kind="TO", start=token.end))
        elif _SYNONYMS.get(word) in keywords:
            meant = _SYNONYMS[word]
            hint = f"did you mean `{meant}`?"
        else:
            hint = did_you_mean(token.text, keywords)
            meant = "" if hint is None else hint.split("`")[1]
        if hint is None:
            return False
        kind = keywords[meant]
        is_plausible = kind not in _FOLLOWERS or self._next_kind() in _FOLLOWERS[kind]
        if not is_plausible or not self._engine.accepts(kind):
            return False
        self._report("E002", f"unknown word `{token.text}`", token, hint)
        self._replace(kind)
        return True

    def _mend_name(self, token: Token, expected: frozenset[str]) -> bool:
        """A reserved word where a name is expected, unless it starts the next statement."""
        if token.text not in load_table().keywords or "NAME" not in expected:
            return False
        if self._next_kind() in _FOLLOWERS.get(token.kind, ()):
            return False
        if not self._engine.accepts("NAME"):
            return False
        self.diagnostics.append(describe_reserved(self._source, token))
        self._replace("NAME")
        return True

    def _mend_opening(self, token: Token, expected: frozenset[str]) -> bool:
        """A block without its `{`."""
        if "LBRACE" not in expected or not self._engine.accepts("LBRACE", token.kind):
            return False
        if token.kind in ("LBRACE", END):
            return False
        self._report("E002", f"expected `{{`, found `{token.text}`", token, "open the block")
        self._tokens.insert(self._position, Token("LBRACE", token.start, token.start, "{"))
        return True

    def _mend_closing(self, token: Token) -> bool:
        """A block without its `}`: the next level begins, or the text ends."""
        if token.kind not in (*_OUTER, "PLAYER", END):
            return False
        braces = [brace for brace in self._engine.open_brackets() if brace.kind == "LBRACE"]
        count = next(
            (
                count
                for count in range(1, len(braces) + 1)
                if self._engine.accepts(*["RBRACE"] * count, token.kind)
            ),
            0,
        )
        if not count or (token.kind in ("PARAM", "DATA", "MODEL") and self._is_indented(token)):
            return False
        innermost = braces[-1]
        self.diagnostics.append(
            describe_unclosed(self._source, token, innermost, self._owner(innermost))
        )
        missing = Token("RBRACE", token.start, token.start, "}")
        self._tokens[self._position : self._position] = [missing] * count
        self._forgiven_braces += count
        return True

    def _owner(self, brace: Token) -> str:
        """The words that a block starts with: `level` and its name, or `solve`."""
        position = next(i for i, token in enumerate(self._tokens) if token.start >= brace.start)
        words: list[str] = []
        for token in reversed(self._tokens[max(0, position - 3) : position]):
            if token.kind != "TEXT":
                words.insert(0, token.text)
            if token.kind in ("LEVEL", "PLAYER", "SOLVE"):
                break
        return f"`{' '.join(words)}`"

    def _is_indented(self, token: Token) -> bool:
        return self._source.position(token.start)[1] > 1

    # ------------------------------------------------------------ statements in the wrong place

    def _pass_misplaced(self, token: Token) -> bool:
        """Statements of a level outside of levels, and the other way round; surplus braces."""
        braces = [brace for brace in self._engine.open_brackets() if brace.kind == "LBRACE"]
        # After the first such statement, or a brace that was closed for the user.
        is_follow_up = self._is_astray or self._forgiven_braces > 0
        if token.kind == "RBRACE" and not braces:
            if not is_follow_up:
                self._report("E002", "`}` closes no block", token, "remove it")
            self._forgiven_braces = max(0, self._forgiven_braces - 1)
            self._position += 1
            return True
        if token.kind in _INNER and not braces:
            if not is_follow_up:
                message = f"`{token.text}` stands outside of levels"
                self._report("E305", message, token, "put it into `level NAME { … }`")
            self._is_astray = True
        elif token.kind == "MODEL" and not braces:
            self._report("E305", "`model` is not the first statement", token, "put it first")
        elif token.kind in _OUTER and braces:
            message = f"`{token.text}` stands inside of {self._owner(braces[-1])}"
            self._report("E305", message, token, "put it outside of levels")
        else:
            return False
        self._position += 1
        self._skip()
        return True

    # ------------------------------------------------------------ any other mistake

    def _skip(self) -> None:
        """Moves to the next place where reading can go on, and the engine with it."""
        engine = self._engine
        # The innermost place on the stack where a statement may begin.
        resting = next(
            length
            for length in range(len(engine.states) - 1, -1, -1)
            if engine.shifts(length, "RBRACE") or engine.shifts(length, "LEVEL")
        )
        inside = [
            value
            for value in engine.values[resting:]
            if isinstance(value, Token) and value.kind in ("LPAR", "LSQB")
        ]
        depth_of_brackets = len(inside)
        depth_of_braces = 0
        while self._tokens[self._position].kind != END:
            kind = self._tokens[self._position].kind
            if kind == "LBRACE":
                depth_of_braces += 1
            elif kind == "RBRACE" and depth_of_braces:
                depth_of_braces -= 1
            elif depth_of_braces == 0:
                if kind in ("LPAR", "LSQB"):
                    depth_of_brackets += 1
                elif kind in ("RPAR", "RSQB"):
                    depth_of_brackets -= 1
                length = self._resting_for(kind, resting, depth_of_brackets)
                if length is not None:
                    engine.cut(length)
                    return
            self._position += 1
        self._position = len(self._tokens)

    def _resting_for(self, kind: str, resting: int, depth_of_brackets: int) -> int | None:
        """The length of stack with which reading goes on at a token of this kind, if any."""
        engine = self._engine
        if engine.shifts(resting, kind):
            is_option = kind == "NAME" and self._next_kind() == "EQUAL" and depth_of_brackets <= 0
            return resting if kind in STATEMENTS or kind == "RBRACE" or is_option else None
        if kind not in ("LEVEL", "SOLVE"):
            return None
        # The block that the error is in isn't closed.
        for length in range(resting - 1, -1, -1):
            if engine.shifts(length, kind):
                self._forgiven_braces += 1
                return length
        return None
