"""The errors of an entry when a call is wrong: the argument, what came, what was wanted."""

import numpy as np
import pytest

from bpcore import kernels

F = np.float32
x, W, b, out = np.zeros((3, 4), F), np.zeros((4, 5), F), np.zeros(5, F), np.zeros((3, 5), F)
readonly = np.zeros((3, 5), F)
readonly.setflags(write=False)

WRONG_CALLS = [
    (("x", x[:, :3].copy()), ValueError, "affine_forward: x has 3 columns, W has 4 rows"),
    (("b", np.zeros(6, F)), ValueError, "affine_forward: W has 5 columns, b has 6 elements"),
    (("out", np.zeros((2, 5), F)), ValueError, "affine_forward: x has 3 rows, out has 2 rows"),
    (("W", W.astype(float)), TypeError, "affine_forward: W has dtype float64, x has float32"),
    (("x", x.astype(int)), TypeError, "affine_forward: x has dtype int64, wanted float32 or float64"),
    (
        ("x", x.astype(complex)),
        TypeError,
        "affine_forward: x has dtype complex128, wanted float32 or float64",
    ),
    (("x", x.astype(">f4")), TypeError, "affine_forward: x has dtype >f4, wanted float32 or float64"),
    (("x", x.astype(object)), TypeError, "affine_forward: x has dtype object, wanted float32 or float64"),
    (("x", None), TypeError, "affine_forward: x is None, wanted a NumPy array of float32 or float64"),
    (("W", [[1.0]]), TypeError, "affine_forward: W is a list, wanted a NumPy array of float32 or float64"),
    (("x", x[0]), ValueError, r"affine_forward: x has 1 dimensions, wanted 2 \(B, I\)"),
    (("b", b[None]), ValueError, r"affine_forward: b has 2 dimensions, wanted 1 \(O,\)"),
    (("x", np.zeros((4, 3), F).T), ValueError, "affine_forward: x is not C-contiguous"),
    (("out", readonly), ValueError, "affine_forward: out is read-only"),
]


@pytest.mark.parametrize(("change", "error", "message"), WRONG_CALLS)
def test_the_argument_is_named(change, error, message):
    arguments = {"x": x, "W": W, "b": b, "out": out} | dict([change])
    with pytest.raises(error, match=message):
        kernels.affine_forward(**arguments)


def test_an_output_that_overlaps():
    memory = np.zeros(40, F)
    with pytest.raises(
        ValueError, match="^sigmoid_forward: out overlaps x, wanted x itself or an array of its own$"
    ):
        kernels.sigmoid_forward(memory[:20], memory[1:21])
    rows, outs = memory[:12].reshape(3, 4), memory[11:26].reshape(3, 5)
    with pytest.raises(ValueError, match="^affine_forward: out overlaps x, wanted an array of its own$"):
        kernels.affine_forward(rows, W, b, outs)


def test_missing_and_unknown_arguments():
    with pytest.raises(TypeError, match="affine_forward: missing a required argument: 'out'"):
        kernels.affine_forward(x, W, b)
    with pytest.raises(TypeError, match="affine_forward: multiple values for argument 'x'"):
        kernels.affine_forward(x, W, b, out, x=x)
    with pytest.raises(TypeError, match="affine_forward: got an unexpected keyword argument 'bias'"):
        kernels.affine_forward(x, W, b, out, bias=b)


@pytest.mark.parametrize(
    ("threads", "error", "message"),
    [
        (0, ValueError, "threads is 0, wanted a whole number of at least 1"),
        (1.5, TypeError, "threads is 1.5, wanted a whole number of at least 1"),
        (True, TypeError, "threads is True, wanted a whole number of at least 1"),
    ],
)
def test_threads(threads, error, message):
    with pytest.raises(error, match=message):
        kernels.affine_forward(x, W, b, out, threads=threads)


@pytest.mark.parametrize(
    ("t", "error", "message"),
    [
        (np.array([0, 1, 4]), ValueError, r"softmax_cross_entropy: t\[2\] is 4, wanted a label from 0 to 3"),
        (
            np.array([0, -1, 2]),
            ValueError,
            r"softmax_cross_entropy: t\[1\] is -1, wanted a label from 0 to 3",
        ),
        (np.array([0, 1]), ValueError, "softmax_cross_entropy: x has 3 rows, t has 2 elements"),
        (np.array([0, 1, 2], np.int32), TypeError, "softmax_cross_entropy: t has dtype int32, wanted int64"),
        (np.zeros((3, 1), F), ValueError, "softmax_cross_entropy: x has 4 columns, t has 1 columns"),
        (np.zeros((3, 4)), TypeError, "softmax_cross_entropy: t has dtype float64, x has float32"),
        (None, TypeError, "softmax_cross_entropy: t is None"),
    ],
)
def test_targets(t, error, message):
    y = np.empty_like(x)
    with pytest.raises(error, match=message):
        kernels.softmax_cross_entropy(x, t, y, np.empty_like(x))


