"""SGD, on a network's params and on plain dicts."""

import numpy as np
import pytest

import backprop as bp


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("layout", [np.ascontiguousarray, np.asfortranarray])
def test_sgd_gives_the_bits_of_the_numpy_line(dtype, layout):
    rng = np.random.default_rng(0)
    w, g = rng.normal(size=(7, 5)).astype(dtype), rng.normal(size=(7, 5)).astype(dtype)
    params = {"W": layout(w.copy())}
    kept = params["W"]
    bp.SGD(0.1).update(params, {"W": g})
    w -= 0.1 * g
    assert params["W"] is kept
    assert np.array_equal(kept, w)


def test_only_what_has_a_gradient_moves():
    params = {"W": np.ones(2), "b": np.ones(2)}
    bp.SGD(0.5).update(params, {"b": np.ones(2)})
    assert np.array_equal(params["W"], [1, 1])
    assert np.array_equal(params["b"], [0.5, 0.5])


@pytest.mark.parametrize("lr", [0, -0.1, np.inf, np.nan, "0.1", None])
def test_learning_rates_that_are_none(lr):
    with pytest.raises(ValueError, match="SGD: lr is .*, wanted a positive finite number"):
        bp.SGD(lr)


def test_what_cannot_be_updated():
    sgd = bp.SGD(0.1)
    with pytest.raises(KeyError, match="SGD.update: grads has 'c', params has W, b"):
        sgd.update({"W": np.ones(2), "b": np.ones(2)}, {"c": np.ones(2)})
    with pytest.raises(ValueError, match=r"params\['W'\] has shape \(2,\), its gradient has \(3,\)"):
        sgd.update({"W": np.ones(2)}, {"W": np.ones(3)})
    with pytest.raises(TypeError, match=r"params\['W'\] has dtype int64"):
        sgd.update({"W": np.ones(2, int)}, {"W": np.ones(2)})


def test_repr():
    assert repr(bp.SGD(0.1)) == "SGD(lr=0.1)"
