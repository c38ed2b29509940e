"""Every kernel against its NumPy twin, within a bound that the number of roundings gives."""

import inspect
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bpcore import kernels
from tests import reference
from tests.bounds import gamma, unit_roundoff
from tests.strategies import DTYPES, SIZES, SOME, arrays, dtypes

HELPERS = ("decayed", "flushed", "normal_distribution", "one_hot", "power")
HELPERS += ("row_means", "rounded_decay", "rounded_eps", "rounded_lr", "scaled")
NAMES = [name for name, value in vars(reference).items() if inspect.isfunction(value) and name not in HELPERS]


def run(name, *inputs, outputs):
    """Call kernel and twin on the same inputs; return (kernel's outputs, twin's outputs in float64)."""
    kernel_outputs = [np.full(shape, 77, dtype) for shape, dtype in outputs]
    before = [np.copy(array) for array in inputs]
    result = getattr(kernels, name)(*inputs, *kernel_outputs)
    for array, copy in zip(inputs, before, strict=True):
        assert np.array_equal(array, copy, equal_nan=True), "an input was changed"
    twin_outputs = [np.full(s, 77, np.float64 if d is not bool else bool) for s, d in outputs]
    wide = [a.astype(np.float64) if getattr(a, "dtype", np.dtype(bool)).kind == "f" else a for a in inputs]
    with np.errstate(all="ignore"):
        twin_result = getattr(reference, name)(*wide, *twin_outputs)
    return (*kernel_outputs, result), (*twin_outputs, twin_result)


@pytest.mark.parametrize("name", NAMES)
def test_twin_has_the_kernels_arguments(name):
    kernel, twin = inspect.signature(getattr(kernels, name)), inspect.signature(getattr(reference, name))
    assert list(kernel.parameters) == list(twin.parameters)
    assert [p.default for p in kernel.parameters.values()] == [p.default for p in twin.parameters.values()]


def test_every_kernel_has_a_twin():
    entries = {name for name, value in vars(kernels).items() if isinstance(value, kernels.Entry)}
    assert entries == set(NAMES)


@given(st.data(), dtypes(), SIZES, SIZES, SIZES)
def test_affine_forward(data, dtype, B, I, O):  # noqa: E741  # the sizes' letters
    x, W, b = (data.draw(arrays(dtype, *shape)) for shape in [(B, I), (I, O), (O,)])
    (out, _), (twin, _) = run("affine_forward", x, W, b, outputs=[((B, O), dtype)])
    magnitudes = np.abs(x).astype(float) @ np.abs(W) + np.abs(b)
    assert (np.abs(out - twin) <= (gamma(I + 1, dtype) + gamma(I + 1, float)) * magnitudes).all()


@given(st.data(), dtypes(), SIZES, SIZES, SIZES)
def test_affine_backward_input(data, dtype, B, I, O):  # noqa: E741
    dout, W = data.draw(arrays(dtype, B, O)), data.draw(arrays(dtype, I, O))
    (dx, _), (twin, _) = run("affine_backward_input", dout, W, outputs=[((B, I), dtype)])
    magnitudes = np.abs(dout).astype(float) @ np.abs(W.T)
    assert (np.abs(dx - twin) <= (gamma(O, dtype) + gamma(O, float)) * magnitudes).all()


@given(st.data(), dtypes(), SIZES, SIZES, SIZES)
def test_affine_backward_params(data, dtype, B, I, O):  # noqa: E741
    x, dout = data.draw(arrays(dtype, B, I)), data.draw(arrays(dtype, B, O))
    (dW, db, _), (dW_twin, db_twin, _) = run(
        "affine_backward_params", x, dout, outputs=[((I, O), dtype), ((O,), dtype)]
    )
    error = gamma(B, dtype) + gamma(B, float)
    assert (np.abs(dW - dW_twin) <= error * (np.abs(x.T).astype(float) @ np.abs(dout))).all()
    assert (np.abs(db - db_twin) <= error * np.abs(dout).astype(float).sum(axis=0)).all()


# Several blocks of k, of rows, of columns; rows that conflict in the caches, and rows that do not. Wide enough for x to
# be packed, in one block of few rows and in several.
LARGE = [(300, 256, 150), (1100, 512, 131), (520, 1024, 197), (600, 700, 50), (129, 3000, 128), (70, 10, 500)]
LARGE += [(600, 1000, 341), (700, 10, 500)]


