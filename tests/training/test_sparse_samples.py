"""Networks on sparse samples: the bits of the same array, the sign of a 0 apart, and never an array of that size."""

import copy

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import backprop as bp
from backprop._util.sparse import sparse_rows
from backprop.layers.base import LOSSES
from backprop.optimizers.base import RULES
from tests.training.runs import NETWORKS, T, Y, targets, with_own_layer
from tests.training.sparse_samples import Csr, alike, sparse

X = sparse(np.random.default_rng(3), 53, 6, 0.4)
X[7] = 0
COLUMNS = ("loss", "train_accuracy", "validation_loss", "validation_accuracy", "evaluated_at")


def both(made, x, t, csr=None, **options):
    """A network trained on an array, and the same trained on it as sparse rows."""
    dense, own = made(), made()
    histories = [
        net.fit(samples, t, seed=2, batch_size=8, **copy.deepcopy(options))
        for net, samples in ((dense, x), (own, Csr(x) if csr is None else csr))
    ]
    for column in COLUMNS:
        assert getattr(histories[0], column) == getattr(histories[1], column), column
    assert alike(dense, own)
    return dense, own


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("made", NETWORKS.values(), ids=list(NETWORKS))
def test_training_has_the_bits_of_the_array(made, rule):
    dense, own = both(made, X, targets(made()), epochs=3, optimizer=rule)
    assert np.array_equal(dense.predict(X), own.predict(Csr(X)))


@pytest.mark.parametrize("loss", sorted(LOSSES))
def test_every_loss(loss):
    t = {"softmax": T, "binary_cross_entropy": (Y > 0).astype(float)}.get(loss, np.abs(Y))
    outputs = 6 if loss == "gaussian_nll" else 3
    for dtype in ("float32", "float64"):
        both(lambda dtype=dtype: bp.Network([6, 8, outputs], loss=loss, seed=0, dtype=dtype), X, t, epochs=2)


OPTIONS = {
    "validation": dict(epochs=3, validation=(X[:20], T[:20])),
    "kept for validation": dict(
        epochs=3, validation_fraction=0.3, early_stopping=2, metrics="balanced_accuracy"
    ),
    "weights": dict(epochs=2, sample_weight=np.linspace(0, 2, 53)),
    "weights of classes": dict(epochs=2, class_weight="balanced"),
    "schedule": dict(epochs=4, schedule="cosine"),
    "iterations": dict(iterations=30),
    "in order": dict(epochs=2, shuffle=False),
    "tracked": dict(epochs=2, track_accuracy=True),
    "norms": dict(epochs=2, optimizer=bp.Adam(clip_norm=0.1, max_norm=1)),
    "decay": dict(epochs=2, optimizer=bp.SGD(0.1, weight_decay=0.01, l1=0.001)),
    "callback": dict(epochs=2, callbacks=[lambda net, _: net.accuracy(Csr(X), T) < 0]),
}


@pytest.mark.parametrize("threads", [1, 2, 3])
@pytest.mark.parametrize("options", OPTIONS.values(), ids=list(OPTIONS))
def test_what_fit_takes(options, threads):
    both(NETWORKS["plain"], X, T, threads=threads, **options)


def test_validation_data_may_be_sparse_and_x_not():
    one, other = NETWORKS["plain"](), NETWORKS["plain"]()
    wanted = one.fit(X, T, epochs=2, seed=0, validation=(X, T))
    found = other.fit(X, T, epochs=2, seed=0, validation=(Csr(X), T))
    assert wanted.validation_loss == found.validation_loss
    assert wanted.validation_accuracy == found.validation_accuracy


def test_moving_averages():
    average, other = NETWORKS["plain"](), NETWORKS["plain"]()
    both(NETWORKS["plain"], X, T, epochs=2)
    one, two = NETWORKS["plain"](), NETWORKS["plain"]()
    one.fit(X, T, epochs=2, seed=0, ema=average, ema_decay=0.9, validation=(X, T))
    two.fit(Csr(X), T, epochs=2, seed=0, ema=other, ema_decay=0.9, validation=(Csr(X), T))
    assert alike(one, two)
    assert alike(average, other)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("threads", [1, 2, 4])
