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
    net.params["b1"] -= 1
    assert np.array_equal(net.layers["Affine1"].b, [-1, -1, -1])
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
