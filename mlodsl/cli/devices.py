"""The flags that say where a model is solved: `--device`, `--devices`, and those of processes."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mlodsl.diagnostics import Diagnostic, ModelError

from .command import Arguments, Flag
from .inputs import wrong_value
from .interruption import owns_process

if TYPE_CHECKING:
    from mlodsl.modules import Problem
    from mlodsl.settings import Settings
    from mlodsl.solver import Placed

_PLATFORMS = ("cpu", "gpu")
_ADDRESS = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^\s:/\[\]]+):([0-9]{1,5})")
_WAIT = 60

_COORDINATOR, _PROCESS_ID, _NUM_PROCESSES = "--coordinator", "--process-id", "--num-processes"
_TOGETHER = (_COORDINATOR, _PROCESS_ID, _NUM_PROCESSES)

DEVICE_FLAGS = (
    Flag("--device", "solve on cpu or gpu; by default on the best that JAX finds", "KIND"),
    Flag(
        "--devices",
        "share the rows of the data over so many devices; by default over all, where the data "
        "has at least 10,000 numbers",
        "N",
    ),
    Flag(_COORDINATOR, "solve with other processes: where process 0 listens", "HOST:PORT"),
    Flag(_PROCESS_ID, "which of the processes this is, from 0", "I"),
    Flag(_NUM_PROCESSES, "how many processes there are", "N"),
    Flag(
        "--wait",
        "the seconds after which another process that isn't there, or says nothing, is given up; "
        f"{_WAIT} by default",
        "SECONDS",
    ),
)


@dataclass(frozen=True, slots=True)
class Processes:
    """A run of several processes, as one of them sees it.

    Arguments:
        coordinator: where process 0 listens, `host:port`.
        own: this process's number, from 0.
        count: of all.
        wait: the seconds after which a process that says nothing is given up.
    """

    coordinator: str
    own: int
    count: int
    wait: int


@dataclass(frozen=True, slots=True)
class Devices:
    """What the flags say.

    Arguments:
        platform: `cpu` or `gpu`; None: the best there is.
        count: how many devices share the rows; None: all where it is worth it.
        processes: None: this one alone.
    """

    platform: str | None = None
    count: int | None = None
    processes: Processes | None = None

    @property
    def reports(self) -> bool:
        """Whether this process writes and prints what was found: of several, the first does."""
        return self.processes is None or self.processes.own == 0

    def prepare(self) -> None:
        """What has to be said to JAX before it computes anything.

        Raises:
            ModelError: E710, the other processes can't be reached.
        """
        import jax

        if self.platform == "cpu" and owns_process():
            # Other devices aren't even looked for, and their memory is not taken.
            jax.config.update("jax_platforms", "cpu")
        if self.processes is not None:
            from .processes import connect

            connect(self.processes)

    def place(self, problem: Problem, settings: Settings) -> Placed:
        """The problem on the devices.

        Raises:
            ModelError: E709, there are no such devices, or they can't share the model's data.
                E710, another process solves something else.
        """
        from mlodsl.solver import find_devices, place, place_on

        if self.processes is None:
            return place_on(problem, self.platform, self.count)
        import jax

        from .processes import agree_on

        find_devices(self.platform)
        agree_on(problem, settings, self.processes)
        return place(problem, jax.devices(self.platform))


def read_devices(arguments: Arguments) -> Devices:
    """What the flags say.

    Raises:
        ModelError: E702, a value is wrong; E703, one of the flags of processes is missing.
    """
    wrong: list[Diagnostic] = []
    platform = arguments.one("--device")
    if platform is not None and platform not in _PLATFORMS:
        message = f"`{platform}` is not a kind of device"
        wrong.append(wrong_value("--device", platform, message, "write `cpu` or `gpu`"))

    def whole(flag: str, least: int, default: int | None = None) -> int | None:
        text = arguments.one(flag)
        if text is None:
            return default
        if not re.fullmatch("[0-9]{1,9}", text) or int(text) < least:
            message = f"`{flag}` needs a whole number of at least {least}"
            wrong.append(wrong_value(flag, text, message, f"write `{flag} {least}`"))
            return None
        return int(text)

    count = whole("--devices", 1)
    processes = _read_processes(arguments, wrong, whole)
    if processes is None and arguments.has("--wait") and not wrong:
        message = "`--wait` is about other processes, and there are none"
        hint = f"leave it out, or add {_and(_TOGETHER)}"
        wrong.append(wrong_value("--wait", arguments.one("--wait") or "", message, hint))
    if wrong:
        raise ModelError(wrong)
    return Devices(platform, count, processes)


def _read_processes(
    arguments: Arguments,
    wrong: list[Diagnostic],
    whole: Callable[[str, int, int | None], int | None],
) -> Processes | None:
    given = [flag for flag in _TOGETHER if arguments.has(flag)]
    missing = [flag for flag in _TOGETHER if flag not in given]
    if not given:
        return None
    if missing:
        value = arguments.one(given[0]) or ""
        message = f"`{given[0]}` needs {_and(missing)} beside it"
        hint = "give all three, in each process"
        wrong.append(wrong_value(given[0], value, message, hint, code="E703"))
        return None
    address = arguments.one(_COORDINATOR) or ""
    match = _ADDRESS.fullmatch(address)
    if match is None or not 0 < int(match[2]) < 2**16:
        message = f"`{address}` is not of the form `HOST:PORT`"
        hint = "write process 0's address and a free port there, as in `192.168.0.1:9876`"
        wrong.append(wrong_value(_COORDINATOR, address, message, hint))
    number, count = whole(_PROCESS_ID, 0, None), whole(_NUM_PROCESSES, 1, None)
    wait = whole("--wait", 1, _WAIT)
    if number is not None and count is not None and number >= count:
        message = f"there is no process {number} among {count}: they count from 0"
        hint = f"give a number from 0 to {count - 1}"
        wrong.append(wrong_value(_PROCESS_ID, str(number), message, hint))
    for flag, why in (
        ("--devices", "processes share the rows over all their devices"),
        ("--checkpoint", "a run of several processes can't be saved yet"),
    ):
        if arguments.has(flag):
            message = f"`{flag}` can't be used with `{_COORDINATOR}`: {why}"
            wrong.append(wrong_value(flag, arguments.one(flag) or "", message, "leave it out"))
    if wrong or number is None or count is None or wait is None:
        return None
    return Processes(address, number, count, wait)


def _and(flags: tuple[str, ...] | list[str]) -> str:
    quoted = [f"`{flag}`" for flag in flags]
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} and {quoted[-1]}"
