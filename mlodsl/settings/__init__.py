"""How to solve a model: what `solve { }`, YAML, flags and Python keywords say, checked."""

from .optimizers import OPTIMIZERS as OPTIMIZERS
from .options import LEVEL_OPTIONS as LEVEL_OPTIONS, SOLVE_OPTIONS as SOLVE_OPTIONS
from .read import Layer as Layer, read_settings as read_settings
from .signatures import (
    OptimizerSignature as OptimizerSignature,
    Parameter as Parameter,
    StrategySignature as StrategySignature,
    signature_text as signature_text,
)
from .strategies import STRATEGIES as STRATEGIES
from .structure import (
    LevelSettings as LevelSettings,
    OptimizerChoice as OptimizerChoice,
    OptionValue as OptionValue,
    Settings as Settings,
    StrategyChoice as StrategyChoice,
)