@pytest.mark.parametrize("threads", [1, 2, 3])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", LARGE)
def test_large_products_of_whole_numbers_are_exact(shape, dtype, threads):
    B, I, O = shape  # noqa: E741
    rng = np.random.default_rng(0)
    # Sums of at most 3000 products of at most 9 and a bias: far below 2^24, so nothing is rounded.
    sizes = ((B, I), (I, O), (O,), (B, O))
    x, W, b, dout = (rng.integers(-3, 4, size=size).astype(float) for size in sizes)
    x_, W_, b_, dout_ = (array.astype(dtype) for array in (x, W, b, dout))
    out, dx, dW, db = (np.empty_like(array) for array in (dout_, x_, W_, b_))
    kernels.affine_forward(x_, W_, b_, out, threads=threads)
    kernels.affine_backward_input(dout_, W_, dx, threads=threads)
    kernels.affine_backward_params(x_, dout_, dW, db, threads=threads)
    assert np.array_equal(out, x @ W + b)
    assert np.array_equal(dx, dout @ W.T)
    assert np.array_equal(dW, x.T @ dout)
    assert np.array_equal(db, dout.sum(axis=0))


@given(st.data(), dtypes(), SIZES, SIZES)
def test_sum_rows(data, dtype, B, O):  # noqa: E741
    x = data.draw(arrays(dtype, B, O))
    (out, _), (twin, _) = run("sum_rows", x, outputs=[((O,), dtype)])
    assert (
        np.abs(out - twin) <= (gamma(B, dtype) + gamma(B, float)) * np.abs(x).astype(float).sum(axis=0)
    ).all()


@given(st.data(), dtypes(), SIZES)
def test_relu(data, dtype, N):
    x, dout = data.draw(arrays(dtype, N)), data.draw(arrays(dtype, N))
    (out, mask, _), (twin, twin_mask, _) = run("relu_forward", x, outputs=[((N,), dtype), ((N,), bool)])
    assert np.array_equal(out, twin)
    assert np.array_equal(mask, twin_mask)
    (dx, _), (twin, _) = run("relu_backward", dout, mask, outputs=[((N,), dtype)])
    assert np.array_equal(dx, twin)


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_relu_of_more_than_a_cache_writes_what_it_should_and_nothing_else(dtype, threads):
    # From 32 MiB on, results are written by non-temporal stores, in full vectors from the first aligned address.
    n = 2**25 // np.dtype(dtype).itemsize + 37
    x = np.random.default_rng(0).normal(size=n).astype(dtype)
    out, mask = np.full(n + 2, 7, dtype), np.full(n + 2, 7, np.uint8)
    kernels.relu_forward(x, out[1:-1], mask[1:-1], threads=threads)
    assert np.array_equal(out[1:-1], np.maximum(x, 0))
    assert np.array_equal(mask[1:-1], x <= 0)
    assert out[0] == out[-1] == mask[0] == mask[-1] == 7
    dx = np.full(n + 2, 7, dtype)
    kernels.relu_backward(x, mask[1:-1], dx[1:-1], threads=threads)
    assert np.array_equal(dx[1:-1], np.where(x <= 0, 0, x))
    assert dx[0] == dx[-1] == 7


# Roundings of the value itself, in units of u relative to it: exp 2 ULP = 4u, tanh 3 ULP, 1 + e and the division
# 2u more; the twin's own error in float64 is at most the same.
@pytest.mark.parametrize(
    ("name", "roundings"),
    [("exp", 4), ("log", 6), ("reciprocal", 1), ("sigmoid_forward", 10), ("tanh_forward", 6)],
)
@given(data=st.data(), dtype=dtypes(), N=SIZES)
def test_functions_of_one_element(name, roundings, data, dtype, N):
    x = data.draw(arrays(dtype, N, bound=30))
    x = np.abs(x) + dtype.type(0.1) if name in ("log", "reciprocal") else x
    (out, _), (twin, _) = run(name, x, outputs=[((N,), dtype)])
    u = unit_roundoff(dtype)
    assert (np.abs(out - twin) <= roundings * (u + unit_roundoff(float)) * np.abs(twin)).all()


