"""Networks as safetensors files: tensors, and the rest as one JSON text in the metadata. No pickle anywhere.

a) One text and not an entry each, because safetensors writes entries in a random order and the same network is to give
   the same bytes.
b) What can be saved can be loaded, and the other way round: both are held to the same checks.
c) A checksum tells a file that was damaged, or rewritten while it was read, from the one that was saved.
"""

import json
import math
import os
import zlib
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from backprop._arguments import checked_sizes, one_of, per_feature
from backprop._arrays import Array
from backprop._files import expanded, opened, write_atomically
from backprop._json import parsed
from backprop._messages import cut, listed, shown
from backprop._safetensors import MOST_HEADER, Entry, read_header, read_tensors
from backprop.description import ACTIVATION_NAMES, LOSS_NAMES
from backprop.layers import Affine
from backprop.plans import own_methods
from backprop.stack import ACTIVATIONS, LOSSES, dense_layers

if TYPE_CHECKING:
    from backprop.network import Network

FORMAT = "backprop network 1"
KEY = "backprop"
DESCRIBED = ("format", "sizes", "activation", "loss", "dtype", "metadata")
CHECKSUM = "checksum"
DTYPES = {"float32": np.float32, "float64": np.float64}
SCALING = ("input_mean", "input_scale")
# Of a message about a file.
LONGEST = 300
# NumPy's that are numbers and texts of Python.
SCALARS = (np.bool_, np.integer, np.float16, np.float32, np.float64, np.str_)
# Any reader of JSON takes lists in lists so deep, and whole numbers of so many bits: Python's has a limit of digits.
MOST_NESTED, MOST_BITS = 100, 14_000
# Bytes that a header has of a tensor, at most.
LARGEST_ENTRY = 200


def save(net: "Network", path: str | os.PathLike[str]) -> None:
    """Write `net` to `path`; a file that is there is replaced only when the new one is whole."""
    from safetensors.numpy import save as to_bytes

    activation = _activation_of(net)
    tensors = {key: np.ascontiguousarray(array) for key, array in net.params.items()}
    sizes = net.sizes
    try:
        checked_sizes(sizes)
        _require_names(tensors, len(sizes) - 1)
        _require_shapes(tensors, sizes, net.dtype)
        for name in SCALING:
            per_feature(name, getattr(net, name), sizes[0], net.dtype)
    except ValueError as error:
        raise TypeError(f"save: {error}; save its params instead") from None
    tensors |= {name: getattr(net, name) for name in SCALING}
    description: dict[str, Any] = {
        "format": FORMAT,
        "sizes": sizes,
        "activation": activation,
        "loss": net.loss_name,
        "dtype": net.dtype.name,
        "metadata": _storable(net.metadata, "save: "),
    }
    description[CHECKSUM] = _checksum(description, tensors)
    text = json.dumps(description)
    header = len(json.dumps(text)) + LARGEST_ENTRY * len(tensors)
    if header > MOST_HEADER:
        raise TypeError(f"save: the metadata makes a header of {header} bytes, wanted {MOST_HEADER} at most")
    write_atomically(path, to_bytes(tensors, {KEY: text}))


def load(path: str | os.PathLike[str]) -> "Network":
    """Read a network that `save` wrote."""
    from backprop.network import Network

    with opened(expanded(path)) as file:
        try:
            entries, texts = read_header(file, os.fstat(file.fileno()).st_size)
            description = _description(texts.get(KEY, "{}"))
            layers = {name: entry for name, entry in entries.items() if name not in SCALING}
            if not isinstance(description["sizes"], list):
                raise ValueError(f"sizes is {shown(description['sizes'])}, wanted a list of whole numbers")
            _require_names(layers, len(description["sizes"]) - 1)
            sizes = checked_sizes(description["sizes"])
            activation = one_of("activation", description["activation"], ACTIVATIONS)
            loss = one_of("loss", description["loss"], LOSSES)
            dtype = np.dtype(one_of("dtype", description["dtype"], DTYPES))
            _require_shapes(layers, sizes, dtype)
            metadata = _storable(description["metadata"])
            tensors = read_tensors(file, entries)
            if description.get(CHECKSUM, None) not in (None, _checksum(description, tensors)):
                raise ValueError(
                    "not what was saved: the file is damaged, or was written to while it was read; "
                    f"one that is changed on purpose has no {CHECKSUM!r} in its description"
                )
            mean, scale = (per_feature(name, tensors[name], sizes[0], dtype) for name in SCALING)
        except KeyError as error:
            raise ValueError(f"{path}: {cut(str(error.args[0]))} is missing") from None
        except (TypeError, ValueError) as error:
            raise ValueError(f"{path}: {cut(str(error), LONGEST)}") from None
    dense = [(tensors[f"W{n}"], tensors[f"b{n}"]) for n in range(1, len(sizes))]
    net = Network.__new__(Network)  # no random weights, which these would replace
    net._complete(sizes, activation, dtype, mean, scale, dense_layers(dense, activation), LOSSES[loss]())
    net.metadata = metadata
    return net


