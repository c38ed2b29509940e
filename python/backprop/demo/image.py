"""From a drawing to the pixels of a network: cropped, scaled and centred as the training images were."""

from dataclasses import dataclass

import numpy as np

from backprop._util.arrays import Array


@dataclass(frozen=True)
class Fit:
    """How the digits of a data set lie in their field.

    Attributes
    ----------
    side : int
        Pixels a side of the field.
    box : int
        The longer side of a digit's bounding box, in pixels.
    by_mass : bool
        The digit's centre of mass is in the middle of the field, else its bounding box is.
    pen : float
        The width of a pen, as a share of the longer extent of the strokes it draws, that makes them about as heavy as
        theirs.
    """

    side: int
    box: int
    by_mass: bool
    pen: float


FITS = {
    28: Fit(28, 20, by_mass=True, pen=0.14),
    # Their bitmaps of 32 × 32 were filled by the digit before 4 × 4 pixels became one.
    8: Fit(8, 8, by_mass=False, pen=0.22),
}


def fitted(drawing: Array, fit: Fit) -> Array:
    """Bring a drawing into a field; each pixel is the mean of what it covers.

    Parameters
    ----------
    drawing : array of shape (H, W)
        Ink, 0 where there is none, with ink somewhere.
    fit : Fit

    Returns
    -------
    ndarray of float64, shape (fit.side, fit.side)
        Within the range of the drawing. Pixels are square, so the digit keeps its proportions; none of it is lost.
    """
    drawing = np.asarray(drawing, dtype=np.float64)
    spans = [_span(drawing.max(axis=1)), _span(drawing.max(axis=0))]
    pixel = max(end - start for start, end in spans) / fit.box
    field = fit.side * pixel
    edges = []
    for axis, (start, end) in enumerate(spans):
        centre = _centre_of_mass(drawing.sum(axis=1 - axis)) if fit.by_mass else (start + end) / 2
        # The mass of a digit may lie so far to one side that the other would leave the field.
        first = np.clip(centre - field / 2, end - field, start)
        edges.append(first + pixel * np.arange(fit.side + 1))
    rows, columns = (_shares(e, size) for e, size in zip(edges, drawing.shape, strict=True))
    # Shares of 1 may add up to a little more.
    pixels: Array = np.clip(rows @ drawing @ columns.T, 0, drawing.max())
    return pixels


def _span(ink: Array) -> tuple[int, int]:
    """The first place with ink, and the one after the last."""
    places = np.flatnonzero(ink)
    return int(places[0]), int(places[-1]) + 1


def _centre_of_mass(weights: Array) -> float:
    """In units of the array's elements, whose first is from 0 to 1."""
    return float(weights @ (np.arange(len(weights)) + 0.5) / weights.sum())


def _shares(edges: Array, size: int) -> Array:
    """What share of the interval between two edges each of `size` unit intervals covers: (edges - 1, size)."""
    # edges: (N + 1,); starts and ends: (N, 1); cells: (size,)
    starts, ends, cells = edges[:-1, np.newaxis], edges[1:, np.newaxis], np.arange(size)
    overlap = np.minimum(ends, cells + 1) - np.maximum(starts, cells)
    shares: Array = np.maximum(overlap, 0) / (ends - starts)
    return shares
