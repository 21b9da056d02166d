"""What the traps' true answers are, as the comments of their files derive them.

ANSWERS holds the points where `converged` is allowed, to 1e-5 of each number (relative where it
is larger than 1): the best point there is, and a local minimum of the top level where the file
says that it is one. A trap that isn't here has no answer, and never converges. Those whose names
begin with `fine` look like traps and are none: they must converge.
"""

from math import log, pi, sqrt
from pathlib import Path

FOLDER = Path(__file__).parent
NAMES = sorted(path.stem for path in FOLDER.glob("*.mlo"))
FINE = [name for name in NAMES if name.startswith("fine")]

Answer = dict[str, float | list[float]]

_WELL = -1.0355787140888537
_CUBE = -((1 / 6) ** (3 / 5))
_PEANO = (sqrt(7) - 2) / 3
_STACKELBERG: Answer = {"x": 1 / 2, "y": 1 / 4, "z": 1 / 8}
_HARD: Answer = {"x": -1.0, "y": [1 / sqrt(20)] * 20}

ANSWERS: dict[str, list[Answer]] = {
    "answer_only_on_one_side": [{"x": 0, "y": 0}],
    "barely_worse_well": [{"x": -1, "y": -1}],
    "barrier_on_the_way": [{"x": (5 - sqrt(1.02)) / 2}],
    "bottom_jumps_near_the_middle": [{"x": 0, "y": 0.5, "z": 1}],
    "circle_of_answers": [{"x": 1, "y": [1, 0]}],
    "corner_that_is_a_maximum": [{"x": 1, "y": 1}],
    "corner_with_a_cubic_fall": [{"x": 1}, {"x": 0}],
    "cube_root_response": [{"x": _CUBE, "y": -((-_CUBE) ** (1 / 3))}],
    "degenerate_follower": [{"x": 0.5, "y": 0.5}],
    "degenerate_unit": [{"x": _CUBE, "y": -((-_CUBE) ** (1 / 3))}],
    "drowned_hill": [{"x": pi}, {"x": -pi}],
    "drowned_top": [{"x": 1}],
    "example_3_1_clipped": [{"x": 0}],
    "example_3_1_wells": [{"x": 0, "y": -1}, {"x": 0.4635101609367041, "y": 1.0535590872285456}],
    "far_from_the_top_s_tolerance": [{"x": 1}],
    "fast_cosine": [{"x": pi / 1e8}, {"x": -pi / 1e8}],
    "fast_cosine_in_the_follower": [{"x": 0, "y": 3.000220984173833}],
    "fine_anticipation": [{"x": 0.5, "y": 1}],
    "fine_best_well": [{"x": _WELL, "y": _WELL}],
    "fine_corner": [{"x": 0, "y": 0}],
    "fine_flat_top": [{"x": 0.25, "y": 0.25}],
    "fine_large_variables": [{"x": 0.5e8, "y": 0.5e8}],
    "fine_mixed_units": [{"x": 0.5, "y": [0.5, 0.5]}],
    "fine_mixed_units_at_the_top": [{"x": [1, 2], "y": 0}],
    "fine_ripples": [{"x": 0.5973391292996468, "y": 0.5513098781226049}],
    "fine_small_units": [{"x": 0.5, "y": 0.5}],
    "fine_stackelberg": [_STACKELBERG],
    "fine_tie": [{"x": 0, "y": -1}],
    "flat_diagonal": [{"x": 1, "y": [2, -1]}],
    "flat_interval": [{"x": 0.5, "y": 0.5}],
    "flat_side_left_at_start": [{"x": 0.5, "y": [0.5, 3]}],
    "floor_at_the_top": [{"x": 1, "y": 0.1}, {"x": 0.95, "y": 0.095}],
    "follower_at_a_hilltop_between_wells": [{"x": 0.9877951062384754, "y": -1.0121259879521467}],
    "follower_s_constant_drowns": [{"x": 0.5, "y": 0.5}],
    "hard_instance": [_HARD],
    "hard_instance_of_first_order": [_HARD],
    "jump_beside_the_minimum": [{"x": 1}],
    "kink_at_the_top": [{"x": 1}],
    "kink_of_the_response": [{"x": 0.25, "y": 0.125}],
    "kinked_max": [{"x": 0}],
    "large_variable": [{"x": 3e8}],
    "log_of_a_negative_start": [{"x": 1}],
    "long_tail": [{"x": 0}],
    "middle_in_a_worse_well": [{"x": _WELL, "y": _WELL, "z": _WELL}],
    "narrow_well": [{"x": 1, "y": 6.999925000768758}],
    "nearly_flat": [{"x": 0.5, "y": 5000}],
    "overflow_at_the_start": [{"x": 1, "y": log(1000)}],
    "peano_top": [
        {"u": sqrt(_PEANO), "v": 2 * _PEANO / (1 + _PEANO)},
        {"u": -sqrt(_PEANO), "v": 2 * _PEANO / (1 + _PEANO)},
    ],
    "pole": [{"x": 2}],
    "root_at_its_edge": [{"x": 0}],
    "saddle_with_wells": [{"x": [0, 1 / sqrt(2)]}, {"x": [0, -1 / sqrt(2)]}],
    "sign_of_distance": [{"x": 0}],
    "small_units_hill": [{"x": pi}, {"x": -pi}],
    "small_units_slope": [{"x": 1}],
    "soft_threshold": [{"x": 0.5, "y": 0}],
    "stopped_early": [{"x": 0.5, "y": 0.5}],
    "tail_of_a_well": [{"x": 0}],
    "tie_against_the_leader": [{"x": 0, "y": -1}],
    "tie_that_only_the_top_sees": [{"x": 0, "y": 0, "z": -1}],
    "wells_of_a_cosine": [{"x": 0.99990195463358, "y": 0.009900659929722548}],
    "worse_well": [{"x": _WELL, "y": _WELL}],
    "worse_well_in_large_units": [{"x": _WELL, "y": 1e8 * _WELL}],
    "worse_well_in_small_units": [{"x": _WELL, "y": _WELL}],
    "worse_well_of_small_variables": [{"x": _WELL, "y": 1e-8 * _WELL}],
}

SMALL = {"fast_cosine": 1e-13, "worse_well_of_small_variables": 1e-13}
"""Absolute tolerances where 1e-5 would say nothing."""
