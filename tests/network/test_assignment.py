"""What is assigned to a network counts or is refused, and what it tells of itself is what its layers are."""

import copy
import gc
import pickle
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
    net.lastLayer = type("Alike", (bp.SoftmaxWithLoss,), {})()
    assert "loss='softmax'" in repr(net)
    net.lastLayer = type("Hinge", (bp.SoftmaxWithLoss,), {"forward": lambda self, x, t: 0.0})()
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
        (
            "last_layer",
            1,
            AttributeError,
            "Network has no attribute 'last_layer'; the notes call it lastLayer",
        ),
        (
            "weights",
            {},
            AttributeError,
            "no attribute 'weights'; params is the mapping .* net.params = mapping cop",
        ),
        ("coefs_", [], AttributeError, "no attribute 'coefs_'; params is the mapping of names to arrays"),
        ("state_dict", {}, AttributeError, "no attribute 'state_dict'; params is the mapping"),
        ("W1", np.ones((6, 5)), AttributeError, r"no attribute 'W1'; it is net.params\['W1'\]"),
        ("lr", 0.1, AttributeError, "no attribute 'lr'; the optimizer has it"),
        ("learning_rate", 0.1, AttributeError, "no attribute 'learning_rate'; the optimizer has it"),
        ("optimizer", bp.Adam(), AttributeError, "no attribute 'optimizer'; fit and train_step take it"),
        ("epochs", 3, AttributeError, "no attribute 'epochs'; fit takes it"),
        ("input_std", 1, AttributeError, "no attribute 'input_std'; input_scale is 1 / std"),
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
        type("Own", (bp.Network,), {"clear_cache": lambda self: bp.Network.clear_cache(self)})
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


def test_no_copy_of_a_network_takes_scaling_that_its_plan_would_not_see(net, batch):
    x, t = batch
    for twin in (
        net,
        net.astype(np.float32),
        copy.deepcopy(net),
        copy.copy(net),
        pickle.loads(pickle.dumps(net)),
    ):
        before = twin.predict(x), twin.loss(x, t)
        for array in (twin.input_mean, twin.input_scale):
            with pytest.raises(ValueError, match="read-only"):
                array[...] = 100
            with pytest.raises(ValueError, match="WRITEABLE"):
                array.setflags(write=True)
        twin.input_mean = 100
        assert not np.array_equal(twin.predict(x), before[0])
        assert twin.loss(x, t) != before[1]
        twin.input_mean = 0


@pytest.mark.parametrize("name", ["forward", "backward"])
@pytest.mark.parametrize("place", ["Affine2", "Relu1", "lastLayer"])
@pytest.mark.parametrize("planned", [False, True])
def test_a_method_assigned_to_a_layer_counts(net, batch, name, place, planned, tmp_path):
    x, t = batch
    twin = copy.deepcopy(net)
    if planned:
        net.train_step(x, t, bp.SGD(0.1))
        twin.train_step(x, t, bp.SGD(0.1))
    layer = net.lastLayer if place == "lastLayer" else net.layers[place]
    if place == "lastLayer":
        net.lastLayer = layer  # a plan looks at the loss layer when it is assigned
    setattr(layer, name, lambda *given: 2 * getattr(type(layer), name)(layer, *given))
    other = twin.train_step(x, t, bp.SGD(0.1))
    loss = net.loss(x, t)
    assert net.train_step(x, t, bp.SGD(0.1)) == loss
    assert (loss != other) == (name == "forward")
    assert not np.array_equal(net.params["W1"], twin.params["W1"]) or (name, place) == (
        "forward",
        "lastLayer",
    )
    assert "layer by layer" in repr(net)
    with pytest.raises(TypeError, match=f"save: {place} has a {name} of its own"):
        net.save(tmp_path / "net")
    delattr(layer, name)
    assert "layer by layer" not in repr(net)
    assert np.isfinite(net.train_step(x, t, bp.SGD(0.1)))


@pytest.mark.parametrize(("name", "here"), [("weight", "W"), ("kernel", "W"), ("bias", "b")])
def test_other_names_of_a_layers_parameters_are_answered(net, name, here):
    layer = net.layers["Affine1"]
    with pytest.raises(AttributeError, match=f"Affine has no attribute '{name}'; did you mean '{here}'"):
        setattr(layer, name, np.ones(3))
    with pytest.raises(AttributeError, match=f"no attribute '{name}'; Affine has {here}"):
        getattr(layer, name)
    assert not hasattr(layer, name)

    class Own(bp.Affine):
        def __init__(self):
            self.weight, self.bias, self.kernel = 1, 2, 3

    assert getattr(Own(), name) == {"weight": 1, "bias": 2, "kernel": 3}[name]


def test_parameters_of_a_layer_are_checked_when_they_are_assigned(net, batch):
    layer = net.layers["Affine1"]
    for value, error, message in (
        ([[1.0]], TypeError, "Affine: W is a list, wanted a NumPy array"),
        (np.ones((6, 5), int), TypeError, "Affine: W has dtype int64, wanted float32 or float64"),
        (np.ones(5), ValueError, "Affine: W has 1 dimension, wanted 2"),
    ):
        before = layer.W
        with pytest.raises(error, match=message):
            layer.W = value
        assert layer.W is before
    layer.W = np.ones((6, 5))
    assert net.predict(batch[0]).shape == (8, 3)


def test_an_error_in_a_property_is_told_as_it_is(net):
    class Own(bp.Network):
        @property
        def thing(self):
            return [].nothing

        @property
        def other(self):
            return self.absent

    own = Own([2, 2])
    with pytest.raises(AttributeError, match="'list' object has no attribute 'nothing'"):
        own.thing  # noqa: B018
    with pytest.raises(AttributeError, match="'Own' object has no attribute 'absent'"):
        own.other  # noqa: B018
    vars(net.layers["Affine1"])["W"] = [1.0]
    with pytest.raises(AttributeError, match="'list' object has no attribute 'shape'"):
        net.sizes  # noqa: B018


def test_a_layer_is_inserted_behind_another(net, batch):
    before = net.predict(batch[0])
    names = list(net.layers)
    net.layers.insert_after(names[0], "Inserted", bp.Tanh())
    assert list(net.layers) == [names[0], "Inserted", *names[1:]]
    assert not np.array_equal(net.predict(batch[0]), before)
    with pytest.raises(KeyError, match="'Afine1' is not a layer of this network.*did you mean 'Affine1'"):
        net.layers.insert_after("Afine1", "Other", bp.Relu())
    with pytest.raises(ValueError, match=r"layers\['Inserted'\] is there, wanted a new name"):
        net.layers.insert_after(names[0], "Inserted", bp.Relu())
    with pytest.raises(TypeError, match=r"layers\['Other'\] is a int, wanted a layer"):
        net.layers.insert_after(names[0], "Other", 3)
    assert list(net.layers) == [names[0], "Inserted", *names[1:]]
