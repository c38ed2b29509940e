"""The bits contract of the kernels: threads, the rows beside a row, and the level change no bit.

The golden hashes were made on x86-64 with FMA; every level with FMA has to give them.
"""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import bpcore
from bpcore import kernels, plan
from bpcore.errors import FLOATS
from tests import registry
from tests.contracts.guarded import EVERY, Call

GOLDEN_FILE = Path(__file__).with_name("golden.json")
GOLDEN = json.loads(GOLDEN_FILE.read_text())
SHAPES = [(1, 1, 1), (7, 13, 5), (33, 70, 49), (100, 784, 50), (97, 783, 49), (128, 64, 1000)]
SHAPES += [(1, 784, 600), (2, 300, 1030), (3, 1040, 36), (8, 130, 50)]
INFO = bpcore.cpu_info()
FMA_LEVELS = [level for level in ("v3", "v4", "neon") if level in INFO["usable"] and level in INFO["built"]]


def results(dtype, B, I, O, threads=1):  # noqa: E741  # the sizes' letters
    """Every array that the kernels make of inputs of one shape."""
    # The same inputs on any machine, whatever its libm, with all bits of a float64: with fewer, every sum would be
    # exact in any order.
    rng = np.random.RandomState(B * 10007 + I * 101 + O)

    def draw(*shape):
        return (16 * rng.random_sample(shape) - 8).astype(dtype)

    x, W, b, dout = draw(B, I), draw(I, O), draw(O), draw(B, O)
    out, dx, dW, db = (
        np.empty((B, O), dtype),
        np.empty((B, I), dtype),
        np.empty((I, O), dtype),
        np.empty(O, dtype),
    )
    kernels.affine_forward(x, W, b, out, threads=threads)
    kernels.affine_backward_input(dout, W, dx, threads=threads)
    kernels.affine_backward_params(x, dout, dW, db, threads=threads)
    y, dz, labels = np.empty_like(out), np.empty_like(out), rng.randint(0, O, B)
    loss = kernels.softmax_cross_entropy(out, labels.astype(np.int64), y, dz, threads=threads)
    flat = out.reshape(-1)
    s, e, logs, h = (np.empty(out.size, dtype) for _ in range(4))
    kernels.sigmoid_forward(flat, s, threads=threads)
    kernels.exp(flat, e, threads=threads)
    kernels.log(np.abs(flat), logs, threads=threads)
    kernels.tanh_forward(flat, h, threads=threads)
    ds, dh, squares = np.empty_like(s), np.empty_like(h), np.empty_like(out)
    kernels.sigmoid_backward(flat, s, ds, threads=threads)
    kernels.tanh_backward(flat, h, dh, threads=threads)
    error = kernels.squared_error(out, dout, squares, threads=threads)
    moved = [flat.copy(), np.zeros_like(flat), np.zeros_like(flat)]
    for step in (1, 2, 3):
        kernels.adam_update(
            moved[0], squares.reshape(-1), *moved[1:], 0.1, 0.9, 0.999, 1e-8, step, threads=threads
        )
    return [out, dx, dW, db, y, dz, np.array([loss, error]), s, e, logs, h, ds, dh, squares, *moved]


# An activation, a loss of numbers, an update rule or a transform by itself: what is added adds hashes.
ENTRIES = [f"activation {kind}" for kind in plan.ACTIVATIONS if kind != "identity"]
ENTRIES += [f"loss {kind}" for kind in plan.LOSSES if kind in registry.LOSSES_OF_NUMBERS]
ENTRIES += [f"rule {kind}" for kind in plan.RULES]
# With each setting that can be off: off above, on here.
ENTRIES += [f"rule {kind} {name}" for kind in plan.RULES for name in plan.RULES[kind] if name in registry.OFF]
ENTRIES += [f"transform {kind}" for kind in plan.TRANSFORMS]
ENTRIES += [f"kernel {name}" for name in ("squared_norm", "limit_columns", "blend", "csr")]
DTYPES = ("float32", "float64")
# Enough numbers for several threads, and no full vectors.
ROWS, COLUMNS = 35003, 5


