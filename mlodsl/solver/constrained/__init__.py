"""Models with constraints: reformulated by the follower's own optimality conditions.

The lower level of two is replaced by its KKT conditions, whose complementarity is first relaxed
and then resolved piece by piece; what the conditions can't see, that the follower's answer is
its best, is enforced by rivals: answers that it must not be worse than.
"""

from .solve import (
    choose_constrained as choose_constrained,
    is_constrained as is_constrained,
    solve_constrained as solve_constrained,
    unknowns_with_multipliers as unknowns_with_multipliers,
)