@pytest.mark.parametrize(
    ("name", "roundings"), [("sigmoid_backward", 3), ("reciprocal_backward", 2), ("tanh_backward", 4)]
)
@given(data=st.data(), dtype=dtypes(), N=SIZES)
def test_gradients_of_one_element(name, roundings, data, dtype, N):
    dout = data.draw(arrays(dtype, N))
    # 1 − y loses no digits that y had: its rounding is relative to 1 − y itself. 1 − y² loses what rounding y² cost:
    # u·y²/(1 − y²), less than 2u up to 3/4.
    out = np.abs(data.draw(arrays(dtype, N, bound=0.75)))
    (dx, _), (twin, _) = run(name, dout, out, outputs=[((N,), dtype)])
    error = 2 * roundings * (unit_roundoff(dtype) + unit_roundoff(float))
    tiny = float(np.finfo(dtype).tiny)  # below it a product is rounded absolutely
    assert (np.abs(dx - twin) <= error * np.abs(twin) + tiny).all()


def tanh_argument(x):
    """2u of gelu_tanh, whose five roundings exp turns into a relative error."""
    return math.sqrt(8 / math.pi) * (np.abs(x) + 0.044715 * np.abs(x) ** 3)


# GELU within 4 ULP = 8u, its twin's erfc of an argument that was rounded twice; by tanh, the roundings of that, of
# exp (4u), two products, a sum and a quotient.
@pytest.mark.parametrize(
    ("name", "roundings", "of_twin"),
    [
        ("gelu_forward", lambda x: 8, lambda x: 8 + 2 * x * x),
        ("gelu_tanh_forward", lambda x: 10 + 5 * tanh_argument(x), lambda x: 10 + 5 * tanh_argument(x)),
    ],
    ids=["gelu", "gelu_tanh"],
)
@given(data=st.data(), dtype=dtypes(), N=SIZES)
def test_gelu(name, roundings, of_twin, data, dtype, N):
    x = data.draw(arrays(dtype, N, bound=30))
    (out, _), (twin, _) = run(name, x, outputs=[((N,), dtype)])
    wide = x.astype(float)
    error = roundings(wide) * unit_roundoff(dtype) + of_twin(wide) * unit_roundoff(float)
    tiny = float(np.finfo(dtype).tiny)  # below it a product is rounded absolutely
    assert (np.abs(out - twin) <= error * np.abs(twin) + tiny).all()


# Derivatives are at most 1.13. By erf: 4u of exp and 3u of the tail, of what is at most 1/2 and 0.4, two more of the
# difference from 1 and of the product. By tanh: the argument's 5u, of 3·|2u|²·exp(−|2u|) ≤ 1.7, and ten more.
@pytest.mark.parametrize(("name", "roundings"), [("gelu_backward", 8), ("gelu_tanh_backward", 19)])
@given(data=st.data(), dtype=dtypes(), N=SIZES)
def test_gradients_of_gelu(name, roundings, data, dtype, N):
    dout, x = data.draw(arrays(dtype, N)), data.draw(arrays(dtype, N, bound=30))
    (dx, _), (twin, _) = run(name, dout, x, outputs=[((N,), dtype)])
    error = roundings * (unit_roundoff(dtype) + unit_roundoff(float))
    tiny = float(np.finfo(dtype).tiny)
    assert (np.abs(dx - twin) <= error * np.abs(dout.astype(float)) + tiny).all()


@given(st.data(), dtypes(), SOME, SOME, st.sampled_from([1e-8, 1e-5, 1.0]))
def test_layer_norm(data, dtype, B, O, eps):  # noqa: E741
    x, weight, bias = (data.draw(arrays(dtype, *shape)) for shape in [(B, O), (O,), (O,)])
    (out, z, scale, _), (twin, z_twin, scale_twin, _) = run(
        "layer_norm_forward", x, weight, bias, eps, outputs=[((B, O), dtype), ((B, O), dtype), ((B,), dtype)]
    )
    u, wide = unit_roundoff(dtype), 2 * (2 * O + 12) * unit_roundoff(float)
    # In float64: the mean is off by its sum's roundings, which the scale multiplies, the variance by as many. Then z is
    # rounded once, out twice more.
    largest = np.abs(x).astype(float).max(axis=1, keepdims=True)
    of_z = 2 * u * np.abs(z_twin) + wide * (largest * scale_twin[:, None] + np.abs(z_twin))
    assert (np.abs(scale - scale_twin) <= (2 * u + wide) * scale_twin).all()
    assert (np.abs(z - z_twin) <= of_z).all()
    products = np.abs(z_twin * weight) + np.abs(bias.astype(float))
    assert (np.abs(out - twin) <= of_z * np.abs(weight) + 2 * (u + wide) * products).all()


