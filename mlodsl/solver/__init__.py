"""Choosing a strategy, the loops, stopping, and the certificate."""

from .certificate import Certificate as Certificate, LevelCertificate as LevelCertificate
from .run import Step as Step, Watch as Watch
from .solve import Solution as Solution, solve as solve
from .status import Status as Status
