"""What trains and what does not: told to each layer, by each thread for itself, and over when a call is."""

import copy
import functools
import pickle
import threading

import numpy as np
import pytest

import backprop as bp
from backprop.layers.base import takes
from backprop.network.plan import NoPlan


def problem(kind=bp.Network, **options):
    rng = np.random.default_rng(0)
    net = kind([5, 8, 3], dropout=0.5, seed=0, **options)
    return net, rng.normal(size=(40, 5)).astype(net.dtype), rng.integers(0, 3, 40)


def steps(net):
    return [layer.step for layer in net.layers.values() if isinstance(layer, bp.Dropout)]


def infers(net, x, t):
    """Whether the loss is that of inference: nothing random in it."""
    return net.loss(x, t) == net.loss(x, t)


class Failing:
    """A layer whose backward raises when it is told to."""

    def __init__(self):
        self.fails = False

    def forward(self, x):
        return x

    def backward(self, dout):
        if self.fails:
            raise KeyboardInterrupt
        return dout


@pytest.mark.parametrize("call", ["gradient", "train_step", "fit"])
def test_a_pass_that_raises_is_over_and_has_counted_nothing(call):
    net, x, t = problem()
    net.layers["Failing"] = layer = Failing()
    calls = {
        "gradient": lambda: net.gradient(x, t),
        "train_step": lambda: net.train_step(x, t, bp.SGD(0.1)),
        "fit": lambda: net.fit(x, t, iterations=1, batch_size=40, optimizer=bp.SGD(0.1)),
    }
    calls[call]()
    before, layer.fails = steps(net), True
    with pytest.raises(KeyboardInterrupt):
        calls[call]()
    assert steps(net) == before
    assert infers(net, x, t)


def test_an_update_that_raises_has_counted_no_mask():
    net, x, t = problem()
    net._planned, adam = NoPlan([]), bp.Adam()
    net.train_step(x, t, adam)
    adam.state["W1"] = ()
    with pytest.raises(ValueError, match=r"state\['W1'\] has 0 arrays"):
        net.train_step(x, t, adam)
    assert (adam.steps, steps(net)) == (1, [1])


def test_threads_that_make_gradients_do_not_tell_each_other():
    net, x, t = problem()
    first_is_in, second_is_done, seen = threading.Event(), threading.Event(), []

    class Waiting:
        def forward(self, x):
            if threading.current_thread() is thread:
                first_is_in.set()
                second_is_done.wait()
            return x

        def backward(self, dout):
            return dout

    net.layers["Waiting"] = Waiting()
    thread = threading.Thread(target=lambda: net.gradient(x, t))
    thread.start()
    first_is_in.wait()
    seen.append(infers(net, x, t))
    net.gradient(x, t)
    second_is_done.set()
    thread.join()
    seen.append(infers(net, x, t))
    assert seen == [True, True]


class Snapshots(bp.Network):
    """A network that copies itself in the middle of a pass."""

    def loss(self, x, t):
        loss = super().loss(x, t)
        self.snaps = [copy.deepcopy(self), pickle.loads(pickle.dumps(self))]
        return loss


def test_copies_made_in_training_are_not_in_training():
    net, x, t = problem(Snapshots)
    net.train_step(x, t, bp.SGD(0.1))
    assert steps(net) == [1]
    assert all(infers(snap, x, t) for snap in [*net.snaps, net])


class OwnGradient(bp.Network):
    def gradient(self, x, t):
        return super().gradient(x, t)


def test_an_own_gradient_has_the_masks_of_the_loss():
    (net, x, t), (own, _, _) = problem(), problem(OwnGradient)
    for _ in range(3):
        assert net.train_step(x, t, bp.SGD(0.5)) == own.train_step(x, t, bp.SGD(0.5))
    assert steps(net) == steps(own) == [3]


class Block:
    """A user's layer with a dropout inside."""

    def __init__(self, rng):
        self.dropout, self.W, self.dW = bp.Dropout(0.5, seed=3), rng.normal(size=(8, 8)), None

    def forward(self, x, training=False):
        self.x = x
        return self.dropout.forward(x @ self.W, training=training)

    def backward(self, dout):
        dout = self.dropout.backward(dout)
        self.dW = self.x.T @ dout
        return dout @ self.W.T


def test_a_dropout_inside_a_layer():
    net, x, t = problem(dtype="float64")
    net.layers["Relu1"] = Block(np.random.default_rng(1))
    net.gradient(x, t)
    numerical, gradients = net.numerical_gradient(x, t), net.gradient(x, t)
    assert all(np.allclose(numerical[key], gradients[key], rtol=1e-5, atol=1e-8) for key in gradients)
    bp.assert_gradients(net, x, t)


def decorated(function):
    @functools.wraps(function)
    def passes_on(*args, **options):
        return function(*args, **options)

    return passes_on


def narrowed(function):
    @functools.wraps(function)
    def one_argument(self, x):
        return function(self, x)

    return one_argument


class Unhashable:
    def __eq__(self, other):
        return False

    def __call__(self, x, training=False):
        return x


def test_who_takes_the_argument():
    def asks(self, x, training=False):
        return x

    def asks_by_name(self, x, *, training):
        return x

    def does_not(self, x):
        training = [x]
        return training[0]

    assert all(takes(one, "training") for one in (asks, asks_by_name, decorated(asks), Unhashable()))
    assert not any(
        takes(one, "training") for one in (does_not, narrowed(asks), decorated(does_not), np.add, len)
    )


def test_a_file_goes_on_with_the_next_mask(tmp_path):
    net, x, t = problem()
    net.train_step(x, t, bp.SGD(0.1))
    net.save(tmp_path / "net.safetensors")
    loaded = bp.Network.load(tmp_path / "net.safetensors")
    assert steps(loaded) == [1]
    assert loaded.train_step(x, t, bp.SGD(0.1)) == net.train_step(x, t, bp.SGD(0.1))


@pytest.mark.parametrize(
    ("name", "value"), [("step", -5), ("step", 1.0), ("step", 2**53), ("seed", 2.0), ("rate", 1.0)]
)
def test_what_came_past_the_assignment_is_refused_by_a_plan_too(name, value):
    for by_layers in (False, True):
        net, x, t = problem()
        net.train_step(x, t, bp.SGD(0.1))
        if by_layers:
            net._planned = NoPlan([])
        vars(net.layers["Dropout1"])[name] = value
        before = [array.copy() for array in net.params.values()]
        with pytest.raises((ValueError, TypeError, OverflowError), match=name):
            net.train_step(x, t, bp.SGD(0.1))
        assert all(np.array_equal(a, b) for a, b in zip(before, net.params.values(), strict=True))
