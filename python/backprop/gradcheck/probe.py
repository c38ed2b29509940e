"""What a subject's output is along one of its arrays: by an element, or in a direction that sees every element."""

from typing import Any

import numpy as np

from backprop._util.arrays import Array
from backprop.gradcheck.differences import Line, Value
from backprop.gradcheck.subjects import Subject


class Probe:
    """The sum of dout times the output, as a function of the subject's arrays."""

    def __init__(self, subject: Subject, dout: Any) -> None:
        self.subject, self.dout = subject, dout
        self.noise = 0.0

    def value(self) -> Value:
        """The sum for what the arrays hold now."""
        terms = np.asarray(self.subject.forward() * self.dout, dtype=np.float64)
        decisions = tuple(array.tobytes() for array in self.subject.decisions())
        return Value(float(terms.sum()), float(np.abs(terms).sum()), decisions)

    def element(self, array: Array, index: tuple[int, ...]) -> Line:
        """Along one element of an array."""
        before = array[index]

        def f(t: float) -> Value:
            try:
                array[index] = before + t
                return self.value()
            finally:
                array[index] = before

        return Line(f, power_of_two(abs(float(before))), self.noise)

    def direction(self, array: Array, u: Array) -> Line:
        """Along a vector of the array's shape and length 1."""
        before = array.copy()

        def f(t: float) -> Value:
            try:
                array[...] = before + t * u
                return self.value()
            finally:
                array[...] = before

        return Line(f, power_of_two(float(np.sqrt(np.mean(before**2)))), self.noise)

    def measure_noise(self, rng: np.random.Generator) -> None:
        """How far rounding scatters the value: what is left of it beside a parabola over tiny steps.

        A line would take the curvature of a function whose values are tiny for noise.
        """
        array = max(self.subject.arrays.values(), key=np.size, default=None)
        if array is None or not array.size:
            return
        line = self.direction(array, unit(rng, array.shape))
        steps = np.arange(-4, 5)
        values = np.array([line.f(float(step) * 2.0**-36 * line.scale) for step in steps])
        middle = values - values.mean()
        smooth = np.polynomial.Polynomial.fit(steps, middle, 2)
        self.noise = 4 * float(np.abs(middle - smooth(steps)).max())

    def ignores(self, array: Array, rng: np.random.Generator) -> bool:
        """Whether the value is the same for quite other numbers in an array: of both signs, near and far."""
        before, first = array.copy(), self.value().number
        scale = power_of_two(float(np.sqrt(np.mean(before**2))))
        try:
            for times in 4 * (1.0, -1.0, 1024.0, -1024.0):
                size = times * scale * rng.uniform(0.5, 2, size=array.shape)
                array[...] = size * (rng.choice([-1.0, 1.0], size=array.shape) if array.size > 1 else 1.0)
                with np.errstate(all="ignore"):
                    if self.value().number != first:
                        return False
        except Exception:  # noqa: BLE001  # it looks at the numbers, whatever it says of them
            return False
        finally:
            array[...] = before
        return True


def power_of_two(size: float) -> float:
    """The least power of two that is at least max(1, size)."""
    return float(2.0 ** np.ceil(np.log2(max(1.0, size))))


def unit(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """A vector of signs, of length 1."""
    signs: Array = rng.choice([-1.0, 1.0], size=shape)
    signs /= np.sqrt(max(signs.size, 1))
    return signs
