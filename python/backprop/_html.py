"""What notebooks show of layers, networks, histories and reports.

Plain tables in the notebook's own colours, light or dark; no script, no style, nothing from elsewhere. Whatever was
given is escaped.
"""

import html
import math
from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from backprop._arrays import Array, plural

if TYPE_CHECKING:
    from backprop.history import History
    from backprop.network import Network

Row = Sequence[str]
# Of a sparkline, in pixels; it has no more points than that, however long the run was.
WIDTH, HEIGHT = 240, 40


def table(header: Row, rows: Sequence[Row], total: Row = ()) -> str:
    """Rows of texts under a header, with a last one in bold."""

    def line(row: Row, tag: str) -> str:
        return "<tr>" + "".join(f"<{tag}>{html.escape(cell)}</{tag}>" for cell in row) + "</tr>"

    body = "".join(line(row, "td") for row in rows)
    return f"<table>{line(header, 'th')}{body}{line(total, 'th') if total else ''}</table>"


def of_layer(layer: object) -> str:
    """A row an attribute: shape and type of an array, another value as it is, a dash where nothing is remembered."""
    rows = []
    for name, value in vars(layer).items():
        if name.startswith("_"):
            continue
        if isinstance(value, np.ndarray) and value.ndim:
            rows.append((name, str(value.shape), str(value.dtype)))
        else:
            rows.append((name, "–" if value is None else str(value), ""))
    heading = f"<p>{html.escape(repr(layer))}</p>"
    return heading + table(("attribute", "value or shape", "type"), rows) if rows else heading


def of_network(net: "Network") -> str:
    """A row a layer: what goes out of it, its parameters, and how many numbers they are."""
    rows, count, width = [], 0, str(net.sizes[0])
    scaling = [] if _plain(net) else [("(x - input_mean) * input_scale", f"(B, {width})", _scaling(net), "")]
    places = net.params._places()
    for name, layer in net.layers.items():
        arrays = {key: net.params[key] for key, (owner, _) in places.items() if owner is layer}
        numbers = sum(array.size for array in arrays.values())
        # What a layer without weights of two dimensions gives out is as wide as what it gets, for all that is known.
        width = next((str(array.shape[1]) for array in arrays.values() if array.ndim == 2), width)
        shapes = ", ".join(f"{key} {array.shape}" for key, array in arrays.items())
        rows.append((name, f"(B, {width})", shapes, f"{numbers:,}" if numbers else ""))
        count += numbers
    rows.append((type(net.lastLayer).__name__, "a number", "", ""))
    runs = "layer by layer" if net._plan() is None else "by a compiled plan"
    return f"<p>{html.escape(type(net).__name__)}, {net.dtype}, runs {runs}</p>" + table(
        ("layer", "output", "parameters", "count"), [*scaling, *rows], ("total", "", "", f"{count:,}")
    )


def _plain(net: "Network") -> bool:
    """Whether inputs are taken as they are."""
    return not net.input_mean.any() and bool((net.input_scale == 1).all())


def _scaling(net: "Network") -> str:
    """The input scaling: the number, or that there is one an input."""
    said = [
        f"{name} {value:.4g}" if value.ndim == 0 else f"{name} {value.shape}"
        for name, value in (("mean", net.input_mean), ("scale", net.input_scale))
    ]
    return ", ".join(said)


def of_history(history: "History") -> str:
    """The loss as a small curve, and where each record began, was best and ended."""
    losses = history.loss
    heading = f"<p>{plural(len(losses), 'step')}, {history.seconds:.1f} s {sparkline(losses)}</p>"
    rows = []
    for name, best in (
        ("loss", min),
        ("validation_loss", min),
        ("train_accuracy", max),
        ("validation_accuracy", max),
    ):
        values = getattr(history, name)
        if values:
            finite = [value for value in values if math.isfinite(value)]
            found = (values[0], best(finite, default=math.nan), values[-1])
            rows.append((name.replace("_", " "), *(f"{value:.4f}" for value in found)))
    return heading + (table(("", "first", "best", "last"), rows) if rows else "")


def sparkline(values: Sequence[float]) -> str:
    """A curve without axes as SVG, in the text's colour; gaps where a value is not finite, nothing for no values."""
    heights = np.asarray(values, dtype=np.float64)
    finite = np.isfinite(heights)
    if not finite.any():
        return ""
    if len(heights) > WIDTH:
        heights = _thinned(heights)
        finite = np.isfinite(heights)
    low, high = heights[finite].min(), heights[finite].max()
    # Scaled down before they are subtracted, for numbers whose difference is beyond float64.
    span = high / 2 - low / 2
    y = 1 + (HEIGHT - 2) * ((high / 2 - heights / 2) / span if span > 0 else np.full(len(heights), 0.5))
    x = np.linspace(1, WIDTH - 1, len(heights)) if len(heights) > 1 else np.array([WIDTH / 2])
    path = ""
    for n in np.flatnonzero(finite):
        follows = n > 0 and finite[n - 1]
        # A value between two gaps is a dot: a line of no length with round ends.
        path += f"{'L' if follows else 'M'}{x[n]:.1f} {y[n]:.1f}"
        path += "" if follows or (n + 1 < len(finite) and finite[n + 1]) else "h0"
    return (
        f'<svg width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="loss">'
        f'<path d="{path}" fill="none" stroke="currentColor" stroke-width="1.5" stroke-linecap="round"/></svg>'
    )


def _thinned(values: Array) -> Array:
    """The mean of each of WIDTH stretches; NaN where one has a value that is not finite."""
    ends = np.linspace(0, len(values), WIDTH + 1).astype(int)
    with np.errstate(over="ignore", invalid="ignore"):
        means: Any = [values[a:b].mean() for a, b in pairwise(ends)]
    return np.array(means)
