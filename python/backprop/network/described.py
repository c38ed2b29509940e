"""What a network tells of itself."""

from typing import TYPE_CHECKING, Any

import numpy as np

from backprop._util.arrays import Array
from backprop.layers.base import LOSSES, kind_of
from backprop.network.layers import Layers
from backprop.network.parameters import Parameters
from backprop.network.sizes import sizes_of

if TYPE_CHECKING:
    from backprop.network.spec import NetworkSpec
    from backprop.network.summary import Summary


class Described:
    """The part of a network that tells what it is; the rest of it is `Network`.

    Attributes
    ----------
    lastLayer : layer with the loss
    dtype : numpy.dtype
    """

    lastLayer: Any  # noqa: N815  # the notes' name
    dtype: np.dtype[Any]
    input_mean: Array
    input_scale: Array
    params: Parameters
    _layers: Layers
    # As they were given, for what the layers do not tell.
    _sizes: tuple[int, ...]

    @property
    def layers(self) -> Layers:
        """The layers by name, in order; put one under a name to replace it."""
        return self._layers

    @property
    def sizes(self) -> tuple[int, ...]:
        """Units of each layer from input to output."""
        return sizes_of(self._layers, self._sizes)

    @property
    def spec(self) -> "NetworkSpec":
        """A description of the network without its parameters, computed from the layers as they are now."""
        from backprop.network.spec import (  # seldom asked for, slow to import
            NetworkSpec,
            spec_of_layers,
            spec_of_loss,
        )

        sizes = self.sizes
        layers = spec_of_layers(self._layers, sizes[0])
        loss = spec_of_loss(self.lastLayer)
        return NetworkSpec(sizes, layers, loss, self.dtype, self.input_mean, self.input_scale)

    def summary(self) -> "Summary":
        """The layers with their outputs, parameters, bytes and operations: a table, where it is printed or shown.

        Examples
        --------
        >>> bp.Network([784, 50, 10], seed=0).summary()
        Network([784, 50, 10], activation='relu', loss='softmax', dtype=float32)
        layer    output   parameters               count    bytes  operations
        Affine1  (B, 50)  W1 (784, 50), b1 (50,)  39,250  157,000      39,200
        Relu1    (B, 50)
        Affine2  (B, 10)  W2 (50, 10), b2 (10,)      510    2,040         500
        total                                     39,760  159,040      39,700
        """
        from backprop.network.summary import summary_of

        return summary_of(self.spec, repr(self))

    @property
    def activation(self) -> str | tuple[str, ...]:
        """What stands between the affine layers; one each where they differ."""
        return self.spec.activation

    @property
    def loss_name(self) -> str:
        """The name of the loss; of one that is not registered, its class."""
        return kind_of(self.lastLayer, LOSSES) or type(self.lastLayer).__name__

    @property
    def is_planned(self) -> bool:
        """Whether a compiled plan runs the network, and not its layers one by one."""
        return self._plan() is not None

    def _plan(self) -> object | None:
        """The compiled plan of the network as it is now; None if it has to run layer by layer."""
        raise NotImplementedError("a network knows its plan")

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.spec}{'' if self.is_planned else ', layer by layer'})"
