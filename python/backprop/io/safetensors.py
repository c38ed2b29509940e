"""Networks as safetensors files: tensors, and the rest as one JSON text in the metadata. No pickle anywhere.

a) One text and not an entry each, because safetensors writes entries in a random order and the same network is to give
   the same bytes.
b) What can be saved can be loaded, and the other way round: both are held to the same checks (_description.py).
c) A checksum tells a file that was damaged, or rewritten while it was read, from the one that was saved.
d) Format 2 has the layers one by one. Format 1, which had sizes and one activation, is read as format 2 would say it.
"""

import json
import os
import zlib
from collections.abc import Mapping
from types import ModuleType
from typing import Any

import numpy as np

from backprop._util.arrays import Array
from backprop._util.files import expanded, opened, write_atomically
from backprop._util.json import parsed
from backprop._util.messages import cut, shown
from backprop.io import _description, _version1
from backprop.io._description import SCALING, Description, scaling_of
from backprop.io._metadata import storable
from backprop.io._tensors import MOST_HEADER, read_header, read_tensors
from backprop.io._writing import described
from backprop.layers.base import LAYERS, LOSSES, made_of
from backprop.layers.buffers import buffers_of
from backprop.network import Network
from backprop.network.arguments import checked_loss
from backprop.network.layers import Layers

SUFFIXES = (".safetensors",)
KEY = "backprop"
CHECKSUM = "checksum"
# Where a checkpoint says what the network is not, and how the tensors of that are called.
CHECKPOINT, PREFIX = "checkpoint", "checkpoint."
# What reads the description of each version; the last is the one that is written.
VERSIONS: dict[str, ModuleType] = {_version1.FORMAT: _version1, _description.FORMAT: _description}
# Of a message about a file.
LONGEST = 300
# Bytes that a header has of a tensor, at most.
LARGEST_ENTRY = 250


def save(net: Network, path: str | os.PathLike[str]) -> None:
    """Write `net` to `path`; a file that is there is replaced only when the new one is whole."""
    write_atomically(path, content(*parts_of(net)))


def parts_of(
    net: Network, arrays: Mapping[str, Array] | None = None
) -> tuple[dict[str, Any], dict[str, Array]]:
    """What a file says of a network, and its tensors; `arrays` stand in for parameters and running statistics."""
    description = described(net)
    arrays = {**net.params, **buffers_of(net.layers)} if arrays is None else arrays
    tensors = {key: np.ascontiguousarray(array) for key, array in arrays.items()}
    try:  # whether `load` would take it
        found = _description.read(description | {"metadata": {}}, tensors)
        scaling_of(found, {name: getattr(net, name) for name in SCALING})
        if (found.sizes[0], found.sizes[-1]) != (net.sizes[0], net.sizes[-1]):
            raise ValueError(f"the layers do not tell inputs and outputs of the sizes {list(net.sizes)}")
        checked_loss(net.lastLayer, net.sizes[-1])
    except (TypeError, ValueError) as error:
        raise TypeError(f"save: {error}; save its params instead") from None
    tensors |= {name: getattr(net, name) for name in SCALING}
    description["metadata"] = storable(net.metadata, "save: ")
    description[CHECKSUM] = _checksum(description, tensors)
    return description, tensors


def content(description: Mapping[str, Any], tensors: dict[str, Array]) -> bytes:
    """The bytes of a file."""
    from safetensors.numpy import save as to_bytes

    text = json.dumps(description)
    header = len(json.dumps(text)) + LARGEST_ENTRY * len(tensors)
    if header > MOST_HEADER:
        raise TypeError(f"save: the metadata makes a header of {header} bytes, wanted {MOST_HEADER} at most")
    return to_bytes(tensors, {KEY: text})


def load(path: str | os.PathLike[str]) -> Network:
    """Read a network that `save` wrote, or out of a checkpoint that `fit` wrote."""
    return read(path)[0]


def read(path: str | os.PathLike[str]) -> tuple[Network, dict[str, Any], dict[str, Array]]:
    """Read a file: its network, what it says in all, and the tensors that are not the network's."""
    with opened(expanded(path)) as file:
        try:
            entries, texts = read_header(file, os.fstat(file.fileno()).st_size)
            stated = _stated(texts.get(KEY, "{}"))
            beside = {name for name in entries if CHECKPOINT in stated and name.startswith(PREFIX)}
            layers = {name: entry for name, entry in entries.items() if name not in {*SCALING, *beside}}
            found: Description = VERSIONS[stated["format"]].read(stated, layers)
            tensors = read_tensors(file, entries)
            others = {name: tensors.pop(name) for name in beside}
            if stated.get(CHECKSUM, None) not in (None, _checksum(stated, tensors)):
                raise ValueError(
                    "not what was saved: the file is damaged, or was written to while it was read; "
                    f"one that is changed on purpose has no {CHECKSUM!r} in its description"
                )
            scaling = scaling_of(found, tensors)
            return _network(found, tensors, scaling), stated, others
        except KeyError as error:
            raise ValueError(f"{path}: {cut(str(error.args[0]))} is missing") from None
        except (TypeError, ValueError) as error:
            raise ValueError(f"{path}: {cut(str(error), LONGEST)}") from None


def _stated(text: Any) -> dict[str, Any]:
    """What the file says of its network, of a version that is known."""
    try:
        stated = parsed(text)
    except (TypeError, ValueError) as error:
        raise ValueError(f"the description is damaged: {error}") from None
    if not isinstance(stated, dict):
        raise ValueError(f"the description is damaged: it is a {type(stated).__name__}")
    version = stated.get("format")
    if not isinstance(version, str) or version not in VERSIONS:
        raise ValueError(f"the file's format is {shown(version)}, wanted {' or '.join(map(repr, VERSIONS))}")
    return stated


def _network(found: Description, tensors: Mapping[str, Array], scaling: tuple[Array, Array]) -> Network:
    """The network of a description and its tensors, all of which are right."""
    layers = Layers()
    for one in found.layers:
        arrays = {own: tensors[name] for own, name in one.parameters.items()}
        layers[one.name] = layer = made_of(LAYERS[one.kind], f"layers[{one.name!r}]", one.options, arrays)
        for own, name in one.buffers.items():
            setattr(layer, own, tensors[name])
    loss = made_of(LOSSES[found.loss_kind], "the loss", found.loss_options, {})
    checked_loss(loss, found.sizes[-1])
    net = Network.__new__(Network)  # no random weights, which these would replace
    net._complete(found.sizes, found.dtype, *scaling, layers, loss)
    net.metadata = found.metadata
    return net


def _checksum(description: Mapping[str, Any], tensors: Mapping[str, Array]) -> int:
    """CRC-32 of what a file says and of each tensor's sum: one of all numbers takes longer than the rest of a load."""
    said = [description[key] for key in VERSIONS[description["format"]].DESCRIBED]
    return zlib.crc32(json.dumps([said, [_sum_of_words(tensors[name]) for name in sorted(tensors)]]).encode())


def _sum_of_words(array: Array) -> int:
    """The sum, modulo 2⁶⁴, of an array's bytes as little-endian words of 8: each bit that flips changes it."""
    little = np.ascontiguousarray(array, array.dtype.newbyteorder("<"))
    numbers = little.reshape(-1).view(np.uint8)
    whole = numbers.size // 8 * 8
    rest = int.from_bytes(numbers[whole:].tobytes(), "little")
    return (int(np.add.reduce(numbers[:whole].view("<u8"))) + rest) % 2**64
