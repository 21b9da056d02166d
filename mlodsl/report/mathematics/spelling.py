"""Names as mathematics writes them: `lam` as λ, `x1` as x₁, where no two look alike."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import TypeAlias

Spelling: TypeAlias = Mapping[str, str]
"""How each name of a model is written; names that aren't in it are written as they are."""

_GREEK = {
    "alpha": "α",
    "beta": "β",
    "gamma": "γ",
    "delta": "δ",
    "epsilon": "ε",
    "eps": "ε",
    "zeta": "ζ",
    "eta": "η",
    "theta": "θ",
    "kappa": "κ",
    "lambda": "λ",
    "lam": "λ",
    "mu": "μ",
    "nu": "ν",
    "xi": "ξ",
    "rho": "ρ",
    "sigma": "σ",
    "tau": "τ",
    "phi": "φ",
    "chi": "χ",
    "psi": "ψ",
    "omega": "ω",
}
_SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
_RAISED = "0123456789+-()abcdefghijklmnoprstuvwxyzADEGHIJKLMNOPRTUVW×"
_SUPERSCRIPTS = str.maketrans(_RAISED, "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁽⁾ᵃᵇᶜᵈᵉᶠᵍʰⁱʲᵏˡᵐⁿᵒᵖʳˢᵗᵘᵛʷˣʸᶻᴬᴰᴱᴳᴴᴵᴶᴷᴸᴹᴺᴼᴾᴿᵀᵁⱽᵂˣ")


def spelling_of(names: Iterable[str]) -> Spelling:
    """How a model's names are written; two that would look alike stay as they are.

    >>> dict(spelling_of(["lam", "x1", "x2", "price", "eps", "epsilon"]))
    {'lam': 'λ', 'x1': 'x₁', 'x2': 'x₂', 'price': 'price', 'eps': 'eps', 'epsilon': 'epsilon'}
    """
    known = list(dict.fromkeys(names))
    written = {name: _written(name) for name in known}
    seen = Counter([*written.values(), *known])
    return {name: new if seen[new] == 1 or new == name else name for name, new in written.items()}


def _written(name: str) -> str:
    match = re.fullmatch(r"([A-Za-z]+?)_?(\d*)", name)
    if match is None:
        return name
    letters, digits = match.groups()
    return _GREEK.get(letters, letters) + digits.translate(_SUBSCRIPTS)


def subscript(number: int) -> str:
    """A whole number below the line: `subscript(12)` is ₁₂."""
    return str(number).translate(_SUBSCRIPTS)


def superscript(text: str) -> str | None:
    """A text above the line; None where a character has no such form.

    >>> superscript("40×11"), superscript("-1"), superscript("Q")
    ('⁴⁰ˣ¹¹', '⁻¹', None)
    """
    if any(character not in _RAISED for character in text):
        return None
    return text.translate(_SUPERSCRIPTS)
