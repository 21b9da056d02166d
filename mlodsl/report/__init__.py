"""What people and programs read of a solution: the result file and the tables."""

from .numbers import short as short, summary as summary
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
