"""The nodes beyond + and ×: values as NumPy has them, gradients by check_gradients, and what they do at corners."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import backprop as bp
from tests.bounds import gamma, ulps
from tests.strategies import DTYPES, any_shape, arrays, away_from_zero

PAIRS = [((), ()), ((3,), ()), ((2, 3), (3,)), ((2, 1), (1, 3)), ((4,), (2, 3, 1))]
U = 2.0**-53


@pytest.mark.parametrize("kind", [bp.Subtract, bp.Divide])
@pytest.mark.parametrize("shapes", PAIRS, ids=str)
@given(data=st.data())
def test_gradients_of_two_inputs(kind, shapes, data):
    x, y = (np.asarray(data.draw(away_from_zero(*shape))) for shape in shapes)
    if kind is bp.Divide:
        y = np.sign(y) * (np.abs(y) + 0.5)  # 1/y has a fifth derivative of 120/y⁶
    bp.assert_gradients(kind(), x, y)


@pytest.mark.parametrize("shapes", PAIRS, ids=str)
@given(data=st.data())
def test_gradients_of_maxima(shapes, data):
    x, y = (np.asarray(data.draw(away_from_zero(*shape))) for shape in shapes)
    report = bp.check_gradients(bp.Maximum(), x, y)
    # Where one input is the larger one everywhere, the other has no gradient.
    assert {finding.name for finding in report.findings} <= {"all gradients are zero"}, report


@given(data=st.data(), rows=st.integers(1, 5), columns=st.integers(1, 5), exponent=st.integers(-4, 6))
def test_gradients_of_one_input(data, rows, columns, exponent):
    x = data.draw(away_from_zero(rows, columns))
    far = np.sign(x) * (np.abs(x) + 0.5)
    bp.assert_gradients(bp.Log(), np.abs(far))
    bp.assert_gradients(bp.Power(1.5), np.abs(far))
    if exponent:  # x⁰ has no gradient to prove
        bp.assert_gradients(bp.Power(exponent), far)
    for axis in (None, 0, 1, (0, 1), -1):
        for keepdims in (False, True):
            bp.assert_gradients(bp.Sum(axis, keepdims), x)
            bp.assert_gradients(bp.Max(axis, keepdims), x)


@pytest.mark.parametrize("shapes", [((4, 3), (3, 2)), ((3,), (3, 2)), ((4, 3), (3,)), ((3,), (3,))], ids=str)
@given(data=st.data())
def test_gradients_of_products(shapes, data):
    x, W = (data.draw(away_from_zero(*shape)) for shape in shapes)
    node = bp.Dot()
    bound = gamma(3, float) * (np.abs(x) @ np.abs(W))
    assert np.all(np.abs(node.forward(x, W) - x @ W) <= 2 * bound)
    bp.assert_gradients(node, x, W)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@given(data=st.data())
def test_values_are_numpys(dtype, data):
    shape = data.draw(any_shape())
    x, y = (data.draw(arrays(dtype, *shape)) for _ in range(2))
    with np.errstate(all="ignore"):
        for kind, function in (
            (bp.Subtract, np.subtract),
            (bp.Divide, np.divide),
            (bp.Maximum, np.maximum),
        ):
            assert np.array_equal(kind().forward(x, y), function(x, y), equal_nan=True)
    total = bp.Sum().forward(x)
    assert (
        abs(total - x.sum(dtype=np.longdouble))
        <= gamma(max(x.size, 1), dtype) * np.abs(x.astype(float)).sum()
    )
    if x.size:
        assert bp.Max().forward(x) == x.max()
        for axis in range(x.ndim):
            assert np.array_equal(bp.Max(axis).forward(x), x.max(axis=axis))
            assert bp.Sum(axis, keepdims=True).forward(x).shape == x.sum(axis=axis, keepdims=True).shape


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("n", [-64, -3, -1, 0, 1, 2, 7, 64, 65, 0.5, 2.5, -0.5])
def test_powers(n, dtype):
    x = np.concatenate([np.linspace(0.6, 1.5, 50), -np.linspace(0.6, 1.5, 50)]).astype(dtype)
    x = np.abs(x) if n != int(n) else x
    exact = x.astype(np.longdouble) ** np.longdouble(n)
    # Every factor counts once, whichever square it came in by, and with it a rounding of u, which is at most a unit in
    # the last place; 1/x and the C library's pow add one.
    assert ulps(bp.Power(n).forward(x), exact).max() <= abs(n) + 1


def test_powers_at_zero():
    for n, out, dx in ((0, 1, 0), (1, 0, 1), (2, 0, 0), (0.5, 0, np.inf), (-1, np.inf, -np.inf)):
        node = bp.Power(n)
        assert node.forward(0.0) == out
        assert node.backward(1.0) == dx
    assert np.isnan(bp.Power(0.5).forward(-1.0))


def test_equals_share_the_gradient():
    node = bp.Maximum()
    node.forward([1.0, 2.0], [1.0, 1.0])
    dx, dy = node.backward([1.0, 1.0])
    assert dx.tolist() == [0.5, 1]
    assert dy.tolist() == [0.5, 0]
    largest = bp.Max()
    assert largest.forward([3.0, 1.0, 3.0]) == 3
    assert largest.backward(1.0).tolist() == [0.5, 0, 0.5]
    assert np.isnan(largest.forward([1.0, np.nan]))


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda: bp.Sum(2).forward(np.ones((2, 3))),
            ValueError,
            "Sum.forward: axis is 2, x has 2 dimensions",
        ),
        (lambda: bp.Max((0, -2)).forward(np.ones((2, 3))), ValueError, r"axis is \(0, -2\)"),
        (
            lambda: bp.Max(1).forward(np.ones((2, 0))),
            ValueError,
            r"x has shape \(2, 0\), wanted at least one",
        ),
        (lambda: bp.Dot().forward(np.ones((2, 3)), np.ones((2, 3))), ValueError, "last length and W's first"),
        (lambda: bp.Dot().forward(np.ones((2, 3, 1)), 1.0), ValueError, "x has 3 dimensions, wanted 1 or 2"),
        (lambda: bp.Dot().forward(np.ones(3), 1.0), ValueError, "W has 0 dimensions, wanted 1 or 2"),
        (
            lambda: bp.Divide().forward(np.ones(2), np.ones(3)),
            ValueError,
            "Divide.forward: .* do not broadcast",
        ),
        (lambda: bp.Power("2"), TypeError, "Power: exponent has dtype"),
        (lambda: bp.Power([1, 2]), ValueError, r"exponent has shape \(2,\), wanted a number"),
        *[
            (kind().backward, RuntimeError, "no forward pass to go back through")
            for kind in (bp.Subtract, bp.Divide, bp.Maximum, bp.Log, bp.Sum, bp.Max, bp.Dot)
        ],
        (bp.Power(2).backward, RuntimeError, "Power.backward: there is no forward pass"),
    ],
)
def test_errors(call, error, message):
    with pytest.raises(error, match=message):
        call(1.0) if message.find("forward pass") >= 0 else call()


def test_they_call_themselves_what_they_are():
    made = [
        bp.Add(),
        bp.Divide(),
        bp.Exp(),
        bp.Dot(),
        bp.Log(),
        bp.Power(-0.5),
        bp.Sum(),
        bp.Max((0, 1), True),
    ]
    assert [repr(node) for node in made] == [
        *("Add()", "Divide()", "Exp()", "Dot()", "Log()", "Power(-0.5)", "Sum(axis=None, keepdims=False)"),
        "Max(axis=(0, 1), keepdims=True)",
    ]
