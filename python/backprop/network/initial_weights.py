"""The weights and biases that a new network starts from.

a) A name stands for a distribution that depends on a layer's inputs and outputs: the variance that keeps signals at
   their size forwards (LeCun et al. 1998, He et al. 2015 for ReLU) or forwards and backwards (Glorot & Bengio 2010).
b) Numbers are drawn in float64, layer by layer, and then rounded: networks of both types start from the same weights.
c) The default is what came out best in `python -m bench initial_weights`.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any, NamedTuple, TypeAlias, cast

import numpy as np

from backprop._util.arrays import Array
from backprop._util.names import did_you_mean
from backprop._util.other_libraries.arguments import SAME
from backprop.layers.elementwise import Activation

WeightInit: TypeAlias = str | float | Sequence[str | float | None] | None


class Distribution(NamedTuple):
    """Normal with a standard deviation, or uniform between -bound and bound."""

    std: float = 0.0
    bound: float = 0.0
    biases: bool = False  # whether these are drawn as well; zeros otherwise

    def draw(self, rng: Any, *shape: int) -> Array:
        """Numbers in float64; `rng` is a RandomState, or np.random for the global one."""
        if self.bound:
            return np.asarray(rng.uniform(-self.bound, self.bound, shape))
        return np.asarray(self.std * rng.randn(*shape))


INITIAL_WEIGHTS: dict[str, Callable[[int, int], Distribution]] = {
    "he_normal": lambda inputs, outputs: Distribution(std=np.sqrt(2 / inputs)),
    "he_uniform": lambda inputs, outputs: Distribution(bound=np.sqrt(6 / inputs)),
    "glorot_normal": lambda inputs, outputs: Distribution(std=np.sqrt(2 / (inputs + outputs))),
    "glorot_uniform": lambda inputs, outputs: Distribution(bound=np.sqrt(6 / (inputs + outputs))),
    "lecun_normal": lambda inputs, outputs: Distribution(std=np.sqrt(1 / inputs)),
    "lecun_uniform": lambda inputs, outputs: Distribution(bound=np.sqrt(3 / inputs)),
    "pytorch": lambda inputs, outputs: Distribution(bound=1 / np.sqrt(inputs), biases=True),
}
# The distribution that each of these papers used.
ALIASES = {"he": "he_normal", "glorot": "glorot_uniform", "xavier": "glorot_uniform"}
DEFAULT_OUTPUT = INITIAL_WEIGHTS["pytorch"]


def initial_parameters(
    sizes: Sequence[int],
    activations: Sequence[Activation],
    dtype: np.dtype[Any],
    seed: int | None,
    weight_init: WeightInit,
) -> list[tuple[Array, Array]]:
    """W of shape (I, O) and b of shape (O,) of each affine layer.

    Raises
    ------
    ValueError
        `weight_init` is not what `Network` takes. No number has been drawn then.
    """
    distributions = _distributions(weight_init, activations, dtype)
    rng = np.random if seed is None else np.random.RandomState(seed)
    parameters = []
    for (inputs, outputs), of_shape in zip(pairwise(sizes), distributions, strict=True):
        distribution = of_shape(inputs, outputs)
        W = distribution.draw(rng, inputs, outputs)
        b = distribution.draw(rng, outputs) if distribution.biases else np.zeros(outputs)
        parameters.append((W.astype(dtype, copy=False), b.astype(dtype, copy=False)))
    return parameters


def checked_std(owner: str, name: str, value: object, dtype: np.dtype[Any], otherwise: str = "") -> float:
    """A standard deviation of normal numbers that the type can hold."""
    known = isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool)
    if (
        known and 0 <= (number := cast(float, value)) <= np.finfo(dtype).max / 100
    ):  # normal numbers are below 100
        return float(number)
    raise ValueError(f"{owner}: {name} is {value!r}, wanted a finite number of {dtype}, 0 or more{otherwise}")


def _distributions(
    weight_init: WeightInit, activations: Sequence[Activation], dtype: np.dtype[Any]
) -> list[Callable[[int, int], Distribution]]:
    """The distribution of each layer, by its inputs and outputs."""
    defaults = [*(_before(type(activation)) for activation in activations), DEFAULT_OUTPUT]
    layers = len(defaults)
    if weight_init is None:
        return defaults
    if isinstance(weight_init, np.ndarray):
        weight_init = weight_init.tolist()
    if not isinstance(weight_init, (list, tuple)):
        return layers * [_distribution("weight_init", weight_init, dtype)]
    if len(weight_init) != layers:
        raise ValueError(
            f"Network: weight_init has {len(weight_init)} of the {layers} entries wanted, one an affine layer"
        )
    return [
        defaults[n] if entry is None else _distribution(f"weight_init[{n}]", entry, dtype)
        for n, entry in enumerate(weight_init)
    ]


def _before(activation: type[Activation]) -> Callable[[int, int], Distribution]:
    """The default in front of an activation."""
    return lambda inputs, outputs: Distribution(bound=activation.initial_gain / np.sqrt(inputs), biases=True)


def _distribution(name: str, value: object, dtype: np.dtype[Any]) -> Callable[[int, int], Distribution]:
    if not isinstance(value, str):
        std = checked_std("Network", name, value, dtype, ", or a name such as 'he_normal'")
        return lambda inputs, outputs: Distribution(std=std)
    if (key := ALIASES.get(value, value)) not in INITIAL_WEIGHTS:
        known = (*INITIAL_WEIGHTS, *ALIASES)
        raise ValueError(
            f"Network: {name} is {value!r}, wanted a standard deviation or one of "
            f"{', '.join(map(repr, known))}{did_you_mean(value, known, same=SAME)}"
        )
    return INITIAL_WEIGHTS[key]
