"""Which classes a network takes for which."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from backprop._util.arrays import Array, check_labels, plural, real_array
from backprop._util.names import named_arguments
from backprop.layers.base_loss import labels_of_scores
from backprop.plots._drawing import (
    CHARACTER,
    LINE,
    SMALLEST,
    a_network,
    background,
    class_names,
    classes_of,
    font_size,
    ink,
    labelled,
    over,
)
from backprop.plots._figure import POINTS_PER_INCH, USUAL_FONT, axes_for, inches

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from backprop.network import Network

# Rows that predict at once, so that no full-size array of scores is made.
BLOCK = 1 << 14
# What a whole row in one cell has, over a light and over a dark background. On the way there the numbers change between
# black and white at shares of 0.58 to 0.66, not among the high ones of a network that classifies well.
FULL = {"black": "#00345a", "white": "#8fd0f5"}


@named_arguments
def confusion_counts(t: ArrayLike, predicted: ArrayLike, classes: int | None = None) -> NDArray[np.int64]:
    """Count how often each class was predicted for each true one.

    Parameters
    ----------
    t, predicted : array_like of int, (N,)
        True and predicted labels, from 0.
    classes : int, optional
        How many there are; by default one more than the largest label.

    Returns
    -------
    ndarray of int64, (classes, classes)
        Rows are true, columns predicted.

    Raises
    ------
    TypeError, ValueError
        An argument is wrong.
    """
    owner = "confusion_counts"
    pairs = {"t": real_array(owner, "t", t), "predicted": real_array(owner, "predicted", predicted)}
    for name, labels in pairs.items():
        if labels.ndim != 1:
            raise ValueError(f"{owner}: {name} has shape {labels.shape}, wanted (N,) labels")
        if labels.dtype.kind not in "iub" and labels.size:
            raise TypeError(f"{owner}: {name} has dtype {labels.dtype}, wanted integer labels")
    true, guessed = (labels.astype(np.int64) for labels in pairs.values())
    if len(true) != len(guessed):
        raise ValueError(
            f"{owner}: t has {plural(len(true), 'label')}, predicted has {plural(len(guessed), 'label')}"
        )
    if classes is None:
        classes = 1 + int(max(true.max(initial=-1), guessed.max(initial=-1)))
    elif isinstance(classes, bool) or not hasattr(classes, "__index__") or classes < 1:
        raise ValueError(f"{owner}: classes is {classes!r}, wanted a whole number of at least 1")
    for name, labels in (("t", true), ("predicted", guessed)):
        check_labels(owner, labels, classes, name)
    return np.bincount(true * classes + guessed, minlength=classes**2).reshape(classes, classes)


@named_arguments
def confusion_matrix(
    net: "Network",
    x: ArrayLike,
    t: ArrayLike,
    ax: "Axes | None" = None,
    *,
    labels: Sequence[Any] | None = None,
) -> "Axes":
    """Draw how often the network takes each class for each.

    Parameters
    ----------
    net : Network
        One that classifies.
    x : array of shape (N, I) or (N, …) with I elements a sample
    t : integer labels of shape (N,), or weights of shape (N, K), whose largest is taken
    ax : matplotlib Axes, optional
        Where to draw; by default new axes on a figure of their own, larger for more classes.
    labels : sequence of str, optional
        Names of the classes; by default their numbers.

    Returns
    -------
    matplotlib Axes
        Rows are true classes, columns predicted ones. A cell has its count, if that is not 0 and the cell is not too
        small for it, and is the fuller the larger the count's share of its row is. The image's array has the shares.

    Raises
    ------
    ImportError
        matplotlib is not installed.
    TypeError, ValueError
        An argument is wrong, or the network does not classify.
    """
    owner = "confusion_matrix"
    rows, true = labelled(owner, a_network(owner, net), x, t)
    names = class_names(owner, labels, classes_of(net))
    blocks = [
        labels_of_scores(net.lastLayer, net.predict(rows[n : n + BLOCK])) for n in range(0, len(rows), BLOCK)
    ]
    counts = confusion_counts(true, np.concatenate(blocks), len(names))
    longest = max(map(len, names))
    digits = len(str(counts.max()))
    if ax is None:
        room = CHARACTER * USUAL_FONT / POINTS_PER_INCH
        side = min(max(3.5, len(names) * max(0.35, room * (digits + 1))), 14)
        ax = axes_for(
            owner, None, (side + min(longest, 30) * room + 0.8, side + min(longest, 30) * room + 0.5)
        )
    ax = axes_for(owner, ax)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    fill = _fill(ax)
    ax.imshow(shares, cmap=fill, vmin=0, vmax=1, origin="upper", aspect="equal", interpolation="nearest")
    ax.grid(False)
    cell = POINTS_PER_INCH * min(inches(ax)) / len(names)
    _name_ticks(ax, names, cell)
    ax.set_xlabel("predicted")
    ax.set_ylabel("true")
    size = font_size(min(0.8 * cell / LINE, 0.9 * cell / (CHARACTER * digits)))
    if size >= SMALLEST:
        _write(ax, counts, fill(shares), size)
    return ax


def _fill(ax: "Axes") -> Any:
    """From nothing, where the background shows, to blue."""
    from matplotlib.colors import LinearSegmentedColormap, to_rgba

    full = FULL[ink(background(ax))]
    return LinearSegmentedColormap.from_list("shares", [to_rgba(full, 0.0), to_rgba(full, 1.0)])


def _name_ticks(ax: "Axes", names: list[str], cell: float) -> None:
    """The classes' names along both axes: upright where they are long, every n-th where they are many."""
    every = int(np.ceil(LINE * SMALLEST / cell))
    places = range(0, len(names), every)
    size = font_size(every * cell / LINE)
    upright = max(map(len, names)) * CHARACTER * size > every * cell
    shown = [names[k] for k in places]
    ax.set_xticks(places, shown, rotation=90 if upright else 0, fontsize=size)
    ax.set_yticks(places, shown, fontsize=size)


def _write(ax: "Axes", counts: Array, cells: Array, size: float) -> None:
    """Each count, black or white, whichever its cell has the higher contrast with."""
    behind = background(ax)
    for (row, column), count in np.ndenumerate(counts):
        if count:
            color = ink(over(cells[row, column], behind))
            ax.text(column, row, str(count), ha="center", va="center", fontsize=size, color=color)
