"""Networks as safetensors files: tensors, and the rest as one JSON text in the metadata. No pickle anywhere.

One text and not an entry each, because safetensors writes entries in a random order and the same network is to
give the same bytes.
"""

import json
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from backprop._arrays import Array

if TYPE_CHECKING:
    from backprop.network import Network

FORMAT = "backprop network 1"
KEY = "backprop"
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
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        umask = os.umask(0)
        os.umask(umask)
        Path(temporary).chmod(0o666 & ~umask)  # mkstemp makes files that only their owner can read
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def load(path: str | os.PathLike[str]) -> "Network":
    """Read a network that `save` wrote."""
    from backprop.network import Network

    tensors, description = _read(Path(path))
    if description.get("format") != FORMAT:
        raise ValueError(f"{path}: the file's format is {description.get('format')!r}, wanted {FORMAT!r}")
    try:
        net = Network(
            description["sizes"],
            activation=description["activation"],
            loss=description["loss"],
            dtype=description["dtype"],
            seed=0,
            input_mean=tensors.pop("input_mean"),
            input_scale=tensors.pop("input_scale"),
        )
        net.metadata = {str(key): str(value) for key, value in description["metadata"].items()}
    except KeyError as error:
        raise ValueError(f"{path}: {error.args[0]} is missing") from None
    except (TypeError, ValueError, AttributeError) as error:
        raise ValueError(f"{path}: {error}") from None
    if tensors.keys() != net.params.keys():
        raise ValueError(f"{path}: the file has {', '.join(sorted(tensors))}, wanted {', '.join(net.params)}")
    for key, array in net.params.items():
        if tensors[key].dtype != array.dtype or tensors[key].shape != array.shape:
            raise ValueError(
                f"{path}: {key} is {tensors[key].dtype} {tensors[key].shape}, wanted {array.dtype} {array.shape}"
            )
        array[...] = tensors[key]
    return net


def _read(path: Path) -> tuple[dict[str, Array], dict[str, Any]]:
    """Read the tensors and the description, {} where there is none."""
    from safetensors import SafetensorError, safe_open

    if not path.is_file():
        raise FileNotFoundError(f"{path}: there is no such file")
    try:
        with safe_open(path, framework="numpy") as file:
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118  # not a dict
            text = (file.metadata() or {}).get(KEY, "{}")
    except SafetensorError as error:
        raise ValueError(f"{path}: not a safetensors file: {error}") from None
    try:
        description = json.loads(text)
    except json.JSONDecodeError as error:
        raise ValueError(f"{path}: the description is damaged: {error}") from None
    if not isinstance(description, dict):
        raise ValueError(f"{path}: the description is damaged: it is a {type(description).__name__}")
    return tensors, description


def _refuse_foreign_layers(net: "Network") -> None:
    from backprop.network import Network

    expected = Network(net.sizes, activation=net.activation, dtype=net.dtype, seed=0)
    if [type(layer) for layer in net.layers.values()] != [type(layer) for layer in expected.layers.values()]:
        raise TypeError(
            f"save: the network has layers of its own: {', '.join(net.layers)}; save its params instead"
        )
