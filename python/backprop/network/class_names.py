"""What the classes of a network are called."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from backprop._util.arrays import Array
from backprop._util.json import parsed
from backprop._util.messages import listed, shown
from backprop._util.names import did_you_mean
from backprop.layers.base_loss import has_classes, is_binary


class Naming:
    """The part of a network that knows what its classes are called; the rest of it is `Network`."""

    metadata: dict[str, Any]

    @property
    def classes(self: Any) -> tuple[Any, ...] | None:
        """What the classes are called; None where nobody has said. It may be assigned."""
        found = self.metadata.get("classes")
        if found is None:
            return None
        try:  # the command line has written them as a text
            names = parsed(found) if isinstance(found, str) else found
        except ValueError as error:
            raise ValueError(f"classes: the metadata's classes are damaged: {error}") from None
        return tuple(checked_classes("classes", names, self.lastLayer, self.sizes[-1]))

    @classes.setter
    def classes(self: Any, names: Sequence[Any] | None) -> None:
        if names is None:
            self.metadata.pop("classes", None)
        else:
            self.metadata["classes"] = checked_classes("classes", names, self.lastLayer, self.sizes[-1])

    def _numbered(self, owner: str, t: ArrayLike) -> ArrayLike:
        """Targets that are names as labels."""
        if "classes" not in self.metadata or (isinstance(t, np.ndarray) and t.dtype.kind not in "UO"):
            return t
        # Of other targets it is not asked what stands under that name: it may be a note of the user's.
        array = np.asarray(t)
        if array.ndim != 1 or array.dtype.kind not in "UO" or not len(array):
            return t
        names = self.classes
        return t if names is None else numbered(owner, array, names)


def checked_classes(owner: str, names: Any, loss: Any, outputs: int) -> list[Any]:
    """Names of classes as metadata has them: texts or whole numbers, all of one kind, each once.

    Raises
    ------
    TypeError
        The outputs are no classes, or these are no names.
    ValueError
        They are not as many as the classes, or one stands there twice.
    """
    if not has_classes(loss, outputs):
        raise TypeError(f"{owner}: classes is {shown(names)}, and the outputs are no classes")
    names = names.tolist() if isinstance(names, np.ndarray) else names
    if isinstance(names, str) or not isinstance(names, Sequence):
        raise TypeError(f"{owner}: classes is {shown(names)}, wanted a sequence of names")
    found = [one.item() if isinstance(one, np.generic) else one for one in names]
    kinds = {type(one) for one in found}
    if len(kinds) > 1 or not kinds <= {str, int}:
        raise TypeError(f"{owner}: classes is {shown(names)}, wanted texts, or whole numbers")
    count = 2 if is_binary(loss) else outputs
    if len(found) != count:
        raise ValueError(f"{owner}: classes has {len(found)} names, wanted {count}, one a class")
    if kinds == {int} and {*found} & {*range(count)} and found != [*range(count)]:
        raise ValueError(
            f"{owner}: classes is {shown(names)}, whole numbers some of which are labels of other classes; "
            "wanted others, or texts"
        )
    if len({*found}) < count:
        twice = next(one for one in found if found.count(one) > 1)
        raise ValueError(f"{owner}: classes has {shown(twice)} twice")
    return found


def numbered(owner: str, t: Array, names: tuple[Any, ...]) -> Array:
    """Targets that are names as labels."""
    places = {name: n for n, name in enumerate(names)}
    found = t.tolist()
    for one in found:
        if isinstance(one, str) and one in places:
            continue
        hint = did_you_mean(one, [str(name) for name in names]) if isinstance(one, str) else ""
        wanted = listed(map(str, names))
        raise ValueError(f"{owner}: t has the class {shown(one)}, wanted one of {wanted}{hint}")
    labels: Array = np.array([places[one] for one in found], np.int64)
    return labels


def names_in(owner: str, t: ArrayLike) -> list[str] | None:
    """The classes of targets that are names, in their order; None for other targets."""
    array = np.asarray(t)
    if array.ndim != 1 or array.dtype.kind not in "UO":
        return None
    if not all(isinstance(one, str) for one in array.tolist()):
        raise TypeError(f"{owner}: t has dtype {array.dtype}, wanted numbers, or names of classes")
    return sorted({*array.tolist()})
