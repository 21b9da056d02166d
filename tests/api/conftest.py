"""One compiled model for many tests."""

import pytest

import mlodsl

from .curved import MODEL, PAIR


@pytest.fixture(scope="session")
def curved() -> mlodsl.Model:
    return mlodsl.compile(MODEL)


@pytest.fixture(scope="session")
def pair() -> mlodsl.Model:
    return mlodsl.compile(PAIR)


@pytest.fixture(scope="session")
def curved_result(curved: mlodsl.Model) -> mlodsl.Result:
    return curved.solve()
