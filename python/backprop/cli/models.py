"""A saved network for the command line: its weights, and what its metadata says of the table that it was trained on."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from backprop._util.json import parsed
from backprop._util.messages import shown
from backprop.cli.output import CONTROLS

if TYPE_CHECKING:
    from backprop._util.arrays import Array
    from backprop.network import Network


def load(path: Path) -> "Network":
    """A network all of whose numbers are finite.

    Raises
    ------
    ValueError
        A parameter is not.
    """
    import numpy as np

    from backprop.layers.buffers import buffers_of
    from backprop.network import Network

    net = Network.load(path)
    for key, array in {**net.params, **buffers_of(net.layers)}.items():
        if not np.isfinite(array).all():
            raise ValueError(
                f"{path}: {key} is not finite, as after a training that diverged; train it again"
            )
    return net


def names(path: Path, net: "Network", key: str, count: int) -> list[str]:
    """What a file calls its features or classes; their numbers if it does not say."""
    try:
        found = net.metadata.get(key)
        found = parsed(found) if isinstance(found, str) else found
    except ValueError as error:
        raise ValueError(f"{path}: the metadata's {key} are damaged: {error}") from None
    if found is None:
        return [str(n) for n in range(count)]
    if key == "classes" and isinstance(found, list) and all(type(one) is int for one in found):
        found = list(map(str, found))  # as `Network(classes=…)` has them
    if not isinstance(found, list) or len(found) != count or not all(map(_is_text, found)):
        raise ValueError(f"{path}: the metadata's {key} are {shown(found)}, wanted a list of {count} names")
    return found


def require_lines(path: str | Path, classes: Sequence[str]) -> None:
    """Raise for a class whose name is not one line: `predict` writes a class a line."""
    name = next((name for name in classes if CONTROLS.search(name)), None)
    if name is not None:
        raise ValueError(
            f"{path}: the class {name!r} has a line end, a tab or another control character, wanted a name that is "
            "one line of text"
        )


def target(path: Path, net: "Network") -> tuple[str | None, bool | None]:
    """Which column of the table for training had the labels, and whether columns had names; None if it says nothing."""
    said, header = net.metadata.get("target"), net.metadata.get("header")
    if said is not None and not _is_text(said):
        raise ValueError(f"{path}: the metadata's target is {shown(said)}, wanted a text")
    if header not in (None, "true", "false"):
        raise ValueError(f"{path}: the metadata's header is {shown(header)}, wanted 'true' or 'false'")
    return said, None if header is None else header == "true"


def scores(net: "Network", x: "Array", path: str | Path) -> "Array":
    """The outputs of the network for a file's samples, all finite: of others no class is the highest."""
    import numpy as np

    with np.errstate(over="ignore", invalid="ignore"):  # what comes of it is refused below
        found = net.predict(x)
    finite = np.isfinite(found).all(axis=1)
    if not finite.all():
        sample = int(finite.argmin())
        raise ValueError(
            f"{path}: the network's outputs of sample {sample + 1} are {_some(found[sample])}, wanted finite "
            f"numbers; the sample's values reach {np.abs(x[sample]).max():g}"
        )
    return found


def _some(row: "Array") -> str:
    few = [f"{value:g}" for value in row[:4]]
    return ", ".join([*few, "..."] if len(row) > 4 else few)


def _is_text(name: object) -> bool:
    """Whether it can be printed: JSON can write half a surrogate pair, no encoding can."""
    return isinstance(name, str) and name == name.encode(errors="replace").decode()