@given(st.data(), dtypes(), SOME, SOME)
def test_gradients_of_layer_norm(data, dtype, B, O):  # noqa: E741
    dout, z, scale, weight = (data.draw(arrays(dtype, *shape)) for shape in [(B, O), (B, O), (B,), (O,)])
    (dx, _), (twin, _) = run("layer_norm_backward_input", dout, z, scale, weight, outputs=[((B, O), dtype)])
    # Eight roundings in the type, of g and of what is subtracted from it, and those of the sums in float64.
    g, abs_z = np.abs(dout.astype(float) * weight), np.abs(z.astype(float))
    sizes = g + g.mean(axis=1, keepdims=True) + abs_z * (g * abs_z).mean(axis=1, keepdims=True)
    error = 8 * unit_roundoff(dtype) + 2 * (O + 8) * unit_roundoff(float)
    tiny = float(np.finfo(dtype).tiny)
    assert (np.abs(dx - twin) <= error * np.abs(scale[:, None].astype(float)) * sizes + tiny).all()
    (dweight, dbias, _), (dweight_twin, dbias_twin, _) = run(
        "layer_norm_backward_params", z, dout, outputs=[((O,), dtype), ((O,), dtype)]
    )
    of_sums = gamma(B + 1, dtype) + gamma(B + 1, float)
    abs_dout = np.abs(dout.astype(float))
    assert (np.abs(dweight - dweight_twin) <= of_sums * (abs_dout * abs_z).sum(axis=0) + B * tiny).all()
    assert (np.abs(dbias - dbias_twin) <= of_sums * abs_dout.sum(axis=0)).all()


@pytest.mark.parametrize("name", ["add", "multiply"])
@given(data=st.data(), dtype=dtypes(), B=SIZES, O=SIZES)
def test_nodes_of_two_operands(name, data, dtype, B, O):  # noqa: E741
    x, y = data.draw(arrays(dtype, B, O)), data.draw(arrays(dtype, B, O))
    if data.draw(st.booleans()):
        y = np.broadcast_to(data.draw(arrays(dtype, O)), (B, O))
    if data.draw(st.booleans()):
        x = np.asfortranarray(x)
    (out, _), _ = run(name, x, y, outputs=[((B, O), dtype)])
    # One rounding: NumPy in the same type gives the same bits.
    assert np.array_equal(out, x + y if name == "add" else x * y)


@given(st.data(), dtypes(), SIZES, SOME)
def test_softmax(data, dtype, B, K):
    x = data.draw(arrays(dtype, B, K, bound=50))
    (y, _), (twin, _) = run("softmax", x, outputs=[((B, K), dtype)])
    # x − m is rounded by u·|x − m| ≤ 100u, which exp turns into a relative error; the sum adds K roundings.
    error = (100 + 4 + K + 6) * (unit_roundoff(dtype) + unit_roundoff(float))
    tiny = float(np.finfo(dtype).tiny)  # below it exp is rounded absolutely
    assert (np.abs(y - twin) <= error * np.abs(twin) + tiny).all()


@pytest.mark.parametrize("kind", ["labels", "one-hot", "soft"])
@given(data=st.data(), dtype=dtypes(), B=SOME, K=SOME)
def test_softmax_cross_entropy(kind, data, dtype, B, K):
    x = data.draw(arrays(dtype, B, K, bound=50))
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    t = rng.integers(0, K, B)
    if kind == "one-hot":
        t = np.eye(K, dtype=dtype)[t]
    elif kind == "soft":
        t = rng.uniform(size=(B, K)).astype(dtype)
    (y, dx, loss), (y_twin, dx_twin, loss_twin) = run(
        "softmax_cross_entropy", x, t, outputs=[((B, K), dtype), ((B, K), dtype)]
    )
    u = unit_roundoff(dtype) + unit_roundoff(float)
    weight = 1 if kind != "soft" else K
    tiny = float(np.finfo(dtype).tiny)  # below it exp is rounded absolutely
    assert (np.abs(y - y_twin) <= (110 + K) * u * np.abs(y_twin) + tiny).all()
    # y is off by (110 + K)u relatively, the sum of the weights by K·u, dx by two more roundings.
    assert (np.abs(dx - dx_twin) <= (120 + 3 * K) * u * weight / B).all()
    # A row's loss is a sum of `weight` terms of at most 100 + log K, each off by a few u of its size.
    assert abs(loss - loss_twin) <= (10 + 2 * K) * u * weight * (100 + np.log(K))
    # The entries for forward and backward compute what the fused one does.
    y2, dx2 = np.empty_like(y), np.empty_like(dx)
    assert kernels.softmax_cross_entropy_forward(x, t, y2) == loss
    kernels.softmax_cross_entropy_backward(y2, t, 1.0, dx2)
    assert np.array_equal(y, y2)
    assert np.array_equal(dx, dx2)


