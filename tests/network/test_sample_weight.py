"""Weights of samples: what a batch's loss is then, by the plan and by layers, and what is refused."""

import copy

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import backprop as bp
from backprop.layers.weighting import shares_of
from tests.bounds import gamma
from tests.network.test_bits import ByLayers
from tests.registry import LOSSES, targets

KINDS = sorted(kind for kind in LOSSES if not isinstance(LOSSES[kind], str))


def some(kind, rows=40, outputs=3, dtype=np.float64):
    """Samples, targets and weights, every seventh of which is 0."""
    rng = np.random.default_rng(len(kind))
    x = rng.normal(size=(rows, 5)).astype(dtype)
    t = targets(kind, rng, rows, outputs)
    weights = rng.uniform(0, 3, rows)
    weights[::7] = 0
    return x, t if LOSSES[kind].classifies else t.astype(dtype), weights


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("normalise", ["weights", "count"])
def test_the_loss_is_the_weighted_mean_of_the_rows(kind, normalise):
    x, t, weights = some(kind)
    net = bp.Network([5, 4, 3], loss=LOSSES[kind](normalise=normalise), dtype=np.float64, seed=0)
    rows = np.array([net.loss(x[n : n + 1], t[n : n + 1]) for n in range(len(x))])
    by = weights.sum() if normalise == "weights" else len(x)
    expected = float((weights * rows).sum() / by)
    # A share and a product of each row, and their sum.
    assert abs(net.loss(x, t, sample_weight=weights) - expected) <= gamma(len(x) + 4, float) * (
        np.abs(weights * rows).sum() / by
    )


@pytest.mark.parametrize("kind", KINDS)
def test_the_gradient_is_that_of_the_loss(kind):
    x, t, weights = some(kind, 9)
    net = bp.Network([5, 4, 3], "tanh", loss=kind, dtype=np.float64, seed=0)
    if kind in ("absolute_error", "quantile", "huber"):
        t = t + 10.0  # far from where they have no derivative
    grads = net.gradient(x, t, sample_weight=weights)
    numerical = net.numerical_gradient(x, t, sample_weight=weights)
    size = abs(net.loss(x, t, sample_weight=weights)) + 1
    for key, grad in grads.items():
        # Central differences: roundings of a loss over 2h, and h²/6 of a third derivative of about its size.
        assert np.abs(grad - numerical[key]).max() <= 1e3 * 2**-53 * size / 1e-5 + 10 * size * 1e-10, key


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("optimizer", [bp.SGD, lambda lr: bp.Adam(lr, clip_norm=1.0)])
def test_plan_and_layers_give_the_same_bits(kind, dtype, optimizer):
    x, t, weights = some(kind, dtype=dtype)
    nets = [
        one([5, 600, 3], loss=kind, dtype=dtype, seed=0, dropout=[0.1, 0.3]) for one in (bp.Network, ByLayers)
    ]
    histories = []
    for net, threads in ((nets[0], 1), (nets[1], 1), *((copy.deepcopy(nets[0]), n) for n in (2, 3, 7))):
        rule = optimizer(0.01)
        steps = [net.train_step(x, t, rule, sample_weight=weights) for _ in range(2)]
        fitted = net.fit(
            x, t, epochs=2, batch_size=13, optimizer=rule, sample_weight=weights, seed=1, threads=threads,
            validation=(x, t, weights),
        )  # fmt: skip
        histories.append((steps, fitted.loss, fitted.validation_loss))
        assert net.is_planned == (type(net) is bp.Network)
        nets.append(net)
        if net is not nets[0] and threads == 1:
            assert all(np.array_equal(net.params[key], nets[0].params[key]) for key in net.params)
    assert histories[0] == histories[1]


@pytest.mark.parametrize("threads", [1, 2, 3, 7])
@pytest.mark.parametrize("parts", [1, 2])
def test_threads_change_nothing(threads, parts):
    x, t, weights = some("softmax", 100, dtype=np.float32)
    hashes = []
    for number, columns in ((1, 1), (threads, parts)):
        net = bp.Network([5, 600, 600, 3], loss=bp.SoftmaxWithLoss(0.1, [1, 2, 3]), seed=0)
        optimizer, losses = bp.Adam(), np.empty(4)
        plan = net._plan()
        rows = net.lastLayer.row_weights(t, weights)
        indices = np.arange(80).reshape(4, 20)
        state = optimizer.state_for(plan, net.params)
        plan.train(x, t, indices, optimizer.plan_update(), losses, number, state, columns, rows)
        hashes.append((losses.tobytes(), *(array.tobytes() for array in net.params.values())))
    assert hashes[0] == hashes[1]


@given(st.lists(st.floats(0, 1e100), min_size=1, max_size=20), st.sampled_from([np.float32, np.float64]))
def test_shares_sum_to_one(weights, dtype):
    rows = np.array(weights)
    shares = shares_of((rows, rows), np.dtype(dtype))
    assert shares.dtype == dtype
    assert (shares >= 0).all()
    if rows.any():
        # Each share is rounded twice, or below the least number of its type; so is the sum.
        least = float(np.finfo(dtype).tiny)
        assert abs(shares.sum(dtype=float) - 1) <= gamma(len(rows) + 4, dtype) + len(rows) * least
    else:
        assert not shares.any()


def test_a_row_of_weight_0_is_left_out_whatever_its_target_is():
    x, t, weights = some("squared_error")
    t[weights == 0] = np.nan
    net = bp.Network([5, 4, 3], loss="squared_error", dtype=np.float64, seed=0)
    kept = weights > 0
    one, two = net.loss(x, t, sample_weight=weights), net.loss(x[kept], t[kept], sample_weight=weights[kept])
    assert one == two
    grads = net.gradient(x, t, sample_weight=weights)
    for key, grad in net.gradient(x[kept], t[kept], sample_weight=weights[kept]).items():
        assert np.abs(grads[key] - grad).max() <= gamma(len(x), float) * 100, key
    history = net.fit(x, t, epochs=3, batch_size=5, sample_weight=weights, seed=0)
    assert np.isfinite(history.loss).all()


