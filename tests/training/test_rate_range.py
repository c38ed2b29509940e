"""The learning-rate range test: what it records, and that it leaves the network and the optimizer as they are."""

import copy
import pickle

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.figure import Figure

import backprop as bp
from backprop import plots
from backprop.layers.buffers import buffers_of
from backprop.training.rate_range import KEPT, _steepest
from backprop.training.sampling import WithReplacement

(X, T), _ = bp.load_digits()
X, T = X[:500], T[:500]


def network(seed=0):
    return bp.Network([64, 20, 10], seed=seed, dropout=0.1)


def with_a_batch_norm():
    net = network()
    net.layers.insert_after("Affine1", "Norm1", bp.BatchNorm(20, dtype=net.dtype))
    return net


@pytest.mark.parametrize("make", [network, with_a_batch_norm])
def test_the_network_and_the_optimizer_stay_as_they_are(make):
    net, adam = make(), bp.Adam(0.003)
    for _ in range(3):
        net.train_step(X[:50], T[:50], adam)
    arrays = {**net.params, **buffers_of(net.layers)}
    before = {key: array.tobytes() for key, array in arrays.items()}
    kept, state, history = copy.deepcopy(net), pickle.dumps(adam), net.history
    bp.rate_range_test(net, X, T, adam, seed=0)
    assert {key: array.tobytes() for key, array in {**net.params, **buffers_of(net.layers)}.items()} == before
    assert all(net.params[key] is array for key, array in arrays.items() if key in net.params)
    assert pickle.dumps(adam) == state
    assert net.history is history
    # They train on as if nothing had been, masks of dropout included.
    twin = pickle.loads(state)
    for _ in range(3):
        assert net.train_step(X[:50], T[:50], adam) == kept.train_step(X[:50], T[:50], twin)


def test_rates_losses_and_their_mean():
    found = bp.rate_range_test(network(), X, T, lowest=1e-4, highest=10, steps=60, seed=0)
    assert len(found.rates) == len(found.losses) == len(found.smoothed) == 60
    assert found.rates[0] == 1e-4
    assert 10 * (1 - 60 * 2**-52) <= found.rates[-1] <= 10
    np.testing.assert_allclose(found.rates, np.geomspace(1e-4, 10, 60), rtol=1e-12)
    weights = KEPT ** np.arange(60)
    for n in range(60):
        mean = (weights[: n + 1][::-1] * found.losses[: n + 1]).sum() / weights[: n + 1].sum()
        assert found.smoothed[n] == pytest.approx(mean, rel=1e-12)
    assert 0.05 < found.suggestion < 10
    assert found.suggestion in found.rates
    assert repr(found) == f"RateRange(60 steps, suggestion={found.suggestion:.3g})"


def test_it_takes_the_steps_that_it_says():
    rule = bp.SGD(momentum=0.9)
    found = bp.rate_range_test(network(), X, T, rule, steps=20, highest=0.5, batch_size=30, seed=3)
    net, sampler = network(), WithReplacement(np.random.PCG64(3), len(X), 30)
    for rate, loss in zip(found.rates, found.losses, strict=True):
        rule.lr = rate
        batch = sampler.take(1)[0][0]
        assert net.train_step(X[batch], T[batch], rule) == loss


def test_it_ends_where_the_loss_explodes():
    found = bp.rate_range_test(network(), X, T, "adam", highest=1e4, seed=0)
    assert 20 < len(found.rates) < 100
    assert found.smoothed[-1] > 4 * found.smoothed.min()
    assert (found.smoothed[:-1] <= 4 * np.minimum.accumulate(found.smoothed)[:-1]).all()
    assert found.suggestion < found.rates[found.smoothed.argmin()]
    # What is not finite ends it, too, from the first step on.
    X_wrong = np.full_like(X, np.nan)
    found = bp.rate_range_test(network(), X_wrong, T, seed=0)
    assert len(found.rates) == 1
    assert not np.isfinite(found.losses[0])
    assert found.suggestion is None
    assert repr(found) == "RateRange(1 step, suggestion=None)"


def test_losses_below_0():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(300, 3))
    y = 0.01 * (x @ rng.normal(size=(3, 1))) + 0.001 * rng.normal(size=(300, 1))
    net = bp.Network([3, 20, 2], loss="gaussian_nll", seed=0)
    net.fit(x, y, epochs=60, optimizer=bp.Adam(0.01), seed=0)
    found = bp.rate_range_test(net, x, y, bp.Adam(), highest=10, seed=0)
    assert found.losses[0] < 0
    assert len(found.rates) > 30


