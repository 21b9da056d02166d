"""What people and programs read of a solution: the result file and the tables."""

from .batch import BatchResult as BatchResult
from .batch_table import batch_table as batch_table
from .comparison import (
    Comparison as Comparison,
    Contender as Contender,
    comparison_dict as comparison_dict,
)
from .comparison_table import comparison_table as comparison_table
from .explanation import (
    Explanation as Explanation,
    explanation_dict as explanation_dict,
    find_way as find_way,
)
from .explanation_text import explanation_text as explanation_text
from .numbers import short as short, summary as summary
from .pictures import (
    Curve as Curve,
    Drawing as Drawing,
    comparison_drawing as comparison_drawing,
    curve_of_steps as curve_of_steps,
    picture_bytes as picture_bytes,
    result_drawing as result_drawing,
    trace_drawing as trace_drawing,
)
from .python_result import Result as Result, result_of as result_of
from .result import (
    FORMAT as FORMAT,
    plain as plain,
    result_dict as result_dict,
    result_text as result_text,
)
from .steps import step_dict as step_dict, step_text as step_text, worth_a_line as worth_a_line
from .tables import (
    response_table as response_table,
    result_table as result_table,
    verification_table as verification_table,
)
from .versions import versions as versions
