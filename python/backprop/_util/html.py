"""What notebooks show: tables and a small curve.

Plain tables in the notebook's own colours, light or dark; no script, no style, nothing from elsewhere. Whatever was
given is escaped.
"""

import html
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from backprop._util.arrays import Array

Row = Sequence[str]
# Of a sparkline, in pixels; it has no more points than that, however long the run was.
WIDTH, HEIGHT = 240, 40


def table(header: Row, rows: Sequence[Row], total: Row = ()) -> str:
    """Rows of texts under a header, with a last one in bold."""

    def line(row: Row, tag: str) -> str:
        return "<tr>" + "".join(f"<{tag}>{html.escape(cell)}</{tag}>" for cell in row) + "</tr>"

    body = "".join(line(row, "td") for row in rows)
    return f"<table>{line(header, 'th')}{body}{line(total, 'th') if total else ''}</table>"


def of_attributes(one: object) -> str:
    """A row an attribute: shape and type of an array, another value as it is, a dash for None."""
    rows = []
    for name, value in vars(one).items():
        if name.startswith("_"):
            continue
        if isinstance(value, np.ndarray) and value.ndim:
            rows.append((name, str(value.shape), str(value.dtype)))
        else:
            rows.append((name, "–" if value is None else str(value), ""))
    heading = f"<p>{html.escape(repr(one))}</p>"
    return heading + table(("attribute", "value or shape", "type"), rows) if rows else heading


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
