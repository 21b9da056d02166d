"""What is wrong with what a user wrote, where, and how to mend it. Standard library only."""

from .codes import CODES as CODES, Code as Code, Severity as Severity
from .diagnostic import (
    Diagnostic as Diagnostic,
    ModelError as ModelError,
    has_errors as has_errors,
    sort_by_place as sort_by_place,
)
from .render import render_json as render_json, render_text as render_text
from .source import Source as Source, Span as Span
from .suggest import did_you_mean as did_you_mean
