"""The table of optimisers a level may name: Optax's, by their Optax names, and the solver's own.

A level writes `optimizer = adam(0.1, b1 = 0.5)`. What an argument does is Optax's own affair;
here stand names, order and defaults, without loading Optax, and a test compares them with it.
Listed are the arguments that are numbers, or true or false. Callables, masks, dtypes and random
keys are left out (`mu_dtype`, `mask`, `accumulator_dtype`, `key`, …), and an argument that in
Optax stands behind one of these is given by name only, so that a position never means
something else here than there.

Left out altogether: optimisers that want more than a gradient (`polyak_sgd`, Optax's `lbfgs`
with its line search) or that Optax deprecates (`dpsgd`). `newton` and `lbfgs` are the solver's.
"""

from __future__ import annotations

from .kinds import BOOLEAN, NUMBER, POSITIVE, WholeNumber
from .signatures import OptimizerSignature, Parameter

_RATE = Parameter("learning_rate", POSITIVE, required=True, doc="the length of a step")
_RATE_OR_NONE = Parameter("learning_rate", POSITIVE, doc="the length of a step")
_NESTEROV = Parameter("nesterov", BOOLEAN, False, doc="whether momentum is Nesterov's")


def _number(name: str, default: float | None, doc: str = "", by_name: bool = False) -> Parameter:
    return Parameter(name, NUMBER, default, keyword_only=by_name, doc=doc)


def _flag(name: str, default: bool, doc: str = "", by_name: bool = False) -> Parameter:
    return Parameter(name, BOOLEAN, default, keyword_only=by_name, doc=doc)


def _moments(b1: float = 0.9, b2: float = 0.999) -> tuple[Parameter, Parameter]:
    """The decay rates of the averages of the gradient and of its square."""
    return (
        _number("b1", b1, "decay of the average gradient"),
        _number("b2", b2, "decay of the average squared gradient"),
    )


def _eps(default: float) -> Parameter:
    return _number("eps", default, "added to the denominator")


def _eps_root(default: float) -> Parameter:
    return _number("eps_root", default, "added to the denominator under its root")


def _decay(default: float | None, by_name: bool = False) -> Parameter:
    return _number("weight_decay", default, "strength of the decoupled weight decay", by_name)


def _adam_like(nesterov: bool) -> tuple[Parameter, ...]:
    by_name = _flag("nesterov", nesterov, "whether momentum is Nesterov's", by_name=True)
    return (_RATE, *_moments(), _eps(1e-8), _eps_root(0.0), by_name)


def _adamw_like(nesterov: bool) -> tuple[Parameter, ...]:
    *front, last = _adam_like(nesterov)
    return (*front, _decay(1e-4, by_name=True), last)