def test_wide_layers_on_threads(threads, dtype):
    # More rows than go through all layers at once, blocks of the gradient, and edge columns.
    x = sparse(np.random.default_rng(0), 700, 3000, 0.02, dtype)
    t = np.arange(700) % 10

    def made():
        return bp.Network([3000, 37, 20, 10], seed=0, dtype=dtype)

    def normalised():
        net = made()
        net.layers.insert_after("Affine1", "BatchNorm1", bp.BatchNorm(37, dtype=dtype))
        return net

    for one in (made, normalised):
        dense, own = one(), one()
        losses = [
            net.fit(samples, t, epochs=2, batch_size=300, seed=0, threads=threads, optimizer="adam").loss
            for net, samples in ((dense, x), (own, Csr(x)))
        ]
        assert losses[0] == losses[1]
        assert alike(dense, own)


@pytest.mark.parametrize("threads", [1, 2, 3])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    "options",
    [{}, {"clip_value": 0.01}, {"max_norm": 0.5}, {"clip_norm": 0.1}, {"weight_decay": 0.1}, {"l1": 0.1}],
)
def test_plain_descent_where_a_batch_stores_less_than_there_are_columns(options, dtype, threads):
    # 40 of the 2000 columns have most of the numbers, so that a batch has them in many rows.
    rng = np.random.default_rng(0)
    x = sparse(rng, 300, 2000, 0.002, dtype)
    x[:, :40] = sparse(rng, 300, 40, 0.1, dtype)
    assert np.count_nonzero(x) / 300 < 10
    t = np.arange(300) % 4
    dense, own = (bp.Network([2000, 19, 4], seed=0, dtype=dtype) for _ in range(2))
    csr = Csr(x)
    # Other rules and other batches leave other gradients behind in the workspace.
    for optimizer, batch in (
        (bp.SGD(0.1, **options), 50),
        (bp.Adam(), 50),
        (bp.SGD(0.1, **options), 150),
        (bp.SGD(0.3, **options), 300),
    ):
        for net, samples in ((dense, x), (own, csr)):
            net.fit(
                samples,
                t,
                epochs=2,
                batch_size=batch,
                optimizer=copy.deepcopy(optimizer),
                seed=0,
                threads=threads,
            )
        assert alike(dense, own)


@pytest.mark.parametrize("made", NETWORKS.values(), ids=list(NETWORKS))
def test_single_steps(made):
    # The first steps show what a layer of one's own is; those behind them go by segments.
    dense, own, t, csr = made(), made(), targets(made()), Csr(X)
    optimizers = bp.Adam(), bp.Adam()
    for n in range(6):
        weights = None if n < 4 else np.linspace(0, 1, 53)
        losses = [
            net.train_step(x, t, optimizer, sample_weight=weights)
            for net, x, optimizer in zip((dense, own), (X, csr), optimizers, strict=True)
        ]
        assert losses[0] == losses[1]
        assert alike(dense, own)
    assert own._sparse[1] is not None


def test_a_single_layer():
    both(lambda: bp.Network([6, 3], seed=0), X, T, epochs=2)
    one, other = (bp.Network([6, 3], seed=0) for _ in range(2))
    optimizer = bp.SGD(0.1)
    assert one.train_step(X, T, optimizer) == other.train_step(Csr(X), T, optimizer)


@pytest.mark.parametrize("scale", [0.5, np.linspace(-1, 1, 6)])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_scaled_columns(scale, dtype):
    def made():
        return bp.Network([6, 5, 3], seed=0, dtype=dtype, input_scale=scale)

    dense, own = both(made, X, T, epochs=2)
    assert dense.loss(X, T) == own.loss(Csr(X), T)
    # A scale that is set between two epochs acts.
    for net, x in ((dense, X), (own, Csr(X))):

        def rescale(net, _):
            net.input_scale = 3.0

        net.fit(x, T, epochs=2, seed=0, callbacks=[rescale])
    assert alike(dense, own)


def test_what_else_a_network_does():
    for made in NETWORKS.values():
        net, t, csr = made(), targets(made()), Csr(X)
        twin = copy.deepcopy(net)
        assert net.loss(X, t) == twin.loss(csr, t)
        wanted, found = net.gradient(X, t), twin.gradient(csr, t)
        assert all(np.array_equal(wanted[key], found[key]) for key in wanted)
        assert np.array_equal(net.forward(X), twin.forward(csr))
        dout = np.ones((53, 3), net.dtype)
        wanted, found = net.backward(dout), twin.backward(dout)
        assert all(np.array_equal(wanted[key], found[key]) for key in wanted)
        wanted, found = net.activations(X), twin.activations(csr)
        assert all(np.array_equal(wanted[key], found[key]) for key in wanted)
        out = np.empty((53, 3), net.dtype)
        assert net.predict(csr, out) is out
        assert np.array_equal(out, net.predict(X))
        if net.loss_name != "squared_error":
            assert np.array_equal(net.predict_proba(X), net.predict_proba(csr))
            assert net.accuracy(X, T) == net.accuracy(csr, T)
        copy.deepcopy(twin)  # with what the layers hold


