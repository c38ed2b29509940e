"""Layers: types, shapes, memory, and that nothing which was passed in is changed."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import backprop as bp
from tests.registry import ACTIVATIONS
from tests.strategies import DTYPES, any_shape


def affine(dtype=np.float64, inputs=4, outputs=3):
    rng = np.random.default_rng(0)
    return bp.Affine(rng.normal(size=(inputs, outputs)).astype(dtype), rng.normal(size=outputs).astype(dtype))


ELEMENTWISE = [*ACTIVATIONS.values(), bp.Exp, bp.Reciprocal]


@pytest.mark.parametrize("kind", ELEMENTWISE)
@given(shape=any_shape(), seed=st.integers(0, 1000))
def test_shapes_are_kept(kind, shape, seed):
    x = np.random.default_rng(seed).uniform(0.5, 2, size=shape)
    layer = kind()
    assert np.shape(layer.forward(x)) == shape
    assert np.shape(layer.backward(np.ones(shape))) == shape


@pytest.mark.parametrize("kind", [*ELEMENTWISE, affine, bp.SoftmaxWithLoss])
def test_nothing_passed_in_is_changed_and_backward_can_be_repeated(kind):
    rng = np.random.default_rng(1)
    layer = kind()
    x, dout = rng.normal(size=(5, 4)), rng.normal(size=(5, 3 if kind is affine else 4))
    x_before, dout_before = x.copy(), dout.copy()
    x.setflags(write=False)
    dout.setflags(write=False)
    if kind is bp.SoftmaxWithLoss:
        layer.forward(x, np.zeros(5, int))
        first, second = layer.backward(2.5), layer.backward(2.5)
    else:
        layer.forward(x)
        first, second = layer.backward(dout), layer.backward(dout)
    assert np.array_equal(first, second)
    assert not np.shares_memory(first, second)
    assert not np.shares_memory(first, dout)
    assert np.array_equal(x, x_before)
    assert np.array_equal(dout, dout_before)


@pytest.mark.parametrize("kind", [*ELEMENTWISE, affine, bp.SoftmaxWithLoss, bp.Add, bp.Multiply])
def test_backward_needs_forward(kind):
    layer = kind()
    with pytest.raises(
        RuntimeError, match="backward: there is no forward pass to go back through; call forward"
    ):
        layer.backward(np.ones(1))


@pytest.mark.parametrize("kind", [*ACTIVATIONS.values(), affine, bp.SoftmaxWithLoss])
def test_clear_cache(kind):
    layer = kind()
    x = np.ones((2, 4))
    layer.forward(*((x, np.array([0, 1])) if kind is bp.SoftmaxWithLoss else (x,)))
    layer.clear_cache()
    with pytest.raises(RuntimeError, match="there is no forward pass"):
        layer.backward(np.ones((2, 3)))


@pytest.mark.parametrize(
    ("given_type", "result"),
    [
        ("f4", "f4"),
        ("f8", "f8"),
        ("f2", "f4"),
        ("i4", "f8"),
        ("u1", "f8"),
        ("?", "f8"),
        (">f4", "f4"),
        (">f8", "f8"),
    ],
)
def test_types_follow_numpy(given_type, result):
    x = np.array([[1, 0, 1, 1]], dtype=given_type)
    for layer in (kind() for kind in ELEMENTWISE):
        assert layer.forward(x).dtype == np.dtype(result)
        assert layer.backward(np.ones((1, 4), result)).dtype == np.dtype(result)
    layer = affine(np.float32)
    expected = np.result_type(np.float32, result)
    assert layer.forward(x).dtype == expected
    assert layer.backward(np.ones((1, 3), np.float32)).dtype == expected
    assert layer.dW.dtype == expected
    assert layer.W.dtype == np.float32


def test_python_numbers_take_the_type_beside_them():
    assert bp.Multiply().forward(np.ones(3, np.float32), 2.0).dtype == np.float32
    assert bp.Multiply().forward(np.ones(3, np.float32), np.float64(2)).dtype == np.float64
    assert isinstance(bp.Multiply().forward(2, 3), float)


@pytest.mark.parametrize(
    "value", [np.ones(2, complex), np.array(["a"]), np.array([None]), np.ones(2, np.longdouble)]
)
def test_what_is_not_a_real_number_is_refused(value):
    for layer in (kind() for kind in ELEMENTWISE):
        with pytest.raises(TypeError, match="x has dtype .*, wanted real numbers, float64 at most"):
            layer.forward(value)


def test_ragged_lists_are_refused():
    with pytest.raises(ValueError, match=r"Relu.forward: x is not an array"):
        bp.Relu().forward([[1.0], [1.0, 2.0]])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("layout", ["strided", "fortran", "reversed", "memmap"])
def test_any_layout_gives_the_same_bits(dtype, layout, tmp_path):
    base = np.random.default_rng(2).normal(size=(6, 4)).astype(dtype)
    if layout == "memmap":
        np.save(tmp_path / "x.npy", base)
        x = np.load(tmp_path / "x.npy", mmap_mode="r")
    else:
        make = {
            "strided": lambda a: np.repeat(a, 2, axis=1)[:, ::2],
            "fortran": np.asfortranarray,
            "reversed": lambda a: np.ascontiguousarray(a[::-1])[::-1],
        }
        x = make[layout](base)
    for layer in (*(kind() for kind in ELEMENTWISE), affine(dtype)):
        assert np.array_equal(layer.forward(x), layer.forward(base))


def test_the_layer_keeps_the_very_arrays():
    W, b = np.zeros((2, 3)), np.zeros(3)
    layer = bp.Affine(W, b)
    x = np.ones((1, 2))
    layer.forward(x)
    W += 1
    assert layer.W is W
    assert np.array_equal(layer.forward(x), [[2, 2, 2]])
    fortran = bp.Affine(np.asfortranarray(np.arange(6.0).reshape(2, 3)), b)
    kept = fortran.W
    assert np.array_equal(fortran.forward(x), [[3, 5, 7]])
    kept += 1
    assert np.array_equal(fortran.forward(x), [[5, 7, 9]])


@pytest.mark.parametrize(
    ("W", "b", "error", "message"),
    [
        (
            np.ones((2, 3), int),
            np.zeros(3),
            TypeError,
            "Affine: W has dtype int64, wanted float32 or float64",
        ),
        ([[1.0]], np.zeros(1), TypeError, "Affine: W is a list, wanted a NumPy array"),
        (np.ones(3), np.zeros(3), ValueError, "Affine: W has 1 dimension, wanted 2"),
        (np.ones((2, 3)), np.zeros(2), ValueError, "Affine: W has 3 columns, b has 2 elements"),
        (np.ones((2, 3)), np.zeros(3, int), TypeError, "Affine: b has dtype int64"),
    ],
)
def test_parameters_that_do_not_fit(W, b, error, message):
    with pytest.raises(error, match=message):
        bp.Affine(W, b)


def test_shapes_that_do_not_fit():
    layer = affine()
    with pytest.raises(ValueError, match=r"Affine.forward: x has 3 columns, W has 4 rows"):
        layer.forward(np.ones((2, 3)))
    with pytest.raises(
        ValueError, match=r"Affine.forward: x has 1 dimension, wanted \(batch, features\); one sample"
    ):
        layer.forward(np.ones(4))
    layer.forward(np.ones((2, 4)))
    with pytest.raises(ValueError, match=r"Affine.backward: dout has shape \(3, 2\), wanted \(2, 3\)"):
        layer.backward(np.ones((3, 2)))
    with pytest.raises(
        ValueError, match=r"Add.forward: x has shape \(2,\), y has \(3,\); they do not broadcast"
    ):
        bp.Add().forward(np.ones(2), np.ones(3))
    relu = bp.Relu()
    relu.forward(np.ones(3))
    with pytest.raises(ValueError, match=r"Relu.backward: dout has shape \(4,\), wanted \(3,\)"):
        relu.backward(np.ones(4))


@pytest.mark.parametrize("B", [0, 1])
def test_batches_of_none_and_one(B):
    layer = affine()
    assert layer.forward(np.ones((B, 4))).shape == (B, 3)
    assert layer.backward(np.ones((B, 3))).shape == (B, 4)
    assert np.array_equal(layer.db, np.full(3, B))
    assert bp.Relu().forward(np.ones((B, 4))).shape == (B, 4)


def test_reprs_say_what_the_layer_is():
    assert repr(affine(np.float32)) == "Affine(4, 3, dtype=float32)"
    assert [repr(layer) for layer in (bp.Relu(), bp.Sigmoid(), bp.SoftmaxWithLoss())] == [
        "Relu()",
        "Sigmoid()",
        "SoftmaxWithLoss()",
    ]


def test_squared_error_of_numbers():
    layer = bp.IdentityWithLoss()
    x, t = np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[0.0, 2.0], [3.0, 1.0]])
    assert layer.forward(x, t) == (1 + 0 + 0 + 9) / 2 / 2
    assert np.array_equal(layer.backward(), [[0.5, 0], [0, 1.5]])
    assert np.array_equal(layer.backward(4), [[2, 0], [0, 6]])
    # Of one output, targets may have one dimension.
    assert layer.forward(x[:, :1], [0, 3]) == layer.forward(x[:, :1], [[0], [3]]) == 0.25
    with pytest.raises(ValueError, match=r"t has shape \(2,\), wanted \(2, 2\) numbers"):
        layer.forward(x, [0, 1])
    with pytest.raises(ValueError, match=r"t has shape \(2, 2\), wanted \(2, 1\) or \(2,\) numbers"):
        layer.forward(x[:, :1], t)
    with pytest.raises(ValueError, match="dout has shape"):
        layer.backward([1, 2])
    layer.clear_cache()
    with pytest.raises(RuntimeError, match="call forward first"):
        layer.backward()
    assert repr(layer) == "IdentityWithLoss()"
