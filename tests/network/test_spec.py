"""The description of a network that its layers give, and what Network takes for activations and losses."""

import dataclasses

import numpy as np
import pytest

import backprop as bp
from backprop.layers.elementwise import activations
from backprop.network.spec import LayerSpec, LossSpec, ParameterSpec


def affine(inputs, outputs):
    return bp.Affine(np.zeros((inputs, outputs), np.float32), np.zeros(outputs, np.float32))


def test_a_spec_says_layer_by_layer_what_there_is():
    net = bp.Network([4, 5, 3], activation="tanh", loss="squared_error", dtype=np.float64, input_mean=1.5)
    spec = net.spec
    assert spec.sizes == (4, 5, 3)
    assert spec.inputs == 4
    assert spec.layers == (
        LayerSpec("Affine1", "affine", True, 5, {}, (ParameterSpec("W1", "W", (4, 5)), ParameterSpec("b1", "b", (5,)))),
        LayerSpec("Tanh1", "tanh", True, 5),
        LayerSpec("Affine2", "affine", True, 3, {}, (ParameterSpec("W2", "W", (5, 3)), ParameterSpec("b2", "b", (3,)))),
    )  # fmt: skip
    assert spec.loss == LossSpec("squared_error", True)
    assert (spec.dtype, spec.input_mean, spec.input_scale) == (np.float64, 1.5, 1.0)
    with pytest.raises(dataclasses.FrozenInstanceError):
        spec.sizes = (1,)


def test_the_layers_stay_the_truth():
    net = bp.Network([4, 5, 6, 3], seed=0)
    net.layers["Affine1"] = affine(7, 5)
    net.layers["Relu2"] = bp.Sigmoid()
    net.lastLayer = bp.IdentityWithLoss()
    assert net.sizes == net.spec.sizes == (7, 5, 6, 3)
    assert net.activation == ("relu", "sigmoid")
    assert str(net.spec) in repr(net)
    assert (net.spec.loss.kind, net.loss_name) == ("squared_error", "squared_error")


class Mine:
    def forward(self, x):
        return x

    def backward(self, dout):
        return dout


class Projection(Mine):
    """A user's layer with weights, whose width is known."""

    def __init__(self):
        self.V, self.dV = np.zeros((5, 2), np.float32), None

    def forward(self, x):
        self.x = x
        return x @ self.V

    def backward(self, dout):
        self.dV = self.x.T @ dout
        return dout @ self.V.T


def test_what_is_not_known_of_a_users_layer_is_not_said():
    net = bp.Network([4, 5, 3], seed=0)
    net.layers["Mine"] = Mine()
    *_, last = net.spec.layers
    assert last == LayerSpec("Mine", "Mine", False, None)
    assert repr(net).endswith("output='Mine', layer by layer)")
    net.layers["Mine"] = Projection()
    assert net.sizes == (4, 5, 3, 2)
    assert net.spec.layers[-1] == LayerSpec(
        "Mine", "Projection", False, 2, {}, (ParameterSpec("V1", "V", (5, 2)),)
    )


def test_gaps_are_what_stands_between_dense_layers():
    net = bp.Network([4, 5, 3], seed=0)
    assert net.spec.gaps == [(), ("relu",), ()]
    net.layers["Tanh2"], net.layers["Mine"] = bp.Tanh(), Mine()
    net.layers["Sigmoid"] = bp.Sigmoid()
    net.layers.move_to_end("Sigmoid", last=False)
    assert net.spec.gaps == [("sigmoid",), ("relu",), ("tanh", "Mine")]
    del net.layers["Relu1"]
    assert net.spec.gaps == [("sigmoid",), (), ("tanh", "Mine")]
    assert net.activation == "identity"
    assert bp.Network([4, 3]).activation == "identity"


GIVEN = {
    "name": "tanh",
    "class": bp.Tanh,
    "object": bp.Tanh(),
    "sequence": ["tanh", bp.Tanh],
    "tuple": (bp.Tanh(), "tanh"),
}


