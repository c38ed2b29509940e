"""Where in the plane a network decides for which class."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from backprop._util.arrays import Array, plural
from backprop._util.names import named_arguments
from backprop.layers.base_loss import is_binary
from backprop.plots._drawing import (
    BLUE,
    GREEN,
    ORANGE,
    PURPLE,
    SKY,
    VERMILION,
    a_network,
    background,
    class_names,
    classes_of,
    ink,
    labelled,
)
from backprop.plots._figure import axes_for
from backprop.plots._legend import legend_above

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from backprop.network import Network

# The last four are further from each other and from the first six than the nearest two of these are from each other,
# in OKLab, for normal sight and for the three kinds of colour blindness (Machado et al. 2009).
COLORS = (BLUE, ORANGE, GREEN, VERMILION, SKY, PURPLE, "#9F0060", "#404000", "#BFDFBF", "#4000DF")
MARKERS = "o^sDvP*X<>"
# Opacity of a region where the network is certain; 0 where all classes are as likely.
FULL = 0.55
MOST_NAMED = 10
BLOCK = 1 << 14


@named_arguments
def decision_regions(
    net: "Network",
    x: ArrayLike,
    t: ArrayLike,
    ax: "Axes | None" = None,
    *,
    resolution: int = 200,
    labels: Sequence[Any] | None = None,
) -> "Axes":
    """Draw which class a network of two inputs predicts where, with the samples on top.

    Parameters
    ----------
    net : Network
        One of exactly two inputs that classifies.
    x : array of shape (N, 2)
        Samples; the axes reach a twentieth beyond them.
    t : integer labels of shape (N,), or weights of shape (N, K), whose largest is taken
    ax : matplotlib Axes, optional
        Where to draw; by default new axes on a figure of their own. The legend stands above them, or inside where it
        covers the fewest samples if a figure without a layout has no room above.
    resolution : int, default 200
        Points along each axis at which the network is asked.
    labels : sequence of str, optional
        Names of the classes; by default their numbers.

    Returns
    -------
    matplotlib Axes
        The image's pixels have the colour of the likeliest class, the fuller the more probable it is. Samples have
        their true class's colour and mark. More than ten classes have no legend, and the eleventh has the colour of the
        first again, with another mark.

    Raises
    ------
    ImportError
        matplotlib is not installed.
    TypeError, ValueError
        An argument is wrong, or the network has other inputs or does not classify.
    """
    owner = "decision_regions"
    a_network(owner, net)
    if net.sizes[0] != 2:
        raise ValueError(f"{owner}: net has {plural(net.sizes[0], 'input')}, wanted exactly 2")
    if isinstance(resolution, bool) or not hasattr(resolution, "__index__") or resolution < 2:
        raise ValueError(f"{owner}: resolution is {resolution!r}, wanted a whole number of at least 2")
    rows, true = labelled(owner, net, x, t)
    if not np.isfinite(rows).all():
        raise ValueError(f"{owner}: x has {rows[~np.isfinite(rows)][0]}, wanted finite numbers")
    names = class_names(owner, labels, classes_of(net))
    low, high = _limits(rows)
    shades = _shades(_probabilities(net, low, high, resolution))
    ax = axes_for(owner, ax, (6, 5))
    ax.imshow(
        shades,
        origin="lower",
        extent=(low[0], high[0], low[1], high[1]),
        aspect="auto",
        interpolation="nearest",
    )
    ax.grid(False)
    edge = ink(background(ax))
    marks = []
    for k in range(len(names)):
        here = rows[true == k]
        marks.append(
            ax.scatter(
                here[:, 0],
                here[:, 1],
                s=18,
                color=COLORS[k % len(COLORS)],
                marker=MARKERS[(k + k // len(COLORS)) % len(MARKERS)],
                edgecolors=edge,
                linewidths=0.5,
            )
        )
    ax.set_xlim(low[0], high[0])
    ax.set_ylim(low[1], high[1])
    if len(names) <= MOST_NAMED:
        legend_above(ax, marks, names)
    return ax


def _limits(rows: Array) -> tuple[Array, Array]:
    """The corners of the picture: the samples', and a twentieth beyond."""
    low, high = rows.min(axis=0).astype(np.float64), rows.max(axis=0).astype(np.float64)
    margin = (high - low) / 20
    margin[margin == 0] = 1.0  # of samples that are all the same in one coordinate
    return low - margin, high + margin


def _probabilities(net: "Network", low: Array, high: Array, resolution: int) -> Array:
    """The classes' probabilities at the middle of every pixel, (resolution, resolution, K)."""
    middles = (np.arange(resolution) + 0.5) / resolution
    across, up = (low[n] + middles * (high[n] - low[n]) for n in range(2))
    points = np.stack(np.meshgrid(across, up), axis=-1).reshape(-1, 2)
    blocks = [net.predict_proba(points[n : n + BLOCK]) for n in range(0, len(points), BLOCK)]
    found = np.concatenate(blocks)
    found = np.hstack([1 - found, found]) if is_binary(net.lastLayer) else found
    return found.reshape(resolution, resolution, -1)


def _shades(probabilities: Array) -> Array:
    """Colour and opacity of each pixel."""
    from matplotlib.colors import to_rgba_array

    classes = probabilities.shape[-1]
    palette = to_rgba_array([COLORS[k % len(COLORS)] for k in range(classes)])
    pixels: Array = palette[probabilities.argmax(axis=-1)]
    chance = 1 / classes
    sure = (probabilities.max(axis=-1) - chance) / (1 - chance) if classes > 1 else np.ones(pixels.shape[:2])
    pixels[..., 3] = FULL * np.clip(np.nan_to_num(sure), 0, 1)
    return pixels