def _description(text: Any) -> dict[str, Any]:
    """What the file says of its network."""
    try:
        description = parsed(text)
    except (TypeError, ValueError) as error:
        raise ValueError(f"the description is damaged: {error}") from None
    if not isinstance(description, dict):
        raise ValueError(f"the description is damaged: it is a {type(description).__name__}")
    if description.get("format") != FORMAT:
        raise ValueError(f"the file's format is {shown(description.get('format'))}, wanted {FORMAT!r}")
    return description


def _checksum(description: Mapping[str, Any], tensors: Mapping[str, Array]) -> int:
    """CRC-32 of what a file says and of each tensor's sum: one of all numbers takes longer than the rest of a load."""
    said = [description[key] for key in DESCRIBED]
    return zlib.crc32(json.dumps([said, [_sum_of_words(tensors[name]) for name in sorted(tensors)]]).encode())


def _sum_of_words(array: Array) -> int:
    """The sum, modulo 2⁶⁴, of an array's bytes as little-endian words of 8: each bit that flips changes it."""
    little = np.ascontiguousarray(array, array.dtype.newbyteorder("<"))
    numbers = little.reshape(-1).view(np.uint8)
    whole = numbers.size // 8 * 8
    rest = int.from_bytes(numbers[whole:].tobytes(), "little")
    return (int(np.add.reduce(numbers[:whole].view("<u8"))) + rest) % 2**64


def _require_names(tensors: Mapping[str, Any], layers: int) -> None:
    """The tensors are called as the parameters of so many layers."""
    wanted = (f"{kind}{n}" for n in range(1, layers + 1) for kind in "Wb")
    if len(tensors) != 2 * layers or not all(name in tensors for name in wanted):
        wanted = (f"{kind}{n}" for n in range(1, layers + 1) for kind in "Wb")
        raise ValueError(f"the file has {listed(sorted(tensors))}, wanted {listed(wanted)}")


def _require_shapes(tensors: Mapping[str, Array | Entry], sizes: Sequence[int], dtype: np.dtype[Any]) -> None:
    """The tensors are the parameters of a network of these sizes."""
    for n, (inputs, outputs) in enumerate(pairwise(sizes), start=1):
        for name, shape in ((f"W{n}", (inputs, outputs)), (f"b{n}", (outputs,))):
            found = tensors[name]
            if found.dtype != dtype or found.shape != shape:
                raise ValueError(f"{name} is {found.dtype} {found.shape}, wanted {dtype} {shape}")


def _storable(metadata: Any, owner: str = "") -> dict[str, Any]:
    """Metadata as a file gives it back: as it is, NumPy's numbers as Python's.

    Raises
    ------
    TypeError
        Something would not come back as it is; the message begins with `owner`.
    """
    if not isinstance(metadata, dict):
        raise TypeError(f"{owner}the metadata is a {type(metadata).__name__}, wanted names with values")
    stored: dict[str, Any] = {}
    for key, value in metadata.items():
        if not isinstance(key, str):
            raise TypeError(f"{owner}metadata has the key {shown(key)}, wanted a text")
        try:
            stored[_plain(key)] = _plain(value)
        except ValueError as error:
            raise TypeError(
                f"{owner}metadata[{shown(key)}] is a {type(value).__name__} that would not come back as it is: "
                f"{error}; wanted a text, a finite number, a boolean, None, or lists and dicts of them by texts"
            ) from None
    return stored


def _plain(value: Any, depth: int = 1) -> Any:
    """A value as JSON gives it back; ValueError if that is another one."""
    if isinstance(value, SCALARS) and not isinstance(value, np.timedelta64):
        value = value.item()
    kind = type(value)
    if value is None or kind is bool:
        return value
    if kind is str:
        if not value.isascii() and json.loads(json.dumps(value)) != value:
            raise ValueError(f"the text {cut(ascii(value))} has halves of letters side by side")
        return value
    if kind is float:
        if not math.isfinite(value):
            raise ValueError(f"{value} is not finite")
        return value
    if kind is int:
        if value.bit_length() > MOST_BITS:
            raise ValueError(f"a number has {value.bit_length()} bits, wanted {MOST_BITS} at most")
        return value
    if kind not in (list, dict):
        raise ValueError(f"it has a {kind.__name__}" if depth > 1 else "no JSON value")
    if depth > MOST_NESTED:
        raise ValueError(f"it is nested more than {MOST_NESTED} deep")
    if kind is list:
        return [_plain(item, depth + 1) for item in value]
    for key in value:
        if not isinstance(key, str):
            raise ValueError(f"it has the key {shown(key)}")
    return {_plain(key): _plain(item, depth + 1) for key, item in value.items()}


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