def results_of(entry, dtype, threads=1):
    """Every array that the kernels of an entry make."""
    what, kind, *on = entry.split()
    rng = np.random.RandomState(len(entry))
    # Every second number is five times as large: up to 40, where what decays is 0.
    sizes = 1 + 4 * (np.arange(ROWS * COLUMNS) % 2)
    x, t, dout = ((sizes * (16 * rng.random_sample(ROWS * COLUMNS) - 8)).astype(dtype) for _ in range(3))
    if what == "activation":
        out, dx, mask = np.empty_like(x), np.empty_like(x), np.empty(x.shape, bool)
        keeps = registry.ACTIVATIONS[kind].keeps
        masks, kept = ([mask], mask) if keeps == "mask" else ([], {"x": x, "out": out}[keeps])
        numbers = registry.activation_numbers(kind)
        getattr(kernels, f"{kind}_forward")(x, *numbers, out, *masks, threads=threads)
        getattr(kernels, f"{kind}_backward")(dout, kept, *numbers, dx, threads=threads)
        return [out, *masks, dx]
    if what == "loss":
        x, t, option = x.reshape(ROWS, COLUMNS), t.reshape(ROWS, COLUMNS), registry.loss_options(kind)
        dx, back = np.empty_like(x), np.empty_like(x)
        losses = [
            getattr(kernels, kind)(x, t, *option, dx, threads=threads),
            getattr(kernels, f"{kind}_forward")(x, t, *option, threads=threads),
        ]
        getattr(kernels, f"{kind}_backward")(x, t, 0.7, *option, back, threads=threads)
        return [np.array(losses), dx, back]
    if what in ("transform", "kernel"):
        calls = [
            Call(name, dtype, alternative, B=2000, O=23)
            for name, alternative in EVERY
            if (name.startswith(kind) if what == "kernel" else is_of_transform(name, kind))
        ]
        assert calls
        for call in calls:
            for name, argument in call.arguments.items():
                if argument.dtypes == FLOATS:
                    numbers = (16 * rng.random_sample(call.given[name].shape) - 8).astype(dtype)
                    call.put(name, np.abs(numbers) if name == "running_var" else numbers)
            call.given["threads"] = threads
        return [np.frombuffer(array, np.uint8) for call in calls for array in call.results()]
    update = getattr(kernels, f"{kind}_update")
    state = [np.zeros_like(x) for _ in update.arguments[2:]]
    settings = registry.settings_of(kind, **{name: registry.NUMBERS[name] for name in on})
    for step in (1, 2, 3):
        counted = {"step": step} if "step" in update.__signature__.parameters else {}
        update(x, dout, *state, **settings, **counted, threads=threads)
    return [x, *state]


def is_of_transform(entry, kind):
    """Whether a kernel is a transform's, and not a loss's of a name that begins alike."""
    return (entry == kind or entry.startswith(f"{kind}_")) and "cross_entropy" not in entry


def digest_of(arrays):
    return hashlib.sha256(b"".join(array.tobytes() for array in arrays)).hexdigest()[:32]


def all_digests():
    """The hashes of this level: of all kernels together for each shape, and of each entry by itself."""
    together = {f"{dtype} {shape}": digest_of(results(dtype, *shape)) for dtype in DTYPES for shape in SHAPES}
    each = {f"{entry}, {dtype}": digest_of(results_of(entry, dtype)) for entry in ENTRIES for dtype in DTYPES}
    return together | each


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("entry", ENTRIES)
def test_any_number_of_threads_of_each_entry(entry, dtype):
    one = results_of(entry, dtype)
    for threads in range(2, 8):
        for array, other in zip(one, results_of(entry, dtype, threads), strict=True):
            assert np.array_equal(array, other, equal_nan=True)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("entry", ENTRIES)
def test_every_entry_has_a_golden_hash(entry, dtype):
    assert f"{entry}, {dtype}" in GOLDEN, (
        f"tests/core/golden.json has no hash of {entry}, {dtype}: python -m tests.make_golden writes it"
    )


