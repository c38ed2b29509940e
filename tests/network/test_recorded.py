"""What `fit` records, hands on and warns of: a subclass's and a loss's own, and numbers that are not finite."""

import warnings

import numpy as np
import pytest

import backprop as bp


def data():
    rng = np.random.default_rng(0)
    return rng.normal(size=(200, 6)).astype(np.float32), rng.integers(0, 2, 200)


class Told:
    """A loss that says nothing and keeps what it is handed."""

    def __init__(self):
        self.types, self.probabilities = [], None

    def forward(self, x, t):
        self.types.append((type(t), t.dtype, t.ndim))
        self.x = x
        return float(x.sum()) if t.shape != (10, 3) else float((x - t).sum())

    def backward(self, dout):
        return np.zeros_like(self.x)


@pytest.mark.parametrize("kind", ["bool", "uint8", "int64", "float64", "float32", "U1", "object"])
@pytest.mark.parametrize("shape", [(200,), (200, 3)])
def test_a_loss_that_says_nothing_gets_its_targets_as_they_are(kind, shape):
    x, _ = data()
    t = np.ones(shape, kind)
    for run in (
        lambda net: net.train_step(x, t, bp.SGD(0.1)),
        lambda net: net.loss(x, t),
        lambda net: net.fit(x, t, epochs=1, validation=(x, t)),
    ):
        net = bp.Network([6, 4, 2], seed=0)
        net.lastLayer = Told()
        run(net)
        assert set(net.lastLayer.types) == {(np.ndarray, t.dtype, t.ndim)}


def test_validation_data_that_a_loss_refuses_stop_it_before_the_first_step():
    x, t = data()
    net = bp.Network([6, 4, 2], seed=0)
    net.lastLayer = Told()
    before = {key: array.copy() for key, array in net.params.items()}
    with pytest.raises(ValueError, match="broadcast"):
        net.fit(x, t, epochs=1, validation=(x[:10], np.zeros((10, 3))))
    assert all(np.array_equal(net.params[key], before[key]) for key in before)
    assert net.history is None


def test_the_accuracy_of_a_subclass_is_what_is_recorded():
    class Own(bp.Network):
        def accuracy(self, x, t):
            return 0.125

    x, t = data()
    history = Own([6, 4, 2], seed=0).fit(x, t, epochs=2, validation=(x, t))
    assert history.train_accuracy == history.validation_accuracy == [0.125, 0.125]
    numbers = Own([6, 4, 2], loss="squared_error", seed=0).fit(x, np.eye(2)[t], epochs=1)
    assert numbers.train_accuracy == []


def test_parameters_that_the_last_step_ruins_are_said():
    x, t = data()
    net = bp.Network([6, 5, 2], seed=0)
    with pytest.warns(
        RuntimeWarning, match=r"fit: after step 1 W1, W2.* are not finite: the learning rate"
    ) as said:
        history = net.fit(x * 1e3, t, epochs=1, batch_size=200, optimizer=bp.SGD(1e38))
    assert np.isfinite(history.loss).all()
    assert len(said) == 1
    assert said[0].filename == __file__


def test_validation_data_that_are_not_finite_are_said_once():
    x, t = data()
    wrong = x.copy()
    wrong[7, 2] = np.nan
    net = bp.Network([6, 5, 2], seed=0)
    message = (
        r"fit: the validation loss after step 2 is nan: in validation, x\[7, 2\] is nan, no finite number"
    )
    with pytest.warns(RuntimeWarning, match=message) as said:
        net.fit(x, t, epochs=2, validation=(wrong, t))
    assert len(said) == 1
    assert said[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        net.fit(x, t, epochs=1, validation=(x, t))