@pytest.mark.parametrize("shape", [(0, 4), (3, 0)])
def test_an_empty_batch_has_no_mean_loss(shape):
    empty = np.empty(shape, F)
    t = np.zeros(shape, F)
    with pytest.raises(ValueError, match="an empty batch has no mean loss"):
        kernels.softmax_cross_entropy(empty, t, empty.copy(), empty.copy())


def test_a_mask_is_bool_or_uint8():
    flat, mask = np.array([1.0, -1.0]), np.empty(2, np.uint8)
    kernels.relu_forward(flat, flat.copy(), mask)
    assert list(mask) == [0, 1]
    with pytest.raises(TypeError, match="relu_forward: mask has dtype int64, wanted bool or uint8"):
        kernels.relu_forward(flat, flat.copy(), np.empty(2, np.int64))


def test_steps_of_adam_are_counted_from_one():
    w, g, m, v = (np.ones(3) for _ in range(4))
    with pytest.raises(ValueError, match="adam_update: step is 0, wanted a whole number of at least 1"):
        kernels.adam_update(w, g, m, v, 0.1, 0.9, 0.999, 1e-8, 0)
    with pytest.raises(TypeError, match="adam_update: step is 2.5, wanted a whole number of at least 1"):
        kernels.adam_update(w, g, m, v, 0.1, 0.9, 0.999, 1e-8, 2.5)
    assert w[0] == m[0] == v[0] == 1


@pytest.mark.parametrize("name", ["beta1", "beta2"])
@pytest.mark.parametrize("beta", [1.0, -0.1, float("nan")])
def test_decays_of_adam_that_would_divide_by_zero(name, beta):
    w, g, m, v = (np.ones(3) for _ in range(4))
    settings = {"lr": 0.1, "beta1": 0.9, "beta2": 0.999, "eps": 1e-8, "step": 1} | {name: beta}
    with pytest.raises(ValueError, match=f"adam_update: {name} is {beta}, wanted at least 0 and below 1"):
        kernels.adam_update(w, g, m, v, **settings)
    assert w[0] == m[0] == v[0] == 1


@pytest.mark.parametrize("lr", ["a", None, 1j, [0.1, 0.2], 10**400], ids=lambda lr: type(lr).__name__)
def test_settings_are_numbers(lr):
    w = np.ones(3)
    with pytest.raises(TypeError, match=r"sgd_update: lr is .*, wanted a number"):
        kernels.sgd_update(w, np.ones(3), lr)
    assert w[0] == 1


def test_a_step_beyond_the_machine_s_integers_is_named():
    w, g, m, v = (np.ones(3) for _ in range(4))
    with pytest.raises(OverflowError, match="adam_update: "):
        kernels.adam_update(w, g, m, v, 0.1, 0.9, 0.999, 1e-8, 2**70)


def test_more_threads_than_a_number_holds():
    many, out = np.ones((2000, 40), F), np.zeros((2000, 50), F)
    with pytest.raises(ValueError, match=f"affine_forward: threads is {2**70}, wanted .* at most 1024"):
        kernels.affine_forward(many, np.ones((40, 50), F), np.zeros(50, F), out, 2**70)
    assert not out.any()


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (("float16", 1), ValueError, "dtype is 'float16', wanted 'float32' or 'float64'"),
        ((None, 1), ValueError, "dtype is None, wanted 'float32' or 'float64'"),
        (("float32", 0), ValueError, "rounds is 0, wanted a whole number of at least 1"),
        (("float32", -5), ValueError, "rounds is -5, wanted a whole number of at least 1"),
        (("float32", 2.0), TypeError, "rounds is 2.0, wanted a whole number of at least 1"),
        (("float32", 2**62), ValueError, f"rounds is {2**62}, wanted at most 1000000000"),
        (("float32", 10**30), ValueError, f"rounds is {10**30}, wanted at most 1000000000"),
        (("float32", 1, 0), ValueError, "threads is 0, wanted a whole number of at least 1"),
        (("float32", 1, -1), ValueError, "threads is -1, wanted a whole number of at least 1"),
        (("float32", 1, 10**6), ValueError, r"threads is 1000000, wanted at most \d+, as OpenMP allows"),
        (("float32", 1, 2**70), ValueError, r"threads is \d+, wanted at most \d+, as OpenMP allows"),
    ],
)
def test_multiply_adds(arguments, error, message):
    with pytest.raises(error, match=f"multiply_adds: {message}"):
        kernels.multiply_adds(*arguments)


def test_read_only_and_memory_mapped_inputs(tmp_path):
    file = tmp_path / "x.npy"
    np.save(file, np.arange(12, dtype=F).reshape(3, 4))
    mapped = np.load(file, mmap_mode="r")
    eye = np.eye(4, 5, dtype=F)
    eye.setflags(write=False)
    kernels.affine_forward(mapped, eye, b, out)
    assert np.array_equal(out[:, :4], mapped)
