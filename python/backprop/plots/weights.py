"""What each unit of the first layer looks for."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from backprop._util.arrays import Array, plural, real_array
from backprop._util.names import named_arguments
from backprop.plots._drawing import LINE, SMALLEST, background, font_size, ink
from backprop.plots._figure import POINTS_PER_INCH, axes_for, figure_of, inches, label_size

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from backprop.network import Network


@named_arguments
def weight_images(
    net: "Network | Array",
    shape: tuple[int, int] | None = None,
    ax: "Axes | None" = None,
    *,
    units: int | Sequence[int] = 64,
    columns: int | None = None,
    colorbar: bool = True,
) -> "Axes":
    """Draw the first layer's weights as images, one tile a unit, row by row.

    Parameters
    ----------
    net : Network, or array W of shape (I, O)
        Its first layer's W is drawn: column j of it is unit j.
    shape : (int, int), optional
        Rows and columns of an input image; by default a square, if I is a square number.
    ax : matplotlib Axes, optional
        Where to draw; by default new axes on a figure of their own.
    units : int or sequence of int, default 64
        How many units are drawn at most, the first ones; or which. The label below the picture says it.
    columns : int, optional
        Tiles in a row; by default about as many as there are rows.
    colorbar : bool, default True
        Whether a colour bar stands on the right. It belongs to the axes and takes no room from others.

    Returns
    -------
    matplotlib Axes
        All tiles are one image, in which one pixel parts them. Red is positive, blue negative, and the scale is the
        same for all.

    Raises
    ------
    ImportError
        matplotlib is not installed.
    TypeError, ValueError
        An argument is wrong, or the shape has to be given.
    """
    owner = "weight_images"
    W = _weights(owner, net)
    height, width = _tile(owner, shape, len(W))
    chosen = _units(owner, units, W.shape[1])
    across = math.ceil(math.sqrt(len(chosen) * height / width)) if columns is None else columns
    if isinstance(across, bool) or not hasattr(across, "__index__") or across < 1:
        raise ValueError(f"{owner}: columns is {columns!r}, wanted a whole number of at least 1")
    across = min(across, len(chosen))
    down = math.ceil(len(chosen) / across)
    own, ax = ax is None, axes_for(owner, ax, (5.5, 5))

    picture = np.full((down * (height + 1) - 1, across * (width + 1) - 1), np.nan)
    for n, unit in enumerate(chosen):
        top, left = n // across * (height + 1), n % across * (width + 1)
        picture[top : top + height, left : left + width] = W[:, unit].reshape(height, width)
    finite = np.abs(picture[np.isfinite(picture)])
    largest = float(finite.max(initial=0.0)) or 1.0
    image = ax.imshow(
        np.ma.masked_invalid(picture),
        cmap="RdBu_r",
        vmin=-largest,
        vmax=largest,
        origin="upper",
        aspect="equal",
        interpolation="nearest",
    )
    _frame(ax, len(chosen), across, height, width)
    ax.grid(False)
    ax.set_xticks([])
    ax.set_yticks([])
    for spine in ax.spines.values():
        spine.set_visible(False)
    ax.set_xlabel(_said(chosen, W.shape[1]))
    if colorbar:
        _color_bar(ax, image)
    if own:
        # The bar is as wide as the picture, whose sides keep their ratio, lets it: a layout needs a second look.
        figure_of(ax).draw_without_rendering()
    return ax


def _weights(owner: str, net: Any) -> Array:
    """W of the first layer, or what was given as it."""
    from backprop.network import Network

    if isinstance(net, Network):
        W = next(iter(net.params.values()), None)
        if W is None:
            raise ValueError(f"{owner}: the network has no parameters")
    else:
        W = real_array(owner, "net", net)
    if W.ndim != 2 or not W.size:
        raise ValueError(f"{owner}: W has shape {W.shape}, wanted (inputs, units), not empty")
    return W


def _tile(owner: str, shape: Any, inputs: int) -> tuple[int, int]:
    """Rows and columns of one tile."""
    if shape is None:
        side = math.isqrt(inputs)
        if side * side != inputs:
            raise ValueError(
                f"{owner}: shape is not given, and {plural(inputs, 'input')} make no square; "
                f"wanted (rows, columns) whose product is {inputs}"
            )
        return side, side
    if np.shape(shape) != (2,) or not all(hasattr(n, "__index__") and n > 0 for n in shape):
        raise ValueError(f"{owner}: shape is {shape!r}, wanted (rows, columns)")
    height, width = map(int, shape)
    if height * width != inputs:
        raise ValueError(
            f"{owner}: shape is {(height, width)}, {height * width} in all, W has {plural(inputs, 'input')}"
        )
    return height, width


def _units(owner: str, units: Any, count: int) -> list[int]:
    """The units to draw."""
    wanted = f"wanted how many, or which of 0 to {count - 1}"
    if hasattr(units, "__index__") and not isinstance(units, (bool, np.ndarray)):
        if units < 1:
            raise ValueError(f"{owner}: units is {units}, {wanted}")
        return list(range(min(int(units), count)))
    if not hasattr(units, "__iter__") or isinstance(units, str):
        raise TypeError(f"{owner}: units is {units!r}, {wanted}")
    chosen = list(units)
    if not chosen or not all(hasattr(n, "__index__") and 0 <= n < count for n in chosen):
        raise ValueError(f"{owner}: units is {chosen}, {wanted}")
    return [int(n) for n in chosen]


def _said(chosen: list[int], count: int) -> str:
    """Which units are drawn."""
    first, last = chosen[0], chosen[-1]
    if chosen == list(range(count)):
        return plural(count, "unit")
    if len(chosen) > 1 and chosen == list(range(first, last + 1)):
        return f"units {first} to {last} of {count}"
    some = ", ".join(map(str, chosen[:8])) + (", …" if len(chosen) > 8 else "")
    return f"{'unit' if len(chosen) == 1 else 'units'} {some} of {count}"


def _frame(ax: "Axes", tiles: int, across: int, height: int, width: int) -> None:
    """A thin line around each tile: weights of 0 have the colour of many a background."""
    from matplotlib.collections import PatchCollection
    from matplotlib.patches import Rectangle

    corners = [(n % across * (width + 1) - 0.5, n // across * (height + 1) - 0.5) for n in range(tiles)]
    ax.add_collection(
        PatchCollection(
            [Rectangle(corner, width, height) for corner in corners],
            facecolor="none",
            edgecolor=ink(background(ax)),
            linewidth=0.4,
            clip_on=False,  # half of the outer lines lies outside
        )
    )


def _color_bar(ax: "Axes", image: Any) -> None:
    """A bar on the right, as high as the picture; its marks are fixed, so that a layout can know its width."""
    low, high = image.get_clim()
    marks, size = _bar_marks(low, high, POINTS_PER_INCH * _height(ax, *image.get_array().shape))
    bar = ax.inset_axes((1.03, 0.0, 0.04, 1.0))
    figure_of(ax).colorbar(image, cax=bar, label="weight", ticks=marks)
    bar.tick_params(axis="y", labelsize=size)
    bar.grid(False)


def _height(ax: "Axes", down: int, across: int) -> float:
    """Inches of the picture, whose sides keep their ratio."""
    width, height = inches(ax)
    # The bar and its numbers take about a fifth of the width, once a layout has made room for them.
    return min(height, 0.8 * width * down / across)


def _bar_marks(low: float, high: float, room: float) -> tuple[list[float], float]:
    """The most marks, and the largest letters, that leave a line each in so many points; at least the one at 0."""
    from matplotlib.ticker import MaxNLocator

    for bins in range(6, 1, -1):
        marks = [float(mark) for mark in MaxNLocator(bins).tick_values(low, high) if low <= mark <= high]
        if len(marks) < 3:
            break
        line = room * (marks[1] - marks[0]) / (high - low)
        # Fewer marks are better than small ones, unless these are the fewest.
        if line >= LINE * label_size() or (len(marks) == 3 and line >= LINE * SMALLEST):
            return marks, font_size(line / LINE)
    return [0.0], font_size(max(room, SMALLEST))
