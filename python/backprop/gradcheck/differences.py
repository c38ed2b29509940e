"""Derivatives of a function of one number at 0 from its values, and what kind of place that is.

a) Far: the 5-point stencil with h = 2^-11 of the scale. Its truncation is of the order h⁴, its roundoff noise/h; the
   step balances the two for float64 (eps^(1/5) = 7e-4).
b) Near: the central difference with h = 2^-17 of the scale (eps^(1/3) = 6e-6), for places with a kink not far away.
   Steps are powers of two, so that x + h is exact wherever x has bits to spare.
c) One-sided differences over h and h/2 tell the rest. Where f has a second derivative, f(h) − 2f(0) + f(−h) falls to a
   quarter when h is halved; at a kink to a half, or it vanishes. Where f jumps, a one-sided quotient doubles.
"""

from collections.abc import Callable
from dataclasses import dataclass

FAR = 2.0**-11
NEAR = 2.0**-17
EPS = 2.0**-52
# A sum of products each of which went through a few dozen roundings is off by no more than this part of the magnitudes
# that it was added up from; generous, and far below any mistake.
ROUNDED = 64 * EPS


@dataclass(frozen=True)
class Value:
    """The function at one place.

    Attributes
    ----------
    number : float
    mass : float
        Sum of the magnitudes that the number was added up from: what its rounding errors are relative to.
    decisions : tuple of bytes
        Masks and indices behind it.
    """

    number: float
    mass: float
    decisions: tuple[bytes, ...]


@dataclass(frozen=True)
class Slope:
    """A numerical derivative.

    Attributes
    ----------
    derivative : float
    error : float
        How far off it may be.
    low, high : float
        The one-sided derivatives at a kink; elsewhere `derivative`.
    kind : {"smooth", "kink", "jump"}
    """

    derivative: float
    error: float
    low: float
    high: float
    kind: str = "smooth"

    def allowed(self, rtol: float) -> float:
        """How far off another derivative may be."""
        return self.error + rtol * max(abs(self.low), abs(self.high))

    def agrees(self, other: float, rtol: float) -> bool:
        """Whether another derivative is the same, or at a kink between the one-sided ones."""
        allowed = self.allowed(rtol)
        return self.low - allowed <= other <= self.high + allowed

    def tells(self, other: float, rtol: float, largest: float) -> bool:
        """Whether agreement means anything: whether not even 0, or the opposite, would agree as well.

        Of an `other` that is 0 but for rounding, whether a gradient as large as the `largest` of all would be seen.
        """
        size = max(abs(other), abs(self.derivative), abs(self.low), abs(self.high))
        return self.allowed(rtol) < max(size, largest if vanishes(other, largest) else 0.0)


