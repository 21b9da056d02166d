"""The strategies, and the registry: the one list to edit when one is added."""

from .base import (
    AbstractStrategy as AbstractStrategy,
    Point as Point,
    Query as Query,
    Respond as Respond,
    Response as Response,
)
from .f2ba import FirstOrderBilevel as FirstOrderBilevel
from .fd import FiniteDifferences as FiniteDifferences
from .galet import Galet as Galet
from .hoag import Hoag as Hoag
from .implicit import Implicit as Implicit
from .itd import IterativeDifferentiation as IterativeDifferentiation, Unrolling as Unrolling
from .prox_f2ba import ProximalFirstOrderBilevel as ProximalFirstOrderBilevel
from .tikhonov import Tikhonov as Tikhonov
from .value_function import ValueFunction as ValueFunction
from .vgd import PartialGradient as PartialGradient

STRATEGIES: dict[str, type[AbstractStrategy]] = {
    "implicit": Implicit,
    "itd": IterativeDifferentiation,
    "fd": FiniteDifferences,
    "vgd": PartialGradient,
    "f2ba": FirstOrderBilevel,
    "prox_f2ba": ProximalFirstOrderBilevel,
    "galet": Galet,
    "hoag": Hoag,
    "value_function": ValueFunction,
    "tikhonov": Tikhonov,
}
