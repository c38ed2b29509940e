"""What the registries of layers, losses, activations and update rules say of their classes."""

import inspect

import numpy as np
import pytest

import backprop as bp
from backprop._util.names import AVAILABLE
from backprop.cli import builtin_checks
from backprop.graph.functions import layer_functions
from backprop.layers import base_loss
from backprop.layers.base import LAYERS, LOSSES, kind_of
from backprop.layers.base_loss import Loss
from backprop.layers.elementwise import Activation, activations
from backprop.layers.parameter_discovery import Pass, parameter_names
from backprop.optimizers import limits
from backprop.optimizers.base import RULES, UpdateRule
from bpcore import kernels, plan

each_activation = pytest.mark.parametrize("kind", activations())
each_loss = pytest.mark.parametrize("kind", LOSSES)


def layer_of(kind):
    shapes = LAYERS[kind].parameter_shapes({}, 4, 3)
    return LAYERS[kind].of({}, {name: np.ones(shape) for name, shape in shapes.items()})


def targets(loss, shape):
    return np.arange(shape[0]) % shape[1] if loss.classifies else np.ones(shape)


@pytest.fixture
def registered():
    """What a test registers goes again."""
    before, listed = (dict(LAYERS), dict(LOSSES)), {group: list(names) for group, names in AVAILABLE.items()}
    yield
    for registry, entries in zip((LAYERS, LOSSES), before, strict=True):
        registry.clear()
        registry.update(entries)
    AVAILABLE.update(listed)


@pytest.mark.parametrize("kind", LAYERS)
def test_a_layer_says_what_it_keeps_and_what_its_parameters_are(kind):
    layer, x = layer_of(kind), np.array([[1.0, -2.0, 3.0, 0.5]])
    assert kind_of(layer) == kind
    assert all(vars(layer)[name] is None for name in layer.caches)
    one = Pass(layer)
    out = one.forward(x)
    dx = one.backward(np.ones_like(out))
    assert dx.shape == x.shape
    assert (out.shape == x.shape) or not layer.keeps_shape
    assert all(vars(layer)[name] is not None for name in layer.caches)
    # What a pass shows of any layer, had it not said so.
    found = [name for name in vars(layer) if f"d{name}" in vars(layer)]
    assert found == list(layer.parameter_names) == parameter_names(layer)
    layer.clear_cache()
    assert all(vars(layer)[name] is None for name in layer.caches)
    with pytest.raises(RuntimeError, match="there is no forward pass to go back through"):
        layer.backward(np.ones_like(out))


@each_activation
def test_an_activation_is_described(kind):
    cls, x = activations()[kind], np.linspace(-3, 3, 101)
    assert cls.keeps in ("x", "out", "mask")
    assert cls.caches == (cls.keeps,)
    assert cls.label
    assert cls.symbol
    assert (cls().forward(x) < 0).any() == cls.signed
    assert kind in plan.ACTIVATIONS
    (text,) = cls.derivatives
    assert text.format(d="d", out="y", x="x").startswith("d·")
    assert getattr(bp, cls.__name__) is cls
    net = bp.Network([4, 5, 3], activation=kind, seed=0)
    assert net.activation == kind
    assert net.is_planned
    bound = cls.initial_gain / 2
    assert 0.9 * bound < np.abs(net.params["W1"]).max() <= bound


@each_activation
def test_an_activation_is_checked_in_a_graph(kind):
    from backprop import graph

    x = graph.variable(np.array([0.5, -1.5, 2.0]), "x")
    node = getattr(graph, kind)(x)
    node.name = "y"
    bp.assert_gradients(node)
    assert np.array_equal(node.value, activations()[kind]().forward(x.value))
    node.backward()
    assert activations()[kind].symbol in node.draw(symbols=True).svg


