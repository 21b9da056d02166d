"""From a checked model and data to Equinox modules: `build` makes a `Problem`."""

from .build import (
    build as build,
    names_that_vary as names_that_vary,
    with_params as with_params,
)
from .functions import FUNCTIONS as FUNCTIONS
from .instances import Instances as Instances, instances_of as instances_of
from .leading import leading_vectors as leading_vectors
from .platform import default_platform as default_platform
from .problem import Problem as Problem
from .record import QuickMethods as QuickMethods, Record as Record
from .rows import (
    can_share as can_share,
    mesh_of as mesh_of,
    put_whole as put_whole,
    share_rows as share_rows,
)
from .spread import around as around, spread_over as spread_over
from .structure import Structure as Structure