def test_predictions_of_many_rows():
    x = sparse(np.random.default_rng(0), 2500, 6)
    net = NETWORKS["plain"]()
    assert np.array_equal(net.predict(x), net.predict(Csr(x)))
    assert net.predict(Csr(x[:0])).shape == (0, 3)


@pytest.mark.parametrize("own", ["loss", "gradient", "predict", "train_step"])
def test_subclasses(own):
    calls = []

    def method(self, *arguments, **options):
        calls.append(own)
        return getattr(bp.Network, own)(self, *arguments, **options)

    cls = type("Own", (bp.Network,), {own: method})
    both(lambda: cls([6, 8, 3], seed=0), X, T, epochs=2)
    assert calls


def test_the_learning_rate_range_test():
    net = NETWORKS["plain"]()
    one, other = (bp.rate_range_test(net, x, T, bp.SGD(), seed=0) for x in (X, Csr(X)))
    assert np.array_equal(one.losses, other.losses)


def test_lbfgs():
    pytest.importorskip("scipy.optimize")
    for made in (NETWORKS["plain"], with_own_layer):
        one, other = made(), made()
        histories = [
            net.fit(x, T, optimizer="lbfgs", iterations=5, validation=(x, T))
            for net, x in ((one, X), (other, Csr(X)))
        ]
        assert histories[0].loss == histories[1].loss
        assert alike(one, other)


def test_a_run_goes_on(tmp_path):
    whole, own, other = (NETWORKS["plain"]() for _ in range(3))
    whole.fit(X, T, epochs=4, seed=0, optimizer="adam")
    history = own.fit(Csr(X), T, epochs=2, seed=0, optimizer="adam")
    own.fit(Csr(X), T, epochs=2, continue_from=history)
    assert alike(whole, own)
    path = tmp_path / "run.safetensors"
    NETWORKS["plain"]().fit(Csr(X), T, epochs=2, seed=0, optimizer="adam", checkpoint=path)
    # Whatever type the indices have.
    other.fit(Csr(X, indices=np.int64, places=np.int64), T, epochs=4, resume=path)
    assert alike(whole, other)
    for changed in (Csr(2 * X), Csr(X[:, ::-1]), X):
        with pytest.raises(ValueError, match="^fit: x is not that of the run of "):
            NETWORKS["plain"]().fit(changed, T, epochs=4, resume=path)


@st.composite
def matrices(draw):
    """An array, and it as sparse rows of any types, some of whose numbers are stored zeros, some rows empty."""
    rows, columns = draw(st.integers(1, 30)), draw(st.integers(1, 40))
    dtype = draw(st.sampled_from(["float32", "float64", "float16", "int64", "uint8", "bool"]))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    stored = rng.uniform(size=(rows, columns)) < draw(st.sampled_from([0, 0.05, 0.5, 1]))
    stored[rng.uniform(size=rows) < 0.2] = False
    x = (rng.integers(-3, 100, (rows, columns)) / draw(st.sampled_from([1, 7]))).astype(dtype) * stored
    x[rng.uniform(size=x.shape) < 0.1] = 0
    places, indices = draw(st.tuples(*2 * [st.sampled_from([np.int32, np.int64])]))
    return x, Csr(x, stored, places, indices)


@settings(max_examples=150, deadline=None)
@given(matrices(), st.sampled_from(["float32", "float64"]), st.integers(1, 20), st.sampled_from([1, 2]))
def test_any_matrix(both_forms, dtype, units, threads):
    x, csr = both_forms
    t = np.arange(len(x)) % 3

    def made():
        return bp.Network([x.shape[1], units, 3], seed=0, dtype=dtype, input_scale=0.1)

    dense, own = both(made, x, t, csr, epochs=2, threads=threads)
    assert np.array_equal(dense.predict(x), own.predict(csr))
    rows = sparse_rows("test", csr)
    assert np.array_equal(rows.toarray(), x)
    some = np.arange(len(x))[::-2]
    assert np.array_equal(rows[some].toarray(), x[some])
    assert np.array_equal(rows[1:7].toarray(), x[1:7])
    assert np.array_equal(rows[1:7:2].toarray(), x[1:7:2])


def test_targets_of_numbers():
    both(NETWORKS["of_numbers"], X, Y, epochs=2, sample_weight=np.linspace(0, 1, 53))
