"""`params`: a view of the layers."""

import numpy as np
import pytest

import backprop as bp


@pytest.fixture
def net():
    return bp.Network([4, 3, 2], dtype=np.float64, seed=0)


def test_it_is_the_layers_own_arrays(net):
    assert net.params["W2"] is net.layers["Affine2"].W
    assert dict(net.params).keys() == {"W1", "b1", "W2", "b2"}
    assert len(net.params) == 4
    assert repr(net.params) == "<4 parameters: W1: (4, 3), b1: (3,), W2: (3, 2), b2: (2,)>"


def test_assignment_copies_into_the_layer(net):
    W = net.params["W1"]
    net.params["W1"] = np.arange(12, dtype=np.int32).reshape(4, 3)
    assert net.params["W1"] is W
    assert net.layers["Affine1"].W is W
    assert np.array_equal(W, np.arange(12.0).reshape(4, 3))
    before = net.params["b1"].copy()
    net.params["b1"] -= 1
    assert np.array_equal(net.layers["Affine1"].b, before - 1)
    net.params.update({"b2": np.ones(2)})
    assert np.array_equal(net.layers["Affine2"].b, [1, 1])


def test_what_cannot_be_assigned(net):
    with pytest.raises(ValueError, match=r"params\['W1'\] has shape \(4, 3\), the value has \(3, 4\)"):
        net.params["W1"] = np.ones((3, 4))
    with pytest.raises(TypeError, match=r"params\['b1'\]: the value has dtype complex128"):
        net.params["b1"] = np.ones(3, complex)
    with pytest.raises(
        KeyError, match=r"'W3' is not a parameter of this network: W1, b1, W2, b2; did you mean 'W"
    ):
        net.params["W3"] = np.ones(3)
    with pytest.raises(TypeError, match="belongs to a layer"):
        del net.params["W1"]


def test_assigning_the_whole_copies_every_value(net):
    arrays, values = dict(net.params), {key: np.full(array.shape, 2) for key, array in net.params.items()}
    net.params = values
    assert all(net.params[key] is arrays[key] for key in arrays)
    assert all((array == 2).all() for array in net.params.values())
    x = np.ones((2, 4))
    assert np.array_equal(net.predict(x), np.full((2, 2), 2 * 3 * (2 * 4 + 2) + 2))
    net.params = net.params
    # Values may be views of the parameters themselves.
    net.params = dict(net.params) | {"b1": net.params["W1"][0], "W1": 3 * net.params["W1"]}
    assert (net.params["b1"] == 2).all()


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (lambda values: values.pop("b2"), ValueError, "params has no 'b2', wanted W1, b1, W2, b2"),
        (lambda values: values.update(w1=1), ValueError, "params has 'w1', wanted W1.*; did you mean 'W1'"),
        (
            lambda values: values.update(b2=np.ones(3)),
            ValueError,
            r"params\['b2'\] has shape \(2,\), the value has \(3,\)",
        ),
        (lambda values: values.update(b2=["a", "b"]), TypeError, r"params\['b2'\]: the value has dtype"),
    ],
)
def test_a_mapping_that_is_refused_changes_nothing(net, change, error, message):
    values = {key: np.ones(array.shape) for key, array in net.params.items()}
    change(values)
    before = {key: array.copy() for key, array in net.params.items()}
    with pytest.raises(error, match=message):
        net.params = values
    with pytest.raises((error, KeyError)):
        net.params.update(values | {"W9": 1})
    assert all(np.array_equal(net.params[key], before[key]) for key in before)


def test_what_is_no_mapping_is_no_params(net):
    with pytest.raises(TypeError, match="params is a list, wanted a mapping of W1, b1, W2, b2 to arrays"):
        net.params = list(net.params.values())
    before = {key: array.copy() for key, array in net.params.items()}
    net.params["b2"].setflags(write=False)
    with pytest.raises(ValueError, match=r"params\['b2'\] is read-only"):
        net.params = {key: array + 1 for key, array in net.params.items()}
    assert all(np.array_equal(net.params[key], before[key]) for key in before)


