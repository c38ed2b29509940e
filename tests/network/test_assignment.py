"""What is assigned to a network counts or is refused, and what it tells of itself is what its layers are."""

import gc
import weakref
from collections import OrderedDict

import numpy as np
import pytest

import backprop as bp


@pytest.fixture
def net():
    return bp.Network([6, 5, 4, 3], dtype=np.float64, seed=1)


@pytest.fixture
def batch():
    rng = np.random.default_rng(0)
    return rng.normal(size=(8, 6)), rng.integers(0, 3, 8)


def affine(*shape):
    return bp.Affine(np.ones(shape), np.zeros(shape[1]))


OWN = type("Own", (), {"forward": lambda self, x: x})()


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (dict(Relu1=bp.Tanh()), "[6, 5, 4, 3], activation=('tanh', 'relu'), loss='softmax'"),
        (dict(Relu1=bp.Tanh(), Relu2=bp.Tanh()), "[6, 5, 4, 3], activation='tanh', loss='softmax'"),
        (dict(Affine2=affine(5, 9), Affine3=affine(9, 2)), "[6, 5, 9, 2], activation='relu', loss='softmax'"),
        (dict(Affine1=affine(7, 5)), "[7, 5, 4, 3], activation='relu', loss='softmax'"),
        (
            dict(Relu2=affine(4, 4)),
            "[6, 5, 4, 4, 3], activation=('relu', 'identity', 'identity'), loss='soft",
        ),
        (
            dict(Sigmoid3=bp.Sigmoid()),
            "[6, 5, 4, 3], activation='relu', loss='softmax', dtype=float64, output='si",
        ),
        (dict(Own=OWN), "[6, 5, 4, 3], activation='relu', loss='softmax'"),
        (dict(Relu1=OWN), "[6, 5, 4, 3], activation=('Own', 'relu'), loss='softmax'"),
        # What it gives out is not known.
        (
            dict(Affine3=OWN),
            "[6, 5, 4, 3], activation='relu', loss='softmax', dtype=float64, output='relu + Own'",
        ),
    ],
)
def test_repr_tells_the_layers_that_are_there(net, change, told):
    net.layers.update(change)
    assert repr(net).startswith(f"Network({told}")


def test_repr_tells_the_loss_that_is_there(net):
    net.lastLayer = bp.IdentityWithLoss()
    assert net.loss_name == "squared_error"
    net.lastLayer = type("Hinge", (bp.SoftmaxWithLoss,), {})()
    assert "loss='Hinge'" in repr(net)


@pytest.mark.parametrize(
    ("name", "value", "error", "message"),
    [
        ("sizes", [6, 3], AttributeError, "Network.sizes cannot be assigned: they are the layers'"),
        ("activation", "tanh", AttributeError, r"cannot be assigned: .*net.layers\['Relu1'\] = Tanh\(\)"),
        ("loss_name", "softmax", AttributeError, r"cannot be assigned: .*net.lastLayer = Iden"),
        ("layers", OrderedDict(), AttributeError, "Network.layers cannot be assigned: replace one at a time"),
        ("dtype", np.float32, AttributeError, r"a copy of another type is net.astype\(dtype\)"),
        ("input_mean", [1, 2], ValueError, r"input_mean has shape \(2,\), wanted one finite number or 6"),
        ("input_mean", "a", TypeError, "input_mean has dtype"),
        ("input_scale", np.nan, ValueError, "input_scale is nan, wanted finite numbers"),
        (
            "lastLayer",
            bp.IdentityWithLoss,
            TypeError,
            "is the class IdentityWithLoss, wanted a layer, such as",
        ),
        ("lastLayer", "softmax", TypeError, "lastLayer is a str, wanted a layer"),
        ("metadata", [], TypeError, "metadata is a list, wanted a dict"),
        ("history", [], TypeError, "history is a list, wanted a History or None"),
        ("predict", len, AttributeError, "Network.predict is a method; override it in a subclass"),
        ("layer", 1, AttributeError, "Network has no attribute 'layer'; did you mean 'layers'?"),
        ("last_layer", 1, AttributeError, "Network has no attribute 'last_layer'; did you mean 'lastLayer'?"),
    ],
)
def test_what_is_assigned_is_checked(net, batch, name, value, error, message):
    before, told = net.predict(batch[0]), repr(net)
    with pytest.raises(error, match=message):
        setattr(net, name, value)
    assert np.array_equal(net.predict(batch[0]), before)
    assert repr(net) == told


def test_layers_that_are_none_are_refused(net):
    with pytest.raises(
        TypeError, match=r"layers\['Relu1'\] is the class Tanh, wanted a layer, such as Tanh\(\)"
    ):
        net.layers["Relu1"] = bp.Tanh
    with pytest.raises(TypeError, match=r"layers\['Relu1'\] is a str, wanted a layer: forward and backward"):
        net.layers["Relu1"] = "tanh"
    assert list(map(type, net.layers.values()))[1] is bp.Relu


def test_the_plan_follows_what_is_assigned(net, batch):
    x, _ = batch
    plain = net.predict(x)
    net.input_mean, net.input_scale = 0.5, np.arange(1.0, 7)
    scaled = bp.Network([6, 5, 4, 3], dtype=np.float64, seed=1, input_mean=0.5, input_scale=np.arange(1.0, 7))
    assert np.array_equal(net.predict(x), scaled.predict(x))
    assert not np.array_equal(net.predict(x), plain)
    assert "layer by layer" not in repr(net)
    net.notes, net.history = "one's own", None
    assert net.notes == "one's own"


def test_a_subclass_has_attributes_of_its_own():
    class Own(bp.Network):
        def __init__(self):
            self.layer = 1
            super().__init__([2, 2])
            self.param, self.early = 2, self.layer

    assert Own().early == 1


@pytest.mark.parametrize(
    "use",
    [
        lambda net, x, t: net.predict(x),
        lambda net, x, t: net.fit(x, t, epochs=1, seed=0, optimizer=bp.Adam()),
        lambda net, x, t: net.gradient(x, t),
        lambda net, x, t: (repr(net), net._repr_html_(), dict(net.params), net.predict(x.tolist())),
        lambda net, x, t: net.layers.update(Own=OWN) or repr(net),
    ],
    ids=["predict", "fit", "gradient", "repr", "layer by layer"],
)
@pytest.mark.parametrize("own_forget", [False, True])
def test_a_network_is_freed_without_the_garbage_collector(use, own_forget, batch):
    kind = (
        type("Own", (bp.Network,), {"forget": lambda self: bp.Network.forget(self)})
        if own_forget
        else bp.Network
    )
    net = kind([6, 5, 3], dtype=np.float64, seed=0)
    gc.disable()
    try:
        use(net, *batch)
        alive = [weakref.ref(net), weakref.ref(net.layers["Affine1"])]
        del net
        assert [one() for one in alive] == [None, None]
    finally:
        gc.enable()
