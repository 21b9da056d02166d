"""What can be said of a point, computed independently of how it was found."""

from .certify import (
    certify as certify,
    finish as finish,
    finish_point as finish_point,
)
from .structure import Certificate as Certificate, LevelCertificate as LevelCertificate
