"""The user's names for entries of a level's flat vector."""

from __future__ import annotations

import numpy as np

from mlodsl.modules import Problem


def name_of_entry(problem: Problem, level: int, axis: np.ndarray) -> str:
    """The entry of largest size of a direction, as the user writes it: `y`, `y[1]`, `P[0, 2]`."""
    entry = int(np.abs(axis).argmax())
    for variable in problem.structure.levels[level].variables:
        if variable.start <= entry < variable.stop:
            if not variable.shape:
                return variable.name
            index = np.unravel_index(entry - variable.start, variable.shape)
            inside = ", ".join(str(int(position)) for position in index)
            return f"{variable.name}[{inside}]"
    raise AssertionError("every entry belongs to a variable")


def quote_choice(problem: Problem, level: int, own: np.ndarray) -> str:
    """A level's variables in short, for a message: `y = 0.25`, at most three of them."""
    variables = problem.structure.levels[level].variables
    parts = []
    for variable in variables[:3]:
        values = own[variable.start : variable.stop]
        if variable.shape == ():
            parts.append(f"{variable.name} = {values[0]:.6g}")
        else:
            shown = ", ".join(f"{value:.4g}" for value in values[:3])
            parts.append(f"{variable.name} = [{shown}{', …' if values.size > 3 else ''}]")
    return ", ".join(parts) + (", …" if len(variables) > 3 else "")