@pytest.mark.parametrize("given", GIVEN)
def test_an_activation_is_a_name_a_class_or_an_object(given):
    expected = bp.Network([4, 5, 6, 3], activation="tanh", seed=0)
    net = bp.Network([4, 5, 6, 3], activation=GIVEN[given], seed=0)
    assert net.spec.layers == expected.spec.layers
    assert net.layers["Tanh1"] is not net.layers["Tanh2"]
    x = np.ones((2, 4))
    assert np.array_equal(net.predict(x), expected.predict(x))


def test_every_pair_of_activations_runs_by_a_plan_and_by_layers_to_the_same_bits():
    x, t = np.random.default_rng(0).normal(size=(20, 4)), np.arange(20) % 3
    for one in activations():
        for other in activations():
            nets = [bp.Network([4, 6, 5, 3], activation=[one, other], seed=0) for _ in range(2)]
            assert nets[0].is_planned
            nets[1]._plan = lambda: None
            losses = [net.fit(x, t, epochs=2, batch_size=7, seed=0).loss for net in nets]
            assert losses[0] == losses[1]
            for key, array in nets[0].params.items():
                assert np.array_equal(array, nets[1].params[key])
            bp.assert_gradients(bp.Network([4, 6, 5, 3], activation=[one, other], seed=1), x, t)


def test_each_hidden_layer_starts_from_the_weights_of_its_activation():
    net = bp.Network([400, 300, 200, 3], activation=["sigmoid", "tanh"], seed=0)
    for key, gain, inputs in (("W1", 3, 400), ("W2", 1, 300), ("W3", 1, 200)):
        bound = gain / np.sqrt(inputs)
        assert 0.99 * bound < np.abs(net.params[key]).max() <= np.float32(bound)


@pytest.mark.parametrize(
    ("activation", "error", "message"),
    [
        (["tanh"], ValueError, "activation has 1 of the 2 entries wanted, one a hidden layer"),
        (["tanh", "relu", "relu"], ValueError, "activation has 3 of the 2 entries wanted"),
        (["tanh", "rleu"], ValueError, r"activation\[1\] is 'rleu', wanted one of .*; did you mean 'relu'"),
        (["tanh", "prelu"], ValueError, r"activation\[1\] is 'prelu', .*; there is none; it has Relu, Sigmoid.* Tanh"),
        (["tanh", None], TypeError, r"activation\[1\] is a NoneType, wanted one of 'relu'"),
        (bp.Affine, TypeError, "activation is the class Affine, wanted one of 'relu'"),
        (Mine(), TypeError, r"activation is a Mine, .* a layer of your own takes a place in net.layers"),
        (type("Own", (bp.Relu,), {"forward": abs}), TypeError, "activation is the class Own, wanted one of"),
        (3, TypeError, "activation is a int"),
    ],
)  # fmt: skip
def test_activations_that_are_none(activation, error, message):
    before = np.random.get_state()[1].copy()
    with pytest.raises(error, match=f"Network: {message}"):
        bp.Network([4, 5, 6, 3], activation=activation)
    assert np.array_equal(np.random.get_state()[1], before), "nothing was drawn"


def test_a_loss_is_a_name_or_an_object():
    loss = bp.IdentityWithLoss()
    assert bp.Network([4, 3], loss=loss).lastLayer is loss
    assert bp.Network([4, 3], loss="squared_error").spec.loss == bp.Network([4, 3], loss=loss).spec.loss
    own = Mine()
    assert bp.Network([4, 3], loss=own).loss_name == "Mine"
    with pytest.raises(
        TypeError, match="Network: loss is the class IdentityWithLoss, wanted a layer, such as"
    ):
        bp.Network([4, 3], loss=bp.IdentityWithLoss)
    with pytest.raises(TypeError, match="Network: loss is a NoneType, wanted a layer"):
        bp.Network([4, 3], loss=None)
