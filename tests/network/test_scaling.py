"""What enters a network: the difference from the mean keeps the digits of x, and is the same on every way."""

import hashlib
import json
import os
import subprocess
import sys
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

import backprop as bp
import bpcore
from backprop import graph
from tests import reference
from tests.network.test_plan import ByLayers, assert_same_parameters

INFO = bpcore.cpu_info()
LEVELS = [level for level in ("v3", "v4", "neon") if level in INFO["usable"] and level in INFO["built"]]
# What holds whole numbers from 0 to 200.
STORAGES = ["u1", "i2", "u2", "i4", "u4", "i8", "u8", ">i8", "f2", "f4", ">f4", "f8", ">f8"]
# Means that float32 does not hold.
MEANS = np.array([100.1, 14.62, -3.3, 0.0, 1e-3, 2.0**30 + 0.5, 199.99999999999])
LAYOUTS = {
    "c": np.ascontiguousarray,
    "fortran": np.asfortranarray,
    "backwards": lambda x: x[::-1].copy()[::-1],
    "strided": lambda x: np.repeat(x, 2, axis=1)[:, ::2],
    "misaligned": lambda x: np.frombuffer(b"0" + x.tobytes(), x.dtype, offset=1).reshape(x.shape),
}


def read_only(x):
    x.setflags(write=False)
    return x


def transparent(kind, columns, dtype, **options):
    """A network whose scores are what enters its layer: a sum of exact zeros and one number."""
    net = kind([columns, columns], loss="squared_error", dtype=dtype, seed=0, **options)
    net.params = {"W1": np.eye(columns), "b1": np.zeros(columns)}
    return net


def entered(x, mean, scale, dtype):
    """What enters a network, by the plan and by its layers, which have to agree."""
    options = {"input_mean": mean, "input_scale": scale}
    planned, layered = (transparent(kind, x.shape[1], dtype, **options) for kind in (bp.Network, ByLayers))
    assert "layer by layer" not in repr(planned)
    assert np.array_equal(planned.predict(x), layered.predict(x))
    return planned.predict(x)


def twin(x, mean, scale, dtype):
    out = np.empty(x.shape, dtype)
    reference.scaled(x, np.asarray(mean), np.asarray(scale), out)
    return out


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("storage", STORAGES)
def test_the_same_numbers_from_any_storage(storage, layout, dtype):
    numbers = np.random.default_rng(0).integers(0, 201, (23, len(MEANS)))
    x = read_only(LAYOUTS[layout](numbers.astype(storage)))
    scale = 1 / np.arange(3.0, 10)
    for mean in (MEANS, 0.0, 14.62):
        for factor in (scale, 1.0):
            wanted = twin(numbers.astype("f8"), mean, factor, dtype)
            assert np.array_equal(entered(x, mean, factor, dtype), wanted)
            assert np.array_equal(twin(x, mean, factor, dtype), wanted)


def test_truth_values():
    x = np.array([[True, False, True]])
    assert np.array_equal(entered(x, 0.3, 2.0, "float32"), twin(x.astype("f8"), 0.3, 2.0, "float32"))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("storage", ["i8", "u8", ">i8", "f8"])
def test_every_way_into_a_network(storage, dtype):
    """Dates, unix times in seconds and in nanoseconds (beyond 2⁵³ but for f8)."""
    rng = np.random.default_rng(1)
    x = np.column_stack(
        [
            20_240_101 + rng.integers(0, 31, 61),
            1_700_000_000 + rng.integers(-2000, 2000, 61),
            1_700_000_000_123_456_789 // (1000 if storage == "f8" else 1) + rng.integers(-999, 999, 61),
        ]
    ).astype(storage)
    t = rng.integers(0, 2, 61)
    options = {
        "input_mean": np.array([20_240_116.3, 1.7e9 + 0.1, float(x[:, 2].astype("f8").mean())]),
        "input_scale": np.array([0.1, 0.001, 0.002]),
        "dtype": dtype,
        "seed": 3,
    }
    nets = [kind([3, 8, 2], **options) for kind in (bp.Network, ByLayers)]
    plain = bp.Network([3, 8, 2], dtype=dtype, seed=3)
    inside = twin(x, options["input_mean"], options["input_scale"], dtype)
    assert [len(np.unique(column)) for column in inside.T] == [len(np.unique(column)) for column in x.T]
    loss, scores = plain.loss(inside, t), plain.predict(inside)
    for net in nets:
        assert net.loss(x, t) == loss == graph.from_network(net, x, t).value
        assert all(np.array_equal(net.gradient(x, t)[key], g) for key, g in plain.gradient(inside, t).items())
        assert np.array_equal(net.predict(x), scores)
        assert np.array_equal(np.concatenate([net.predict(x[n : n + 1]) for n in range(61)]), scores)
        assert np.array_equal(net.predict(x, out=np.empty_like(scores)), scores)
        assert net.accuracy(x, t) == plain.accuracy(inside, t)
    for net, data in [(plain, inside), *((net, x) for net in nets)]:
        net.fit(data, t, epochs=3, batch_size=16, seed=0, validation=(data, t))
        net.history.loss.append(net.train_step(data, t, bp.Adam(0.01)))
        assert net.history.loss == plain.history.loss
        assert net.history.validation_loss == plain.history.validation_loss
        assert_same_parameters(net, plain)


