"""How does the answer of a game depend on its params? `jax.grad` through the solution."""

import jax
import jax.numpy as jnp

import mlodsl

TAX = """
model tax "A tax on a polluter"

param weight = 0.1    # how much the state dislikes taxing

level state { var tax : real     minimize (output - 1)^2 + weight * tax^2 }
level firm  { var output : real  maximize 4 * output - output^2 - tax * output }
"""


def main() -> None:
    model = mlodsl.compile(TAX)

    def output(weight: jax.Array) -> jax.Array:
        return model.solution({"weight": weight})["output"]

    with jax.enable_x64(True):
        weight = jnp.array(0.1)
        slope = jax.grad(output)(weight)
    # By hand: tax = 2 / (1 + 4 weight), output = 2 - tax / 2, so its slope is 4 / (1 + 4 weight)^2.
    print(f"d output / d weight = {slope:.6f}, by hand {4 / 1.4**2:.6f}")


if __name__ == "__main__":
    main()
