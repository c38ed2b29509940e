"""Files of format 1, as format 2 would describe their networks: affine layers with one activation between them."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from backprop._util.arguments import one_of
from backprop._util.messages import listed, shown
from backprop.io._description import DTYPES, DescribedLayer, Description, Tensor
from backprop.io._metadata import storable
from backprop.layers.base import LOSSES
from backprop.layers.elementwise import activations
from backprop.layers.parametric import Affine
from backprop.network.arguments import checked_sizes

FORMAT = "backprop network 1"
DESCRIBED = ("format", "sizes", "activation", "loss", "dtype", "metadata")


def read(stated: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> Description:
    """Check what a file says; KeyError for what is missing, ValueError for what is wrong."""
    if not isinstance(stated["sizes"], list):
        raise ValueError(f"sizes is {shown(stated['sizes'])}, wanted a list of whole numbers")
    _require_names(tensors, len(stated["sizes"]) - 1)
    sizes = checked_sizes(stated["sizes"])
    activation = one_of("activation", stated["activation"], activations())
    loss = one_of("loss", stated["loss"], LOSSES)
    dtype = np.dtype(one_of("dtype", stated["dtype"], DTYPES))
    _require_shapes(tensors, sizes, dtype)
    metadata = storable(stated["metadata"])
    layers = tuple(_layers(sizes, activation))
    return Description(sizes, layers, loss, {}, dtype, metadata)


def _layers(sizes: Sequence[int], activation: str) -> list[DescribedLayer]:
    """The layers of these sizes."""
    layers = []
    for n, outputs in enumerate(sizes[1:], start=1):
        parameters = {own: f"{own}{n}" for own in Affine.parameter_names}
        layers.append(DescribedLayer(f"Affine{n}", Affine.kind, outputs, {}, parameters))
        if n < len(sizes) - 1:
            name = f"{activations()[activation].__name__}{n}"
            layers.append(DescribedLayer(name, activation, outputs))
    return layers


def _require_names(tensors: Mapping[str, Any], layers: int) -> None:
    """The tensors are called as the parameters of so many layers."""
    wanted = (f"{kind}{n}" for n in range(1, layers + 1) for kind in "Wb")
    if len(tensors) != 2 * layers or not all(name in tensors for name in wanted):
        wanted = (f"{kind}{n}" for n in range(1, layers + 1) for kind in "Wb")
        raise ValueError(f"the file has {listed(sorted(tensors))}, wanted {listed(wanted)}")


def _require_shapes(tensors: Mapping[str, Tensor], sizes: Sequence[int], dtype: np.dtype[Any]) -> None:
    """The tensors are the parameters of a network of these sizes."""
    for n, (inputs, outputs) in enumerate(pairwise(sizes), start=1):
        for name, shape in ((f"W{n}", (inputs, outputs)), (f"b{n}", (outputs,))):
            found = tensors[name]
            if found.dtype != dtype or found.shape != shape:
                raise ValueError(f"{name} is {found.dtype} {found.shape}, wanted {dtype} {shape}")
