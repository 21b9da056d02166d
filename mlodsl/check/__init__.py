"""Names, shapes, levels: from a program to a checked model, or to what is wrong with it."""

from .builtins import (
    ACTIVATIONS as ACTIVATIONS,
    BUILTINS as BUILTINS,
    Builtin as Builtin,
    Parameter as Parameter,
    Place as Place,
    Role as Role,
    bind_arguments as bind_arguments,
)
from .checker import check as check
from .given import GivenParam as GivenParam
from .misfit import Misfit as Misfit
from .model import (
    CheckedModel as CheckedModel,
    DataInfo as DataInfo,
    FunctionInfo as FunctionInfo,
    LetInfo as LetInfo,
    LevelInfo as LevelInfo,
    ParamInfo as ParamInfo,
    PlayerInfo as PlayerInfo,
    VariableInfo as VariableInfo,
)
from .static_indices import IndexUse as IndexUse, UsedAs as UsedAs
from .types import Shape as Shape
