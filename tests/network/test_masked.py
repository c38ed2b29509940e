"""Masked arrays: the numbers under a mask are never computed with."""

import numpy as np
import pytest

import backprop as bp
from backprop import graph, plots

ONES = np.ones((4, 3), np.float32)
T = np.array([0, 1, 0, 1])


def masked(array):
    """A copy whose first number is masked."""
    mask = np.zeros(array.shape, bool)
    mask.flat[0] = True
    return np.ma.array(array.copy(), mask=mask)


X, LABELS, DEEP = masked(ONES), masked(T), masked(ONES.astype(float))


def net(**options):
    return bp.Network([3, 2], seed=0, **options)


WAYS = {
    "predict": lambda: net().predict(X),
    "predict out": lambda: net().predict(X, out=np.empty((4, 2), np.float32)),
    "predict rows": lambda: net().predict([X[0], X[1]]),
    "proba": lambda: net().predict_proba(X),
    "accuracy x": lambda: net().accuracy(X, T),
    "accuracy t": lambda: net().accuracy(ONES, LABELS),
    "loss x": lambda: net().loss(X, T),
    "loss t": lambda: net().loss(ONES, LABELS),
    "loss weights": lambda: net().loss(ONES, masked(np.eye(4, 2))),
    "loss numbers": lambda: net(loss="squared_error").loss(ONES, masked(np.eye(4, 2))),
    "step x": lambda: net().train_step(X, T, bp.SGD(0.1)),
    "step t": lambda: net().train_step(ONES, LABELS, bp.SGD(0.1)),
    "step weights": lambda: net().train_step(ONES, masked(np.eye(4, 2, dtype=np.float32)), bp.SGD(0.1)),
    "fit x": lambda: net().fit(X, T, epochs=1),
    "fit t": lambda: net().fit(ONES, LABELS, epochs=1),
    "validation": lambda: net().fit(ONES, T, epochs=1, validation=(X, T)),
    "standardised": lambda: bp.Network.standardised(X, [3, 2]),
    "params": lambda: net().params.__setitem__("W1", X[:3, :2]),
    "input_mean": lambda: setattr(net(), "input_mean", X[0]),
    "input_scale": lambda: bp.Network([3, 2], input_scale=X[0]),
    "affine": lambda: bp.Affine(X[:3, :2], np.zeros(2, np.float32)),
    "assigned W": lambda: [one := net(), setattr(one.layers["Affine1"], "W", X[:3, :2]), one.predict(ONES)],
    "relu": lambda: bp.Relu().forward(X),
    "backward": lambda: [layer := bp.Relu(), layer.forward(ONES), layer.backward(X)],
    "update": lambda: bp.SGD(0.1).update({"w": X}, {"w": ONES}),
    "gradient": lambda: bp.SGD(0.1).update({"w": ONES.copy()}, {"w": X}),
    "numerical_gradient": lambda: bp.numerical_gradient(lambda x: x.sum(), DEEP),
    "check_gradients": lambda: bp.check_gradients(bp.Relu(), DEEP),
    "variable": lambda: graph.variable(X, "x"),
    "matrix": lambda: plots.confusion_matrix(net(), ONES, LABELS),
}


@pytest.mark.parametrize("way", WAYS)
def test_what_is_masked_is_refused(way):
    if way == "matrix":
        pytest.importorskip("matplotlib")
    with pytest.raises(
        ValueError, match=r"has masked values, wanted an array without; leave them out, or fill"
    ):
        WAYS[way]()


def test_a_mask_that_masks_nothing():
    x = np.ma.array(ONES, mask=False)
    assert np.array_equal(net().predict(x), net().predict(ONES))
    assert net().train_step(x, np.ma.array(T), bp.SGD(0.1)) == net().train_step(ONES, T, bp.SGD(0.1))


def test_other_kinds_of_arrays_are_taken(tmp_path):
    ONES.tofile(tmp_path / "x")
    x = np.memmap(tmp_path / "x", np.float32, shape=ONES.shape)
    assert np.array_equal(net().predict(x), net().predict(ONES))
    assert net().train_step(x, T, bp.SGD(0.1)) == net().train_step(ONES, T, bp.SGD(0.1))
