"""What can be said of a point, computed independently of how it was found."""

from .certify import (
    certify as certify,
    finish_point as finish_point,
    finish_with_objectives as finish_with_objectives,
)
from .structure import Certificate as Certificate, LevelCertificate as LevelCertificate
