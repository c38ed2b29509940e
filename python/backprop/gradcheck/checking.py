"""`check_gradients`: first how forward and backward behave, then their numbers against numerical ones.

a) Behaviour is tried on copies in the same state: what overwrites, accumulates, ignores or depends is named.
b) Numbers: of each array some elements, all if there are few, and random directions, which see every element at once. A
   direction that disagrees is halved until the element that is wrong stands alone.
c) A point at which the numerical derivative may be off by as much as the gradient proves nothing and is left out.
d) What is wrong is named by its pattern over the points that disagree.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from backprop._util.names import named_arguments
from backprop.gradcheck.arguments import OWNER
from backprop.gradcheck.behaviour import behaviour
from backprop.gradcheck.comparison import Comparison
from backprop.gradcheck.findings import Finding
from backprop.gradcheck.probe import Probe
from backprop.gradcheck.report import ArrayReport, GradientReport
from backprop.gradcheck.subjects import subject_of


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
        integers are not, `x.astype(float)` is. Or what forward, loss or the function returns is no floating-point
        numbers, or backward returns more gradients than there are inputs. What these raise goes through.

    Notes
    -----
    Kinks, where a ReLU or a maximum switches, have no derivative: there any value between the one-sided ones is
    accepted and counted, and a check in which many points are kinks is refused. Where rounding may change the numerical
    derivative by as much as the gradient, a point proves nothing: it is left out and counted, and an array without
    another is refused.

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
    largest = max((float(np.abs(gradient).max(initial=0.0)) for gradient in back.values()), default=0.0)
    for name, gradient in back.items():
        array = ArrayReport(name, subject.arrays[name].shape)
        report.arrays.append(array)
        comparison = Comparison(probe, array, gradient, largest, rtol, rng)
        report.findings += comparison.run(points, directions)
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
