"""How large the gradients are that reach each parameter."""

import copy
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from backprop._util.arrays import Array
from backprop._util.names import named_arguments
from backprop.plots._drawing import (
    BLUE,
    PURPLE,
    VERMILION,
    a_network,
    marks,
    name_rows,
    rows_figure,
    whole_marks,
)
from backprop.plots._figure import axes_for
from backprop.plots._legend import legend_above

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from backprop.network import Network


class Flow(NamedTuple):
    """A gradient in four numbers; NaN where there is none."""

    mean: float
    largest: float
    ratio: float
    zero: float


@named_arguments
def gradient_flow(net: "Network", x: ArrayLike, t: ArrayLike, ax: "Axes | None" = None) -> "Axes":
    """Draw the gradients' sizes by parameter, from the first layer down to the last.

    Parameters
    ----------
    net : Network
        Its layers' memory is left alone: a copy goes forward and back.
    x, t : array_like
        A batch, as `Network.gradient` takes it.
    ax : matplotlib Axes, optional
        Where to draw; by default new axes on a figure of their own, higher for more parameters.

    Returns
    -------
    matplotlib Axes
        A row a parameter, on a logarithmic scale: mean and largest magnitude of its gradient, and the gradient's norm
        over the parameter's, which a learning rate turns into the share that one step changes (no such mark where
        the parameter is 0). On the right, or inside where a figure without a layout has no room there, the share of the
        gradient that is exactly 0; in the row of a bias that is the share of units that pass nothing back, dead ReLUs
        above all.

    Raises
    ------
    ImportError
        matplotlib is not installed.
    TypeError, ValueError
        An argument is wrong.

    Notes
    -----
    A gradient that shrinks by the same factor from row to row upwards vanishes: initial weights or activations are
    wrong. Rows that differ little are what He's and Glorot's initial weights are made for.
    """
    owner = "gradient_flow"
    if not len(a_network(owner, net)._rows(x)):
        raise ValueError(f"{owner}: x has 0 rows, wanted at least 1")
    gradients = copy.deepcopy(net).gradient(x, t)
    names = list(gradients)
    flows = [_flow(net.params[name], gradients[name]) for name in names]
    ax = axes_for(owner, ax, rows_figure(len(names)))
    places = np.arange(len(names))
    mean, largest, ratio, _ = (np.array(values) for values in zip(*flows, strict=True))
    ax.set_xscale("log")
    ax.hlines(places, mean, largest, color=BLUE, linewidth=1)
    drawn = [
        *ax.plot(mean, places, **marks(BLUE, "o"), linestyle="", label="mean"),
        *ax.plot(largest, places, **marks(VERMILION, ">"), linestyle="", label="largest"),
        *ax.plot(
            ratio, places, **marks(PURPLE, "D", filled=False), linestyle="", label="norm over the parameter's"
        ),
    ]
    whole_marks(ax, drawn)
    _whole_decades(ax, np.concatenate([mean, largest, ratio]))
    said = ["not finite" if np.isinf(flow.mean) else f"{_percent(flow.zero)} zero" for flow in flows]
    name_rows(ax, names, said)
    ax.set_xlabel("magnitude of the gradient")
    legend_above(ax, drawn, [str(one.get_label()) for one in drawn])
    return ax


def _whole_decades(ax: "Axes", sizes: Array) -> None:
    """Limits at powers of ten, which then have the only labels: those between them take too much room."""
    from matplotlib.ticker import NullFormatter

    exponents = np.log10(sizes[np.isfinite(sizes) & (sizes > 0)])
    if len(exponents):
        # A mark at the very edge would be cut.
        ax.set_xlim(*10.0 ** np.array([np.floor(exponents.min() - 0.05), np.ceil(exponents.max() + 0.05)]))
    ax.xaxis.set_minor_formatter(NullFormatter())


def _flow(parameter: Array, gradient: Array) -> Flow:
    """What is drawn of one gradient: nothing that a logarithm does not take."""
    sizes = np.abs(np.asarray(gradient, dtype=np.float64))
    if not np.isfinite(sizes).all():
        return Flow(np.inf, np.inf, np.inf, 0.0)
    zero = float((sizes == 0).mean())
    norm, length = np.linalg.norm(sizes), np.linalg.norm(parameter.astype(np.float64))
    ratio = float(norm / length) if norm and 0 < length < np.inf else np.nan
    if not norm:
        return Flow(np.nan, np.nan, np.nan, zero)
    return Flow(float(sizes.mean()), float(sizes.max()), ratio, zero)


def _percent(share: float) -> str:
    """`12 %`; nothing that is not 0 or all looks like it."""
    if 0 < share < 0.01:
        return "<1 %"
    return f"{min(round(100 * share), 99 if share < 1 else 100)} %"