@given(st.data(), dtypes(), SOME, SOME)
def test_squared_error(data, dtype, B, K):
    x, t = data.draw(arrays(dtype, B, K)), data.draw(arrays(dtype, B, K))
    (dx, loss), (twin, loss_twin) = run("squared_error", x, t, outputs=[((B, K), dtype)])
    u = unit_roundoff(dtype) + unit_roundoff(float)
    difference = np.abs(x.astype(float) - t)
    # x − t is rounded once, its square twice more, then K are added; the rows in float64.
    assert abs(loss - loss_twin) <= (4 + K + B) * u * (difference**2).sum() / B
    assert (np.abs(dx - twin) <= 4 * u * difference / B).all()
    # The entries for forward and backward compute what the fused one does.
    dx2 = np.empty_like(dx)
    assert kernels.squared_error_forward(x, t) == loss
    kernels.squared_error_backward(x, t, 1.0, dx2)
    assert np.array_equal(dx, dx2)


@given(st.data(), dtypes(), SOME, SOME, st.floats(1e-3, 10))
def test_huber(data, dtype, B, K, delta):
    x, t = data.draw(arrays(dtype, B, K)), data.draw(arrays(dtype, B, K))
    dx = np.empty_like(x)
    loss = kernels.huber(x, t, delta, dx)
    twin = np.empty((B, K))
    loss_twin = reference.huber(x.astype(float), t.astype(float), delta, twin)
    u = unit_roundoff(dtype) + unit_roundoff(float)
    difference = np.abs(x.astype(float) - t)
    clipped = np.minimum(difference, delta)
    # x − t and delta are rounded once, the product and the difference in it twice, then K are added; rows in float64.
    assert abs(loss - loss_twin) <= (6 + K + B) * u * (clipped * difference).sum() / B
    assert (np.abs(dx - twin) <= 4 * u * clipped / B).all()
    # The separate entries are the fused one in two parts.
    dx2 = np.empty_like(dx)
    assert kernels.huber_forward(x, t, delta) == loss
    kernels.huber_backward(x, t, 1.0, delta, dx2)
    assert np.array_equal(dx, dx2)


RATES = st.floats(1e-6, 10)
WEIGHT_DECAYS = st.just(0.0) | st.floats(0, 0.1)
DECAYS = st.floats(0, 1, exclude_max=True)
ADAMS = st.tuples(RATES, DECAYS, DECAYS, st.floats(1e-10, 1e-2), st.integers(1, 2**40), WEIGHT_DECAYS)
UPDATES = {
    "sgd_update": (0, st.tuples(RATES, WEIGHT_DECAYS)),
    "momentum_update": (1, st.tuples(RATES, DECAYS, WEIGHT_DECAYS)),
    "nesterov_update": (1, st.tuples(RATES, DECAYS, WEIGHT_DECAYS)),
    "adagrad_update": (1, st.tuples(RATES, st.floats(1e-10, 1e-2), WEIGHT_DECAYS)),
    "rmsprop_update": (1, st.tuples(RATES, DECAYS, st.floats(1e-10, 1e-2), WEIGHT_DECAYS)),
    "adam_update": (2, ADAMS),
    "adamw_update": (2, ADAMS),
}


@pytest.mark.parametrize("name", UPDATES)
@given(data=st.data(), dtype=dtypes(), N=SIZES)
def test_updates_are_the_numpy_lines(name, data, dtype, N):
    states, settings = UPDATES[name]
    w, g = data.draw(arrays(dtype, N)), data.draw(arrays(dtype, N))
    state = [np.abs(data.draw(arrays(dtype, N))) for _ in range(states)]
    numbers = data.draw(settings)
    twin_w, twin_state = w.copy(), [array.copy() for array in state]
    with np.errstate(all="ignore"):
        getattr(reference, name)(twin_w, g, *twin_state, *numbers)
    getattr(kernels, name)(w, g, *state, *numbers)
    for array, twin in zip((w, *state), (twin_w, *twin_state), strict=True):
        assert np.array_equal(array, twin, equal_nan=True)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("momentum_update", (0.1, 0.9)),
        ("nesterov_update", (0.1, 0.9)),
        ("rmsprop_update", (0.1, 0.9, 1e-8)),
        ("adam_update", (0.1, 0.9, 0.9, 1e-8, 1)),
    ],
)
def test_what_decays_without_a_gradient_becomes_zero_and_is_never_subnormal(name, settings, dtype):
    least = np.finfo(dtype).tiny
    start = np.ldexp(least, np.arange(-20, 40))
    w, g = np.ones_like(start), np.zeros_like(start)
    state = [start.copy() for _ in range(UPDATES[name][0])]
    twin_w, twin_state = w.copy(), [array.copy() for array in state]
    # 0.9^400 is below 2^-60.
    for _ in range(400):
        getattr(kernels, name)(w, g, *state, *settings)
        getattr(reference, name)(twin_w, g, *twin_state, *settings)
        for array, twin in zip(state, twin_state, strict=True):
            assert np.array_equal(array, twin)
            assert not ((array != 0) & (np.abs(array) < least)).any()
    assert np.array_equal(w, twin_w)
    assert not np.array(state).any()


