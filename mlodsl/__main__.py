"""`python -m mlodsl …` is the command `mlodsl …`."""

from mlodsl.cli import run

if __name__ == "__main__":
    run()
