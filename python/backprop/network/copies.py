"""Copies of a network: of another type, in a file, and as `copy` and `pickle` make them."""

import copy
import os
from typing import Any, Self

import numpy as np
from numpy.typing import DTypeLike

from backprop._util.arguments import float_type
from backprop._util.arrays import Array, read_only_copy
from backprop._util.names import named_arguments
from backprop.layers.parameter_discovery import convert_arrays
from backprop.network.layers import Layers


class Copyable:
    """The part of a network that makes copies of it; the rest of it is `Network`."""

    dtype: np.dtype[Any]
    input_mean: Array
    input_scale: Array
    lastLayer: Any  # noqa: N815  # the notes' name
    _layers: Layers

    def clear_cache(self) -> None:
        """Drop what the layers keep of the last pass."""
        raise NotImplementedError("a network knows its layers")

    def astype(self, dtype: DTypeLike) -> Self:
        """Return a copy of the network whose weights and arithmetic have another type.

        Every array of floating-point numbers that a layer keeps is converted, also in lists, dicts and layers that it
        holds; what two layers share they share in the copy too.
        """
        wanted = float_type("astype", dtype)
        twin = copy.deepcopy(self)
        vars(twin)["dtype"] = wanted
        convert_arrays((*twin._layers.values(), twin.lastLayer), wanted)
        twin.clear_cache()
        return twin

    @named_arguments
    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the network to a safetensors file, atomically: weights, sizes, input scaling and metadata.

        Raises
        ------
        TypeError
            The file could not hold the network or its metadata as they are.
        OSError
            The path cannot be written; what is there stays.
        """
        from backprop.io import format_of

        format_of(path).save(self, path)

    def __getstate__(self) -> dict[str, Any]:
        """Leave out of copies and pickles the plan, which holds addresses, and what belongs to a call."""
        return self.__dict__ | {"_planned": None, "_training_threads": {}}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Take what a copy or a pickle has; NumPy's copies can be written to, of which no plan would know."""
        vars(self).update(
            {"_training_threads": {}}
            | state
            | {name: read_only_copy(state[name]) for name in ("input_mean", "input_scale")}
        )