LARGE, TINY = 1e300, 1e-320
# Of float32's and float64's edges: what a constant would become infinite, 0 or 1 by.
EDGES = {
    "sgd_update": [(LARGE,), (1.7e308,), (3.5e38,)],
    "momentum_update": [(LARGE, 0.9), (0.1, 1 - 2**-53)],
    "nesterov_update": [(LARGE, 1 - 1e-10)],
    "adagrad_update": [(0.1, TINY), (0.1, 5e-324), (LARGE, 1e-50)],
    "rmsprop_update": [(0.1, 0.9, TINY), (0.1, 1 - 2**-53, 1e-45), (LARGE, 1 - 1e-10, 5e-324)],
    "adam_update": [
        (0.1, 0.9, 0.999, 1e-45, 1),
        (0.1, 0.9, 1 - 2**-53, 5e-324, 1),
        (1e38, 1 - 2**-53, 0.9, 1e-38, 1),
        (1.7e308, 0.999, 0.5, TINY, 2**40),
    ],
}
CONSTANTS = [(name, settings) for name, each in EDGES.items() for settings in each]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("name", "settings"), CONSTANTS)
def test_constants_beyond_the_type_leave_a_weight_without_a_gradient_as_it_is(name, settings, dtype):
    w, g = np.array([1.5, -3, 0], dtype), np.zeros(3, dtype)
    state = [np.zeros(3, dtype) for _ in range(UPDATES[name][0])]
    twin_w, twin_state = w.copy(), [array.copy() for array in state]
    for _ in range(3):
        getattr(kernels, name)(w, g, *state, *settings)
        getattr(reference, name)(twin_w, g, *twin_state, *settings)
    for array, twin in zip((w, *state), (twin_w, *twin_state), strict=True):
        assert np.array_equal(array, twin)
    assert np.array_equal(w, np.array([1.5, -3, 0], dtype))
    assert not np.array(state).any()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    ("name", "settings"),
    [("momentum_update", (0.1, 1 - 1e-12)), ("rmsprop_update", (0.1, 1 - 1e-12, 1e-8)),
     ("adam_update", (0.1, 1 - 1e-12, 1 - 1e-12, 1e-8, 1))],
)  # fmt: skip
def test_a_decay_below_1_stays_below_1(name, settings, dtype):
    w, g = np.ones(3, dtype), np.zeros(3, dtype)
    state = [np.full(3, 1 + np.finfo(dtype).eps, dtype) for _ in range(UPDATES[name][0])]
    for _ in range(2):
        before = [array.copy() for array in state]
        getattr(kernels, name)(w, g, *state, *settings)
        assert all((array < last).all() for array, last in zip(state, before, strict=True))


def test_sgd_update_is_what_the_notes_write():
    w, g = np.linspace(-1, 1, 37), np.linspace(3, 5, 37)
    params, grad = {"W": w.copy()}, {"W": g}
    params["W"] -= 0.1 * grad["W"]
    kernels.sgd_update(w, g, 0.1)
    assert np.array_equal(w, params["W"])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    "name", ["relu_forward", "sigmoid_forward", "tanh_forward", "exp", "log", "reciprocal"]
)
def test_out_may_be_x(name, dtype):
    x = np.linspace(0.1, 5, 37, dtype=dtype)
    mask = [np.empty(x.shape, bool)] if name == "relu_forward" else []
    out = np.empty_like(x)
    getattr(kernels, name)(x, out, *mask)
    getattr(kernels, name)(x, x, *mask)
    assert np.array_equal(x, out)
