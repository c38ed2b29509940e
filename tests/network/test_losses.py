"""Losses and steps of one's own: what they say is what is recorded, and nothing is answered that they do not know."""

import numpy as np
import pytest

import backprop as bp
from backprop import plots


def data(rows=60):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(rows, 5))
    return x, x[:, 0] - x[:, 1]


class Huber(bp.IdentityWithLoss):
    """A loss over numbers, with an argument."""

    def __init__(self, delta):
        super().__init__()
        self.delta = delta

    def forward(self, x, t):
        super().forward(x, t)
        r = np.abs(self.y - self.t)
        self.loss = np.where(r < self.delta, r * r / 2, self.delta * (r - self.delta / 2)).sum() / len(r)
        return self.loss

    def backward(self, dout=1):
        return dout * np.clip(self.y - self.t, -self.delta, self.delta) / len(self.y)


class Absolute:
    """A loss that inherits nothing and says nothing."""

    def forward(self, x, t):
        self.r = x[:, 0] - t
        return np.abs(self.r).mean()

    def backward(self, dout):
        return dout * np.sign(self.r)[:, np.newaxis] / len(self.r)


class Hinge:
    """A loss over classes that makes no probabilities."""

    classifies = True

    def forward(self, x, t):
        self.x, self.rows, self.t = x, np.arange(len(x)), t
        self.margins = np.maximum(x - x[self.rows, t][:, np.newaxis] + 1, 0)
        self.margins[self.rows, t] = 0
        return self.margins.sum() / len(x)

    def backward(self, dout):
        dx = (self.margins > 0).astype(self.x.dtype)
        dx[self.rows, self.t] = -dx.sum(axis=1)
        return dout * dx / len(dx)


def test_a_loss_over_numbers_has_no_classes():
    net, (x, y) = bp.Network([5, 8, 1], loss="squared_error", dtype=np.float64, seed=0), data()
    net.lastLayer = Huber(0.5)
    for call in (
        lambda: net.accuracy(x, np.zeros(60, int)),
        lambda: net.predict_proba(x),
        lambda: plots.confusion_matrix(net, x, np.zeros(60, int)),
    ):
        with pytest.raises(TypeError, match=r"outputs are numbers \(loss='Huber'\), not classes"):
            call()
    before = net.loss(x, y)
    history = net.fit(x, y, epochs=10, batch_size=60, validation=(x, y), seed=0)
    assert history.train_accuracy == history.validation_accuracy == []
    # The rows of the batch stand in another order: 60 terms, each rounded.
    assert abs(history.loss[0] - before) <= 60 * 2**-52 * before
    assert abs(history.validation_loss[-1] - net.loss(x, y)) <= 60 * 2**-52 * before
    assert bp.check_gradients(net, x, y[:, np.newaxis]).passed


def test_a_loss_that_does_not_say_gets_its_targets_as_they_are():
    net, (x, y) = bp.Network([5, 8, 1], dtype=np.float64, seed=0), data()
    net.lastLayer = Absolute()
    history = net.fit(x, y, epochs=20, batch_size=10, validation=(x, y), seed=0)
    assert history.validation_loss[-1] < history.validation_loss[0]
    assert history.train_accuracy == history.validation_accuracy == []
    for call in (lambda: net.accuracy(x, np.zeros(60, int)), lambda: net.predict_proba(x)):
        with pytest.raises(
            TypeError, match="Absolute does not say whether outputs are classes, wanted classifies = "
        ):
            call()
    with pytest.raises(ValueError, match=r"fit: x has 60 rows, t has shape \(59,\)"):
        net.fit(x, y[1:], epochs=1)


def test_a_loss_over_classes_of_ones_own():
    net, (x, y) = bp.Network([5, 8, 3], dtype=np.float64, seed=0), data()
    t = (y > 0).astype(int) + (y > 1)
    net.lastLayer = Hinge()
    history = net.fit(x, t, epochs=3, batch_size=7, validation=(x, t), seed=0)
    assert (
        history.validation_accuracy[-1] == net.accuracy(x, t) == np.mean(net.predict(x).argmax(axis=1) == t)
    )
    assert len(history.train_accuracy) == 3
    with pytest.raises(TypeError, match=r"predict_proba: Hinge has no probabilities\(scores\)"):
        net.predict_proba(x)
    net.lastLayer = type("Mine", (bp.SoftmaxWithLoss,), {})()
    assert np.array_equal(net.predict_proba(x), bp.SoftmaxWithLoss().probabilities(net.predict(x)))


class Penalised(bp.Network):
    """Weight decay as a part of the loss."""

    def loss(self, x, t):
        return super().loss(x, t) + 0.05 * float((self.params["W1"] ** 2).sum())

    def gradient(self, x, t):
        grads = super().gradient(x, t)
        grads["W1"] = grads["W1"] + 0.1 * self.params["W1"]
        return grads


class Noted(bp.Network):
    """Only the loss is one's own."""

    def loss(self, x, t):
        return 2 * super().loss(x, t)


@pytest.mark.parametrize("kind", [Penalised, Noted])
def test_an_overridden_loss_is_what_is_recorded(kind):
    net, x, t = kind([5, 4, 3], dtype=np.float64, seed=0, weight_init="he"), data()[0], np.arange(60) % 3
    before = net.loss(x, t)
    assert net.train_step(x, t, bp.SGD(0.1)) == before
    before = net.loss(x, t)
    history = net.fit(x, t, epochs=1, batch_size=60, validation=(x, t), seed=0)
    assert abs(history.loss[0] - before) <= 60 * 2**-52 * before
    assert abs(history.validation_loss[0] - net.loss(x, t)) <= 60 * 2**-52 * before
    assert history.loss[0] > 1.2 * bp.Network.loss(net, x, t)


def test_an_overridden_train_step_is_what_fit_takes():
    class Counting(bp.Network):
        taken = 0

        def train_step(self, x, t, optimizer):
            self.taken += 1
            return super().train_step(x, t, optimizer)

    net, twin, x, t = Counting([5, 3], seed=0), bp.Network([5, 3], seed=0), data()[0], np.arange(60) % 3
    one, other = (one.fit(x, t, epochs=2, batch_size=20, seed=0) for one in (net, twin))
    assert net.taken == 6
    assert (one.loss, one.train_accuracy) == (other.loss, other.train_accuracy)


def test_samples_without_a_class_are_left_out():
    net, x = bp.Network([5, 3], dtype=np.float64, seed=0), data()[0]
    labels = net.predict(x).argmax(axis=1)
    t = np.eye(3)[labels]
    t[::2] = 0
    assert net.accuracy(x, t) == 1
    t[1] = np.roll(t[1], 1)
    assert net.accuracy(x, t) == 29 / 30
    with pytest.raises(
        ValueError, match="accuracy: all weights of t are 0, wanted at least one row with a class"
    ):
        net.accuracy(x, np.zeros((60, 3)))
    assert plots.confusion_counts(*plots_labels(net, x, t)).sum() == 30
    assert net.fit(x, t, epochs=1, batch_size=60, seed=0).train_accuracy == [29 / 30]


def plots_labels(net, x, t):
    rows, labels = plots._drawing.labelled("test", net, x, t)
    return labels, net.predict(rows).argmax(axis=1)
