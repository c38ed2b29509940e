"""Digits drawn by formula in two hands: strokes of points from 0 to 1, and what a round pen makes of them."""

from itertools import pairwise

import numpy as np


def arc(centre, radii, start, end, count=16):
    """Points of an ellipse; angles in half turns, clockwise from the right."""
    angles = np.linspace(start, end, count) * np.pi
    return [(centre[0] + radii[0] * np.cos(a), centre[1] + radii[1] * np.sin(a)) for a in angles]


# One without a serif, seven without a bar, four open, two without a loop, nine straight.
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


def eight(count=32):
    """A figure of eight in one stroke."""
    angles = np.linspace(0, 2, count) * np.pi
    return [(0.5 - 0.17 * np.sin(2 * a), 0.5 - 0.3 * np.cos(a)) for a in angles]


# One with a serif, seven with a bar, four closed, two with a loop, nine curved, three with a flat top; five is two
# strokes, eight one.
SECOND = {
    0: [[(x + 0.15 * (0.5 - y), y) for x, y in arc((0.5, 0.5), (0.23, 0.29), -0.3, 1.65, 24)]],
    1: [[(0.37, 0.37), (0.53, 0.2), (0.53, 0.8)]],
    2: [
        [*arc((0.5, 0.36), (0.17, 0.16), -0.95, 0.2), *arc((0.37, 0.73), (0.08, 0.06), 0.5, 2.1), (0.74, 0.8)]
    ],
    3: [[(0.32, 0.2), (0.67, 0.2), (0.48, 0.44), *arc((0.48, 0.62), (0.19, 0.18), -0.5, 0.85)]],
    4: [[(0.62, 0.82), (0.62, 0.2), (0.3, 0.62), (0.76, 0.62)]],
    5: [[(0.42, 0.22), (0.39, 0.46), *arc((0.5, 0.62), (0.18, 0.18), -0.7, 0.8)], [(0.42, 0.22), (0.7, 0.2)]],
    6: [[*arc((0.62, 0.5), (0.26, 0.32), -0.5, -1), *arc((0.52, 0.65), (0.16, 0.17), -1, -2.85, 24)]],
    7: [[(0.3, 0.24), (0.7, 0.2), (0.48, 0.82)], [(0.4, 0.5), (0.68, 0.5)]],
    8: [eight()],
    9: [[*arc((0.5, 0.36), (0.15, 0.16), -0.2, -2.05, 24), *arc((0.4, 0.5), (0.25, 0.32), -0.1, 0.55)]],
}
HANDS = {"first": STROKES, "second": SECOND}


def mapped(strokes, linear):
    """Strokes under a linear map (2, 2) about the middle."""
    return [[tuple(linear @ np.subtract(point, 0.5) + 0.5) for point in points] for points in strokes]


def turn(degrees):
    """Clockwise, since y points down."""
    angle = np.radians(degrees)
    return np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])


MANNERS = {
    "normal": np.eye(2),
    "0.35 of the size": 0.35 * np.eye(2),
    "0.25 of the size": 0.25 * np.eye(2),
    "0.15 of the size": 0.15 * np.eye(2),
    "turned by 15 degrees": turn(15),
    "turned back by 15 degrees": turn(-15),
    "narrow": np.diag([0.5, 1]),
}


def drawn(strokes, pen, side):
    """Ink from 0 to 255 where the pen, a disc with a soft edge of one pixel, went; whole numbers, as the page sends."""
    middles = (np.arange(side) + 0.5) / side
    x, y = np.meshgrid(middles, middles)
    distance = np.full((side, side), np.inf)
    for points in strokes:
        for (x0, y0), (x1, y1) in pairwise([points[0], *points]):  # a dot is a line of no length
            dx, dy = x1 - x0, y1 - y0
            along = np.clip(((x - x0) * dx + (y - y0) * dy) / max(dx * dx + dy * dy, 1e-12), 0, 1)
            distance = np.minimum(distance, np.hypot(x - x0 - along * dx, y - y0 - along * dy))
    return np.rint(255 * np.clip((pen / 2 - distance) * side + 0.5, 0, 1))


def enlarged(strokes, pen, side):
    """What the page sends: the strokes enlarged to the whole side, the pen a share of their longer extent."""
    points = np.concatenate(strokes)
    low, high = points.min(axis=0), points.max(axis=0)
    scale = 1 / (((high - low).max() or 1) * (1 + pen))  # a dot has no extent
    return drawn(
        [(np.asarray(points) - (low + high) / 2) * scale + 0.5 for points in strokes], pen / (1 + pen), side
    )
