"""Models with constraints and players: reformulated by the lower levels' optimality conditions.

Every level below is replaced by its KKT conditions (`system`), whose complementarity is resolved
piece by piece; what the conditions can't see, that an answer is the best one, is enforced by
rivals: answers that it must not be worse than. Each level's own problem is solved by the same
search, one level down.
"""

from .derivatives import (
    constrained_hypergradient as constrained_hypergradient,
    constrained_response as constrained_response,
    constrained_solution as constrained_solution,
    constrained_value as constrained_value,
)
from .report import constrained_report as constrained_report
from .solve import (
    choose_constrained as choose_constrained,
    is_constrained as is_constrained,
    solve_constrained as solve_constrained,
    unknowns_with_multipliers as unknowns_with_multipliers,
)
