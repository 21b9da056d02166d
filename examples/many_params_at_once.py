"""One model, a hundred values of a param, one call: `jax.vmap` through the solution."""

import jax
import jax.numpy as jnp

import mlodsl

CHAIN = """
model chain "Maker, wholesaler, shop"

param slope = 1

let demand = exp(-slope * p)

level maker      { var w : real  maximize w * demand }
level wholesaler { var v : real  maximize (v - w) * demand }
level shop       { var p : real  maximize (p - v) * demand }
"""


def main() -> None:
    model = mlodsl.compile(CHAIN)
    with jax.enable_x64(True):
        slopes = jnp.linspace(0.5, 2.0, 100)
        prices = jax.vmap(lambda slope: model.solution({"slope": slope})["p"])(slopes)
        # Every firm takes the mark-up 1 / slope, so the shop's price is 3 / slope.
        worst = float(jnp.max(jnp.abs(prices - 3 / slopes)))
    print(f"prices from {prices[0]:.4f} down to {prices[-1]:.4f}")
    print(f"largest error of the hundred: {worst:.0e}")


if __name__ == "__main__":
    main()
