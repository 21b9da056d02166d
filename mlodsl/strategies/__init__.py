"""The strategies, and the registry: the one list to edit when one is added."""

from .base import (
    AbstractStrategy as AbstractStrategy,
    Point as Point,
    Respond as Respond,
    Response as Response,
)
from .implicit import Implicit as Implicit

STRATEGIES: dict[str, type[AbstractStrategy]] = {"implicit": Implicit}
