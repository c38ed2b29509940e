"""The network of section 0093 under its own name."""

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from backprop._util.arguments import float_type
from backprop._util.names import named_arguments
from backprop.network.initial_weights import checked_std
from backprop.network.network import Network


class TwoLayerNet(Network):
    """The network of section 0093: affine, ReLU, affine, softmax with loss, in float64.

    Parameters
    ----------
    input_size, hidden_size, output_size : int
        Units of the input, the hidden layer and the output.
    weight_init_std : float, default 0.01
        Standard deviation of the initial weights, drawn from `np.random`'s global state as in the notes.
    dtype : float32 or float64, default float64

    Examples
    --------
    >>> np.random.seed(0)
    >>> net = bp.TwoLayerNet(input_size=64, hidden_size=20, output_size=10)
    >>> net.params
    <4 parameters: W1: (64, 20), b1: (20,), W2: (20, 10), b2: (10,)>
    >>> (x, t), _ = bp.load_digits()
    >>> grads = net.gradient(x[:100], t[:100])
    >>> for key in net.params:
    ...     net.params[key] -= 0.1 * grads[key]
    """

    @named_arguments
    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        output_size: int,
        weight_init_std: float = 0.01,
        *,
        dtype: DTypeLike = np.float64,
    ) -> None:
        std = checked_std("TwoLayerNet", "weight_init_std", weight_init_std, float_type("TwoLayerNet", dtype))
        super().__init__([input_size, hidden_size, output_size], dtype=dtype, weight_init=std)

    @classmethod
    def standardised(
        cls, x: ArrayLike, sizes: Sequence[int], t: ArrayLike | None = None, **options: Any
    ) -> Self:
        """Raise TypeError: this network takes its inputs as they are."""
        raise TypeError(
            "TwoLayerNet.standardised: the network of the notes takes its inputs as they are; "
            "bp.Network.standardised(x, sizes) makes one that scales them"
        )
