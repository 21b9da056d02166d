"""A three-level model whose solution is known as a function of its params.

third:   e^z - e^{y_0} z is least at z = y_0;
second:  anticipating that, z² - y_0² = 0, so y_0 = a x_0² and y_1 = a x_1;
leader:  ‖x - c‖² + a x_0² + a² x_1, so x_0 = c_0 / (1 + a) and x_1 = c_1 - a² / 2.
"""

import numpy as np

MODEL = """
model curved "three levels, not quadratic"
param a = 1.0
param c : real[2] = [1, 2]
level leader "pays for what the others do" {
  var x : real[2]
  minimize sumsq(x - c) + a * y[1] + z
}
level second {
  var y : real[2]
  minimize exp(y[0]) - exp(a * x[0]^2) * y[0] + (y[1] - a * x[1])^2 + z^2 - y[0]^2
}
level third {
  var z : real
  maximize exp(y[0]) * z - exp(z)
}
"""

PAIR = """
model pair "the two upper levels, z = y_0 put in"
param a = 1.0
param c : real[2] = [1, 2]
level leader { var x : real[2]  minimize sumsq(x - c) + a * y[1] + y[0] }
level second {
  var y : real[2]
  minimize exp(y[0]) - exp(a * x[0]^2) * y[0] + (y[1] - a * x[1])^2
}
"""


def response(x: np.ndarray, a: float = 1.0) -> dict[str, np.ndarray]:
    """The second level's answer."""
    return {"y": np.array([a * x[0] ** 2, a * x[1]])}


def hypergradient(x: np.ndarray, a: float = 1.0, c: tuple[float, float] = (1, 2)) -> np.ndarray:
    """The total gradient of the leader's objective."""
    return np.array([2 * (x[0] - c[0]) + 2 * a * x[0], 2 * (x[1] - c[1]) + a**2])


def solution(a: float = 1.0, c: tuple[float, float] = (1, 2)) -> dict[str, np.ndarray]:
    """The two upper levels' variables at the solution."""
    x = np.array([c[0] / (1 + a), c[1] - a**2 / 2])
    return {"x": x, **response(x, a)}