@pytest.mark.parametrize("kind", KINDS)
def test_a_batch_without_weight_moves_nothing(kind):
    x, t, _ = some(kind)
    for cls in (bp.Network, ByLayers):
        net = cls([5, 4, 3], loss=kind, seed=0)
        before = net.get_flat_params()
        assert net.train_step(x, t, bp.SGD(0.1), sample_weight=np.zeros(len(x))) == 0
        assert np.array_equal(net.get_flat_params(), before)


def test_integers_and_booleans_are_weights():
    x, t, _ = some("softmax")
    net = bp.Network([5, 4, 3], dtype=np.float64, seed=0)
    chosen = np.arange(40) % 2 == 0
    assert net.loss(x, t, sample_weight=chosen) == net.loss(x, t, sample_weight=chosen.astype(int))


@pytest.mark.parametrize(
    ("weights", "error", "text"),
    [
        (np.ones(39), ValueError, r"x has 40 rows, sample_weight has shape \(39,\), wanted \(40,\)"),
        (np.ones((40, 1)), ValueError, r"x has 40 rows, sample_weight has shape \(40, 1\)"),
        (np.full(40, -1.0), ValueError, r"sample_weight\[0\] is -1, wanted a number from 0 to 1e\+100"),
        (np.full(40, np.nan), ValueError, r"sample_weight\[0\] is nan"),
        (np.full(40, np.inf), ValueError, r"sample_weight\[0\] is inf"),
        (np.full(40, 1e101), ValueError, r"sample_weight\[0\] is 1e\+101"),
        (["1"] * 40, TypeError, "sample_weight has dtype <U1, wanted real numbers"),
    ],
)
@pytest.mark.parametrize("by", ["loss", "gradient", "train_step", "fit", "validation"])
def test_wrong_weights_are_refused_before_anything_changes(weights, error, text, by):
    x, t, _ = some("softmax")
    net, optimizer = bp.Network([5, 4, 3], seed=0), bp.Adam()
    before = net.get_flat_params()
    calls = {
        "loss": lambda: net.loss(x, t, sample_weight=weights),
        "gradient": lambda: net.gradient(x, t, sample_weight=weights),
        "train_step": lambda: net.train_step(x, t, optimizer, sample_weight=weights),
        "fit": lambda: net.fit(x, t, epochs=1, optimizer=optimizer, sample_weight=weights),
        "validation": lambda: net.fit(x, t, epochs=1, optimizer=optimizer, validation=(x, t, weights)),
    }
    with pytest.raises(error, match=text):
        calls[by]()
    assert np.array_equal(net.get_flat_params(), before)
    assert optimizer.steps == 0


def test_a_loss_without_weights_says_so():
    class Plain:
        classifies = False

        def forward(self, x, t):
            self.d = x - t
            return float((self.d**2).mean())

        def backward(self, dout):
            return 2 * dout * self.d / self.d.size

    x, t, weights = some("squared_error")
    net = bp.Network([5, 4, 3], loss=Plain(), dtype=np.float64, seed=0)
    for call in (
        lambda: net.loss(x, t, sample_weight=weights),
        lambda: net.train_step(x, t, bp.SGD(0.1), sample_weight=weights),
        lambda: net.fit(x, t, epochs=1, sample_weight=weights),
    ):
        with pytest.raises(TypeError, match="Plain takes no weights of samples, wanted a loss with forward"):
            call()
    net.fit(x, t, epochs=1, validation=(x, t), seed=0)


def test_weights_of_validation_data_are_those_of_its_loss():
    x, t, weights = some("huber", 5000)
    net = bp.Network([5, 4, 3], loss="huber", dtype=np.float64, seed=0)
    history = net.fit(x, t, epochs=1, seed=0, validation=(x, t, weights))
    whole = net.loss(x, t, sample_weight=weights)
    # By blocks: the sums have another order.
    assert abs(history.validation_loss[-1] - whole) <= gamma(len(x), float) * whole


def test_fit_keeps_the_weights_that_it_was_given():
    x, t, weights = some("softmax")
    nets = [bp.Network([5, 4, 3], seed=0) for _ in range(2)]

    def change(net, history):
        weights[...] = 0

    nets[0].fit(x, t, epochs=3, batch_size=10, seed=0, sample_weight=weights.copy())
    nets[1].fit(x, t, epochs=3, batch_size=10, seed=0, sample_weight=weights, callbacks=[change])
    assert np.array_equal(nets[0].get_flat_params(), nets[1].get_flat_params())


def test_fit_keeps_the_weights_of_validation_data():
    x, t, weights = some("softmax")
    net = bp.Network([5, 4, 3], seed=0)

    def change(net, history):
        given[...] = 0

    given = weights.copy()
    history = net.fit(x, t, epochs=2, seed=0, validation=(x, t, given), callbacks=[change])
    assert history.validation_loss[1] > 0


@pytest.mark.parametrize("parts", [1, 3])
def test_a_plan_wants_weights_and_divisors(parts):
    x, t, weights = some("softmax")
    net, rule = bp.Network([5, 4, 3], dtype=np.float64, seed=0), bp.SGD(0.1)
    with pytest.raises(
        ValueError, match=f"row_weights has {parts} parts, wanted the weights and the divisors"
    ):
        net._plan().step(x, t, rule.plan_update(), None, [], None, 0, (weights,) * parts)
