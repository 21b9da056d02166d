"""Where a model is solved: on one device, or with the rows of its data shared out over several."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import jax
from jax.sharding import Mesh

from mlodsl.diagnostics import Diagnostic, ModelError
from mlodsl.modules import Problem, can_share, mesh_of, put_whole, share_rows

from .clock import one_clock
from .constrained import is_constrained

_WORTH_SHARING = 10_000
"""Of fewer numbers in the data, devices would spend more time on talking than they save."""


@dataclass(frozen=True, slots=True)
class Placed:
    """A problem whose arrays lie on the devices that solve it.

    Arguments:
        devices: the first one is where everything is that no array decides; none: JAX's default.
        shared, kept: the names of the data whose rows are shared out, and of those that are whole
            on each device, having fewer rows than there are devices.
    """

    problem: Problem
    devices: tuple[jax.Device, ...]
    shared: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()

    @property
    def description(self) -> str:
        """What lies where, in words."""
        count, kind = len(self.devices), self.devices[0].platform
        processes = len({device.process_index for device in self.devices})
        where = f" of {processes} processes" if processes > 1 else ""
        rows = _and(self.shared)
        words = f"{count} {kind} devices{where} share the rows of {rows}"
        if self.kept:
            words += f"; {_and(self.kept)} of fewer rows is whole on each"
        return words

    @contextmanager
    def running(self) -> Iterator[None]:
        """Inside of it, what no array decides is computed on this process's first device."""
        if not self.devices:
            yield
            return
        mine = next(one for one in self.devices if one.process_index == jax.process_index())
        mesh = self.problem.structure.mesh
        with jax.default_device(mine), one_clock(mesh is not None and spans_processes(mesh)):
            yield


def find_devices(platform: str | None, count: int | None = None) -> tuple[jax.Device, ...]:
    """This process's devices.

    Arguments:
        platform: `cpu` or `gpu`; None: the best there is, as JAX says.
        count: how many; None: all.

    Raises:
        ModelError: E709, there is no such device, or there are fewer.
    """
    try:
        found = tuple(jax.local_devices(backend=platform))
    except RuntimeError as problem:
        reason = str(problem).strip().split("\n")[0]
        message = f"there is no {platform or 'device'} that JAX can use: {reason}"
        raise ModelError([Diagnostic("E709", message, None, _way_out(platform))]) from None
    if count is None:
        return found
    if not 1 <= count <= len(found):
        kind, there = found[0].platform, len(found)
        message = f"{count} {kind} devices were asked for; JAX sees {there}"
        hint = f"ask for 1{'' if there == 1 else f' to {there}'}, or leave it out"
        raise ModelError([Diagnostic("E709", message, None, hint)])
    return found[:count]


def _way_out(platform: str | None) -> str:
    if platform == "gpu":
        return "run on `cpu`, or install JAX for your GPU: `pip install 'jax[cuda12]'`"
    return "look at the variable JAX_PLATFORMS, which names the platforms that JAX may use"


def place_on(
    problem: Problem, platform: str | None, wanted: int | Sequence[jax.Device] | None
) -> Placed:
    """The problem where a caller wants it.

    Rows are shared out by themselves over all devices of this process, where there are at least
    10,000 numbers in the data that can be, and the caller's arrays aren't on several devices yet.

    Arguments:
        platform: `cpu` or `gpu`; None: the best there is.
        wanted: how many devices share the rows of the data, or which; None: by themselves.

    Raises:
        ModelError: E709, there are no such devices, or they can't share the model's data.
    """
    if wanted is not None and not isinstance(wanted, int):
        if platform is not None or not wanted:
            what = "`device` is given beside them" if wanted else "the list of devices is empty"
            message = f"the devices are not clear: {what}"
            hint = "give a kind and a number of devices, or a list of some alone"
            raise ModelError([Diagnostic("E709", message, None, hint)])
        return place(problem, tuple(wanted))
    if wanted is not None:
        return place(problem, find_devices(platform, wanted))
    devices = find_devices(platform)
    leaves = [leaf for leaf in jax.tree.leaves(problem) if isinstance(leaf, jax.Array)]
    if platform is None and any(len(leaf.devices()) > 1 for leaf in leaves):
        return Placed(problem, ())
    mesh = mesh_of(devices)
    numbers = sum(one.size for one in problem.arrays.values() if can_share(one.shape, mesh))
    if len(devices) > 1 and numbers >= _WORTH_SHARING and not is_constrained(problem):
        return place(problem, devices)
    return Placed(problem, ()) if platform is None else place(problem, devices[:1])


def place(problem: Problem, devices: Sequence[jax.Device]) -> Placed:
    """The problem on devices: rows of the data shared out, everything else whole on each.

    Arguments:
        problem: not folded yet.
        devices: of one platform, also of other processes.

    Raises:
        ModelError: E709, there are several, but no rows to share, or the model has constraints.
    """
    if len(devices) == 1:
        with jax.enable_x64(True):
            return Placed(jax.device_put(problem, devices[0]), tuple(devices))
    mesh, arrays = mesh_of(devices), problem.arrays
    shared = {name: array for name, array in arrays.items() if can_share(array.shape, mesh)}
    obstacle = _obstacle(problem, bool(shared), len(devices))
    if obstacle is not None:
        raise ModelError([obstacle])
    structure = dataclasses.replace(
        problem.structure, mesh=mesh, content=(*problem.structure.content, mesh)
    )
    with jax.enable_x64(True):
        data = {
            name: share_rows(array, mesh) if name in shared else put_whole(array, mesh)
            for name, array in arrays.items()
        }
        params = {name: put_whole(array, mesh) for name, array in problem.params.items()}
    kept = tuple(name for name in arrays if name not in shared)
    placed = Problem(params, data, {}, structure)
    return Placed(placed, tuple(devices), tuple(shared), kept)


def _obstacle(problem: Problem, has_rows: bool, devices: int) -> Diagnostic | None:
    """Why the rows can't be shared out."""
    if is_constrained(problem):
        message = "a model with constraints or players is solved on one device, in one process"
    elif not problem.data:
        message = "the model has no data whose rows could be shared out over devices"
    elif not has_rows:
        message = f"no data of the model has as many rows as there are devices ({devices})"
    else:
        return None
    return Diagnostic("E709", message, None, "run it on one device, in one process")


def _and(names: Sequence[str]) -> str:
    quoted = [f"`{name}`" for name in names]
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} and {quoted[-1]}"


def spans_processes(mesh: Mesh) -> bool:
    """Whether some of the devices are another process's."""
    return len({device.process_index for device in mesh.devices.flat}) > 1
