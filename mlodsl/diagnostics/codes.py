"""The table of diagnostic codes. Codes are stable: none is ever given a new meaning."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Severity(Enum):
    """How grave a diagnostic is: an error stops the run, a warning doesn't."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Code:
    """One entry of the table: what the code means, in general, and the usual way out."""

    severity: Severity
    title: str
    way_out: str


def _error(title: str, way_out: str) -> Code:
    return Code(Severity.ERROR, title, way_out)


def _warning(title: str, way_out: str) -> Code:
    return Code(Severity.WARNING, title, way_out)


CODES: dict[str, Code] = {
    # The text itself
    "E001": _error("unexpected character", "remove it, or put it in a comment"),
    "E002": _error("unexpected word or symbol", "see what was expected at that place"),
    "E003": _error("unreadable file", "check the path; models are UTF-8 text"),
    "E004": _error("nested too deeply", "name parts of the expression with `let`"),
    "E005": _error("reserved word used as a name", "choose another name"),
    "E006": _error("strict inequality", "write `<=` or `>=`"),
    "E007": _error("unterminated text", 'close the text with `"` on the same line'),
    "E008": _error("number too large", "write `inf` for infinity"),
    # Names
    "E101": _error("name declared twice", "rename one of the two"),
    "E102": _error("unknown name", "declare it, or mend the spelling"),
    "E103": _error("name already taken", "choose another name; shadowing is not allowed"),
    "E104": _error("definition in terms of itself", "break the circle"),
    "E105": _error("name not visible here", "declare it outside of the level"),
    "E106": _error("variable used where only constants may stand", "use params and data there"),
    "E107": _error("name is not a value", "call it, or use another name"),
    # Shapes and kinds
    "E201": _error("shapes do not fit", "compare the two shapes in the message"),
    "E202": _error("wrong number of arguments", "see the signature in the message"),
    "E203": _error("unknown argument", "see the signature in the message"),
    "E204": _error("wrong kind of value", "see what was expected"),
    "E205": _error("objective is not a scalar", "reduce it, e.g. with `sum` or `mean`"),
    "E206": _error("index out of range", "indices run from 0 to the size less one"),
    "E207": _error("too many indices", "an array has one index for each of its axes"),
    "E208": _error("not a whole number known before solving", "use literals, `int` params, sizes"),
    "E209": _error("not callable", "only functions and network variables are called"),
    "E210": _error("comparison outside `where` and constraints", "use `where(a <= b, x, y)`"),
    # Levels
    "E301": _error("model without a level", "declare `level NAME { … }`"),
    "E302": _error("missing objective", "add `minimize …` or `maximize …`"),
    "E303": _error("second objective", "a level has exactly one objective"),
    "E304": _error("level without variables", "declare `var NAME : real`"),
    "E305": _error("statement in the wrong place", "see the message"),
    "E306": _error("`dual` out of reach", "`dual(c)` stands in the levels above c's level"),
    # Domains, starts and types
    "E401": _error("empty or wrong domain", "see the message"),
    "E402": _error("integer variables are not supported", "use `real`"),
    "E403": _error("wrong type", "see the message"),
    # Options
    "E501": _error("unknown option", "see the options in the message"),
    "E502": _error("unknown strategy", "run `mlodsl strategies`"),
    "E503": _error("unknown optimiser", "see the optimisers in the message"),
    "E504": _error("wrong value of an option", "see what was expected"),
    "E505": _error("unknown level", "see the levels in the message"),
    "E506": _error("option given twice", "remove one of the two"),
    "E507": _error("strategy does not fit the model", "run `mlodsl explain` on the model"),
    # Params and data
    "E601": _error("data cannot be read", "check the path and the file"),
    "E602": _error("bad cell in data", "mend the file at that row and column"),
    "E603": _error("data does not have the declared shape", "compare the two shapes"),
    "E604": _error("value missing", "give it with `--set` or `--data`, or in Python"),
    "E605": _error("no such param or data", "see the names in the message"),
    "E606": _error("wrong value for a param", "see what was expected"),
    "E607": _error("a Python function failed", "mend the function, or what it is given"),
    # Other inputs
    "E701": _error("YAML cannot be read", "mend the file at that place"),
    "E702": _error("unknown section or flag value", "see what was expected"),
    "E703": _error("wrong use of a command", "see `mlodsl COMMAND --help`"),
    "E704": _error("output cannot be written", "choose another path"),
    "E705": _error("checkpoint cannot be used", "name another folder, or remove it"),
    "E706": _error("result file cannot be used", "give a file that mlodsl wrote"),
    "E707": _error("not enough memory", "make the model smaller"),
    "E708": _error("matplotlib is missing", "install it: `pip install 'mlodsl[plot]'`"),
    "E709": _error("devices cannot be used", "run on one device, of a kind that is there"),
    "E710": _error("processes cannot work together", "start all of them again, in the same way"),
    # Not built yet
    # E801 was: constraints cannot be kept yet.
    # E802 was: players cannot be solved yet.
    "E803": _error("network variables cannot be solved yet", "write the network with arrays"),
    "E804": _error("`batch_size` cannot be used yet", "remove it"),
    # E805 was: domains of lower levels cannot be kept yet.
    # E806 was: multipliers cannot be used yet.
    # E807 was: `starts` in models without constraints cannot be used yet.
    # E808 was: command not built yet.
    # Warnings
    "W901": _warning("sizes not known yet", "bind the data to check them"),
    "W902": _warning("declared but never used", "remove it"),
}
