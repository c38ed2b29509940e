"""Arrays that a plan has seen and that are then frozen, reshaped or given other memory: in use they are, or refused."""

import copy
import re
import subprocess
import sys
import textwrap
import warnings

import numpy as np
import pytest

import backprop as bp

RNG = np.random.default_rng(0)
X, T = RNG.random((40, 6), dtype=np.float32), RNG.integers(0, 3, 40)
PARAMETERS = ("W1", "b1", "W2", "b2")


def trained(optimizer=None):
    """A network that has a plan, and an optimizer that keeps something of it."""
    net, optimizer = bp.Network([6, 5, 3], seed=0), optimizer or bp.Adam(0.01)
    net.train_step(X, T, optimizer)
    assert net.plan_for(optimizer) is not None
    return net, optimizer


def everything(net, optimizer):
    """Copies of all that a step changes."""
    state = {key: [array.copy() for array in arrays] for key, arrays in optimizer.state.items()}
    return {key: array.copy() for key, array in net.params.items()}, state, optimizer.steps


def same(one, other):
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(map(same, one, other))
    return np.array_equal(one, other)


CALLS = {
    "train_step": lambda net, optimizer: net.train_step(X, T, optimizer),
    "fit": lambda net, optimizer: net.fit(X, T, epochs=1, optimizer=optimizer, seed=0),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
@pytest.mark.parametrize("key", PARAMETERS)
def test_a_frozen_parameter_is_not_trained(key, call):
    net, optimizer = trained()
    scores, array = net.predict(X), net.params[key]
    array.setflags(write=False)
    before = everything(net, optimizer)
    with pytest.raises(ValueError, match=re.escape(f"params['{key}'] is read-only")):
        call(net, optimizer)
    assert same(everything(net, optimizer), before)
    assert np.array_equal(net.predict(X), scores)
    # And is again when it may be changed: by a plan, which is made anew.
    array.setflags(write=True)
    call(net, optimizer)
    assert net.plan_for(optimizer) is not None
    assert not np.array_equal(net.predict(X), scores)


def test_a_parameter_frozen_by_a_callback():
    net, optimizer = trained()

    def freeze(net, history):
        net.params["W2"].setflags(write=False)

    with pytest.raises(ValueError, match=re.escape("params['W2'] is read-only")):
        net.fit(X, T, epochs=3, batch_size=20, optimizer=optimizer, seed=0, callbacks=[freeze])
    assert len(net.history.loss) == 2 == optimizer.steps - 1


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_what_an_optimizer_keeps_may_be_frozen_too(call):
    net, optimizer = trained()
    optimizer.state["b2"][1].setflags(write=False)
    before = everything(net, optimizer)
    with pytest.raises(ValueError, match="read-only"):
        call(net, optimizer)
    assert same(everything(net, optimizer), before)
    optimizer.state["b2"][1].setflags(write=True)
    call(net, optimizer)
    assert optimizer.steps > 1


def reassigned(array, attribute, value):
    """Give an array another shape or type in place, which newer versions of NumPy advise against."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        setattr(array, attribute, value)


def test_a_parameter_that_was_reshaped():
    net, optimizer = trained()
    array = net.params["W1"]
    reassigned(array, "shape", (5, 6))
    before = array.copy()
    for call in (lambda: net.predict(X), lambda: net.train_step(X, T, optimizer)):
        with pytest.raises(ValueError, match="x has 6 columns, the network has 5 inputs"):
            call()
    assert np.array_equal(array, before)


def test_a_parameter_whose_type_is_another_now():
    net, optimizer = trained()
    array = net.params["W1"]
    reassigned(array, "dtype", np.int32)
    before = array.copy()
    # Layers follow NumPy: whole numbers are what they are, and float64 with float32 is float64.
    affine = bp.Affine(before.astype(np.float64), net.params["b1"].astype(np.float64))
    hidden = bp.Relu().forward(affine.forward(X))
    assert np.array_equal(net.predict(X), net.layers["Affine2"].forward(hidden))
    with pytest.raises(TypeError, match=re.escape("params['W1'] has dtype int32")):
        net.train_step(X, T, optimizer)
    assert np.array_equal(array, before)


@pytest.mark.parametrize("key", PARAMETERS)
def test_the_memory_of_parameters_stays_where_it_is(key):
    net, optimizer = trained()
    scores = net.predict(X)
    for array in (net.params[key], *optimizer.state[key]):
        with pytest.raises(ValueError, match="cannot resize an array that references or is referenced"):
            array.resize((10_000_000,), refcheck=False)
    assert np.array_equal(net.predict(X), scores)


def test_the_memory_that_parameters_are_views_of_stays_too():
    memory = np.zeros(100, np.float32)
    net = bp.Network([6, 5, 3], seed=0)
    net.layers["Affine1"].W = memory[10:40].reshape(6, 5)
    net.train_step(X, T, bp.SGD(0.1))
    with pytest.raises(ValueError, match="cannot resize an array that references or is referenced"):
        memory.resize((10_000_000,), refcheck=False)


@pytest.mark.parametrize(
    "net", [bp.Network([6, 5, 3], seed=0), bp.TwoLayerNet(6, 5, 3)], ids=["float32", "float64"]
)
@pytest.mark.parametrize("own", [False, True], ids=["plan", "layer by layer"])
def test_data_that_a_callback_makes_shorter_or_of_another_shape(net, own):
    x, valid = X.copy(), X.copy()
    net, twin = copy.deepcopy(net), copy.deepcopy(net)
    if own:
        net.layers["Relu1"] = type(
            "OwnRelu", (bp.Relu,), {"forward": lambda self, x: super(type(self), self).forward(x)}
        )()
        assert net.plan_for(bp.SGD()) is None

    def change(net, history):
        for data in (x, valid):
            with pytest.raises(ValueError, match="cannot resize an array that references or is referenced"):
                data.resize((2, 6), refcheck=False)
            reassigned(data, "shape", (-1, 3))

    options = {"epochs": 2, "batch_size": 16, "seed": 0, "optimizer": bp.SGD(0.1)}
    history = net.fit(x, T, validation=(valid, T), callbacks=[change], **options)
    assert history.loss == twin.fit(X, T, validation=(X, T), **options).loss
    # Afterwards it is the user's again.
    x.resize((2, 6), refcheck=False)


MEDDLED = textwrap.dedent("""
    import sys, threading
    import numpy as np, backprop as bp
    from bpcore import kernels

    sys.setswitchinterval(1e-6)
    rng = np.random.default_rng(0)
    x, t = rng.random((400, 8), dtype=np.float32), rng.integers(0, 3, 400)
    indices, stop = rng.integers(0, 400, (50, 40)), threading.Event()

    def meddle():
        n = 0
        while not stop.is_set():
            n = (n + 1) % 40
            t[n], indices[n, n] = (-(2**40), 2**40) if n % 2 else (3, 400)
            t[n], indices[n, n] = 1, 5

    net, sgd, refused = bp.Network([8, 5, 3], seed=0), bp.SGD(0.1), 0
    plan, losses, scores = net.plan_for(sgd), np.empty(50), rng.random((400, 3), dtype=np.float32)
    y, dx = np.empty_like(scores), np.empty_like(scores)
    thread = threading.Thread(target=meddle)
    thread.start()
    for _ in range(300):
        for call in (
            lambda: plan.train(x, t, indices, sgd.plan_update(), losses),
            lambda: plan.step(x, t, sgd.plan_update()),
            lambda: net.train_step(x, t, sgd),
            lambda: net.fit(x, t, iterations=5, optimizer=sgd, seed=0),
            lambda: kernels.softmax_cross_entropy(scores, t, y, dx, threads=2),
            lambda: kernels.softmax_cross_entropy_backward(y, t, 1.0, dx, threads=2),
        ):
            try:
                call()
            except ValueError as error:
                refused += 1
                assert "wanted" in str(error), error
    stop.set()
    thread.join()
    # Whatever came between, every label that was used was one of the three: nothing else lies in the sums.
    assert np.isfinite(losses).all() and np.isfinite(dx).all() and np.isfinite(net.predict(x)).all()
    print("alive")
""")


def test_labels_and_indices_that_another_thread_changes():
    done = subprocess.run(
        [sys.executable, "-c", MEDDLED], capture_output=True, text=True, timeout=120, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "alive\n", "")