@each_loss
def test_a_loss_is_described(kind):
    cls, x = LOSSES[kind], np.array([[1.0, -2.0, 3.0, 0.75], [0.5, 0.25, -1.0, -0.5]])
    loss, t = cls(), targets(LOSSES[kind], (2, 4 // getattr(cls, "outputs_per_target", 1)))
    assert kind_of(loss) == kind
    assert isinstance(cls.classifies, bool)
    assert hasattr(cls, "probabilities") == (cls.classifies or cls.binary)
    assert kind in plan.LOSSES
    assert getattr(bp, cls.__name__) is cls
    checked = base_loss.checked_targets(loss, "test", t, x.shape, x.dtype)
    assert loss.forward(x, t) == loss.forward(x, checked)
    bp.assert_gradients(cls(), x, t)
    loss.clear_cache()
    assert loss.loss is loss.y is loss.t is None
    for wrong in (np.ones((2, 5)), np.ones(3), np.ones((2, 4), complex)):
        with pytest.raises((TypeError, ValueError), match="^test: t"):
            base_loss.checked_targets(loss, "test", wrong, x.shape, x.dtype)
    net = bp.Network([4, 5, 4], loss=kind, seed=0)
    assert net.is_planned
    assert net.loss_name == kind
    assert bp.Network([4, 5, 4], loss=cls(), seed=0).loss(x, t) == net.loss(x, t)


@pytest.mark.parametrize("kind", RULES)
def test_a_rule_is_described(kind):
    rule = RULES[kind]()
    assert isinstance(rule, UpdateRule)
    named = [name for name in inspect.signature(type(rule)).parameters if name != "limits"]
    assert {*named, *limits.LIMITS} == {*rule.settings}
    # Its repr is how it is made.
    assert vars(eval(repr(rule), {name: getattr(bp, name) for name in bp.__all__})) == vars(rule)
    params = {"w": np.ones(3)}
    rule.update(params, {"w": np.ones(3)})
    assert len(rule.state.get("w", ())) == rule.state_size
    for name in rule.settings:
        with pytest.raises(ValueError, match=f"^{type(rule).__name__}: {name} is 'x', wanted"):
            setattr(rule, name, "x")


class Alike(bp.Tanh):
    """A subclass that overrides nothing of what it computes."""

    def __init__(self):
        super().__init__()
        self.note = "mine"


class Bent(bp.Tanh):
    """A subclass that computes something else."""

    def forward(self, x):
        return super().forward(x) / 2

    def backward(self, dout):
        return super().backward(dout) / 2


class Mixin:
    def backward(self, dout):
        return super().backward(dout)


class Mixed(Mixin, bp.Tanh):
    """One whose body overrides nothing, but a base of it does."""


@pytest.mark.parametrize(("cls", "kind"), [(Alike, "tanh"), (Bent, ""), (Mixed, "")])
def test_a_subclass_is_its_base_only_where_it_overrides_nothing(cls, kind):
    assert kind_of(cls()) == kind
    assert (cls.symbol, cls.derivatives) == ((bp.Tanh.symbol, bp.Tanh.derivatives) if kind else ("", ()))
    net = bp.Network([4, 5, 3], activation="tanh", seed=0)
    expected = net.predict(np.ones((2, 4)))
    net.layers["Tanh1"] = cls()
    assert net.is_planned == bool(kind)
    assert np.array_equal(net.predict(np.ones((2, 4))), expected) == (cls is not Bent)


def test_an_object_with_a_method_of_its_own_has_no_kind():
    relu = bp.Relu()
    relu.forward = lambda x: x
    assert kind_of(relu) == ""
    assert kind_of(object()) == ""


def test_a_subclass_may_have_more_parameters():
    class Gained(bp.Affine):
        def __init__(self, W, b):
            super().__init__(W, b)
            self.gain, self.dgain = np.ones(1), None

        def forward(self, x):
            self.out = super().forward(x)
            return self.gain * self.out

        def backward(self, dout):
            self.dgain = np.array([(dout * self.out).sum()])
            return super().backward(self.gain * dout)

    layer = Gained(np.ones((2, 3)), np.ones(3))
    assert kind_of(layer) == ""
    assert parameter_names(layer) == ["W", "b", "gain"]


METHODS = {"forward": lambda self, x: x, "backward": lambda self, dout: dout}


@pytest.mark.parametrize("register", [bp.register_layer, bp.register_loss])
def test_what_cannot_be_registered(register, registered):
    owner = register.__name__
    with pytest.raises(TypeError, match=f"{owner}: kind is the class Halve, wanted a name"):

        @register
        class Halve:
            pass

    with pytest.raises(ValueError, match=f"{owner}: kind is 'two words', wanted a name of letters"):
        register("two words")
    with pytest.raises(TypeError, match=f"{owner}: .* is decorated, wanted a class"):
        register("mine")(len)
    with pytest.raises(
        TypeError, match=f"{owner}: int has no forward, wanted a class with forward and backward"
    ):
        register("mine")(int)
    for kind in (*plan.ACTIVATIONS, *plan.LOSSES):
        with pytest.raises(ValueError, match=f"{owner}: kind is '{kind}', which the compiled core has"):
            register(kind)
    register("mine")(type("One", (), METHODS))
    with pytest.raises(ValueError, match=r"'mine' is the kind of .*\.One, wanted another name"):
        register("mine")(type("Other", (), METHODS))


def test_a_class_may_be_defined_again_as_in_a_notebook(registered):
    for _ in range(2):

        @bp.register_layer("mine")
        class Mine(bp.Tanh):
            def forward(self, x):
                return x

        assert kind_of(Mine()) == "mine"
        assert LAYERS["mine"] is Mine


def test_a_registered_class_is_an_activation_only_if_it_is_one(registered):
    @bp.register_layer("halve")
    class Halve:
        def forward(self, x):
            return x / 2

        def backward(self, dout):
            return dout / 2

    assert "halve" not in activations()
    assert not issubclass(Halve, Activation)
    with pytest.raises(ValueError, match="activation is 'halve', wanted one of 'relu'"):
        bp.Network([2, 3, 2], activation="halve")


# --- What is new is one class ---------------------------------------------------------------------------------


def trained_saved_and_loaded(net, t, path):
    """The network after a training, checked in every way that asks the registry, and as a file gives it back."""
    x = np.random.default_rng(0).normal(size=(12, 4))
    assert not net.is_planned, "the compiled core does not know it"
    bp.assert_gradients(net, x, t)
    history = net.fit(x, t, epochs=2, batch_size=5, validation=(x, t), seed=0)
    assert history.loss[-1] < history.loss[0]
    assert len(history.validation_loss) == 2
    net.save(path)
    back = bp.Network.load(path)
    assert back.spec.layers == net.spec.layers
    assert back.spec.loss == net.spec.loss
    assert np.array_equal(back.predict(x), net.predict(x))
    assert back.loss(x, t) == net.loss(x, t)
    assert all(report.passed for _, report in builtin_checks.reports(seed=0))
    return back


def test_a_new_activation_is_one_class(registered, monkeypatch, tmp_path):
    def forward(x, out):
        np.divide(x, 1 + np.abs(x), out=out)

    def backward(dout, x, dx):
        np.divide(dout, (1 + np.abs(x)) ** 2, out=dx)

    monkeypatch.setattr(kernels, "softsign_forward", forward, raising=False)
    monkeypatch.setattr(kernels, "softsign_backward", backward, raising=False)

    class Softsign(Activation):
        kind, keeps = "softsign", "x"
        derivatives = ("{d}·1/(1+|{x}|)²",)

    net = bp.Network([4, 6, 5, 3], activation=["softsign", "relu"], dtype=np.float64, seed=0)
    assert list(net.layers) == ["Affine1", "Softsign1", "Affine2", "Relu2", "Affine3"]
    back = trained_saved_and_loaded(net, np.arange(12) % 3, tmp_path / "net")
    assert "activation=('softsign', 'relu')" in repr(back)
    node = layer_functions()["softsign"](np.array([1.0, -3.0]))
    assert node.value.tolist() == [0.5, -0.75]
    with pytest.raises(ValueError, match="there is none; it has Relu, Sigmoid.* and Softsign, and takes"):
        bp.Network([4, 5, 3], activation="prelu")


def test_a_new_loss_is_one_class(registered, tmp_path):
    class Absolute(Loss):
        kind, function, classifies = "absolute", "absolute_error", False

        def __init__(self, times=1.0):
            self.times = times
            self.clear_cache()

        def forward(self, x, t):
            self.y, self.t = x, t
            self.loss = float(self.times * np.abs(x - t).sum() / len(x))
            return self.loss

        def backward(self, dout=1):
            return dout * self.times * np.sign(self.y - self.t) / len(self.y)

        def options(self):
            return {"times": self.times}

    net = bp.Network([4, 6, 2], loss=Absolute(0.5), dtype=np.float64, seed=0)
    t = np.random.default_rng(1).normal(size=(12, 2))
    back = trained_saved_and_loaded(net, t, tmp_path / "net")
    assert back.lastLayer.times == 0.5
    assert bp.Network([4, 6, 2], loss="absolute").lastLayer.times == 1.0
    assert layer_functions()["absolute_error"](np.ones((1, 2)), np.zeros((1, 2))).value == 2
    with pytest.raises(ValueError, match=r"train_step: t has shape \(12, 3\), wanted \(12, 2\) numbers"):
        net.targets_for("train_step", np.ones((12, 3)), 12)
