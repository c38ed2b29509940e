"""The numbers that activations take, and what other numbers make of them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import backprop as bp
from bpcore import kernels, plan
from tests import reference
from tests.bounds import unit_roundoff
from tests.strategies import DTYPES, dtypes

SIZED = st.floats(1e-3, 1e3)
NUMBERS = {
    "leaky_relu": st.tuples(st.floats(0, 1e3)),
    "elu": st.tuples(SIZED),
    "softplus": st.tuples(SIZED),
    "hardtanh": st.tuples(st.floats(-10, 10), SIZED).map(lambda both: (both[0], both[0] + both[1])),
}
# Of the result's size, that of x and the largest number: what a result may be off by, in u, and what a derivative may.
ROUNDINGS = {
    "leaky_relu": lambda y, x, number: (2 * y, number),
    # exp(x) − 1 has 6, alpha and the product one each. A derivative is min(out, 0) + alpha.
    "elu": lambda y, x, number: (8 * y, 2 * max(1, number)),
    # beta is rounded, beta·x too, which changes log(1 + exp(beta·x)) / beta by 2·|x| at most, and then by 9; 1 / beta,
    # and the product with it. A derivative is a sigmoid, whose slope is at most a quarter, and has 8.
    "softplus": lambda y, x, number: (12 * y + 2 * x, 8 + number * x / 2),
    "hardtanh": lambda y, x, number: (np.where(x > y, number, 0) + number, 0),
}
WITH_NUMBERS = {kind: names for kind, names in plan.ACTIVATION_NUMBERS.items() if names}


def test_all_that_take_numbers_are_here():
    assert {*NUMBERS} == {*WITH_NUMBERS}


@pytest.mark.parametrize("kind", NUMBERS)
@given(data=st.data(), dtype=dtypes(), seed=st.integers(0, 1000))
def test_other_numbers(kind, data, dtype, seed):
    numbers, rng = data.draw(NUMBERS[kind]), np.random.default_rng(seed)
    x, dout = (rng.uniform(-12, 12, 100).astype(dtype) for _ in range(2))
    out, dx = np.empty_like(x), np.empty_like(x)
    getattr(kernels, f"{kind}_forward")(x, *numbers, out)
    kept = x if kind == "softplus" else out
    getattr(kernels, f"{kind}_backward")(dout, kept, *numbers, dx)
    wide = [array.astype(float) for array in (x, dout, kept)]
    wanted, wanted_dx = np.empty(100), np.empty(100)
    getattr(reference, f"{kind}_forward")(wide[0], *numbers, wanted)
    getattr(reference, f"{kind}_backward")(wide[1], wide[2], *numbers, wanted_dx)
    u, tiny = unit_roundoff(dtype) + unit_roundoff(float), float(np.finfo(dtype).tiny)
    error, dx_error = ROUNDINGS[kind](np.abs(wanted), np.abs(wide[0]), max(map(abs, numbers)))
    assert (np.abs(out - wanted) <= u * error + tiny).all()
    if kind == "hardtanh":  # at a bound that is rounded the derivative is that of the rounded one
        low, high = (dtype.type(number) for number in numbers)
        wanted_dx = np.where((out <= low) | (out >= high), 0, dout)
    assert (np.abs(dx - wanted_dx) <= u * (dx_error * np.abs(dout) + 2 * np.abs(wanted_dx)) + tiny).all()


@pytest.mark.parametrize("kind", NUMBERS)
def test_the_plan_has_the_numbers_that_the_layer_has_now(kind):
    cls, names = type(bp.Network([4, 3, 2], activation=kind).layers[f"{cls_name(kind)}1"]), WITH_NUMBERS[kind]
    layer = cls(*((0.5, 0.25)[: len(names)] if kind != "hardtanh" else (-0.5, 0.25)))
    net = bp.Network([4, 6, 2], activation=layer, loss="squared_error", seed=0, dtype="float64")
    x, t = np.random.default_rng(0).normal(size=(2, 9, 4)) * 3
    t = t[:, :2]
    for value in (None, 0.75):
        if value is not None:
            setattr(net.layers[f"{cls.__name__}1"], names[-1], value)
        scores, grads = net.predict(x), net.gradient(x, t)
        assert net.is_planned
        hidden = x
        for one in net.layers.values():
            hidden = one.forward(hidden)
        np.testing.assert_allclose(scores, hidden, rtol=1e-13)
        before = {key: array.copy() for key, array in net.params.items()}
        net.train_step(x, t, bp.SGD(0.1))
        for key, array in net.params.items():
            np.testing.assert_allclose(array, before[key] - 0.1 * grads[key], rtol=1e-12, atol=1e-15)


def cls_name(kind):
    return next(name for name in vars(bp.layers.activations) if name.lower() == kind.replace("_", ""))


@pytest.mark.parametrize("dtype", DTYPES)
def test_numbers_beyond_the_type_stay_finite_and_above_0(dtype):
    x, out = np.array([-1.0, 0.0, 1.0], dtype), np.empty(3, dtype)
    kernels.leaky_relu_forward(x, 1e300, out)
    assert out[1] == 0
    kernels.elu_forward(x, 1e-320, out)
    assert np.isfinite(out).all()
    for beta in (1e-320, 1e300):
        kernels.softplus_forward(x, beta, out)
        assert not np.isnan(out).any()


@pytest.mark.parametrize(
    ("cls", "arguments", "message"),
    [
        (bp.LeakyRelu, (-0.1,), "LeakyRelu: negative_slope is -0.1, wanted a finite number of at least 0"),
        (bp.Elu, (0,), "Elu: alpha is 0, wanted a positive finite number"),
        (bp.Softplus, (np.inf,), "Softplus: beta is inf, wanted a positive finite number"),
        (bp.Hardtanh, (1, -1), "Hardtanh: min_val is 1, max_val is -1; wanted min_val below max_val"),
        (bp.Hardtanh, (np.nan, 1), "Hardtanh: min_val is nan, wanted a finite number"),
        (bp.Hardtanh, ("a", 1), "Hardtanh: min_val is 'a', wanted a finite number"),
    ],
)
def test_wrong_numbers(cls, arguments, message):
    with pytest.raises(ValueError, match="^" + message.replace("(", r"\(") + "$"):
        cls(*arguments)


def test_a_bound_is_checked_before_it_changes():
    layer = bp.Hardtanh(-2, 2)
    with pytest.raises(ValueError, match="max_val is -3"):
        layer.max_val = -3
    assert layer.options() == {"min_val": -2.0, "max_val": 2.0}
    layer.max_val = 6
    assert layer.forward(np.array([7.0, -7.0])).tolist() == [6, -2]
