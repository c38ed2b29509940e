"""Networks as safetensors files: tensors, and the rest as one JSON text in the metadata. No pickle anywhere.

One text and not an entry each, because safetensors writes entries in a random order and the same network is to
give the same bytes.
"""

import json
import os
import secrets
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from backprop._arguments import checked_sizes, one_of
from backprop._arrays import Array
from backprop._json import parsed

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

    _refuse_foreign_layers(net)
    tensors = {key: np.ascontiguousarray(array) for key, array in net.params.items()}
    tensors |= {name: getattr(net, name) for name in SCALING}
    description = {
        "format": FORMAT,
        "sizes": net.sizes,
        "activation": net.activation,
        "loss": net.loss_name,
        "dtype": net.dtype.name,
        "metadata": net.metadata,
    }
    write_atomically(Path(path), to_bytes(tensors, {KEY: json.dumps(description)}))


def write_atomically(path: Path, content: bytes) -> None:
    """Write to a temporary file beside `path`, then move it there."""
    # Not by `tempfile`: its files are their owner's alone, and what others may do by the umask cannot be found out
    # without changing it for a moment, for every thread of the process.
    temporary = path.parent / f".{path.name}.{secrets.token_hex(8)}"
    try:
        with temporary.open("xb") as file:
            file.write(content)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def load(path: str | os.PathLike[str]) -> "Network":
    """Read a network that `save` wrote."""
    from backprop.network import Network

    tensors, description = _read(Path(path))
    try:
        sizes = checked_sizes(description["sizes"])
        dtype = np.dtype(one_of("dtype", description["dtype"], DTYPES))
        mean, scale = (tensors.pop(name) for name in SCALING)
        # Before a network of these sizes is made: the file may not hold one.
        _check(tensors, sizes, dtype)
        net = Network(
            sizes,
            activation=description["activation"],
            loss=description["loss"],
            dtype=dtype,
            seed=0,
            input_mean=mean,
            input_scale=scale,
        )
        net.metadata = _metadata(description["metadata"])
    except KeyError as error:
        raise ValueError(f"{path}: {error.args[0]} is missing") from None
    except (TypeError, ValueError) as error:
        raise ValueError(f"{path}: {error}") from None
    for key, array in net.params.items():
        array[...] = tensors[key]
    return net


def _read(path: Path) -> tuple[dict[str, Array], dict[str, Any]]:
    """Read the tensors and the description."""
    from safetensors import SafetensorError, safe_open

    if not path.is_file():
        raise FileNotFoundError(f"{path}: there is no such file")
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


def _metadata(entries: Any) -> dict[str, str]:
    if not isinstance(entries, dict):
        raise ValueError(f"the metadata is a {type(entries).__name__}, wanted names with texts")
    return {key: str(value) for key, value in entries.items()}


def _refuse_foreign_layers(net: "Network") -> None:
    from backprop.network import Network

    expected = Network(net.sizes, net.activation, net.loss_name, net.dtype, seed=0)
    layers, usual = [*net.layers.values(), net.lastLayer], [*expected.layers.values(), expected.lastLayer]
    if [type(layer) for layer in layers] != [type(layer) for layer in usual]:
        names = [*net.layers, type(net.lastLayer).__name__]
        raise TypeError(
            f"save: the network has layers of its own: {', '.join(names)}; save its params instead"
        )
    for key, array in expected.params.items():
        got = net.params[key]
        if got.dtype != array.dtype or got.shape != array.shape:
            raise TypeError(
                f"save: {key} is {got.dtype} {got.shape}, a network of its sizes has {array.dtype} {array.shape}; "
                "save its params instead"
            )
