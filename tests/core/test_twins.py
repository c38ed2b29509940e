"""Every kernel against its NumPy twin, within a bound that the number of roundings gives."""

import inspect

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bpcore import kernels, plan
from tests import reference
from tests.bounds import Bounded, gamma, unit_roundoff
from tests.functions import ACTIVATIONS as ACTIVATION_DATA
from tests.functions import FUNCTIONS
from tests.losses import LOSSES
from tests.registry import (
    ACTIVATIONS,
    DOMAINS,
    LOSSES_IN_PARTS,
    LOSSES_OF_NUMBERS,
    activation_numbers,
    loss_options,
)
from tests.strategies import DTYPES, SIZES, SOME, arrays, dtypes

# The other functions there say that they are no kernels.
TWINS = {name: value for name, value in vars(reference).items() if inspect.isfunction(value)}
KINDS_OF_NUMBERS = {
    kind: loss for kind, loss in (LOSSES_OF_NUMBERS | LOSSES_IN_PARTS).items() if kind in plan.LOSSES
}
NAMES = [name for name, twin in TWINS.items() if "Not a kernel." not in (twin.__doc__ or "")]


def run(name, *inputs, outputs):
    """Call kernel and twin on the same inputs; return (kernel's outputs, twin's outputs in float64)."""
    kernel_outputs = [np.full(shape, 77, dtype) for shape, dtype in outputs]
    before = [np.copy(array) for array in inputs]
    result = getattr(kernels, name)(*inputs, *kernel_outputs)
    for array, copy in zip(inputs, before, strict=True):
        assert np.array_equal(array, copy, equal_nan=True), "an input was changed"
    twin_outputs = [np.full(s, 77, np.float64 if d is not bool else bool) for s, d in outputs]
    wide = [a.astype(np.float64) if isinstance(a, np.ndarray) and a.dtype.kind == "f" else a for a in inputs]
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


@pytest.mark.parametrize("name", FUNCTIONS)
@given(data=st.data(), dtype=dtypes(), N=SIZES)
def test_functions_of_one_number(name, data, dtype, N):
    x = data.draw(arrays(dtype, N, bound=30))
    x = np.abs(x) + dtype.type(0.1) if name in ("log", "reciprocal") else x
    (out, _), (twin, _) = run(name, x, outputs=[((N,), dtype)])
    # The twin's own error in float64 is at most the same.
    row = FUNCTIONS[name]
    assert (np.abs(out - twin) <= row.error(twin, dtype) + row.error(twin, float)).all()


@pytest.mark.parametrize("kind", ACTIVATIONS)
@given(data=st.data(), dtype=dtypes(), N=SIZES)
def test_activations(kind, data, dtype, N):
    x, dout = data.draw(arrays(dtype, N, bound=30)), data.draw(arrays(dtype, N))
    row, keeps = ACTIVATION_DATA[kind], ACTIVATIONS[kind].keeps
    masks = [((N,), bool)] if keeps == "mask" else []
    numbers = activation_numbers(kind)
    (out, *mask, _), (twin, *_) = run(f"{kind}_forward", x, *numbers, outputs=[((N,), dtype), *masks])
    assert (np.abs(out - twin) <= row.error(twin, dtype) + row.error(twin, float) + row.others(x)).all()
    # Both are given what this forward kept.
    kept = mask[0] if mask else out if keeps == "out" else x
    (dx, _), (twin, _) = run(f"{kind}_backward", dout, kept, *numbers, outputs=[((N,), dtype)])
    u, tiny = unit_roundoff(dtype) + unit_roundoff(float), float(np.finfo(dtype).tiny)
    error = u * (row.dx_relative * np.abs(twin) + row.dx_absolute * np.abs(dout)) + row.others(x) * np.abs(
        dout
    )
    # Below the least normal number a product is rounded absolutely.
    assert (np.abs(dx - twin) <= error + (tiny if error.any() else 0)).all()


@given(data=st.data(), dtype=dtypes(), N=SIZES)
def test_reciprocal_backward(data, dtype, N):
    dout, out = data.draw(arrays(dtype, N)), data.draw(arrays(dtype, N))
    (dx, _), (twin, _) = run("reciprocal_backward", dout, out, outputs=[((N,), dtype)])
    u, tiny = unit_roundoff(dtype) + unit_roundoff(float), float(np.finfo(dtype).tiny)
    assert (np.abs(dx - twin) <= 2 * u * np.abs(twin) + tiny).all()


