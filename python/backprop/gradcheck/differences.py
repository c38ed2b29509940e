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

    def noise(self) -> float:
        """What the rounding errors of two values may add up to.

        A value is a sum of products each of which went through a few dozen roundings; 64·eps of the magnitudes that
        it was added up from is generous, and far below any mistake. Inside a network larger numbers may have cancelled,
        which only a measurement shows.
        """
        return max(64 * EPS * max(self.at(0.0).mass, abs(self.f(0.0))), self._measured)

    def far(self) -> Slope:
        """The 5-point stencil."""
        h = FAR * self.scale
        central = (self.f(h) - self.f(-h)) / (2 * h)
        wide = (self.f(2 * h) - self.f(-2 * h)) / (4 * h)
        derivative = (4 * central - wide) / 3
        # The error of `central` is about derivative − central, that of `derivative` its product with another h².
        return _smooth(derivative, self.noise() / h + 0.01 * abs(derivative - central))

    def near(self) -> Slope:
        """The central difference; with one-sided ones where that is not the end of it."""
        h = NEAR * self.scale
        derivative = (self.f(h) - self.f(-h)) / (2 * h)
        return _smooth(derivative, self.noise() / h)

    def one_sided(self) -> Slope:
        """What kind of place this is, by the two sides."""
        h = NEAR * self.scale
        f0, noise = self.f(0.0), self.noise()
        right, right_half, right_quarter = (self.f(h / n) * n / h - f0 * n / h for n in (1, 2, 4))
        left, left_half, left_quarter = (f0 * n / h - self.f(-h / n) * n / h for n in (1, 2, 4))
        error = 4 * noise / h
        rights, lefts = (right, right_half, right_quarter), (left, left_half, left_quarter)
        for (whole, half, quarter), others in ((rights, lefts), (lefts, rights)):
            # A corner between h/2 and h doubles one quotient too, but not the next; one that is much nearer doubles all
            # of them, but never beyond the other side's slope.
            doubles = abs(quarter) > 1.7 * abs(half) + error and abs(half) > 1.7 * abs(whole) + error
            if doubles and abs(quarter) > max(map(abs, others)) + error:
                return Slope((right + left) / 2, error, min(left, right), max(left, right), "jump")
        bend, bend_half = h * (right - left), h / 2 * (right_half - left_half)
        curved = abs(bend - 4 * bend_half) <= abs(bend) / 2 + 8 * noise
        if curved and not self.switched():
            return _smooth((right + left) / 2, error)
        sides = (right, right_half, left, left_half)
        return Slope((right + left) / 2, error, min(sides), max(sides), "kink")

    def switched(self) -> bool:
        """Whether a mask or an index differs between the two sides."""
        h = NEAR * self.scale
        return self.at(h).decisions != self.at(-h).decisions

    def judge(self, other: float, rtol: float) -> tuple[bool, Slope]:
        """Whether `other` is the derivative here, and the numerical one that decides it."""
        slope = self.far()
        if slope.agrees(other, rtol):
            return True, slope
        near = self.near()
        if near.agrees(other, rtol):
            return True, near
        sides = self.one_sided()
        if sides.kind == "smooth":
            return False, slope if slope.error < near.error and not self.switched() else near
        return sides.kind == "kink" and sides.agrees(other, rtol), sides


def _smooth(derivative: float, error: float) -> Slope:
    return Slope(derivative, error, derivative, derivative)