class Line:
    """A function of one number, evaluated once at each place.

    Parameters
    ----------
    f : callable
        Takes a number, returns a Value.
    scale : float
        A power of two: what a step is relative to.
    measured : float
        How far values of f scatter, if that was measured.
    """

    def __init__(self, f: Callable[[float], Value], scale: float, measured: float = 0.0) -> None:
        self._f, self.scale, self._measured = f, scale, measured
        self._values: dict[float, Value] = {}

    def at(self, t: float) -> Value:
        """The value at t."""
        if t not in self._values:
            self._values[t] = self._f(t)
        return self._values[t]

    def f(self, t: float) -> float:
        """Its number."""
        return self.at(t).number

    def noise(self, h: float) -> float:
        """What the rounding errors of two values as far as h from here may add up to.

        Inside a network larger numbers may have cancelled than those that the values are added up from, which only a
        measurement shows.
        """
        values = (self.at(0.0), self.at(h), self.at(-h))
        return max(ROUNDED * max(max(value.mass, abs(value.number)) for value in values), self._measured)

    def far(self) -> Slope:
        """The 5-point stencil."""
        h = FAR * self.scale
        central = (self.f(h) - self.f(-h)) / (2 * h)
        wide = (self.f(2 * h) - self.f(-2 * h)) / (4 * h)
        derivative = (4 * central - wide) / 3
        # The error of `central` is about derivative − central, that of `derivative` its product with another h².
        return _smooth(derivative, self.noise(2 * h) / h + 0.01 * abs(derivative - central))

    def near(self) -> Slope:
        """The central difference; with one-sided ones where that is not the end of it."""
        h = NEAR * self.scale
        derivative = (self.f(h) - self.f(-h)) / (2 * h)
        return _smooth(derivative, self.noise(h) / h)

    def quotients(self, h: float) -> tuple[tuple[float, float, float], tuple[float, float, float], float]:
        """One-sided differences over h, h/2 and h/4, to the right and to the left, and how far off they may be."""
        f0 = self.f(0.0)
        right, right_half, right_quarter = (self.f(h / n) * n / h - f0 * n / h for n in (1, 2, 4))
        left, left_half, left_quarter = (f0 * n / h - self.f(-h / n) * n / h for n in (1, 2, 4))
        return (right, right_half, right_quarter), (left, left_half, left_quarter), 4 * self.noise(h) / h

    def one_sided(self) -> Slope:
        """What kind of place this is, by the two sides."""
        h = NEAR * self.scale
        rights, lefts, error = self.quotients(h)
        for (whole, half, quarter), others in ((rights, lefts), (lefts, rights)):
            # A corner between h/2 and h doubles one quotient too, but not the next; one that is much nearer doubles all
            # of them, but never beyond the other side's slope.
            doubles = abs(quarter) > 1.7 * abs(half) + error and abs(half) > 1.7 * abs(whole) + error
            if doubles and abs(quarter) > max(map(abs, others)) + error:
                low, high = min(lefts[0], rights[0]), max(lefts[0], rights[0])
                return Slope((rights[0] + lefts[0]) / 2, error, low, high, "jump")
        bend, bend_half = h * (rights[0] - lefts[0]), h / 2 * (rights[1] - lefts[1])
        curved = abs(bend - 4 * bend_half) <= abs(bend) / 2 + 8 * self.noise(h)
        if curved and not self.switched(h):
            central, finer = (rights[0] + lefts[0]) / 2, (rights[1] + lefts[1]) / 2
            derivative = (4 * finer - central) / 3
            return _smooth(derivative, error + 0.01 * abs(derivative - central))
        return _between(rights, lefts, error)

    def switched(self, h: float) -> bool:
        """Whether a mask or an index differs between the two sides."""
        return self.at(h).decisions != self.at(-h).decisions

    def judge(self, other: float, rtol: float, largest: float) -> tuple[bool | None, Slope]:
        """Whether `other` is the derivative here, None if that cannot be told, and the numerical one that decides."""
        far = self.far()
        if other == far.derivative == 0 or (far.agrees(other, rtol) and far.tells(other, rtol, largest)):
            return True, far
        near = self.near()
        if near.agrees(other, rtol) and near.tells(other, rtol, largest):
            return True, near
        if far.agrees(other, rtol):
            return None, far
        if near.agrees(other, rtol):
            return (False, far) if self.excluded(other, rtol, far) else (None, near)
        sides = self.one_sided()
        if sides.kind == "smooth" and not sides.agrees(other, rtol):
            return False, far if far.error < near.error and not self.switched(NEAR * self.scale) else near
        if sides.kind == "jump" or not sides.agrees(other, rtol):
            return False, sides
        if sides.tells(other, rtol, largest):
            return True, sides
        return (False, far) if self.excluded(other, rtol, far) else (None, sides)

    def excluded(self, other: float, rtol: float, far: Slope) -> bool:
        """Whether no kink within the least step that rounding leaves digits at would make `other` right.

        The far stencil disagrees, but may have a kink in it, and rounding hides what happens near.
        """
        size = max(abs(other), abs(far.derivative))
        h = NEAR * self.scale
        while h < FAR * self.scale:
            h *= 2
            if 4 * self.noise(h) / h < size:
                return not (self.switched(h) or _between(*self.quotients(h)).agrees(other, rtol))
        return False


def vanishes(other: float, largest: float) -> bool:
    """Whether a backpropagated number is what rounding leaves of 0, beside the largest of all gradients."""
    return abs(other) <= ROUNDED * largest


def _smooth(derivative: float, error: float) -> Slope:
    return Slope(derivative, error, derivative, derivative)


def _between(rights: tuple[float, ...], lefts: tuple[float, ...], error: float) -> Slope:
    """A place where every slope between the sides' is right; of each side, those over h and h/2."""
    sides = (*rights[:2], *lefts[:2])
    return Slope((rights[0] + lefts[0]) / 2, error, min(sides), max(sides), "kink")
