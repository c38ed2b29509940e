"""The bits contract of training: one hash of the weights for threads, layers or plan, and every level with FMA.

A hash is of the weights after real training from weights and data that are integers over a power of two, so that no
library function has a part in them.
"""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import backprop as bp
import bpcore
from backprop.layers.buffers import buffers_of
from tests.registry import LOSSES

GOLDEN_FILE = Path(__file__).with_name("golden.json")
GOLDEN = json.loads(GOLDEN_FILE.read_text()) if GOLDEN_FILE.exists() else {}
INFO = bpcore.cpu_info()
LEVELS = [level for level in ("v3", "v4", "neon") if level in INFO["usable"] and level in INFO["built"]]
# Sizes, batch, activation, loss, rule, type the data is stored in. "wide" needs panels and several blocks of rows.
RUNS = {
    "the notes' job": ([784, 50, 10], 100, "relu", "softmax", bp.SGD, "f4"),
    "no size is special": ([783, 49, 11], 97, "sigmoid", "softmax", bp.Adam, "f8"),
    "images": ([196, 33, 17, 10], 64, "tanh", "softmax", bp.Momentum, "u1"),
    "numbers": ([37, 65, 3], 50, "relu", "squared_error", bp.RMSprop, "f4"),
    "wide": ([70, 600, 530, 9], 500, "relu", "softmax", bp.Nesterov, "f4"),
    "rare": ([21, 24, 5], 31, "tanh", "squared_error", bp.AdaGrad, "f8"),
    "weighted": ([30, 40, 7], 64, "relu", "softmax", bp.Adam, "f4"),
    "regularised": ([60, 201, 70, 7], 90, "silu", "softmax", lambda lr: bp.AMSGrad(lr, **LIMITS), "f4"),
}
RUNS["normalised batches"] = ([60, 201, 70, 7], 90, "silu", "softmax", bp.Adam, "f4")
RUNS["shares"] = ([60, 201, 70, 7], 90, "tanh", "squared_error", bp.Adam, "f4")
# Of which gradients of the inputs have hashes, too.
DIFFERENTIATED = ("images", "numbers", "wide", "regularised", "shares")
LIMITS = dict(weight_decay=0.01, l1=0.001, clip_norm=0.5, max_norm=2.0)


def with_noise_and_norms(net):
    """Dropout of the inputs and of both hidden layers, with a normalisation before each activation."""
    for n, (make, rate) in enumerate(((bp.LayerNorm, 0.3), (bp.RMSNorm, 0.2)), start=1):
        net.layers.insert_after(f"Affine{n}", f"Norm{n}", make(len(net.params[f"b{n}"]), dtype=net.dtype))
        net.layers.insert_after(f"Silu{n}", f"Dropout{n}", bp.Dropout(rate, seed=n))
    net.layers.insert(0, "Dropout0", bp.Dropout(0.1, seed=0))


def with_batch_norms(net):
    """Batch normalisation of the inputs and before each activation."""
    net.layers.insert(0, "Norm0", bp.BatchNorm(net.sizes[0], dtype=net.dtype))
    for n in (1, 2):
        layer = bp.BatchNorm(net.sizes[n], momentum=0.25, dtype=net.dtype)
        net.layers.insert_after(f"Affine{n}", f"Norm{n}", layer)


def with_softmax(net):
    """Softmax of the outputs, its logarithm of a hidden layer."""
    net.layers.insert_after("Affine1", "LogSoftmax1", bp.LogSoftmax())
    net.layers["Softmax3"] = bp.Softmax()


class ByLayers(bp.Network):
    """A network that never uses a plan."""

    def _plan(self):
        return None


