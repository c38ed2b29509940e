"""The running accuracy that `fit` records: samples right in each batch, before its step."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import backprop as bp
from backprop.training import sampling
from bpcore.plan import Plan


class ByLayers(bp.Network):
    """A network that never uses a plan."""

    def _plan(self):
        return None


class Own(bp.Network):
    """A network whose predictions are its own, and the same."""

    def predict(self, x, out=None):
        return super().predict(x, out)


@given(
    sizes=st.lists(st.sampled_from([1, 2, 3, 10, 17, 33]), min_size=2, max_size=3),
    rows=st.integers(1, 60),
    batch=st.integers(1, 25),
    soft=st.booleans(),
    dtype=st.sampled_from(["float32", "float64"]),
    length=st.sampled_from([{"epochs": 2}, {"iterations": 7}]),
    seed=st.integers(0, 2**32 - 1),
)
def test_it_is_counted_in_every_batch_before_its_step(sizes, rows, batch, soft, dtype, length, seed):
    rng = np.random.default_rng(seed)
    x, t = rng.normal(size=(rows, sizes[0])).astype(dtype), rng.integers(0, sizes[-1], rows)
    if soft:
        t = rng.dirichlet(np.ones(sizes[-1]), rows) * rng.integers(0, 2, (rows, 1))
    runs = [
        kind(sizes, dtype=dtype, seed=1).fit(x, t, **length, batch_size=batch, seed=2, threads=threads)
        for kind, threads in [(bp.Network, 1), (bp.Network, 2), (bp.Network, 3), (ByLayers, 1), (Own, 1)]
    ]
    for run in runs[1:]:
        assert np.array_equal(run.train_accuracy, runs[0].train_accuracy, equal_nan=True)

    net, sampler = ByLayers(sizes, dtype=dtype, seed=1), sampling.WithReplacement
    sampler = sampling.Epochs if "epochs" in length else sampling.WithReplacement
    steps = len(runs[0].loss)
    batches = [row for group in sampler(np.random.PCG64(2), rows, batch).take(steps) for row in group]
    expected, right, counted = [], 0, 0
    for step, indices in enumerate(batches, start=1):
        scores, target = net.predict(x[indices]), t[indices]
        has_class = target.any(axis=1) if soft else np.ones(len(indices), bool)
        labels = target.argmax(axis=1) if soft else target
        right += ((scores.argmax(axis=1) == labels) & has_class).sum()
        counted += has_class.sum()
        if step in runs[0].evaluated_at:
            expected.append(right / counted if counted else np.nan)
            right = counted = 0
        net.train_step(x[indices], target, bp.SGD(0.1))
    assert np.array_equal(runs[0].train_accuracy, expected, equal_nan=True)


def test_every_sample_is_evaluated_when_asked_for():
    rng = np.random.default_rng(0)
    x, t = rng.normal(size=(50, 6)), rng.integers(0, 3, 50)
    net = bp.Network([6, 8, 3], seed=0)
    asked = []
    net.fit(
        x, t, epochs=3, batch_size=20, seed=0, track_accuracy=True,
        callbacks=[lambda net, history: asked.append((history.train_accuracy[-1], net.accuracy(x, t)))],
    )  # fmt: skip
    assert len(asked) == 3
    assert all(recorded == now for recorded, now in asked)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_ties_and_nans_are_judged_as_numpy_does(dtype):
    # One layer of weights 1 passes the inputs on as scores.
    numbers = np.array([-np.inf, -1, -0.0, 0.0, 1, np.inf, np.nan], dtype)
    x = np.stack(np.meshgrid(*4 * [numbers], indexing="ij"), axis=-1).reshape(-1, 4)
    x = x[np.isfinite(x).all(axis=1)]
    W, b = np.eye(4, dtype=dtype), np.zeros(4, dtype)
    W = np.ascontiguousarray(np.hstack([W, W]))
    b = np.zeros(8, dtype)
    for column, number in enumerate((np.nan, np.inf, -np.inf, 0)):
        b[column] = number
        plan = Plan(
            np.dtype(dtype).name, [("affine", "identity", W, b, 0.0)], ("softmax", 0.0), None, None, []
        )
        scores = np.empty((len(x), 8), dtype)
        plan.predict_into(x, scores)
        for label in range(8):
            labels = np.full(len(x), label)
            expected = (scores.argmax(axis=1) == label).sum()
            assert plan.count_correct(x, labels) == expected
            before = W.copy(), b.copy()
            indices, update = np.arange(len(x))[np.newaxis], bp.SGD(1e-30).plan_update()
            assert plan.train(x, labels, indices, update, np.empty(1)) == expected
            W[...], b[...] = before
    assert plan.count_correct(x, np.full(len(x), 8)) == plan.count_correct(x, np.full(len(x), -1)) == 0


@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("classes", [2, 3, 10, 17])
@pytest.mark.parametrize("kind", [bp.Network, ByLayers])
def test_special_scores_in_any_two_places(kind, classes, number):
    net = kind([1, classes], dtype=np.float64, seed=0)
    x = np.zeros((classes, 1))
    for places in itertools.product(range(classes), repeat=2):
        b = np.random.default_rng(0).normal(size=classes)
        b[list(places)] = number
        net.params["b1"][...] = b
        assert net.accuracy(x[:1], [b.argmax()]) == 1
        assert net.accuracy(x, np.arange(classes)) == 1 / classes


def test_the_only_class_is_right_whatever_its_score():
    net, x = bp.Network([4, 1], dtype=np.float64, seed=0), np.ones((5, 4))
    for number in (np.nan, np.inf, 0):
        net.params["b1"] = [number]
        plan = net.plan_for(bp.SGD(0.1))
        assert plan.count_correct(x, np.zeros(5, int)) == 5