@given(data=st.data(), dtype=dtypes(), N=SIZES, tau=st.floats(0, 1))
def test_blend(data, dtype, N, tau):
    p, q = data.draw(arrays(dtype, N)), data.draw(arrays(dtype, N))
    twin = p.copy()
    with np.errstate(all="ignore"):
        reference.blend(twin, q, tau)
    kernels.blend(p, q, tau)
    assert np.array_equal(p, twin, equal_nan=True)


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


@given(st.data(), dtypes(), SOME, SOME, st.sampled_from([1e-8, 1e-5, 1.0]))
def test_rms_norm(data, dtype, B, O, eps):  # noqa: E741
    x, weight = (data.draw(arrays(dtype, *shape)) for shape in [(B, O), (O,)])
    (out, z, scale, _), (twin, z_twin, scale_twin, _) = run(
        "rms_norm_forward", x, weight, eps, outputs=[((B, O), dtype), ((B, O), dtype), ((B,), dtype)]
    )
    # In float64 a sum of O squares, a root and a division; then z and out are rounded.
    u, wide = unit_roundoff(dtype), 2 * (O + 6) * unit_roundoff(float)
    tiny = float(np.finfo(dtype).tiny)
    assert (np.abs(scale - scale_twin) <= (u + wide) * scale_twin).all()
    assert (np.abs(z - z_twin) <= (u + wide) * np.abs(z_twin) + tiny).all()
    assert (np.abs(out - twin) <= (2 * u + wide) * np.abs(twin) + tiny * (1 + np.abs(weight))).all()


@given(st.data(), dtypes(), SOME, SOME)
def test_gradients_of_rms_norm(data, dtype, B, O):  # noqa: E741
    dout, z, scale, weight = (data.draw(arrays(dtype, *shape)) for shape in [(B, O), (B, O), (B,), (O,)])
    (dx, _), (twin, _) = run("rms_norm_backward_input", dout, z, scale, weight, outputs=[((B, O), dtype)])
    # As layer normalisation's, without the mean of g.
    g, abs_z = np.abs(dout.astype(float) * weight), np.abs(z.astype(float))
    sizes = g + abs_z * (g * abs_z).mean(axis=1, keepdims=True)
    error = 7 * unit_roundoff(dtype) + 2 * (O + 8) * unit_roundoff(float)
    tiny = float(np.finfo(dtype).tiny)
    assert (np.abs(dx - twin) <= error * np.abs(scale[:, None].astype(float)) * sizes + tiny).all()
    (dweight, _), (dweight_twin, _) = run("rms_norm_backward_params", z, dout, outputs=[((O,), dtype)])
    of_sums = gamma(B + 1, dtype) + gamma(B + 1, float)
    assert (
        np.abs(dweight - dweight_twin)
        <= of_sums * (np.abs(dout.astype(float)) * abs_z).sum(axis=0) + B * tiny
    ).all()


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


@pytest.mark.parametrize("kind", KINDS_OF_NUMBERS)
@given(data=st.data(), dtype=dtypes(), B=SOME, K=SOME)
def test_losses_of_numbers(kind, data, dtype, B, K):
    t, option = data.draw(arrays(dtype, B, K)).clip(*DOMAINS[kind]), loss_options(kind)
    K = K * KINDS_OF_NUMBERS[kind].outputs_per_target
    x = data.draw(arrays(dtype, B, K))
    (dx, loss), (twin, loss_twin) = run(kind, x, t, *option, outputs=[((B, K), dtype)])
    scores = Bounded(x.astype(float), np.zeros((B, K)))
    bounds = [LOSSES[kind].bounded(scores, t, each, *option) for each in (dtype, float)]
    assert abs(loss - loss_twin) <= sum(of_loss.e for of_loss, _ in bounds)
    assert (np.abs(dx - twin) <= sum(of_dx.e for _, of_dx in bounds)).all()
    # The entries for forward and backward compute what the fused one does.
    dx2 = np.empty_like(dx)
    assert getattr(kernels, f"{kind}_forward")(x, t, *option) == loss
    getattr(kernels, f"{kind}_backward")(x, t, 1.0, *option, dx2)
    assert np.array_equal(dx, dx2)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", [*FUNCTIONS, *(f"{kind}_forward" for kind in ACTIVATIONS)])
def test_out_may_be_x(name, dtype):
    x = np.linspace(0.1, 5, 37, dtype=dtype)
    mask = [np.empty(x.shape, bool)] if len(getattr(kernels, name).arguments) > 2 else []
    out = np.empty_like(x)
    numbers = activation_numbers(name.removesuffix("_forward"))
    getattr(kernels, name)(x, *numbers, out, *mask)
    getattr(kernels, name)(x, *numbers, x, *mask)
    assert np.array_equal(x, out)
