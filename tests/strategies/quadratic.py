"""Two-level quadratic games by their blocks, for closed forms in NumPy."""

from dataclasses import dataclass

import numpy as np

from tests.games import QuadraticGame, random_quadratic_game

SIZES = (3, 4)


@dataclass(frozen=True)
class Blocks:
    """f and g as ½ vᵀ Q v + c · v over v = (x, y); a point x, and the answer y to it.

    Arguments:
        upper, lower: Q and c of f and of g.
        own: x.
        answer: y.
    """

    game: QuadraticGame
    upper: tuple[np.ndarray, np.ndarray]
    lower: tuple[np.ndarray, np.ndarray]
    own: np.ndarray
    answer: np.ndarray

    @property
    def hessian(self) -> np.ndarray:
        """∇²_yy g."""
        return self.lower[0][self.own.size :, self.own.size :]

    @property
    def coupling(self) -> np.ndarray:
        """∇²_yx g."""
        return self.lower[0][self.own.size :, : self.own.size]

    @property
    def partials(self) -> tuple[np.ndarray, np.ndarray]:
        """∇_x f and ∇_y f at the answer."""
        matrix, slope = self.upper
        gradient = matrix @ np.concatenate([self.own, self.answer]) + slope
        return gradient[: self.own.size], gradient[self.own.size :]

    def total(self, multipliers: np.ndarray) -> np.ndarray:
        """∇_x f + ∇²_xy g m; the total gradient for m = -H⁻¹ ∇_y f."""
        return self.partials[0] + self.coupling.T @ multipliers

    @property
    def exact(self) -> np.ndarray:
        """The total gradient."""
        return self.total(-np.linalg.solve(self.hessian, self.partials[1]))

    def penalized(self, sigma: float) -> np.ndarray:
        """The gradient of P_σ(x) = min_y σ f + g, by elimination of y."""
        matrix = sigma * self.upper[0] + self.lower[0]
        slope = sigma * self.upper[1] + self.lower[1]
        size = self.own.size
        y = -np.linalg.solve(matrix[size:, size:], matrix[size:, :size] @ self.own + slope[size:])
        return (matrix @ np.concatenate([self.own, y]) + slope)[:size]


def blocks(seed: int, sizes: tuple[int, int] = SIZES) -> Blocks:
    """A random game at a random point."""
    game = random_quadratic_game(sizes, seed)
    matrices, slopes = np.asarray(game.matrices), np.asarray(game.slopes)
    own = np.random.default_rng(seed + 1000).standard_normal(sizes[0])
    size = sizes[0]
    matrix, slope = matrices[1], slopes[1]
    answer = -np.linalg.solve(matrix[size:, size:], matrix[size:, :size] @ own + slope[size:])
    return Blocks(game, (matrices[0], slopes[0]), (matrix, slope), own, answer)
