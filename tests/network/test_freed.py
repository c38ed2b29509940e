"""A network is freed with its last name, without the garbage collector, whatever was done with it; so is its memory."""

import contextlib
import gc
import subprocess
import sys
import textwrap
import weakref

import numpy as np
import pytest

import backprop as bp
import bpcore
from tests.network.machine import OPTIMIZERS, Halve


@pytest.fixture
def batch():
    rng = np.random.default_rng(0)
    return rng.normal(size=(8, 6)), rng.integers(0, 3, 8)


class Scale:
    """A layer of one's own, with a parameter."""

    def __init__(self):
        self.gamma, self.dgamma = np.ones(3), None

    def forward(self, x):
        self.x = x
        return x * self.gamma

    def backward(self, dout):
        self.dgamma = (dout * self.x).sum(axis=0)
        return dout * self.gamma


def fails(net, x, t):
    def stops(net, history):
        raise ZeroDivisionError

    with contextlib.suppress(ZeroDivisionError):
        net.fit(x, t, epochs=1, callbacks=[stops])


def is_refused(net, x, t):
    with contextlib.suppress(ValueError):
        net.train_step(x, t + 7, bp.SGD())


USES = {
    "fit": lambda net, x, t: net.fit(x, t, epochs=2, seed=0, validation=(x, t), track_accuracy=True),
    "predict": lambda net, x, t: (net.predict(x), net.predict_proba(x), net.accuracy(x, t)),
    "gradient": lambda net, x, t: (net.loss(x, t), net.gradient(x, t)),
    "an exception": fails,
    "a wrong label": is_refused,
}


@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize("own", [None, Halve, Scale], ids=["plan", "own layer", "own parameter"])
def test_whatever_was_done_with_it(use, own, batch):
    net = bp.Network([6, 5, 3], seed=0)
    if own is not None:
        net.layers["Own"] = own()
    gc.disable()
    try:
        USES[use](net, *batch)
        alive = [weakref.ref(net), *map(weakref.ref, net.layers.values())]
        alive += [weakref.ref(plan) for plan in [net.plan_for(bp.SGD())] if plan is not None]
        del net
        assert [one() for one in alive] == [None] * len(alive)
    finally:
        gc.enable()


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_an_optimizer_keeps_no_network_and_no_workspace(name, batch):
    optimizer, nets = OPTIMIZERS[name](), [bp.Network([6, 5, 3], seed=seed) for seed in range(2)]
    gc.disable()
    try:
        for net in nets:
            net.train_step(*batch, optimizer)
            net.fit(*batch, epochs=1, optimizer=optimizer)
        alive = [weakref.ref(one) for net in nets for one in (net, net.plan_for(optimizer), net.layers)]
        del net, nets
        assert [one() for one in alive] == [None] * 6
    finally:
        gc.enable()
    # What it keeps of the parameters is its own, and goes on with another network.
    assert optimizer.steps == 4
    assert bp.Network([6, 5, 3], seed=2).train_step(*batch, optimizer) > 0


def test_an_optimizer_trains_a_network_of_another_plan_after_one_that_is_gone(batch):
    # The plans may stand at one address.
    adam, twin = bp.Adam(0.1), bp.Adam(0.1)
    for seed in range(5):
        net, other = (bp.Network([6, 5, 3], seed=seed) for _ in range(2))
        net.train_step(*batch, adam)
        twin.update(other.params, other.gradient(*batch))
        assert all(np.array_equal(net.params[key], other.params[key]) for key in net.params)
        del net, other


PEAK = textwrap.dedent("""
    import gc, sys
    import numpy as np, backprop as bp

    def peak(what):
        with open("/proc/self/status") as status:
            return next(int(line.split()[1]) for line in status if line.startswith(what))

    networks, width, batch = map(int, sys.argv[1:])
    x, t = np.zeros((batch, 784), np.float32), np.zeros(batch, int)
    before = peak("VmRSS")
    gc.disable()
    adam = bp.Adam()
    for seed in range(networks):
        net = bp.Network([784, width, 10], seed=seed)
        net.fit(x, t, epochs=1, batch_size=batch, optimizer=adam)
        del net
    print(peak("VmHWM") - before)
""")


@pytest.mark.skipif(sys.platform != "linux", reason="asks /proc for the largest resident size")
@pytest.mark.skipif(bpcore.cpu_info()["build"] == "Sanitized", reason="sanitizers keep what was freed")
def test_a_search_over_networks_takes_the_memory_of_one():
    def kilobytes(networks):
        arguments = map(str, (networks, 600, 1200))
        done = subprocess.run(
            [sys.executable, "-c", PEAK, *arguments], capture_output=True, text=True, check=True
        )
        return int(done.stdout)

    # That of `python -m bench memory`, in small: if each left its workspace, eight would take five times as much.
    assert kilobytes(8) <= 1.3 * kilobytes(1)