def test_a_loss_that_never_falls():
    # By such rates no weight moves, and all batches are the same.
    x, t = np.repeat(X[:1], 50, axis=0), np.repeat(T[:1], 50)
    found = bp.rate_range_test(bp.Network([64, 10], seed=0), x, t, lowest=1e-30, highest=1e-20, seed=0)
    assert len(set(found.losses)) == len(set(found.smoothed)) == 1
    assert found.suggestion is None


@pytest.mark.parametrize("skipped", [0, 1, 3])
def test_the_steepest_fall_before_the_best(skipped):
    # From 5 to 1 around the fifth; the first fall is skipped or smaller, the last is behind the best.
    smoothed = np.array([8, 5, 5, 5, 4, 1, 0.9, 9, 50, 1, np.inf])
    rates = 2.0 ** np.arange(len(smoothed))
    assert _steepest(rates, smoothed, skipped) == rates[4]
    assert _steepest(rates, smoothed, 7) == rates[8]
    assert _steepest(rates, smoothed, 9) is None
    assert _steepest(rates[:2], smoothed[:2], 0) is None


class WithoutARate:
    def update(self, params, grads):
        pass


class ByHand:
    def __init__(self):
        self.lr = 0.1

    def update(self, params, grads):
        for key, grad in grads.items():
            params[key] -= self.lr * grad


def test_an_optimizer_of_ones_own():
    mine = ByHand()
    ours, theirs = (bp.rate_range_test(network(), X, T, one, steps=30, seed=0) for one in (mine, bp.SGD()))
    np.testing.assert_allclose(ours.losses, theirs.losses, rtol=1e-4)
    assert mine.lr == 0.1


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        (dict(lowest=0), ValueError, "rate_range_test: lowest is 0, wanted a positive"),
        (dict(lowest=2.0), ValueError, "lowest is 2, highest is 1; wanted a lower and a higher rate"),
        (dict(lowest=1e-300, highest=1e300), ValueError, "whose quotient is finite"),
        (dict(steps=9), ValueError, "steps is 9, wanted a whole number of at least 10"),
        (dict(steps=20.0), ValueError, "steps is 20.0"),
        (dict(batch_size=0), ValueError, "batch_size is 0"),
        (dict(seed=-1), ValueError, "seed is -1"),
        (dict(optimizer="adm"), ValueError, "did you mean 'adam'"),
        (dict(optimizer=bp.SGD), TypeError, "optimizer is the class SGD"),
        (dict(optimizer=WithoutARate()), TypeError, "which has no lr"),
        (dict(net=3), TypeError, "net is a int, wanted a Network"),
        (dict(net=bp.Network), TypeError, "net is a type, wanted a Network"),
        (dict(x=X[:0], t=T[:0]), ValueError, "x has 0 rows"),
        (dict(t=T[:3]), ValueError, "rate_range_test: x has 500 rows, t has 3"),
        (dict(min_lr=3), TypeError, "'min_lr'; it takes net"),
    ],
)
def test_what_is_refused(settings, error, message):
    with pytest.raises(error, match=message):
        bp.rate_range_test(**dict(net=network(), x=X, t=T) | settings)


def test_the_picture():
    figures = plt.get_fignums()
    found = bp.rate_range_test(network(), X, T, "adam", highest=1e4, seed=0)
    ax = Figure().add_subplot()
    assert found.plot(ax) is ax
    losses, smoothed, suggestion = ax.lines
    assert list(losses.get_ydata()) == found.losses.tolist()
    assert list(smoothed.get_ydata()) == found.smoothed.tolist()
    assert list(smoothed.get_xdata()) == found.rates.tolist()
    assert suggestion.get_xdata()[0] == found.suggestion
    assert ax.get_xscale() == "log"
    # The fall takes its half of the height; the explosion is cut off.
    low, high = ax.get_ylim()
    assert high < found.losses[-1]
    assert (found.losses[0] - found.losses.min()) / (high - low) > 0.4
    nothing = bp.RateRange(np.array([1e-6]), np.array([np.nan]), np.array([np.nan]), None)
    assert len(nothing.plot(Figure().add_subplot()).lines) == 2
    with pytest.raises(TypeError, match="rate_range: found is a History, wanted a RateRange"):
        plots.rate_range(bp.History())
    assert plt.get_fignums() == figures
