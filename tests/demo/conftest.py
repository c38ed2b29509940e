"""A server for the tests, in a thread of its own."""

import threading
from contextlib import contextmanager

import numpy as np
import pytest

import backprop as bp
from backprop.demo.model import Model
from backprop.demo.server import Server


@contextmanager
def serving(model, **options):
    """A server of `model` that answers meanwhile."""
    with Server(model, **options) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture(scope="session")
def small_model():
    """A network of random weights, in float64."""
    net = bp.Network([64, 20, 10], dtype=np.float64, seed=0, input_scale=1 / 16)
    return Model(net, [str(n) for n in range(10)], source="random weights")


# Of the module: its thread is not to run beside other tests, some of which count allocations.
@pytest.fixture(scope="module")
def server(small_model):
    with serving(small_model) as server:
        yield server
