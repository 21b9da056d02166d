"""The table of built-in functions: signature, shape rule and documentation of each."""

from .algebra import ALGEBRA
from .arrays import ARRAYS
from .binding import bind_arguments as bind_arguments
from .elementwise import ACTIVATIONS as ACTIVATIONS, ELEMENTWISE
from .losses import LOSSES
from .preparation import PREPARATION
from .reductions import REDUCTIONS
from .signature import (
    LARGEST_SIZE as LARGEST_SIZE,
    REQUIRED as REQUIRED,
    Arguments as Arguments,
    Builtin as Builtin,
    Parameter as Parameter,
    Place as Place,
    Role as Role,
    as_size as as_size,
    as_whole as as_whole,
    show_signature as show_signature,
)
from .words import WORDS

BUILTINS: dict[str, Builtin] = {
    builtin.name: builtin
    for theme in (ELEMENTWISE, REDUCTIONS, ALGEBRA, LOSSES, ARRAYS, PREPARATION, WORDS)
    for builtin in theme
}