class Gain:
    """A user's layer; the arrays that it keeps beside its parameters are none."""

    def __init__(self, units, late=False):
        self.gamma, self.beta, self.mean = np.ones(units), np.zeros(units), np.zeros(units)
        if not late:
            self.dgamma = self.dbeta = None

    def forward(self, x):
        self.x, self.out = x, x * self.gamma + self.beta
        return self.out

    def backward(self, dout):
        self.dgamma, self.dbeta, self.dout = (dout * self.x).sum(axis=0), dout.sum(axis=0), dout
        self.dx = dout * self.gamma
        return self.dx


@pytest.mark.parametrize("late", [False, True])
def test_a_layer_of_ones_own_is_listed_trained_and_checked(net, late):
    rng = np.random.default_rng(0)
    x, t = rng.normal(size=(20, 4)), rng.integers(0, 2, 20)
    net.layers["Relu1"], net.layers["Gain2"] = Gain(3, late), Gain(2, late)
    names = ["W1", "b1", "gamma1", "beta1", "W2", "b2", "gamma2", "beta2"]
    report = bp.check_gradients(net, x, t)
    assert report.passed
    assert [array.name for array in report.arrays] == names
    before = net.layers["Relu1"].gamma.copy()
    gradient = net.gradient(x, t)
    assert list(gradient) == list(net.params) == names
    assert net.params["gamma2"] is net.layers["Gain2"].gamma
    net.fit(x, t, epochs=1, batch_size=20, optimizer=bp.SGD(0.5), seed=0)
    assert np.abs(net.layers["Relu1"].gamma - (before - 0.5 * gradient["gamma1"])).max() < 1e-14
    single = net.astype(np.float32)
    assert {array.dtype for array in single.params.values()} == {np.dtype(np.float32)}
    assert single.layers["Gain2"].mean.dtype == np.float32
    assert "gamma1 (3,)" in net._repr_html_()


def test_numbers_tell_layers_apart(net):
    class Bias:
        def __init__(self):
            self.b, self.db = np.zeros(3), None

        def forward(self, x):
            return x + self.b

    net.layers["Relu1"] = Bias()
    assert list(net.params) == ["W1", "b1", "b2", "W3", "b3"]


def test_names_follow_the_layers(net):
    first, second = net.layers["Affine1"], net.layers["Affine2"]
    assert net.params["W1"] is first.W
    for change in (
        lambda layers: layers.move_to_end("Affine1"),
        lambda layers: layers.move_to_end("Affine1", last=False),
        lambda layers: layers.popitem(last=False),
        lambda layers: layers.setdefault("Affine1", first),
        lambda layers: layers.pop("Affine1"),
        lambda layers: layers.update(Affine1=first),
        lambda layers: layers.__delitem__("Affine1"),
        lambda layers: layers.__ior__({"Affine1": first}),
        lambda layers: layers.clear(),
        lambda layers: layers.update(Affine2=second),
    ):
        list(net.params)  # where each parameter lives is known from here on, until a layer comes or goes
        change(net.layers)
        arrays = [layer.W for layer in net.layers.values() if layer in (first, second)]
        assert list(net.params) == [f"{name}{n}" for n in range(1, len(arrays) + 1) for name in "Wb"]
        assert all(net.params[f"W{n}"] is array for n, array in enumerate(arrays, start=1))


def test_a_backward_that_leaves_no_gradient_is_named(net):
    class Frozen(bp.Affine):
        def backward(self, dout):
            return dout @ self.W.T

    net.layers["Affine1"] = Frozen(net.params["W1"], net.params["b1"])
    with pytest.raises(TypeError, match=r"params\['W1'\]: Frozen.backward left no dW"):
        net.gradient(np.ones((2, 4)), [0, 1])
