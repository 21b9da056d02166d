"""The program: finds the command, runs it, and turns what goes wrong into an exit code."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from mlodsl.diagnostics import Diagnostic, ModelError, did_you_mean

from .command import Command
from .help import command_help, program_help
from .interruption import INTERRUPTED, leave_at_once_on_interrupt
from .memory import out_of_memory
from .parsing import HELP, CommandLine, parse_arguments
from .terminal import note, print_diagnostics, say

NOT_CONVERGED = 1
WRONG_INPUT = 2
BROKEN_PIPE = 141


def _solve() -> Command:
    from .solve import COMMAND

    return COMMAND


def _check() -> Command:
    from .check import COMMAND

    return COMMAND


def _compare() -> Command:
    from .compare import COMMAND

    return COMMAND


def _plot() -> Command:
    from .plot import COMMAND

    return COMMAND


def _explain() -> Command:
    from .explain import COMMAND

    return COMMAND


def _verify() -> Command:
    from .verify import COMMAND

    return COMMAND


def _respond() -> Command:
    from .respond import COMMAND

    return COMMAND


def _fmt() -> Command:
    from .fmt import COMMAND

    return COMMAND


def _models() -> Command:
    from .models import COMMAND

    return COMMAND


def _strategies() -> Command:
    from .strategies import COMMAND

    return COMMAND


# Loaded only where it is asked for: most commands need little, and `solve` needs much.
_COMMANDS: dict[str, tuple[str, Callable[[], Command]]] = {
    "solve": ("solves a model", _solve),
    "check": ("reads and checks models without solving", _check),
    "explain": ("what a model is, which strategy would run, and what a step costs", _explain),
    "compare": ("solves a model under several strategies, side by side", _compare),
    "verify": ("compares the total gradient with finite differences", _verify),
    "respond": ("the lower levels' best response to given upper variables", _respond),
    "plot": ("pictures of results, traces and comparisons", _plot),
    "fmt": ("formats model files in place", _fmt),
    "models": ("the models that come with mlodsl", _models),
    "strategies": ("the ways to a total gradient, and their options", _strategies),
}


_COMPILING = ("solve", "explain", "compare", "verify", "respond")


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the program in process and returns its exit code.

    >>> main(["strategies", "implicit"])  # doctest: +ELLIPSIS
    implicit(linear_solver = auto, iterations = 0, tolerance = 1e-10)
    ...
    """
    return guarded(lambda: _dispatch(CommandLine(sys.argv[1:] if argv is None else argv)))


def guarded(action: Callable[[], int]) -> int:
    """The exit code of an action; what goes wrong in it is printed."""
    try:
        return action()
    except ModelError as error:
        print_diagnostics(error.diagnostics)
        return WRONG_INPUT
    except KeyboardInterrupt:
        note("interrupted")
        return INTERRUPTED
    except BrokenPipeError:
        return BROKEN_PIPE
    except OSError as problem:
        # What can be foreseen has a diagnostic of its own; a disk may still run full.
        what = f"`{problem.filename}`: " if problem.filename else ""
        message = f"reading or writing failed: {what}{problem.strerror or problem}"
        print_diagnostics([Diagnostic("E704", message)])
        return WRONG_INPUT
    except (MemoryError, RuntimeError) as problem:
        print_diagnostics([out_of_memory(problem)])
        return WRONG_INPUT


def run() -> None:
    """Runs the program as the process: what `mlodsl` on the command line calls."""
    for stream in (sys.stdout, sys.stderr):
        # A terminal that can't show a character shows its code instead of failing.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    leave_at_once_on_interrupt()
    words = sys.argv[1:]
    if words and words[0] in _COMPILING:
        from .cache import keep_compiled_code

        keep_compiled_code(words)
    code = main()
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError as problem:
        code = BROKEN_PIPE if isinstance(problem, BrokenPipeError) else WRONG_INPUT
        if code == WRONG_INPUT:
            message = f"standard output can't be written: {problem.strerror}"
            print_diagnostics([Diagnostic("E704", message)])
        _discard_output()
    else:
        if code == BROKEN_PIPE:
            _discard_output()
    sys.exit(code)


def _discard_output() -> None:
    """Lets what is still to be written vanish; Python would complain as it flushes it."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def _dispatch(line: CommandLine) -> int:
    if not line.words:
        note(program_help(_summaries()))
        return WRONG_INPUT
    name = line.words[0]
    if name in (*HELP, "help"):
        return _help(line)
    if name == "--version":
        from mlodsl import __version__

        say(f"mlodsl {__version__}")
        return 0
    if name not in _COMMANDS:
        raise ModelError([_unknown_command(line, name)])
    command = _COMMANDS[name][1]()
    before_words = line.words[1 : line.words.index("--")] if "--" in line.words else line.words
    if any(word in HELP for word in before_words):
        say(command_help(command))
        return 0
    return command.run(parse_arguments(command, line, 1))


def _help(line: CommandLine) -> int:
    """`mlodsl --help`, and `mlodsl help solve`."""
    if len(line.words) == 1:
        say(program_help(_summaries()))
        return 0
    name = line.words[1]
    if name not in _COMMANDS:
        raise ModelError([_unknown_command(line, name, 1)])
    say(command_help(_COMMANDS[name][1]()))
    return 0


def _summaries() -> list[tuple[str, str]]:
    return [(name, summary) for name, (summary, _) in _COMMANDS.items()]


def _unknown_command(line: CommandLine, name: str, index: int = 0) -> Diagnostic:
    known = ", ".join(f"`{command}`" for command in _COMMANDS)
    if name.startswith("-"):
        message = f"`mlodsl` has no flag `{name}`; a command comes first: {known}"
        return line.wrong(index, message, did_you_mean(name, ["--help", "--version"]))
    hint = did_you_mean(name, _COMMANDS)
    if hint is None and (name.endswith(".mlo") or Path(name).is_file()):
        hint = f"did you mean `mlodsl solve {name}`?"
    return line.wrong(index, f"`{name}` is not a command; there are {known}", hint)
