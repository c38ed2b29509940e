"""Networks as safetensors files: tensors, and the rest as one JSON text in the metadata. No pickle anywhere.

One text and not an entry each, because safetensors writes entries in a random order and the same network is to
give the same bytes.
"""

import json
import os
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from backprop._arguments import checked_sizes, one_of, per_feature
from backprop._arrays import Array
from backprop._files import expanded, require_file, write_atomically
from backprop._json import parsed
from backprop.description import ACTIVATION_NAMES, LOSS_NAMES
from backprop.layers import Affine
from backprop.plans import own_methods
from backprop.stack import ACTIVATIONS, LOSSES, dense_layers

if TYPE_CHECKING:
    from backprop.network import Network

FORMAT = "backprop network 1"
KEY = "backprop"
TYPES = ("F32", "F64")
DTYPES = {"float32": np.float32, "float64": np.float64}
SCALING = ("input_mean", "input_scale")


def save(net: "Network", path: str | os.PathLike[str]) -> None:
    """Write `net` to `path`; a file that is there is replaced only when the new one is whole."""
    from safetensors.numpy import save as to_bytes

    activation = _activation_of(net)
    tensors = {key: np.ascontiguousarray(array) for key, array in net.params.items()}
    try:
        _check(tensors, net.sizes, net.dtype)
        for name in SCALING:
            per_feature(name, getattr(net, name), net.sizes[0], net.dtype)
    except ValueError as error:
        raise TypeError(f"save: {error}; save its params instead") from None
    tensors |= {name: getattr(net, name) for name in SCALING}
    description = {
        "format": FORMAT,
        "sizes": net.sizes,
        "activation": activation,
        "loss": net.loss_name,
        "dtype": net.dtype.name,
        "metadata": {key: _writable(key, value) for key, value in net.metadata.items()},
    }
    write_atomically(path, to_bytes(tensors, {KEY: json.dumps(description)}))


def load(path: str | os.PathLike[str]) -> "Network":
    """Read a network that `save` wrote."""
    from backprop.network import Network

    tensors, description = _read(expanded(path))
    try:
        sizes = checked_sizes(description["sizes"])
        activation = one_of("activation", description["activation"], ACTIVATIONS)
        loss = one_of("loss", description["loss"], LOSSES)
        dtype = np.dtype(one_of("dtype", description["dtype"], DTYPES))
        mean, scale = (per_feature(name, tensors.pop(name), sizes[0], dtype) for name in SCALING)
        _check(tensors, sizes, dtype)
        metadata = _metadata(description["metadata"])
    except KeyError as error:
        raise ValueError(f"{path}: {error.args[0]} is missing") from None
    except (TypeError, ValueError) as error:
        raise ValueError(f"{path}: {error}") from None
    dense = [(tensors[f"W{n}"], tensors[f"b{n}"]) for n in range(1, len(sizes))]
    net = Network.__new__(Network)  # no random weights, which these would replace
    net._complete(sizes, activation, dtype, mean, scale, dense_layers(dense, activation), LOSSES[loss]())
    net.metadata = metadata
    return net


def _read(path: Path) -> tuple[dict[str, Array], dict[str, Any]]:
    """Read the tensors and the description."""
    from safetensors import SafetensorError, safe_open

    require_file(path)
    try:
        with safe_open(path, framework="numpy") as file:
            description = _description(path, (file.metadata() or {}).get(KEY, "{}"))
            tensors = {key: _tensor(path, file, key) for key in file.keys()}  # noqa: SIM118  # not a dict
    except SafetensorError as error:
        raise ValueError(f"{path}: not a safetensors file: {error}") from None
    return tensors, description


def _description(path: Path, text: str) -> dict[str, Any]:
    """What the file says of its network."""
    try:
        description = parsed(text)
    except ValueError as error:
        raise ValueError(f"{path}: the description is damaged: {error}") from None
    if not isinstance(description, dict):
        raise ValueError(f"{path}: the description is damaged: it is a {type(description).__name__}")
    if description.get("format") != FORMAT:
        raise ValueError(f"{path}: the file's format is {description.get('format')!r}, wanted {FORMAT!r}")
    return description


