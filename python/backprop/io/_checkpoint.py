"""Checkpoints of `fit` as files: a network's file, with the state of the run beside it in the same file.

a) The network's part is as `save` writes it, so that `load` reads a checkpoint too: the network as `fit` would have
   left it then.
b) The state is JSON, the arrays are tensors whose names begin with "checkpoint."; a CRC-32 is of both, and of the
   network's checksum.
c) What stood at the path before stands beside it then, under `before`: where one file is damaged there is another.
"""

import json
import math
import os
import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np

from backprop._util.arrays import Array
from backprop._util.files import before, write_atomically
from backprop._util.messages import shown
from backprop.io import safetensors
from backprop.io._description import SCALING
from backprop.io._writing import described
from backprop.io.safetensors import CHECKPOINT, CHECKSUM, PREFIX
from backprop.layers.base import Layer
from backprop.network import Network

FORMAT = "backprop checkpoint 1"
NOT_FINITE = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}


def require_storable(net: Network) -> None:
    """Raise TypeError for a network that no file holds as it is."""
    try:
        safetensors.parts_of(net)
    except TypeError as error:
        raise TypeError(f"fit: checkpoint: {str(error).removeprefix('save: ')}") from None


def are_alike(net: Network, other: Network) -> bool:
    """Whether two networks differ in their arrays and in what layers count alone."""
    if _but_counters(net) != _but_counters(other):
        return False
    return all(np.array_equal(getattr(net, name), getattr(other, name)) for name in SCALING)


def _but_counters(net: Network) -> dict[str, Any]:
    found = described(net)
    for one, layer in zip(found["layers"], net.layers.values(), strict=True):
        counted = type(layer).counters if isinstance(layer, Layer) else ()
        one["options"] = {name: value for name, value in one["options"].items() if name not in counted}
    return found


def write(
    path: str | os.PathLike[str],
    net: Network,
    arrays: Mapping[str, Array],
    state: Mapping[str, Any],
    others: Mapping[str, Array],
    keeps: bool,
) -> None:
    """Write a checkpoint.

    Parameters
    ----------
    path : path
    net : Network
    arrays : mapping of str to ndarray
        What is saved in the place of its parameters and running statistics.
    state : mapping
        Texts, numbers, booleans, None, and lists and mappings of these.
    others : mapping of str to ndarray
        float32 or float64.
    keeps : bool
        Whether the file that is there becomes the one before.
    """
    try:
        description, tensors = safetensors.parts_of(net, arrays)
        tensors |= {f"{PREFIX}{name}": np.ascontiguousarray(array) for name, array in others.items()}
        stated = {"format": FORMAT, "state": _to_json(state)}
        stated[CHECKSUM] = _checksum(stated, description[CHECKSUM], others)
        content = safetensors.content(description | {CHECKPOINT: stated}, tensors)
    except TypeError as error:
        raise TypeError(f"fit: checkpoint: {str(error).removeprefix('save: ')}") from None
    write_atomically(path, content, before(path) if keeps else None)


def read(path: str | os.PathLike[str]) -> tuple[Network, dict[str, Any], dict[str, Array]]:
    """Read network, state and other arrays; ValueError, with the path, for a file that is wrong."""
    try:
        return _read(path)
    except ValueError as error:
        try:
            _read(before(path))
        except (OSError, ValueError):
            raise error from None
        raise ValueError(f"{error}; the one before, {before(path)}, is whole") from None


def _read(path: str | os.PathLike[str]) -> tuple[Network, dict[str, Any], dict[str, Array]]:
    net, description, tensors = safetensors.read(path)
    stated = description.get(CHECKPOINT)
    if stated is None:
        raise ValueError(f"{path}: a network, and no checkpoint of fit; Network.load reads it")
    if not isinstance(stated, dict) or stated.get("format") != FORMAT:
        found = stated.get("format") if isinstance(stated, dict) else stated
        raise ValueError(f"{path}: the checkpoint's format is {shown(found)}, wanted {FORMAT!r}")
    others = {name.removeprefix(PREFIX): array for name, array in tensors.items()}
    try:
        state = _from_json(stated.get("state"))
        checksum = _checksum(stated, description.get(CHECKSUM), others)
    except RecursionError:
        raise ValueError(f"{path}: the state is nested too deeply") from None
    if stated.get(CHECKSUM) != checksum:
        raise ValueError(f"{path}: not what was saved: the file is damaged, or was changed")
    if not isinstance(state, dict):
        raise ValueError(f"{path}: the state is {shown(state)}, wanted names with values")
    return net, state, others


def _checksum(stated: Mapping[str, Any], network: Any, others: Mapping[str, Array]) -> int:
    found = zlib.crc32(json.dumps([stated["format"], stated.get("state"), network]).encode())
    for name in sorted(others):
        array = np.ascontiguousarray(others[name], others[name].dtype.newbyteorder("<"))
        found = zlib.crc32(name.encode() + str(array.shape).encode(), found)
        found = zlib.crc32(array.reshape(-1).view(np.uint8).data, found)
    return found


def _to_json(value: Any) -> Any:
    """A value as JSON has it, which knows no NaN and no infinity."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return {"float": str(value)}
    if isinstance(value, Mapping):
        return {str(key): _to_json(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_to_json(one) for one in value]
    return value


def _from_json(value: Any) -> Any:
    if isinstance(value, list):
        return [_from_json(one) for one in value]
    if not isinstance(value, dict):
        return value
    if len(value) == 1 and value.get("float") in NOT_FINITE:
        return NOT_FINITE[value["float"]]
    return {key: _from_json(one) for key, one in value.items()}
