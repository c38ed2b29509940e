"""What the registries of layers, losses, activations and update rules say of their classes."""

import inspect

import numpy as np
import pytest

import backprop as bp
from backprop.layers import base
from backprop.layers.activations import Activation, activations
from backprop.layers.base import LAYERS, LOSSES, kind_of
from backprop.layers.parameters import Pass, parameter_names
from backprop.optimizers.base import RULES, UpdateRule
from bpcore import plan

each_activation = pytest.mark.parametrize("kind", activations())
each_loss = pytest.mark.parametrize("kind", LOSSES)


def layer_of(kind):
    return LAYERS[kind](np.ones((4, 3)), np.ones(3)) if kind == "affine" else LAYERS[kind]()


def targets(loss, shape):
    return np.arange(shape[0]) % shape[1] if loss.classifies else np.ones(shape)


@pytest.fixture
def registered():
    """What a test registers goes again."""
    before = dict(LAYERS), dict(LOSSES)
    yield
    for registry, entries in zip((LAYERS, LOSSES), before, strict=True):
        registry.clear()
        registry.update(entries)


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
    cls, x = LOSSES[kind], np.array([[1.0, -2.0, 3.0], [0.5, 0.25, -1.0]])
    loss, t = cls(), targets(LOSSES[kind], (2, 3))
    assert kind_of(loss) == kind
    assert isinstance(cls.classifies, bool)
    assert hasattr(cls, "probabilities") == cls.classifies
    assert kind in plan.HEADS
    assert getattr(bp, cls.__name__) is cls
    checked = base.checked_targets(loss, "test", t, x.shape, x.dtype)
    assert loss.forward(x, t) == loss.forward(x, checked)
    bp.assert_gradients(cls(), x, t)
    loss.clear_cache()
    assert loss.loss is loss.y is loss.t is None
    for wrong in (np.ones((2, 4)), np.ones(3), np.ones((2, 3), complex)):
        with pytest.raises((TypeError, ValueError), match="^test: t"):
            base.checked_targets(loss, "test", wrong, x.shape, x.dtype)
    net = bp.Network([3, 4, 3], loss=kind, seed=0)
    assert net.is_planned
    assert net.loss_name == kind
    assert bp.Network([3, 4, 3], loss=cls(), seed=0).loss(x, t) == net.loss(x, t)


@pytest.mark.parametrize("kind", RULES)
def test_a_rule_is_described(kind):
    rule = RULES[kind]()
    assert isinstance(rule, UpdateRule)
    named = inspect.signature(type(rule)).parameters
    assert list(named) == list(rule.settings)
    # Its repr is how it is made.
    assert vars(eval(repr(rule), vars(bp))) == vars(rule)
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
    taken = "relu" if register is bp.register_layer else "softmax"
    with pytest.raises(ValueError, match=f"'{taken}' is the kind of backprop.layers"):
        register(taken)(Bent)


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
