"""What each layer gives out, and all parameters as one vector."""

import numpy as np
import pytest

import backprop as bp

X = np.random.default_rng(0).normal(size=(7, 5))


def network(**options):
    return bp.Network([5, 6, 4, 3], activation=["gelu", bp.LeakyRelu(0.2)], seed=0, **options)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_outputs_of_each_layer_are_those_of_its_forward(dtype):
    net = network(dtype=dtype, input_mean=0.5, input_scale=2.0)
    outputs = net.activations(X)
    assert list(outputs) == list(net.layers)
    flowing = ((X - 0.5).astype(dtype) * dtype(2)).astype(dtype)
    for name, layer in net.layers.items():
        flowing = layer.forward(flowing)
        assert np.array_equal(outputs[name], flowing)
        assert outputs[name].dtype == dtype
    assert np.array_equal(outputs["Affine3"], net.predict(X))


def test_the_layers_keep_what_they_hold():
    net = network()
    net.loss(X, np.arange(7) % 3)
    kept = net.layers["Affine1"].x
    net.activations(X[:2])
    assert net.layers["Affine1"].x is kept
    assert net.layers["Gelu1"].x is not None


def test_layers_of_ones_own_are_shown_too():
    class Halve:
        def forward(self, x):
            return x / 2

        def backward(self, dout):
            return dout / 2

    net = network()
    net.layers.insert_after("Gelu1", "Halve1", Halve())
    outputs = net.activations(X)
    assert np.array_equal(outputs["Halve1"], outputs["Gelu1"] / 2)


def test_rows_that_are_none_are_refused():
    with pytest.raises(ValueError, match="x has 4 columns, the network has 5 inputs"):
        network().activations(X[:, :4])


def test_flat_parameters_are_those_in_order():
    net = network()
    flat = net.get_flat_params()
    assert np.array_equal(flat, np.concatenate([array.reshape(-1) for array in net.params.values()]))
    assert flat.dtype == net.dtype
    assert not any(np.shares_memory(flat, array) for array in net.params.values())
    out = np.empty_like(flat)
    assert net.get_flat_params(out=out) is out
    assert np.array_equal(out, flat)
    every_second = np.zeros(2 * len(flat), net.dtype)[::2]
    assert np.array_equal(net.get_flat_params(every_second), flat)


def test_parameters_are_set_in_place_and_the_plan_goes_on():
    net, other = network(), network()
    before = net.predict(X)
    arrays = dict(net.params)
    v = np.linspace(-1, 1, len(net.get_flat_params()))
    net.set_flat_params(v)
    assert all(net.params[key] is array for key, array in arrays.items())
    assert np.array_equal(net.get_flat_params(), v.astype(np.float32))
    assert not np.array_equal(net.predict(X), before)
    assert net.is_planned
    other.set_flat_params(list(v))
    assert np.array_equal(other.predict(X), net.predict(X))


def test_a_network_can_be_set_to_a_view_of_its_own():
    net = bp.Network([3, 1], seed=0)
    W = net.params["W1"].copy()
    flat = np.empty(4, np.float32)
    net.get_flat_params(flat)
    net.set_flat_params(flat[::-1])
    assert np.array_equal(net.params["b1"], W[0])


def test_layers_in_other_layouts():
    net = bp.Network([3, 2], seed=0)
    net.layers["Affine1"].W = np.asfortranarray(net.params["W1"])
    net.set_flat_params(np.arange(8.0))
    assert net.params["W1"].tolist() == [[0, 1], [2, 3], [4, 5]]
    assert net.get_flat_params().tolist() == list(range(8))


@pytest.mark.parametrize(
    ("out", "message"),
    [
        (
            np.empty(3, np.float32),
            r"get_flat_params: out is float32 \(3,\), wanted an array of float32 \(8,\)",
        ),
        (np.empty(8), r"get_flat_params: out is float64 \(8,\), wanted an array of float32 \(8,\)"),
        ([0.0] * 8, "get_flat_params: out is a list, wanted an array of float32"),
    ],
)
def test_what_cannot_take_the_parameters(out, message):
    with pytest.raises(ValueError, match=message):
        bp.Network([3, 2], seed=0).get_flat_params(out)


def test_out_that_cannot_be_written_or_is_a_parameter():
    net = bp.Network([1, 1], seed=0)
    out = np.empty(2, np.float32)
    out.flags.writeable = False
    with pytest.raises(ValueError, match="get_flat_params: out is read-only"):
        net.get_flat_params(out)
    memory = np.zeros(2, np.float32)
    net.layers["Affine1"].W = memory[:1].reshape(1, 1)
    with pytest.raises(ValueError, match="shares memory with a parameter"):
        net.get_flat_params(memory)


@pytest.mark.parametrize(
    ("v", "error", "message"),
    [
        (np.zeros(7), ValueError, r"set_flat_params: v has shape \(7,\), wanted \(8,\)"),
        (np.zeros((8, 1)), ValueError, r"set_flat_params: v has shape \(8, 1\), wanted \(8,\)"),
        (np.zeros(8, complex), TypeError, "set_flat_params: v"),
        ("abc", TypeError, "set_flat_params: v"),
    ],
)
def test_what_no_parameters_can_be(v, error, message):
    net = bp.Network([3, 2], seed=0)
    before = net.get_flat_params()
    with pytest.raises(error, match=message):
        net.set_flat_params(v)
    assert np.array_equal(net.get_flat_params(), before)


def test_nothing_is_changed_where_a_parameter_is_read_only_or_stands_twice():
    net = bp.Network([3, 3, 3], seed=0)
    before = net.get_flat_params()
    net.params["b2"].flags.writeable = False
    with pytest.raises(ValueError, match="set_flat_params: b2 is read-only; nothing was changed"):
        net.set_flat_params(np.zeros(len(before)))
    assert np.array_equal(net.get_flat_params(), before)
    tied = bp.Network([3, 3, 3], seed=0)
    for W in (tied.params["W1"], tied.params["W1"].T):
        tied.layers["Affine2"].W = W
        with pytest.raises(
            ValueError, match="set_flat_params: W1 and W2 share memory, which would get two values"
        ):
            tied.set_flat_params(np.zeros(len(before)))
