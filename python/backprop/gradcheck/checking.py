"""`check_gradients`: first how forward and backward behave, then their numbers against numerical ones.

a) Behaviour is tried on copies in the same state: what overwrites, accumulates, ignores or depends is named.
b) Numbers: of each array some elements, all if there are few, and random directions, which see every element at once. A
   direction that disagrees is halved until the element that is wrong stands alone.
c) What is wrong is named by its pattern over the points that disagree.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from backprop._arrays import Array
from backprop._names import named_arguments
from backprop.gradcheck.behaviour import behaviour
from backprop.gradcheck.differences import Line, Slope, Value
from backprop.gradcheck.findings import Finding
from backprop.gradcheck.patterns import pattern
from backprop.gradcheck.report import ArrayReport, GradientReport, Point
from backprop.gradcheck.subjects import OWNER, Subject, subject_of

# A check in which more than this share of an array's points are kinks is refused.
MOST_KINKS = 0.25


@named_arguments
def check_gradients(
    target: Any,
    *inputs: Any,
    params: Mapping[str, str] | None = None,
    points: int | None = 32,
    directions: int = 2,
    rtol: float = 1e-7,
    seed: int = 0,
) -> GradientReport:
    """Check backpropagated gradients against numerical ones, and how forward and backward behave.

    A copy of the target is checked, in float64 whatever its type; nothing of the caller's is changed.

    Parameters
    ----------
    target : layer, network, node of a graph, or (function, gradient)
        A layer is anything with `forward(*inputs)` and `backward(dout)`, which returns the gradient of its first input
        or a tuple, one an input (None for those that have none). A network has `params`, `loss(x, t)` and
        `gradient(x, t)`. A node of `backprop.graph` is checked by all variables that lead to it, without
        inputs. Of a pair, `function(*inputs)` returns a number and `gradient(*inputs)` likewise a gradient or a tuple.
    *inputs : array_like
        What forward, or the function, takes; a network takes x and t. Arrays of floating-point numbers are
        differentiated by, labels and the like are not.
    params : mapping of str to str, optional
        Names of a layer's parameters and of the attributes that take their gradients; by default each array `W` of
        the layer beside which backward leaves a `dW`.
    points : int or None, default 32
        Elements of each array that are checked one by one; arrays that have no more are checked whole, None checks
        all elements of all arrays.
    directions : int, default 2
        Random directions in which each larger array is checked as a whole.
    rtol : float, default 1e-7
        Relative distance that passes, beside the error of the numerical derivative, which is estimated.
    seed : int, default 0
        Of the sample, the directions and dout.

    Returns
    -------
    GradientReport
        `passed`, `findings` and the points; `raise_if_failed()`.

    Raises
    ------
    TypeError, ValueError
        The target is nothing that can be checked, an argument is wrong, or there is nothing to differentiate by:
        integers are not, `x.astype(float)` is. What forward and backward raise goes through.

    Notes
    -----
    Kinks, where a ReLU or a maximum switches, have no derivative: there any value between the one-sided ones is
    accepted and counted, and a check in which many points are kinks is refused.

    The five-point stencil and steps relative to `max(1, |x|)` are those of Numerical Recipes, section 5.7.

    Examples
    --------
    >>> x = np.array([[0.5, -1.0, 2.0]])
    >>> bp.check_gradients(bp.Sigmoid(), x).passed
    True
    >>> class Half(bp.Sigmoid):
    ...     def backward(self, dout):
    ...         return super().backward(dout) / 2
    >>> bp.check_gradients(Half(), x).findings[0].name
    'constant factor'
    """
    if points is not None and points < 1:
        raise ValueError(f"{OWNER}: points is {points}, wanted at least 1, or None for all elements")
    if directions < 0:
        raise ValueError(f"{OWNER}: directions is {directions}, wanted at least 0")
    if not 0 < rtol < 1:
        raise ValueError(f"{OWNER}: rtol is {rtol}, wanted a number between 0 and 1")
    subject = subject_of(target, inputs, params)
    rng = np.random.default_rng(seed)
    report = GradientReport(subject.name, seed, rtol=rtol)
    back, dout = behaviour(subject, rng, report.findings)
    if back is None:
        return report
    probe = Probe(subject, dout)
    probe.measure_noise(rng)
    for name, gradient in back.items():
        array = ArrayReport(name, subject.arrays[name].shape)
        report.arrays.append(array)
        compare(probe, array, gradient, points, directions, rtol, rng, report.findings)
    if not report.findings and not any(array.points for array in report.arrays):
        report.findings.append(Finding("nothing was checked"))
    return report


def assert_gradients(target: Any, *inputs: Any, **options: Any) -> None:
    """Raise GradientError, an AssertionError, with the report if `check_gradients` finds anything; for tests.

    Parameters
    ----------
    target, *inputs, **options
        As for `check_gradients`.
    """
    check_gradients(target, *inputs, **options).raise_if_failed()


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
        """How far rounding scatters the value: what is left of it beside a line over steps that change nothing else."""
        array = max(self.subject.arrays.values(), key=np.size, default=None)
        if array is None or not array.size:
            return
        line = self.direction(array, unit(rng, array.shape))
        steps = np.arange(-4, 5)
        values = np.array([line.f(float(step) * 2.0**-36 * line.scale) for step in steps])
        middle = values - values.mean()
        slope = (steps @ middle) / (steps @ steps)
        self.noise = 4 * float(np.abs(middle - slope * steps).max())


def power_of_two(size: float) -> float:
    """The least power of two that is at least max(1, size)."""
    return float(2.0 ** np.ceil(np.log2(max(1.0, size))))


def unit(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """A vector of signs, of length 1."""
    signs: Array = rng.choice([-1.0, 1.0], size=shape)
    signs /= np.sqrt(max(signs.size, 1))
    return signs


def compare(
    probe: Probe,
    report: ArrayReport,
    back: Array,
    points: int | None,
    directions: int,
    rtol: float,
    rng: np.random.Generator,
    findings: list[Finding],
) -> None:
    """Fill one array's report, and add what is wrong with its gradient to the findings."""
    array, name = probe.subject.arrays[report.name], report.name
    if not array.size:
        return
    wrong: list[tuple[tuple[int, ...], float, float]] = []

    def judge(line: Line, other: float, where: str) -> Slope | None:
        """Add a point; the numerical slope if it disagrees."""
        agrees, slope = line.judge(other, rtol)
        outside = max(slope.low - other, other - slope.high, 0.0)
        error = abs(other - slope.derivative) if slope.kind == "smooth" else outside
        # A jump passes at no distance; elsewhere roundoff of the subtraction above must not undo the verdict.
        limit = (
            max(slope.allowed(rtol), error) if agrees else min(slope.allowed(rtol), np.nextafter(error, 0.0))
        )
        kink = agrees and slope.kind == "kink"
        report.points.append(Point(where, other, slope.derivative, error, kink, float(limit)))
        return None if agrees else slope

    def judge_element(index: tuple[int, ...]) -> bool:
        where = f"{name}[{', '.join(map(str, index))}]" if index else name
        slope = judge(probe.element(array, index), float(back[index]), where)
        if slope is not None and slope.kind == "jump":
            findings.append(Finding("jump", name, f"at {where}"))
        elif slope is not None:
            wrong.append((index, float(back[index]), slope.derivative))
        return slope is None

    whole = points is None or array.size <= points
    chosen = np.arange(array.size) if whole else np.sort(rng.choice(array.size, points, replace=False))
    for flat in chosen:
        judge_element(tuple(int(i) for i in np.unravel_index(flat, array.shape)))
    for n in range(0 if whole else directions):
        u = unit(rng, array.shape)
        slope = judge(probe.direction(array, u), float((back * u).sum()), f"{name}, direction {n + 1}")
        if slope is not None and not wrong:
            index = halve(probe, array, back, u, rtol)
            if judge_element(index):
                findings.append(Finding("wrong gradient", name, f"in direction {n + 1}"))
    if wrong:
        findings.append(pattern(name, wrong, array.shape, back, probe.subject.batch, len(chosen)))
    if report.kinks > MOST_KINKS * len(report.points):
        findings.append(Finding("mostly kinks", name, f"{report.kinks} of {len(report.points)} points"))
    if not wrong and not any(point.backpropagated or point.numerical for point in report.points):
        findings.append(Finding("all gradients are zero", name))


def halve(probe: Probe, array: Array, back: Array, u: Array, rtol: float) -> tuple[int, ...]:
    """The index of an element that is wrong, of a direction that is."""
    low, high = 0, array.size
    flat_u, flat_back = u.reshape(-1), back.reshape(-1)
    while high - low > 1:
        middle = (low + high) // 2
        part = np.zeros(array.size)
        part[low:middle] = flat_u[low:middle] * np.sqrt(array.size / (middle - low))
        line = probe.direction(array, part.reshape(array.shape))
        agrees, _ = line.judge(float(part @ flat_back), rtol)
        low, high = (middle, high) if agrees else (low, middle)
    return tuple(int(i) for i in np.unravel_index(low, array.shape))
