"""The table of optimisers says what Optax says."""

import inspect

import jax
import jax.numpy as jnp
import pytest

from mlodsl.settings.optimizers import OPTIMIZERS

optax = pytest.importorskip("optax")
OF_OPTAX = [signature for signature in OPTIMIZERS.values() if signature.of_optax]


@pytest.mark.parametrize("signature", OF_OPTAX, ids=lambda signature: signature.name)
def test_names_and_defaults_are_those_of_optax(signature):
    actual = inspect.signature(getattr(optax, signature.name)).parameters
    for parameter in signature.parameters:
        default = actual[parameter.name].default
        if parameter.required:
            assert default is inspect.Parameter.empty
        else:
            assert default == parameter.default and type(default) is type(parameter.default)


@pytest.mark.parametrize("signature", OF_OPTAX, ids=lambda signature: signature.name)
def test_a_position_means_the_same_as_in_optax(signature):
    actual = [
        parameter.name
        for parameter in inspect.signature(getattr(optax, signature.name)).parameters.values()
        if parameter.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD
    ]
    positional = [item.name for item in signature.parameters if not item.keyword_only]
    assert positional == actual[: len(positional)]


@pytest.mark.parametrize("signature", OF_OPTAX, ids=lambda signature: signature.name)
def test_what_optax_requires_is_listed(signature):
    actual = inspect.signature(getattr(optax, signature.name)).parameters.values()
    required = [item.name for item in actual if item.default is inspect.Parameter.empty]
    assert required == [item.name for item in signature.parameters if item.required]


@pytest.mark.parametrize("signature", OPTIMIZERS.values(), ids=lambda signature: signature.name)
def test_every_optimizer_is_documented_in_a_sentence(signature):
    assert signature.doc.endswith(".") and "\n" not in signature.doc


@pytest.mark.parametrize("name", ["auto", "newton", "lbfgs"])
def test_our_own_optimizers_take_no_schedule(name):
    assert not OPTIMIZERS[name].of_optax and not OPTIMIZERS[name].scheduled


@pytest.mark.parametrize("signature", OF_OPTAX, ids=lambda signature: signature.name)
def test_a_schedule_is_allowed_where_optax_takes_a_function_as_learning_rate(signature):
    arguments = {"key": 0} if signature.draws else {}

    def step(position):
        make = getattr(optax, signature.name)
        optimizer = make(learning_rate=lambda count: 0.1 * 0.5**count, **arguments)
        return optimizer.update(position, optimizer.init(position), position)

    try:
        jax.eval_shape(step, jnp.ones(3))
        accepted = True
    except TypeError:
        accepted = False
    assert accepted == signature.scheduled


@pytest.mark.parametrize("signature", OF_OPTAX, ids=lambda signature: signature.name)
def test_optax_builds_it_from_the_listed_arguments(signature):
    arguments = {"key": 0} if signature.draws else {}
    for parameter in signature.parameters:
        value = 0.1 if parameter.required else parameter.default
        if value is not None:
            arguments[parameter.name] = value
    optimizer = getattr(optax, signature.name)(**arguments)
    jax.eval_shape(optimizer.init, jnp.ones(3))
