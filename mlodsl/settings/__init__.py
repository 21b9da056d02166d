"""How to solve a model: what `solve { }`, YAML, flags and Python keywords say, checked."""

from .flags import (
    layer_of_flags as layer_of_flags,
    layer_of_strategy as layer_of_strategy,
    paths_of_flags as paths_of_flags,
)
from .keywords import layer_of_keywords as layer_of_keywords
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
from .yaml_config import YamlConfig as YamlConfig, read_yaml as read_yaml
