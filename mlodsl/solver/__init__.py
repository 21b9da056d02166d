"""Choosing a strategy, the loops, stopping, and the certificate."""

from .batch import solve_batch as solve_batch
from .certificate import Certificate as Certificate, LevelCertificate as LevelCertificate
from .checkpoint import Checkpoint as Checkpoint, key_of_run as key_of_run
from .constrained import is_constrained as is_constrained
from .devices import (
    Placed as Placed,
    find_devices as find_devices,
    place as place,
    place_on as place_on,
)
from .kept import Kept as Kept
from .precision import in_own_precision as in_own_precision
from .response import (
    best_response as best_response,
    best_response_report as best_response_report,
    hypergradient as hypergradient,
    solution as solution,
)
from .run import Step as Step, Watch as Watch
from .solution import (
    LocalSolution as LocalSolution,
    ResponseReport as ResponseReport,
    Solution as Solution,
)
from .solve import solve as solve
from .status import Status as Status
from .verify import Verification as Verification, verify_gradient as verify_gradient
