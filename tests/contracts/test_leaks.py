"""What a call takes from the heap it gives back, whether it succeeds or raises."""

import ctypes
import gc
import sys

import numpy as np
import pytest

import backprop as bp
import bpcore
from tests.contracts.guarded import EVERY, Call

CALLS = 300


class Mallinfo2(ctypes.Structure):
    """As <malloc.h> of glibc has it."""

    _fields_ = [
        (name, ctypes.c_size_t)
        for name in (
            *("arena", "ordblks", "smblks", "hblks", "hblkhd", "usmblks"),
            *("fsmblks", "uordblks", "fordblks", "keepcost"),
        )
    ]


def measure():
    """The function that tells the heap's bytes, or None where there is none."""
    if sys.platform != "linux" or bpcore.cpu_info()["build"] == "Sanitized":
        return None
    function = getattr(ctypes.CDLL(None), "mallinfo2", None)
    if function is not None:
        function.restype = Mallinfo2
    return function


@pytest.fixture(autouse=True, scope="module")
def collected():
    """What other tests have left is not looked at in each collection, of which there are hundreds."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


needs_mallinfo = pytest.mark.skipif(measure() is None, reason="asks glibc's malloc, which sanitizers replace")


def growth(call):
    """Bytes that the heap grows by over CALLS calls, the first ones not counted."""
    mallinfo2 = measure()

    def used():
        gc.collect()
        info = mallinfo2()
        return info.uordblks + info.hblkhd

    for _ in range(20):
        call()
    # The least of several: other threads and Python's own caches may take some once.
    least = sys.maxsize
    for _ in range(3):
        before = used()
        for _ in range(CALLS):
            call()
        least = min(least, used() - before)
    return least


@needs_mallinfo
@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize(("entry", "alternative"), EVERY)
def test_entries(entry, alternative, threads):
    call = Call(entry, np.float32, alternative)
    call.given["threads"] = threads
    # The smallest block that malloc has is 32 bytes.
    assert growth(call) < 32 * CALLS


@needs_mallinfo
@pytest.mark.parametrize("B", [1024])
def test_products_large_enough_for_workspaces(B):
    rng = np.random.default_rng(0)
    x, W, b, dout = (rng.normal(size=size) for size in ((B, 256), (256, 64), (64,), (B, 64)))
    out, dx, dW, db = (np.empty_like(array) for array in (dout, x, W, b))

    def products():
        bpcore.kernels.affine_forward(x, W, b, out)
        bpcore.kernels.affine_backward_input(dout, W, dx)
        bpcore.kernels.affine_backward_params(x, dout, dW, db)

    assert growth(products) < 32 * CALLS


def network_calls():
    rng = np.random.default_rng(0)
    net = bp.Network([6, 5, 4], seed=0)
    x, t = rng.normal(size=(12, 6)).astype("f4"), rng.integers(0, 4, 12)
    optimizer, flat = bp.Adam(0.01), net.get_flat_params()

    def refused():
        with pytest.raises(ValueError, match="wanted a label"):
            net.train_step(x, t + 4, optimizer)

    def made_and_gone():
        other = bp.Network([6, 5, 4], seed=0)
        other.train_step(x, t, bp.Momentum(0.1))
        other.predict(x)

    return {
        "predict": lambda: net.predict(x),
        "accuracy": lambda: net.accuracy(x, t),
        "gradient": lambda: net.gradient(x, t),
        "input_gradient": lambda: net.input_gradient(x, t),
        "jacobian": lambda: net.jacobian(x),
        "loss_and_gradient": lambda: net._plan().loss_and_gradient(x, t, flat),
        "train_step": lambda: net.train_step(x, t, optimizer),
        "fit": lambda: net.fit(x, t, iterations=2, batch_size=5, optimizer=optimizer, track_accuracy=False),
        "a step that is refused": refused,
        "a network that is made and goes": made_and_gone,
    }


@needs_mallinfo
@pytest.mark.parametrize("name", network_calls())
def test_networks(name):
    assert growth(network_calls()[name]) < 32 * CALLS
