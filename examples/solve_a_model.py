"""A leader and a follower in one market: write the model as a string, solve it, read the answer."""

import mlodsl

MARKET = """
model market "Two firms, one good"

param cost = 0.1

let price = 1 - x - y

level leader   { var x : real  maximize x * (price - cost) }
level follower { var y : real  maximize y * (price - cost) }
"""


def main() -> None:
    result = mlodsl.compile(MARKET).solve()
    print(f"{result.status}: the leader sells {result['x']:.4f}, the follower {result['y']:.4f}")
    print(f"profits: {result.objectives['leader']:.4f} and {result.objectives['follower']:.4f}")
    # The answer was checked by other means than it was found.
    print(f"norm of the leader's total gradient: {result.certificate['hypergradient_norm']:.0e}")


if __name__ == "__main__":
    main()
