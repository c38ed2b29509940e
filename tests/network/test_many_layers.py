"""Networks of many layers: twice as many take twice as many calls, of Python's and of C's, not four times."""

import copy
import gc
import pickle
import sys
import tempfile

import numpy as np
import pytest

import backprop as bp

X, T = np.zeros((2, 3)), np.array([0, 1])
ADAM = bp.Adam()


class Counted(str):
    """A name that counts how often it is compared."""

    __slots__ = ()
    times = 0

    def __eq__(self, other):
        Counted.times += 1
        return str.__eq__(self, other)

    __hash__ = str.__hash__


def layered(depth):
    """A network that no plan can run."""
    net = bp.Network([3] * depth + [2], seed=0)
    net.layers["Own"] = type("Own", (), {"forward": lambda self, x: x, "backward": lambda self, dout: dout})()
    return net


def plain(depth):
    return bp.Network([3] * depth + [2], seed=0)


def save(net):
    with tempfile.TemporaryDirectory() as folder:
        net.save(f"{folder}/net")
        bp.Network.load(f"{folder}/net")


def replace_all(net):
    for key in list(net.layers):
        layer = net.layers.pop(key)
        net.layers[key] = layer


OPERATIONS = {
    "making it": (lambda depth: depth, lambda depth: bp.Network([3] * depth + [2], seed=0)),
    "making a plan": (plain, lambda net: net.plan_for(ADAM)),
    "a step of a plan": (plain, lambda net: net.train_step(X, T, bp.Adam())),
    "a step layer by layer": (layered, lambda net: net.train_step(X, T, bp.Adam())),
    "fit": (plain, lambda net: net.fit(X, T, epochs=1, optimizer=bp.Adam())),
    "update": (plain, lambda net: bp.Adam().update(net.params, {k: v + 1 for k, v in net.params.items()})),
    "a walk over params": (layered, lambda net: [net.params[key] for key in net.params]),
    "assigning params": (
        plain,
        lambda net: net.params.assign({Counted(k): v for k, v in net.params.items()}),
    ),
    "params of a dict": (
        plain,
        lambda net: setattr(net, "params", {k: v + 1 for k, v in net.params.items()}),
    ),
    "replacing layers": (plain, replace_all),
    "astype": (layered, lambda net: net.astype(np.float64)),
    "deepcopy": (layered, copy.deepcopy),
    "pickle": (plain, lambda net: pickle.loads(pickle.dumps(net))),
    "repr": (layered, lambda net: (repr(net), repr(net.params), net._repr_html_())),
    "save and load": (plain, save),
    "predict": (layered, lambda net: net.predict(X)),
    "clear_cache": (layered, lambda net: net.clear_cache()),
}


def calls(make, operate, depth):
    """How many calls an operation makes."""
    given, count = make(depth), 0

    def counted(frame, event, argument):
        nonlocal count
        count += event in ("call", "c_call")

    Counted.times = 0
    gc.disable()  # who is called when it collects counts as well
    sys.setprofile(counted)
    try:
        operate(given)
    finally:
        sys.setprofile(None)
        gc.enable()
    return count + Counted.times


@pytest.mark.parametrize("name", OPERATIONS)
def test_calls_grow_with_the_layers_and_no_faster(name):
    make, operate = OPERATIONS[name]
    calls(make, operate, 10)  # what is imported and remembered once
    few, more, many = (calls(make, operate, depth) for depth in (20, 40, 80))
    assert more > few
    assert many - more <= 2 * (more - few)
