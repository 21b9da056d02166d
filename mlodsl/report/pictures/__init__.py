"""Pictures of results, traces and comparisons; matplotlib is loaded only to draw one."""

from .canvas import Drawing as Drawing, picture_bytes as picture_bytes
from .comparison import comparison_drawing as comparison_drawing
from .curve import Curve as Curve, curve_of_steps as curve_of_steps
from .result import result_drawing as result_drawing
from .trace import trace_drawing as trace_drawing
