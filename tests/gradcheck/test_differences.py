"""Numerical derivatives of functions of one number, and what kind of place 0 is, told by the numbers alone."""

import pytest

from backprop.gradcheck.differences import NEAR, Line, Slope, Value

# The least step: a power of two, so that what follows is exact.
H = NEAR


def one_sided(f):
    """What kind of place 0 is for a function whose numbers stand for themselves."""
    return Line(lambda t: Value(f(t), abs(f(t)), ()), 1.0).one_sided()


@pytest.mark.parametrize("f", [lambda t: 1 + 3 * t, lambda t: 3 * t, lambda t: 3 * t - 5 * t * t])
def test_a_smooth_place(f):
    slope = one_sided(f)
    assert slope.kind == "smooth"
    assert abs(slope.derivative - 3) <= slope.error < 1e-3
    assert slope.low == slope.high == slope.derivative


@pytest.mark.parametrize(("left", "right"), [(-1.0, 1.0), (0.0, 1.0), (2.0, -3.0)])
def test_a_kink(left, right):
    slope = one_sided(lambda t: (right if t > 0 else left) * t)
    assert (slope.kind, slope.low, slope.high) == ("kink", min(left, right), max(left, right))
    assert slope.derivative == (left + right) / 2


@pytest.mark.parametrize("sign", [1, -1])
def test_a_jump(sign):
    # 1 higher on one side, and of slope 2 on both.
    slope = one_sided(lambda t: (t * sign > 0) + 2 * t)
    assert slope.kind == "jump"
    assert slope.derivative == 2 + sign / (2 * H)
    assert {slope.low, slope.high} == {2.0, 2 + sign / H}


def test_what_a_slope_allows_is_a_part_of_the_steeper_side():
    for low, high in ((-2.0, 1.0), (-1.0, 2.0)):
        assert Slope(0.0, 0.25, low, high, "kink").allowed(0.5) == 0.25 + 0.5 * 2