@pytest.mark.parametrize("threads", [2, 3, 7])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", SHAPES)
def test_any_number_of_threads(dtype, shape, threads):
    for one, many in zip(results(dtype, *shape), results(dtype, *shape, threads=threads), strict=True):
        assert np.array_equal(one, many, equal_nan=True)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("inputs", [0, 1, 83, 127, 128])
def test_a_row_alone_or_in_a_batch(inputs, dtype):
    # On both sides of the widths and lengths up to which a row by itself takes a path of its own, on any level.
    rng = np.random.default_rng(0)
    for outputs in (1, 23, 24, 25, 48, 49, 51, 96, 97, 192, 193):
        x, W, b = (
            rng.normal(size=shape).astype(dtype) for shape in ((7, inputs), (inputs, outputs), outputs)
        )
        batch, alone = np.empty((7, outputs), dtype), np.empty((1, outputs), dtype)
        kernels.affine_forward(x, W, b, batch)
        for row in range(7):
            kernels.affine_forward(x[row : row + 1], W, b, alone)
            assert np.array_equal(alone[0], batch[row]), outputs


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    "size",
    [(9, 784, 50), (7, 1040, 20), (2, 128, 3), (5, 130, 50), (1, 784, 50), (3, 130, 20), (2, 1040, 36)],
)
def test_wherever_rows_begin_in_a_cache_line(dtype, size):
    # Dot products of the last columns begin with as few terms as lie before a line; the sums keep their order. They
    # keep their sign too: −0, where all products are negative and too small for their type.
    B, I, O = size  # noqa: E741
    rng = np.random.default_rng(0)
    x, W = rng.normal(size=(B, I)).astype(dtype), rng.normal(size=(I, O)).astype(dtype)
    tiny = np.finfo(dtype).tiny
    b, out, first = np.full(O, -0.0, dtype), np.empty((B, O), dtype), np.empty((B, O), dtype)
    memory = np.empty(x.size + 32, dtype)
    begin = -memory.ctypes.data % 64 // memory.itemsize
    for numbers, weights in ((x, W), (tiny * np.abs(x), -tiny * np.abs(W))):
        for offset in range(16):
            moved = memory[begin + offset :][: x.size].reshape(x.shape)
            moved[...] = numbers
            kernels.affine_forward(moved, weights, b, out)
            if offset == 0:
                first[...] = out
            assert out.tobytes() == first.tobytes()
    # Where the lanes are not full at the end, +0 is added to those that are not; a product rounded before it is added
    # to 0 leaves +0 as well.
    assert np.signbit(out).all() == (I % 16 == 0 and INFO["chosen"] in FMA_LEVELS)


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("size", [(300, 100, 352), (600, 9, 400)])
def test_columns_of_a_gradient_alone_or_beside_many_others(dtype, size, threads):
    # Where dout is wide, what is read of x is copied first; where it is narrow, x is read as it lies.
    B, I, O = size  # noqa: E741
    rng = np.random.default_rng(0)
    x, dout = rng.normal(size=(B, I)).astype(dtype), rng.normal(size=(B, O)).astype(dtype)
    dW, db, few, few_db = (
        np.empty((I, O), dtype),
        np.empty(O, dtype),
        np.empty((I, 16), dtype),
        np.empty(16, dtype),
    )
    kernels.affine_backward_params(x, dout, dW, db, threads=threads)
    for left in range(0, O, 16):
        kernels.affine_backward_params(x, np.ascontiguousarray(dout[:, left : left + 16]), few, few_db)
        assert np.array_equal(few, dW[:, left : left + 16])
        assert np.array_equal(few_db, db[left : left + 16])


@pytest.mark.parametrize("level", FMA_LEVELS)
def test_golden_hashes_on_every_level_with_fma(level):
    code = "import json; from tests.core.test_bits import all_digests; print(json.dumps(all_digests()))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "BACKPROP_ISA": level, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )
    found = json.loads(done.stdout)
    assert {key: found.get(key) for key in GOLDEN} == GOLDEN
