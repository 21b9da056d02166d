"""Solves a model on one device and with its rows shared by eight; prints what differs, as JSON.

Run by `test_sharing.py` in a process that sees eight devices.
"""

import json
import sys

import jax
import numpy as np

import mlodsl
from mlodsl.solver import place


def main() -> None:
    rng = np.random.default_rng(0)
    data = {"table": rng.normal(size=(43, 4)), "few": rng.normal(size=(5, 3))}
    model = mlodsl.compile(sys.stdin.read(), data=data)
    alone, shared = model.solve(devices=1), model.solve(devices=8)
    with jax.enable_x64(True):
        placed = place(model.problem, jax.devices())
        rows = placed.problem.data["table"].padded
        folded = jax.tree.leaves(placed.problem.fold().folded)
    report = {
        "status": [alone.status, shared.status],
        "devices": [one.to_dict()["devices"] for one in (alone, shared)],
        "device": shared.to_dict()["device"],
        "difference": max(
            float(np.max(np.abs(alone[key] - shared[key]))) for key in alone.variables
        ),
        "shared": placed.shared,
        "whole": placed.kept,
        "rows of each": sorted({shard.data.shape[0] for shard in rows.addressable_shards}),
        "folded is whole": [array.is_fully_replicated for array in folded],
    }
    print(json.dumps(report))


main()
