"""Rows of arrays shared out over devices; what is chosen stays whole on each of them.

How arrays lie on devices is JAX's own business (`NamedSharding`), and which device computes what
follows from where the data lies. JAX shares out whole multiples of the number of devices alone:
an array of another number of rows is kept with rows of zeros at its end, which compiled code
cuts off before it uses the array, so nothing is ever computed from them.
"""

from __future__ import annotations

from collections.abc import Sequence

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec
from jaxtyping import Array, Float

from .record import Record

_AXIS = "rows"


class SharedRows(Record):
    """An array kept with rows of zeros at its end.

    Arguments:
        padded: the array, of a number of rows that the devices divide.
        count: how many of its rows there are.
    """

    padded: Float[Array, "rows ..."]
    count: int = eqx.field(static=True)


def whole(value: Array | SharedRows) -> Array:
    """The array without the rows that were added."""
    return value.padded[: value.count] if isinstance(value, SharedRows) else value


def mesh_of(devices: Sequence[jax.Device]) -> Mesh:
    """The devices in a row."""
    return Mesh(np.array(devices), (_AXIS,))


def can_share(shape: tuple[int, ...], mesh: Mesh) -> bool:
    """Whether an array of this shape has at least one row for each device."""
    return len(shape) > 0 and shape[0] >= mesh.size


def share_rows(array: Array, mesh: Mesh) -> Array | SharedRows:
    """The array with its rows shared out; each process sends what its own devices hold."""
    values = np.asarray(array)
    count = len(values)
    added = -count % mesh.size
    padded = np.pad(values, [(0, added)] + [(0, 0)] * (values.ndim - 1))
    sharding = NamedSharding(mesh, PartitionSpec(_AXIS))
    shared = jax.make_array_from_callback(padded.shape, sharding, padded.__getitem__)
    return SharedRows(shared, count) if added else shared


def put_whole(array: Array, mesh: Mesh) -> Array:
    """The whole array on each device."""
    values = np.asarray(array)
    sharding = NamedSharding(mesh, PartitionSpec())
    return jax.make_array_from_callback(values.shape, sharding, values.__getitem__)


def pad_rows(array: Array, mesh: Mesh | None) -> Array | SharedRows:
    """While tracing: an array that compiled code returns, so that its rows can stay shared."""
    if mesh is None or not can_share(array.shape, mesh) or array.shape[0] % mesh.size == 0:
        return array
    added = -array.shape[0] % mesh.size
    padded = jnp.pad(array, [(0, added)] + [(0, 0)] * (array.ndim - 1))
    return SharedRows(padded, array.shape[0])


def keep_whole(array: Array, mesh: Mesh | None) -> Array:
    """While tracing: an array whole on each device, and its derivatives too."""
    if mesh is None:
        return array
    return jax.lax.with_sharding_constraint(array, NamedSharding(mesh, PartitionSpec()))