_OPTAX = (
    OptimizerSignature(
        "adabelief",
        (
            _RATE,
            *_moments(),
            _eps(1e-16),
            _eps_root(1e-16),
            _flag("nesterov", False, by_name=True),
        ),
        "AdaBelief: Adam with the variance of the gradient around its average.",
    ),
    OptimizerSignature(
        "adadelta",
        (
            _RATE_OR_NONE,
            _number("rho", 0.9, "decay of the average squared gradient"),
            _eps(1e-6),
            _decay(0.0),
        ),
        "Adadelta: steps scaled by the running size of past steps and gradients.",
    ),
    OptimizerSignature(
        "adafactor",
        (
            _RATE_OR_NONE,
            Parameter("min_dim_size_to_factor", WholeNumber(1), 128),
            _number("decay_rate", 0.8),
            Parameter("decay_offset", WholeNumber(0), 0),
            _flag("multiply_by_parameter_scale", True),
            _number("clipping_threshold", 1.0),
            _number("momentum", None),
            _number("weight_decay_rate", None, by_name=True),
            _number("eps", 1e-30, by_name=True),
            _flag("factored", True, by_name=True),
        ),
        "Adafactor: Adam's scaling with little memory.",
    ),
    OptimizerSignature(
        "adagrad",
        (_RATE, _number("initial_accumulator_value", 0.1), _eps(1e-7)),
        "AdaGrad: steps divided by the root of the sum of all squared gradients.",
    ),
    OptimizerSignature(
        "adam", _adam_like(False), "Adam: steps from running averages of gradient and square."
    ),
    OptimizerSignature(
        "adamax",
        (_RATE, *_moments(), _eps(1e-8)),
        "AdaMax: Adam with the largest instead of the mean square gradient.",
    ),
    OptimizerSignature(
        "adamaxw",
        (_RATE, *_moments(), _eps(1e-8), _decay(1e-4)),
        "AdaMax with decoupled weight decay.",
    ),
    OptimizerSignature("adamw", _adamw_like(False), "Adam with decoupled weight decay."),
    OptimizerSignature(
        "adan",
        (
            _RATE,
            *_moments(0.98, 0.92),
            _number("b3", 0.99, "decay of the average squared Nesterov gradient"),
            _eps(1e-8),
            _eps_root(1e-8),
            _decay(0.0),
        ),
        "Adan: adaptive Nesterov momentum.",
    ),
    OptimizerSignature(
        "amsgrad",
        (_RATE, *_moments(), _eps(1e-8), _eps_root(0.0)),
        "AMSGrad: Adam whose denominators never shrink.",
    ),
    OptimizerSignature(
        "fromage",
        (_RATE, _number("min_norm", 1e-6)),
        "Fromage: steps relative to the size of the variable.",
    ),
    OptimizerSignature(
        "lamb",
        (_RATE, *_moments(), _eps(1e-6), _eps_root(0.0), _decay(0.0)),
        "LAMB: Adam's steps scaled by the size of each variable.",
    ),
    OptimizerSignature(
        "lars",
        (
            _RATE,
            _decay(0.0),
            _number("trust_coefficient", 0.001, by_name=True),
            _number("eps", 0.0, by_name=True),
            _number("momentum", 0.9, by_name=True),
            _flag("nesterov", False, by_name=True),
        ),
        "LARS: momentum with steps scaled by the size of each variable.",
    ),
    OptimizerSignature(
        "lion",
        (_RATE, *_moments(0.9, 0.99), _decay(1e-3, by_name=True)),
        "Lion: the sign of an average of gradients.",
    ),
    OptimizerSignature("nadam", _adam_like(True), "Adam with Nesterov momentum."),
    OptimizerSignature(
        "nadamw", _adamw_like(True), "Adam with Nesterov momentum and decoupled weight decay."
    ),
    OptimizerSignature(
        "noisy_sgd",
        (
            _RATE,
            _number("eta", 0.01, "variance of the noise of the first step"),
            _number("gamma", 0.55, "how fast the noise fades"),
        ),
        "Gradient descent with Gaussian noise that fades, drawn under the run's seed.",
        draws=True,
    ),
    OptimizerSignature(
        "novograd",
        (_RATE, *_moments(0.9, 0.25), _eps(1e-6), _eps_root(0.0), _decay(0.0)),
        "NovoGrad: Adam with one average squared norm for each variable.",
    ),
    OptimizerSignature(
        "optimistic_adam_v2",
        (
            _RATE,
            _number("alpha", 1.0, by_name=True),
            _number("beta", 1.0, by_name=True),
            _number("b1", 0.9, by_name=True),
            _number("b2", 0.999, by_name=True),
            _number("eps", 1e-8, by_name=True),
            _number("eps_root", 0.0, by_name=True),
            _flag("nesterov", True, by_name=True),
        ),
        "Adam on the optimistic gradient, for problems with an adversary.",
    ),
    OptimizerSignature(
        "optimistic_gradient_descent",
        (_RATE, _number("alpha", 1.0), _number("beta", 1.0)),
        "Gradient descent with a correction by the last gradient, for problems with an adversary.",
    ),
    OptimizerSignature(
        "radam",
        (
            _RATE,
            *_moments(),
            _eps(1e-8),
            _eps_root(0.0),
            _number("threshold", 5.0),
            _flag("nesterov", False, by_name=True),
        ),
        "Rectified Adam: without adaptive scaling until the averages are reliable.",
    ),
    OptimizerSignature(
        "rmsprop",
        (
            _RATE,
            _number("decay", 0.9, "decay of the average squared gradient"),
            _eps(1e-8),
            _number("initial_scale", 0.0),
            _flag("eps_in_sqrt", True),
            _flag("centered", False),
            _number("momentum", None, "decay of the momentum"),
            _NESTEROV,
            _flag("bias_correction", False),
        ),
        "RMSProp: steps divided by the root of the running mean squared gradient.",
    ),
    OptimizerSignature(
        "rprop",
        (
            _RATE,
            _number("eta_minus", 0.5, "factor of a step after a change of sign"),
            _number("eta_plus", 1.2, "factor of a step otherwise"),
            _number("min_step_size", 1e-6),
            _number("max_step_size", 50.0),
        ),
        "Rprop: step sizes of their own for each entry, by the signs of its gradients.",
        # The learning rate is only the first step's size, so a schedule of it says nothing.
        scheduled=False,
    ),
    OptimizerSignature(
        "sgd",
        (_RATE, _number("momentum", None, "decay of the momentum"), _NESTEROV),
        "Gradient descent, with momentum if it is given.",
    ),
    OptimizerSignature("sign_sgd", (_RATE,), "Gradient descent with the signs of the gradient."),
    OptimizerSignature(
        "sm3",
        (_RATE, _number("momentum", 0.9, "decay of the momentum")),
        "SM3: AdaGrad with little memory.",
        # Optax takes a number only for its learning rate.
        scheduled=False,
    ),
    OptimizerSignature(
        "yogi",
        (_RATE, *_moments(), _eps(1e-3)),
        "Yogi: Adam with a gentler growth of the denominators.",
    ),
)

_OWN = (
    OptimizerSignature(
        "auto",
        (),
        "What fits the level: Newton's method, or a quasi-Newton method where it is large.",
        scheduled=False,
        of_optax=False,
    ),
    OptimizerSignature(
        "newton",
        (),
        "Newton's method with a line search, which leaves saddle points.",
        scheduled=False,
        of_optax=False,
    ),
    OptimizerSignature(
        "lbfgs",
        (
            Parameter(
                "memory",
                WholeNumber(1),
                10,
                keyword_only=True,
                doc="how many past steps make up the curvature",
            ),
        ),
        "Limited-memory BFGS with a line search.",
        scheduled=False,
        of_optax=False,
    ),
)

OPTIMIZERS: dict[str, OptimizerSignature] = {
    signature.name: signature for signature in (*_OWN, *_OPTAX)
}