def trained(run, dtype, threads=1, kind=bp.Network):
    """The network after twelve steps and a short epoch."""
    sizes, batch, activation, loss, rule, stored = RUNS[run]
    rng = np.random.RandomState(len(run))
    scale = 1 / 256 if stored == "u1" else 1.0
    net = kind(sizes, activation, loss, dtype, seed=0, input_scale=scale)
    if run == "regularised":
        with_noise_and_norms(net)
    if run == "normalised batches":
        with_batch_norms(net)
    if run == "shares":
        with_softmax(net)
    for array in net.params.values():
        array[...] = rng.randint(-(2**10), 2**10, size=array.shape) / 2.0**13
    x = rng.randint(0, 256, size=(1000, sizes[0]))
    x = x.astype("u1") if stored == "u1" else (x / 256).astype(stored)
    t = rng.randint(0, sizes[-1], 1000)
    if not LOSSES[loss].classifies:
        t = rng.randint(-256, 256, size=(1000, sizes[-1])) / 256
    optimizer, weights = rule(0.01), None
    if run == "weighted":
        net.lastLayer = bp.SoftmaxWithLoss(0.125, [1, 2, 0.5, 1, 3, 1, 1], ignored_label=3)
        weights = rng.randint(0, 5, 1000) / 4
    history = net.fit(
        x, t, iterations=12, batch_size=batch, optimizer=optimizer, seed=1, threads=threads, track_accuracy=False,
        sample_weight=weights,
    )  # fmt: skip
    some = None if weights is None else weights[:130]
    net.fit(
        x[:130], t[:130], epochs=1, batch_size=60, optimizer=optimizer, seed=2, threads=threads, sample_weight=some
    )  # fmt: skip
    return net, history, x


def digest(run, dtype, threads=1, kind=bp.Network):
    net, history, x = trained(run, dtype, threads, kind)
    parts = [
        np.array(history.loss),
        net.predict(x[:77]),
        *net.params.values(),
        *buffers_of(net.layers).values(),
    ]
    return hashlib.sha256(b"".join(part.tobytes() for part in parts)).hexdigest()[:32]


def digest_of_input_gradients(run, dtype, kind=bp.Network):
    net, _, x = trained(run, dtype, kind=kind)
    dout = np.arange(-99, 300 * net.sizes[-1] - 99).reshape(300, -1) % 64 / 64
    parts = net.jacobian(x[:50]), net.input_gradient(x[:300], dout=dout)
    if LOSSES[net.loss_name].classifies:
        parts = *parts, net.input_gradient(x[:300], np.arange(300) % net.sizes[-1])
    return hashlib.sha256(b"".join(part.tobytes() for part in parts)).hexdigest()[:32]


def all_digests():
    both = [(run, dtype) for run in RUNS for dtype in ("float32", "float64")]
    gradients = {
        f"input gradients of {run}, {dtype}": digest_of_input_gradients(run, dtype)
        for run, dtype in both
        if run in DIFFERENTIATED
    }
    return {f"{run}, {dtype}": digest(run, dtype) for run, dtype in both} | gradients


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("run", RUNS)
def test_any_number_of_threads_and_layers_or_plan(run, dtype):
    one = digest(run, dtype)
    assert [digest(run, dtype, threads) for threads in (2, 3, 7)] == 3 * [one]
    assert digest(run, dtype, kind=ByLayers) == one


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("run", DIFFERENTIATED)
def test_input_gradients_by_layers_or_plan(run, dtype):
    assert digest_of_input_gradients(run, dtype, ByLayers) == digest_of_input_gradients(run, dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("run", RUNS)
def test_a_row_alone_or_in_a_batch(run, dtype):
    net, _, x = trained(run, dtype)
    batch = net.predict(x[:40])
    for row in range(40):
        assert np.array_equal(net.predict(x[row : row + 1])[0], batch[row])


@pytest.mark.parametrize("level", LEVELS)
def test_golden_hashes_on_every_level_with_fma(level):
    code = "import json; from tests.network.test_bits import all_digests; print(json.dumps(all_digests()))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "BACKPROP_ISA": level, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(done.stdout) == GOLDEN
