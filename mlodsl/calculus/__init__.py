"""What every strategy shares: total derivatives through the levels, and linear solves."""

from .adjoint import (
    adjoint_gradient as adjoint_gradient,
    conditions_below as conditions_below,
    envelope_gradient as envelope_gradient,
    slopes as slopes,
)
from .blocks import (
    BlockFactor as BlockFactor,
    block_factor as block_factor,
    block_factor_at as block_factor_at,
    block_solve as block_solve,
    matrix_of_rows as matrix_of_rows,
    rows_and_cross as rows_and_cross,
    upper_rows as upper_rows,
)
from .elimination import (
    EliminatedFactor as EliminatedFactor,
    EliminationForm as EliminationForm,
    EliminationPlan as EliminationPlan,
    Factor as Factor,
    FullFactor as FullFactor,
    NewtonFactor as NewtonFactor,
    Operators as Operators,
    Spectrum as Spectrum,
    empty_factor as empty_factor,
    factorize as factorize,
    full_factor as full_factor,
    full_matrix as full_matrix,
    hessian_product as hessian_product,
    operators as operators,
    reduced_spectrum as reduced_spectrum,
    solve as solve,
)
from .lagrangian import (
    Game as Game,
    Numbers as Numbers,
    Vectors as Vectors,
    choices as choices,
    flat_size as flat_size,
    lagrangian as lagrangian,
    on_host as on_host,
    point_of as point_of,
    response_gradient as response_gradient,
    split as split,
)
from .lanczos import Krylov as Krylov, lanczos as lanczos
from .linear import (
    POWER_STEPS as POWER_STEPS,
    conjugate_gradients as conjugate_gradients,
    largest_eigenvalue as largest_eigenvalue,
    neumann_series as neumann_series,
    truncated_conjugate_gradients as truncated_conjugate_gradients,
)
from .linear_map import folded as folded
from .minres import minres as minres
from .one_kernel import in_one_kernel as in_one_kernel
from .optimizers import optax_optimizer as optax_optimizer
from .penalty import PenalizedGame as PenalizedGame, ProximalGame as ProximalGame
from .preconditioner import (
    Preconditioner as Preconditioner,
    preconditioner_of as preconditioner_of,
)
from .small_matrices import LARGEST_ORDER as LARGEST_ORDER
