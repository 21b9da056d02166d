"""Reading on after a syntax error, so that one run finds every error that stands by itself.

A mistake that has one likely fix (a misspelt keyword, a reserved word as a name, a missing
brace) is reported and reading goes on as if it were fixed. After any other one, what is left
of the statement is skipped: up to the next keyword that starts a statement, or to the brace
that closes the block.
"""

from __future__ import annotations

from mlodsl.diagnostics import Diagnostic, Source, Span

from .engine import Engine, Misuse, Unexpected
from .lexer import BAD, END, UNTERMINATED, Token
from .misspelling import find_meant_keyword
from .skipping import FOLLOWERS, find_resumption
from .table import load_table
from .wording import (
    STATEMENTS,
    describe_character,
    describe_reserved,
    describe_token,
    describe_unclosed,
    show_token,
)

MAXIMUM_ERRORS = 100
"""A text with more isn't a model."""

_OUTER = frozenset({"MODEL", "PARAM", "DATA", "LEVEL", "SOLVE"})
_INNER = frozenset({"VAR", "MINIMIZE", "MAXIMIZE", "SUBJECT", "PLAYER"})

# What a type begins with.
_TYPES = frozenset({"real", "int", "mlp", "linear", "module"})


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
        # Where the token begins that was reported last, so that it isn't reported twice.
        self._last_reported = -1
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
        if self._mend_opening(token, expected) or self._mend_missing_var(token, expected):
            return
        if is_between_statements and (self._mend_closing(token) or self._pass_misplaced(token)):
            return
        previous = self._tokens[self._position - 1] if self._position else None
        brackets = self._engine.open_brackets()
        if token.start != self._last_reported:
            self.diagnostics.append(
                describe_token(self._source, token, previous, expected, brackets)
            )
        if "LBRACE" in expected and self._next_kind() == "LBRACE":
            self._position += 1  # one word too many before a block
            return
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
        meant = find_meant_keyword(token.text, expected)
        if meant is None or not self._engine.accepts(meant.kind):
            return False
        is_plausible = meant.kind not in FOLLOWERS or self._next_kind() in FOLLOWERS[meant.kind]
        if not is_plausible and not meant.is_followed_by_to:
            return False
        hint = f"did you mean `{meant.text}`?"
        self._report("E002", f"unknown word `{token.text}`", token, hint)
        self._replace(meant.kind)
        if meant.is_followed_by_to:
            self._tokens.insert(self._position + 1, Token("TO", token.end, token.end, "to"))
        return True

    def _mend_name(self, token: Token, expected: frozenset[str]) -> bool:
        """A reserved word where a name is expected, unless it starts the next statement."""
        if token.text not in load_table().keywords or "NAME" not in expected:
            return False
        following = self._next_kind()
        if following in FOLLOWERS.get(token.kind, ()):
            return False
        if "NUMBER" in expected and following in ("NAME", "NUMBER"):
            return False  # rather a word too many in an expression
        if not self._engine.accepts("NAME"):
            return False
        self.diagnostics.append(describe_reserved(self._source, token))
        self._replace("NAME")
        return True

    def _mend_opening(self, token: Token, expected: frozenset[str]) -> bool:
        """A block without its `{`."""
        if "LBRACE" not in expected or token.kind in (*_OUTER, END):
            return False
        if not self._engine.accepts("LBRACE"):
            return False
        if self._next_kind() == "LBRACE":
            return False
        self._report("E002", f"expected `{{`, found {show_token(token)}", token, "open the block")
        self._tokens.insert(self._position, Token("LBRACE", token.start, token.start, "{"))
        self._last_reported = token.start
        return True

    def _mend_missing_var(self, token: Token, expected: frozenset[str]) -> bool:
        """`x : real` for `var x : real`."""
        after_name = self._tokens[self._position + 1 : self._position + 3]
        if token.kind != "NAME" or [one.kind for one in after_name] != ["COLON", "NAME"]:
            return False
        if "VAR" not in expected or after_name[1].text not in _TYPES:
            return False
        if not self._engine.accepts("VAR", "NAME"):
            return False
        message = f"expected a statement, found {show_token(token)}"
        self._report("E002", message, token, f"declare it: `var {token.text} : …`")
        self._tokens.insert(self._position, Token("VAR", token.start, token.start, "var"))
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
        resumption = find_resumption(self._engine, self._source, self._tokens, self._position)
        if resumption is None:
            self._position = len(self._tokens)
            return
        self._position = resumption.position
        self._forgiven_braces += resumption.is_block_left_open
        self._engine.cut(resumption.length)
