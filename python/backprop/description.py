"""What a network is: told from its layers, which stay the truth where one was replaced."""

from typing import Any

import numpy as np

from backprop.stack import ACTIVATIONS, LOSSES, Layers

ACTIVATION_NAMES = {kind: name for name, kind in ACTIVATIONS.items()}
LOSS_NAMES = {kind: name for name, kind in LOSSES.items()}


def weights_of(layers: Layers, key: str) -> Any:
    """The first parameter of two dimensions, inputs and outputs of a dense layer; None without one."""
    arrays = (getattr(layers.get(key), name) for name in layers.parameter_names(key))
    return next((array for array in arrays if array.ndim == 2), None)


def sizes_of(layers: Layers, given: tuple[int, ...]) -> tuple[int, ...]:
    """Units from input to output.

    A layer without weights of two dimensions gives out as many numbers as it gets, for all that is known. Where one is
    not ours and the number of dense layers is not the one given, nothing more is known than what was given.
    """
    weights = {name: weights_of(layers, name) for name in layers}
    dense = [W for W in weights.values() if W is not None]
    ours = all(W is not None or type(layers.get(name)) in ACTIVATION_NAMES for name, W in weights.items())
    if not dense or not (ours or len(dense) == len(given) - 1):
        return given
    inputs = given[0] if next(iter(weights.values())) is None else dense[0].shape[0]
    return (inputs, *(W.shape[1] for W in dense))


def between(layers: Layers) -> list[str]:
    """What stands before, between and behind the dense layers, by name: `identity` where there is nothing."""
    gaps: list[list[str]] = [[]]
    for key, layer in layers.items():
        if weights_of(layers, key) is not None:
            gaps.append([])
        else:
            gaps[-1].append(ACTIVATION_NAMES.get(type(layer), type(layer).__name__))
    return [" + ".join(names) or "identity" for names in gaps]


def activation_of(layers: Layers, given: str) -> str | tuple[str, ...]:
    """The activation of the hidden layers, or one each where they differ; without hidden layers the given one."""
    hidden = between(layers)[1:-1]
    return given if not hidden else hidden[0] if len(set(hidden)) == 1 else tuple(hidden)


def classifies(loss_layer: Any) -> bool | None:
    """Whether a loss is over classes, as its attribute `classifies` says; None if it says nothing."""
    said = getattr(loss_layer, "classifies", None)
    return said if isinstance(said, bool) else None


def loss_name_of(loss_layer: Any) -> str:
    """A key of LOSSES, or the name of a class that is not ours."""
    return LOSS_NAMES.get(type(loss_layer), type(loss_layer).__name__)


class Described:
    """What a network tells of itself; the rest of it is `Network`.

    Attributes
    ----------
    lastLayer : layer with the loss
    dtype : numpy.dtype
    """

    lastLayer: Any  # noqa: N815  # the notes' name
    dtype: np.dtype[Any]
    _layers: Layers
    # As they were given, for what the layers do not tell.
    _sizes: tuple[int, ...]
    _activation: str

    @property
    def layers(self) -> Layers:
        """The layers by name, in order; put one under a name to replace it."""
        return self._layers

    @property
    def sizes(self) -> tuple[int, ...]:
        """Units of each layer from input to output."""
        return sizes_of(self._layers, self._sizes)

    @property
    def activation(self) -> str | tuple[str, ...]:
        """What stands between the affine layers; one each where they differ."""
        return activation_of(self._layers, self._activation)

    @property
    def loss_name(self) -> str:
        """The name of the loss; of one that is not ours, its class."""
        return loss_name_of(self.lastLayer)

    def _plan(self) -> object | None:
        """The compiled plan of the network as it is now; None if it has to run layer by layer."""
        raise NotImplementedError("a network knows its plan")

    def __repr__(self) -> str:
        before, *_, behind = between(self._layers)
        parts = [
            f"{list(self.sizes)}, activation={self.activation!r}, loss={self.loss_name!r}, dtype={self.dtype}"
        ]
        parts += [
            f"{name}={said!r}" for name, said in (("input", before), ("output", behind)) if said != "identity"
        ]
        parts += [] if self._plan() is not None else ["layer by layer"]
        return f"{type(self).__name__}({', '.join(parts)})"