def _tensor(path: Path, file: Any, key: str) -> Array:
    kind = file.get_slice(key).get_dtype()
    if kind not in TYPES:  # there are some that NumPy has not
        raise ValueError(f"{path}: {key} is of type {kind}, wanted {' or '.join(TYPES)}")
    try:
        tensor: Array = file.get_tensor(key)
    except ValueError as error:
        raise ValueError(f"{path}: {key} has a shape that no array can have: {error}") from None
    return tensor


def _check(tensors: dict[str, Array], sizes: Sequence[int], dtype: np.dtype[Any]) -> None:
    """The tensors are the parameters of a network of these sizes."""
    wanted: dict[str, tuple[int, ...]] = {}
    for n, (inputs, outputs) in enumerate(pairwise(sizes), start=1):
        wanted |= {f"W{n}": (inputs, outputs), f"b{n}": (outputs,)}
    if tensors.keys() != wanted.keys():
        raise ValueError(f"the file has {', '.join(sorted(tensors))}, wanted {', '.join(wanted)}")
    for key, shape in wanted.items():
        if tensors[key].dtype != dtype or tensors[key].shape != shape:
            raise ValueError(f"{key} is {tensors[key].dtype} {tensors[key].shape}, wanted {dtype} {shape}")


def _metadata(entries: Any) -> dict[str, Any]:
    if not isinstance(entries, dict):
        raise ValueError(f"the metadata is a {type(entries).__name__}, wanted names with values")
    return entries


def _writable(key: Any, value: Any) -> Any:
    """A value of the metadata, if it comes back as it is; NumPy's numbers come back as Python's."""
    if not isinstance(key, str):
        raise TypeError(f"save: metadata has the key {key!r}, wanted a text")
    try:
        found = parsed(json.dumps(value, default=_number, allow_nan=False))
        same = bool(found == value)
    except (TypeError, ValueError, RecursionError):
        same = False
    if not same:
        raise TypeError(
            f"save: metadata[{key!r}] is a {type(value).__name__} that would not come back as it is; wanted a text, a "
            "finite number, a boolean, None, or lists and dicts of them by texts"
        )
    return found


def _number(value: Any) -> Any:
    """A scalar of NumPy as a number of Python."""
    if not isinstance(value, np.generic):
        raise TypeError
    return value.item()


def _activation_of(net: "Network") -> str:
    """The activation of all hidden layers; raises for a network that the file could not describe."""
    names = list(net.layers)
    for name, layer in (*net.layers.items(), ("lastLayer", net.lastLayer)):
        if own := own_methods(layer):
            raise TypeError(
                f"save: {name} has a {own[0]} of its own, which the file does not hold; save its params instead"
            )
    for n, (name, layer) in enumerate(net.layers.items()):
        if (type(layer) is Affine) != (n % 2 == 0) or (n % 2 and type(layer) not in ACTIVATION_NAMES):
            wanted = "an activation of ours" if n % 2 else "Affine"
            raise TypeError(
                f"save: layers[{name!r}] is a {type(layer).__name__}, the file holds {wanted} there; "
                "save its params instead"
            )
    if not len(names) % 2:
        raise TypeError(
            f"save: the layers are {', '.join(names) or 'none'}, wanted Affine as the last; save its params instead"
        )
    if type(net.lastLayer) not in LOSS_NAMES:
        raise TypeError(
            f"save: lastLayer is a {type(net.lastLayer).__name__}, the file holds "
            f"{' or '.join(kind.__name__ for kind in LOSS_NAMES)}; save its params instead"
        )
    if isinstance(net.activation, tuple):
        pairs = (
            f"layers[{name!r}] is {kind}" for name, kind in zip(names[1::2], net.activation, strict=True)
        )
        raise TypeError(
            f"save: {', '.join(pairs)}; the file holds one activation for all hidden layers; save its params instead"
        )
    return net.activation