CHANGES = {
    "scale": {"input_scale": 0.5},
    "scale of each": {"input_scale": [1, 2, 3]},
    "mean": {"input_mean": 5},
    "mean of each": {"input_mean": [1, 2, 3]},
    "no scale": {"input_scale": 1},
    "no mean": {"input_mean": 0},
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize(
    "before", [{}, {"input_mean": [4, 5, 6], "input_scale": [0.1, 0.2, 0.3]}], ids=["plain", "scaled"]
)
@pytest.mark.parametrize("kind", [bp.Network, ByLayers])
def test_a_new_scaling_is_used_from_the_next_call_on(kind, before, change):
    rng = np.random.default_rng(0)
    x, t = rng.integers(0, 9, (20, 3)), rng.integers(0, 2, 20)
    calls = {
        "predict": lambda net: net.predict(x),
        "predict_proba": lambda net: net.predict_proba(x),
        "accuracy": lambda net: net.accuracy(x, t),
        "loss": lambda net: net.loss(x, t),
        "train_step": lambda net: net.train_step(x, t, bp.SGD(0.1)),
        "fit": lambda net: net.fit(x, t, epochs=2, batch_size=7, seed=0).loss,
    }
    for name, call in calls.items():
        net = kind([3, 4, 2], seed=0, **before)
        call(net)  # what it is made of is known by now
        for key, value in CHANGES[change].items():
            setattr(net, key, value)
        twin = ByLayers([3, 4, 2], seed=0, **(before | CHANGES[change]))
        twin.params = net.params
        assert np.array_equal(call(net), call(twin)), name


WHOLE = st.one_of(
    st.integers(-(2**63), 2**63 - 1), st.integers(2**53, 2**53 + 2**12), st.integers(-5000, 5000)
)


@given(st.lists(WHOLE, min_size=1, max_size=9), st.floats(0.5, 2), st.floats(-1e3, 1e3), st.booleans())
def test_a_mean_near_large_integers_is_subtracted_exactly(numbers, factor, offset, unsigned):
    """Within a factor of 2 the difference is rounded once to float64, beyond it twice."""
    x = np.array(numbers, dtype=np.int64)[np.newaxis]
    if unsigned:
        x = x.astype(np.uint64)
    whole = [int(value) for value in x[0]]
    mean = np.array([float(value) * factor + offset for value in whole])
    exact = [Fraction(value) - Fraction(m) for value, m in zip(whole, mean.tolist(), strict=True)]
    got = entered(x, mean, 1.0, "float64")[0]
    assert np.array_equal(got, twin(x, mean, 1.0, "float64")[0])
    assert np.array_equal(entered(x, mean, 1.0, "float32")[0], got.astype(np.float32))
    for value, m, difference, one in zip(whole, mean.tolist(), exact, got.tolist(), strict=True):
        nearest = Fraction(float(value))
        if nearest / 2 <= Fraction(m) <= 2 * nearest or nearest == value:
            assert one == float(difference)
        else:  # the second rounding is of a sum no smaller than half of the first
            assert abs(Fraction(one) - difference) <= 3 * Fraction(2) ** -53 * abs(difference)


FLOAT32 = st.floats(width=32, allow_nan=False, allow_infinity=False)


@given(st.lists(st.tuples(FLOAT32, FLOAT32), min_size=1, max_size=9))
def test_nothing_changes_where_x_and_mean_are_float32(pairs):
    """A difference of float32 rounded to float64 and then to float32 is rounded once: 53 >= 2·24 + 2."""
    x, mean = np.array(pairs, dtype=np.float32).T
    with np.errstate(over="ignore"):
        assert np.array_equal(twin(x, mean, np.float64(1), "float32"), x - mean)
        if np.isfinite(x - mean).all():
            assert np.array_equal(entered(x[np.newaxis], mean, 1.0, "float32")[0], x - mean)


# Of `digest`.
GOLDEN = "a60f881b0e7493d17206c796034bc2422adb1aa62e33a1d610681d4a62659a10"


def digest():
    """Every storage through gather and layers, trained; whole numbers, so that no library function has a part."""
    rng = np.random.RandomState(0)
    parts = []
    for storage in ("f4", "f8", "u1", "i8", "u8"):
        x = rng.randint(0, 256, size=(100, 37)).astype(storage)
        if storage in ("i8", "u8"):
            x[:, ::2] += x.dtype.type(2**60 + 1)
        t = rng.randint(0, 5, 100)
        for dtype in ("float32", "float64"):
            mean = np.where(np.arange(37) % 2 == 0, float(x[0, 0]) + 0.1, 127.3)
            net = bp.Network([37, 20, 5], dtype=dtype, seed=0, input_mean=mean, input_scale=1 / 73)
            for array in net.params.values():
                array[...] = rng.randint(-(2**10), 2**10, size=array.shape) / 2.0**13
            net.fit(x, t, iterations=9, batch_size=30, seed=1)
            parts += [net.predict(x), *net.params.values()]
    return hashlib.sha256(b"".join(part.tobytes() for part in parts)).hexdigest()


@pytest.mark.parametrize("level", LEVELS)
def test_one_hash_on_every_level_with_fma(level):
    run = subprocess.run(
        [sys.executable, "-c", "from tests.network.test_scaling import digest; print(digest())"],
        env={**os.environ, "BACKPROP_ISA": level, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout.strip() == GOLDEN


def test_a_float32_network_learns_from_raw_dates():
    """Whether a day is in the second half of its month, by yyyymmdd and an hour of 1e6 ± 1."""
    rng = np.random.default_rng(0)
    day, hour = rng.integers(1, 31, 4000), rng.uniform(-1, 1, 4000)
    x = np.column_stack([20_240_600 + day, 1e6 + hour])
    t = ((day > 15) ^ (hour > 0)).astype(int)
    net = bp.Network.standardised(x[:3000], [2, 32, 2], seed=0)
    net.fit(x[:3000], t[:3000], epochs=60, batch_size=32, optimizer=bp.Adam(0.01), seed=0)
    assert net.accuracy(x[3000:], t[3000:]) > 0.98


def test_the_numerical_gradient_of_raw_unix_times():
    x = 1_700_000_000 + np.array([[-2], [5], [9], [30]])
    net = bp.Network([1, 6, 2], "tanh", dtype=np.float64, seed=0, input_mean=1.7e9 + 0.25, input_scale=0.1)
    t = np.array([0, 1, 1, 0])
    slow, fast = net.numerical_gradient(x, t), net.gradient(x, t)
    assert all(np.abs(slow[key] - fast[key]).max() < 1e-8 for key in fast)
    assert bp.check_gradients(net, x, t).passed


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_mean_is_kept_and_saved_in_float64(dtype, tmp_path):
    mean = np.array([1.7e9 + 0.1, 14.62])
    net = bp.Network([2, 3], dtype=dtype, seed=0, input_mean=mean, input_scale=0.5)
    assert np.array_equal(net.astype("float32").astype("float64").input_mean, mean)
    net.save(tmp_path / "net")
    tensors = load_file(tmp_path / "net")
    assert tensors["input_mean"].dtype == np.float64
    x = np.array([[1_700_000_003, 14.5]])
    back = bp.Network.load(tmp_path / "net")
    assert np.array_equal(back.input_mean, mean)
    assert np.array_equal(back.predict(x), net.predict(x))


def test_files_whose_mean_is_float32_are_read(tmp_path):
    net = bp.Network([2, 3], seed=0, input_mean=[0.5, 3.0])
    net.save(tmp_path / "net")
    with safe_open(tmp_path / "net", "numpy") as file:
        description = json.loads(file.metadata()["backprop"])
    del description["checksum"]  # such files have none
    tensors = load_file(tmp_path / "net")
    tensors |= {name: tensors[name].astype(np.float32) for name in ("input_mean", "input_scale")}
    save_file(tensors, tmp_path / "old", {"backprop": json.dumps(description)})
    back = bp.Network.load(tmp_path / "old")
    assert back.input_mean.dtype == np.float64
    assert np.array_equal(back.predict(np.ones((1, 2))), net.predict(np.ones((1, 2))))
