"""What tests loop over: the activations, losses and update rules of the package, by their kinds.

What a test cannot know of them is data: of activations in tests/functions.py, of losses in tests/losses.py, of settings
here.
"""

from typing import Any

from backprop.layers import base
from backprop.layers.elementwise import activations
from backprop.optimizers import base as optimizers
from bpcore import plan

ACTIVATIONS = dict(activations())
# Losses with an output for each target; those of two outputs a target are apart, for networks of tests have any number
# of outputs. tests/network/test_gaussian_nll.py has what is tested of every loss.
LOSSES = {kind: loss for kind, loss in base.LOSSES.items() if getattr(loss, "outputs_per_target", 1) == 1}
LOSSES_IN_PARTS = {kind: loss for kind, loss in base.LOSSES.items() if kind not in LOSSES}
LOSSES_OF_NUMBERS = {kind: loss for kind, loss in LOSSES.items() if not loss.classifies}
# What makes each optimizer, called with a learning rate or nothing.
RULES = dict(optimizers.RULES)


class Table(dict[str, Any]):
    """Data by name; a name that is missing is an error that says where its data go."""

    def __init__(self, what: str, file: str, rows: dict[str, Any]) -> None:
        super().__init__(rows)
        self.what, self.file = what, file

    def __missing__(self, name: str) -> Any:
        raise LookupError(f"{self.file} has no data for the {self.what} {name!r}: add a row to its table")


# A usual value of each number that a kernel takes.
NUMBERS = Table(
    "argument",
    "tests/registry.py",
    {"lr": 0.1, "momentum": 0.9, "alpha": 0.9, "beta1": 0.9, "beta2": 0.999, "eps": 1e-8, "step": 3}
    | {
        "delta": 0.3,
        "weight_decay": 0.01,
        "negative_slope": 0.01,
        "beta": 1.0,
        "min_val": -1.0,
        "max_val": 1.0,
        "quantile": 0.09,
        "min_variance": 0.05,
        "l1": 0.01,
        "clip_value": 0.5,
        "momentum_decay": 4e-3,
        "eta_minus": 0.5,
        "eta_plus": 1.2,
        "min_step": 1e-6,
        "max_step": 50.0,
        "max_norm": 1.0,
        "rate": 0.3,
        "tau": 0.3,
        "seed": 7,
    },
)


# Where targets of a loss of numbers lie.
DOMAINS = {kind: loss.target_range for kind, loss in (LOSSES_OF_NUMBERS | LOSSES_IN_PARTS).items()}

# Settings that are off at a value, which they have where nothing is said of them.
OFF = {"weight_decay": 0.0, "l1": 0.0, "clip_value": 0.0}


def activation_numbers(kind: str) -> tuple[float, ...]:
    """The numbers that an activation takes, as its class has them."""
    return tuple(ACTIVATIONS[kind]().options().values()) if kind in ACTIVATIONS else ()


def settings_of(rule: str, **given: float) -> dict[str, float]:
    """The settings that an update rule reads, in the order of its kernel: those given, else off, else usual ones."""
    assert given.keys() <= {*plan.RULES[rule]}
    return {name: given.get(name, OFF.get(name, NUMBERS[name])) for name in plan.RULES[rule]}


def loss_options(loss: str) -> tuple[float, ...]:
    """A usual value of the number that a loss takes; nothing where it takes none."""
    name = plan.LOSS_OPTIONS.get(loss)
    return (NUMBERS[name],) if name else ()


def targets(loss: str, rng: Any, rows: int, outputs: int) -> Any:
    """Targets that a loss takes."""
    one = base.LOSSES[loss]
    if one.classifies:
        return rng.integers(0, outputs, rows)
    return numbers_of(loss, rng, (rows, outputs // one.outputs_per_target))


def numbers_of(loss: str, rng: Any, shape: tuple[int, ...]) -> Any:
    """Targets of a loss of numbers, some of them at the ends of where they may lie."""
    return rng.normal(size=shape).clip(*DOMAINS[loss])
