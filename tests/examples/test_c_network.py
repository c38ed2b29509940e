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


@pytest.mark.parametrize("activation", ["relu", "sigmoid", "tanh"])
def test_the_compiled_network_scores_as_predict_does(activation, tmp_path):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(50, 6)).astype(np.float32)
    net = bp.Network([6, 30, 20, 3], activation, seed=0, input_mean=x.mean(axis=0), input_scale=1.5)
    net.save(tmp_path / "net.safetensors")
    export = [sys.executable, EXAMPLE / "export.py", tmp_path / "net.safetensors"]
    text = subprocess.run(export, check=True, capture_output=True, text=True).stdout
    (tmp_path / "weights.h").write_text(text, encoding="utf-8")
    shutil.copy(EXAMPLE / "forward.c", tmp_path)
    compiler = os.environ.get("CC", "cc")
    flags = ["-std=c11", "-O2", "-Wall", "-Wextra", "-Werror", "-fPIC", "-shared"]
    subprocess.run([compiler, *flags, "forward.c", "-lm", "-o", "network.so"], cwd=tmp_path, check=True)
    library = ctypes.CDLL(tmp_path / "network.so")

    pointer = ctypes.POINTER(ctypes.c_float)
    got = np.empty((50, 3), np.float32)
    for row, out in zip(x, got, strict=True):
        library.scores(row.ctypes.data_as(pointer), out.ctypes.data_as(pointer))
    assert np.all(np.abs(got - net.predict(x)) <= 2 * bound(net, x))


def bound(net, x):
    """How far float32 scores may be from the exact ones: each layer adds its own roundings to what came to it.

    Activations have a slope of at most 1 and an error of 4 units in the last place.
    """
    u = 2.0**-24
    values = (x - net.input_mean) * net.input_scale
    error = 2 * u * np.abs(values)
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
            values = kind[net.activation](values)
            error = error + 8 * u * np.abs(values)
    return error
