"""The movers: how a level gets from one point to the next."""

from .base import (
    AbstractMover as AbstractMover,
    Place as Place,
    Proposal as Proposal,
    State as State,
)
from .descent import Descent as Descent
from .first_order import FirstOrder as FirstOrder
from .limited_memory import LimitedMemory as LimitedMemory
from .projected_quasi_newton import ProjectedQuasiNewton as ProjectedQuasiNewton
from .quasi_newton import QuasiNewton as QuasiNewton
from .trust_region import TrustRegionNewton as TrustRegionNewton
