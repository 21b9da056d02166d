"""From what a person names (a file, flags, values) to a checked model with its data. No JAX."""

from .find import (
    ModelText as ModelText,
    find_model as find_model,
    read_standard_input as read_standard_input,
    ready_models as ready_models,
    text_of_string as text_of_string,
)
from .load import Loaded as Loaded, Wishes as Wishes, load_model as load_model
