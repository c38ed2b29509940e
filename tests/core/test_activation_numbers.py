"""The numbers that activations take, and what other numbers make of them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import backprop as bp
from backprop import graph
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


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("kind", NUMBERS)
def test_the_plan_has_the_numbers_that_the_layer_has_now(kind, dtype):
    cls, names = CLASSES[kind], WITH_NUMBERS[kind]
    layer = cls(*((-0.5, 0.25) if kind == "hardtanh" else (0.5,)))
    net = bp.Network([4, 6, 2], activation=layer, loss="squared_error", seed=0, dtype=dtype)
    x, t = np.random.default_rng(0).normal(size=(2, 9, 4)).astype(dtype) * 3
    t = np.ascontiguousarray(t[:, :2])
    u = unit_roundoff(dtype)
    for name, value in [(None, None), *((name, 0.125 + n) for n, name in reversed([*enumerate(names)]))]:
        if name is not None:
            setattr(net.layers[f"{cls.__name__}1"], name, value)
        scores, grads = net.predict(x), net.gradient(x, t)
        assert net.is_planned
        hidden = x
        for one in net.layers.values():
            hidden = one.forward(hidden)
        assert np.array_equal(scores, hidden)
        before = {key: array.copy() for key, array in net.params.items()}
        net.train_step(x, t, bp.SGD(0.1))
        for key, array in net.params.items():
            step = dtype.type(0.1) * grads[key]
            assert (
                np.abs(array - (before[key] - step)) <= 2 * u * (np.abs(before[key]) + np.abs(step))
            ).all()


CLASSES = {"leaky_relu": bp.LeakyRelu, "elu": bp.Elu, "softplus": bp.Softplus, "hardtanh": bp.Hardtanh}


@pytest.mark.parametrize("dtype", DTYPES)
def test_numbers_beyond_the_type_stay_finite_and_above_0(dtype):
    x, out, dx = np.array([-1.0, 0.0, 1.0], dtype), np.empty(3, dtype), np.empty(3, dtype)
    kernels.leaky_relu_forward(x, 1e300, out)
    assert out[1] == 0
    kernels.elu_forward(x, 1e-320, out)
    assert out[0] < 0
    kernels.elu_backward(x, out, 1e-320, dx)
    assert dx[0] < 0
    for beta in (1e-320, 1e300):
        kernels.softplus_forward(x, beta, out)
        assert np.isfinite(out).all()


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_leaky_relu_of_slope_0_is_relu(dtype):
    x, out, dx = np.array([-np.inf, -1, 0, 2, np.nan], dtype), np.empty(5, dtype), np.empty(5, dtype)
    for slope in (0.0, 1e-320) if dtype == np.float32 else (0.0,):  # 0 in the type
        kernels.leaky_relu_forward(x, slope, out)
        assert np.array_equal(out[[0, 2, 3]], [0, 0, 2])
        assert np.isnan(out[4])
        kernels.leaky_relu_backward(np.full(5, np.inf, dtype), out, slope, dx)
        assert np.array_equal(dx, [0, 0, 0, np.inf, np.inf])


@pytest.mark.parametrize(
    ("dtype", "x", "beta"), [("float32", 1e36, 1e3), ("float64", 1e300, 1e10), ("float32", 50, 1e3)]
)
def test_softplus_of_a_large_number_is_that_number(dtype, x, beta):
    x, out = np.array([x, -x], dtype), np.empty(2, dtype)
    kernels.softplus_forward(x, beta, out)
    assert np.array_equal(out, [x[0], 0])


@pytest.mark.parametrize(
    ("layer", "wrong"),
    [
        (bp.LeakyRelu(), {"negative_slope": -2.0}),
        (bp.Elu(), {"alpha": np.nan}),
        (bp.Softplus(), {"beta": np.inf}),
        (bp.Hardtanh(), {"min_val": 9.0}),
        (bp.Hardtanh(), {"max_val": np.nan}),
    ],
)
def test_numbers_that_went_past_the_check_are_refused(layer, wrong, tmp_path):
    net = bp.Network([3, 4, 2], activation=layer, seed=0)
    layer = net.layers[f"{type(layer).__name__}1"]
    vars(layer).update(wrong)
    x = np.ones((2, 3), np.float32)
    for call in (
        lambda: net.predict(x),
        lambda: layer.forward(x),
        lambda: net.train_step(x, [0, 1], bp.SGD()),
    ):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            call()
    if type(layer) is bp.Hardtanh:
        with pytest.raises(ValueError, match="wanted min_val below max_val"):
            net.save(tmp_path / "net")


def test_a_class_that_inherits_may_say_more_of_itself():
    class Named(bp.LeakyRelu):
        def options(self):
            return {**super().options(), "note": "of ours"}

    assert Named(0.5).forward([-2.0, 1.0]).tolist() == [-1, 1]
    assert repr(Named(0.5)) == "Named(negative_slope=0.5)"


def test_graphs_take_the_numbers():
    x = graph.variable([-4.0, 5.0])
    assert graph.hardtanh(x, min_val=-1, max_val=2).value.tolist() == [-1, 2]
    assert graph.leaky_relu(x, negative_slope=0.5).value.tolist() == [-2, 5]


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
