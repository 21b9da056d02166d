"""A model as readable mathematics: Unicode text, from the syntax tree."""

from .expressions import expression_document as expression_document
from .spelling import Spelling as Spelling, spelling_of as spelling_of
from .statement import (
    Statement as Statement,
    choice as choice,
    dependence as dependence,
    model_spelling as model_spelling,
    statement_of as statement_of,
)
