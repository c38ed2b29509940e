"""Digits drawn by formula: strokes of points from 0 to 1, and what a round pen makes of them."""

from itertools import pairwise

import numpy as np


def arc(centre, radii, start, end, count=16):
    """Points of an ellipse; angles in half turns, clockwise from the right."""
    angles = np.linspace(start, end, count) * np.pi
    return [(centre[0] + radii[0] * np.cos(a), centre[1] + radii[1] * np.sin(a)) for a in angles]


STROKES = {
    0: [arc((0.5, 0.5), (0.2, 0.3), -0.5, 1.5, 24)],
    1: [[(0.52, 0.18), (0.48, 0.82)]],
    2: [[*arc((0.5, 0.35), (0.18, 0.17), -1, 0.15), (0.34, 0.8), (0.72, 0.8)]],
    3: [[*arc((0.47, 0.34), (0.17, 0.16), -0.9, 0.5), *arc((0.47, 0.65), (0.2, 0.16), -0.5, 0.85)]],
    4: [[(0.4, 0.2), (0.32, 0.55), (0.7, 0.55)], [(0.62, 0.25), (0.6, 0.85)]],
    5: [[(0.68, 0.2), (0.4, 0.2), (0.38, 0.47), *arc((0.5, 0.63), (0.19, 0.18), -0.7, 0.85)]],
    6: [[(0.58, 0.18), (0.42, 0.38), (0.36, 0.62), *arc((0.5, 0.66), (0.14, 0.15), 1, -0.95)]],
    7: [[(0.3, 0.2), (0.7, 0.2), (0.45, 0.82)]],
    8: [arc((0.5, 0.34), (0.14, 0.15), 0.5, 2.5), arc((0.5, 0.66), (0.17, 0.17), -0.5, 1.5)],
    9: [[*arc((0.5, 0.36), (0.15, 0.16), 0, 2), (0.65, 0.36), (0.6, 0.82)]],
}


def drawn(strokes, pen, side):
    """Ink from 0 to 255 where the pen, a disc with a soft edge of one pixel, went; whole numbers, as the page sends."""
    middles = (np.arange(side) + 0.5) / side
    x, y = np.meshgrid(middles, middles)
    distance = np.full((side, side), np.inf)
    for points in strokes:
        for (x0, y0), (x1, y1) in pairwise(points):
            dx, dy = x1 - x0, y1 - y0
            along = np.clip(((x - x0) * dx + (y - y0) * dy) / max(dx * dx + dy * dy, 1e-12), 0, 1)
            distance = np.minimum(distance, np.hypot(x - x0 - along * dx, y - y0 - along * dy))
    return np.rint(255 * np.clip((pen / 2 - distance) * side + 0.5, 0, 1))
