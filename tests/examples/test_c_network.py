"""A network without Python: exported as a C header, compiled, and held to `predict`."""

import ctypes
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import backprop as bp
from tests.bounds import gamma

EXAMPLE = Path(__file__).parents[2] / "examples" / "c_network"


def compiled(net, folder):
    """Scores of rows by the exported and compiled network."""
    net.save(folder / "net.safetensors")
    export = [sys.executable, EXAMPLE / "export.py", folder / "net.safetensors"]
    text = subprocess.run(export, check=True, capture_output=True, text=True).stdout
    (folder / "weights.h").write_text(text, encoding="utf-8")
    shutil.copy(EXAMPLE / "forward.c", folder)
    compiler = os.environ.get("CC", "cc")
    flags = ["-std=c11", "-O2", "-Wall", "-Wextra", "-Werror", "-fPIC", "-shared"]
    subprocess.run([compiler, *flags, "forward.c", "-lm", "-o", "network.so"], cwd=folder, check=True)
    library = ctypes.CDLL(folder / "network.so")
    pointers = [ctypes.POINTER(kind) for kind in (ctypes.c_double, ctypes.c_float)]

    def scores(x):
        got = np.empty((len(x), net.sizes[-1]), np.float32)
        for row, out in zip(x.astype(np.float64), got, strict=True):
            library.scores(row.ctypes.data_as(pointers[0]), out.ctypes.data_as(pointers[1]))
        return got

    return scores


@pytest.mark.parametrize("activation", ["relu", "sigmoid", "tanh", ["tanh", "relu"]], ids=str)
def test_the_compiled_network_scores_as_predict_does(activation, tmp_path):
    x = np.random.default_rng(0).normal(size=(50, 6))
    net = bp.Network([6, 30, 20, 3], activation, seed=0, input_mean=x.mean(axis=0), input_scale=1.5)
    assert np.all(np.abs(compiled(net, tmp_path)(x) - net.predict(x)) <= 2 * bound(net, x))


def test_raw_numbers_enter_with_the_same_bits(tmp_path):
    rng = np.random.default_rng(0)
    x = np.column_stack(
        [20_240_101 + rng.integers(0, 31, 50), 1.7e9 + rng.uniform(-9, 9, 50), rng.normal(size=50)]
    )
    # The scores are what enters: all other terms of their sums are 0.
    net = bp.Network.standardised(x, [3, 3], loss="squared_error", seed=0)
    net.params["W1"][...] = np.eye(3)
    assert np.array_equal(compiled(net, tmp_path)(x), net.predict(x))
    assert len(np.unique(net.predict(x)[:, 1])) == 50


def test_batch_normalisation_is_folded_into_the_layer_before_it(tmp_path):
    rng = np.random.default_rng(0)
    x, t = rng.normal(size=(50, 6)), rng.integers(0, 3, 50)
    net = bp.Network([6, 30, 20, 3], ["relu", "tanh"], seed=0, dtype="float64", dropout=0.2)
    for n in (1, 2, 3):
        net.layers.insert_after(f"Affine{n}", f"BatchNorm{n}", bp.BatchNorm(net.sizes[n], dtype="float64"))
    net.fit(x, t, epochs=20, batch_size=25, seed=0)
    plain = bp.Network([6, 30, 20, 3], ["relu", "tanh"], dtype="float64")
    for n in (1, 2, 3):
        layer = net.layers[f"BatchNorm{n}"]
        scale = layer.gamma / np.sqrt(layer.running_var + layer.eps)
        plain.params[f"W{n}"] = net.params[f"W{n}"] * scale
        plain.params[f"b{n}"] = (net.params[f"b{n}"] - layer.running_mean) * scale + layer.beta
    # Three layers of sums of at most 30 terms, of numbers below 100.
    assert np.abs(plain.predict(x) - net.predict(x)).max() <= 3 * 32 * 2**-53 * 100
    (tmp_path / "plain").mkdir()
    assert np.array_equal(compiled(net, tmp_path)(x), compiled(plain, tmp_path / "plain")(x))


@pytest.mark.parametrize(
    ("layers", "kinds"),
    [
        ([bp.Relu(), bp.Tanh()], "relu + tanh"),
        ([bp.Relu(), bp.BatchNorm(2)], "relu + batch_norm"),
        ([bp.Softmax()], "softmax"),
    ],
)
def test_a_network_that_the_loops_do_not_know_is_refused(layers, kinds, tmp_path):
    net = bp.Network([4, 3, 2], seed=0)
    for n, layer in enumerate(layers):
        net.layers[f"Last{n}"] = layer
    net.save(tmp_path / "net")
    done = subprocess.run(
        [sys.executable, EXAMPLE / "export.py", tmp_path / "net"], capture_output=True, text=True
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert f"the network has {kinds}, wanted affine layers with IDENTITY, RELU" in done.stderr


def bound(net, x):
    """How far float32 scores may be from the exact ones: each layer adds its own roundings to what came to it.

    Activations have a slope of at most 1 and an error of 4 units in the last place.
    """
    u = 2.0**-24
    values = (x - net.input_mean) * net.input_scale
    error = gamma(4, np.float32) * np.abs(values)
    for n in range(1, len(net.sizes)):
        W, b = (net.params[f"{name}{n}"].astype(float) for name in "Wb")
        sums = np.abs(values) @ np.abs(W) + np.abs(b)
        error = error @ np.abs(W) + gamma(len(W) + 1, np.float32) * (sums + error @ np.abs(W))
        values = values @ W + b
        if n < len(net.sizes) - 1:
            kind = {
                "relu": lambda v: np.maximum(v, 0),
                "sigmoid": lambda v: 1 / (1 + np.exp(-v)),
                "tanh": np.tanh,
            }
            values = kind[net.spec.gaps[n][0]](values)
            error = error + 8 * u * np.abs(values)
    return error
