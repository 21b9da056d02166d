"""mlodsl: a modelling language for multilevel optimization.

>>> import mlodsl
>>> model = mlodsl.compile("level a { var x : real  minimize (x - 1)^2 }")
>>> float(model.solve()["x"])
1.0
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .diagnostics import Diagnostic as Diagnostic, ModelError as ModelError

if TYPE_CHECKING:
    from .api import (
        BatchResult as BatchResult,
        Level as Level,
        Model as Model,
        Result as Result,
        compile as compile,
    )

__version__ = "0.1.0"
__all__ = ["BatchResult", "Diagnostic", "Level", "Model", "ModelError", "Result", "compile"]

_FROM_API = ("BatchResult", "Level", "Model", "Result", "compile")


def __dir__() -> list[str]:
    """The public names, those not loaded yet included."""
    return sorted([*__all__, "__version__"])


def __getattr__(name: str) -> Any:
    """Loads the Python interface at its first use: `mlodsl check` does without JAX."""
    if name in _FROM_API:
        from . import api

        return getattr(api, name)
    raise AttributeError(f"module `mlodsl` has no attribute `{name}`")
