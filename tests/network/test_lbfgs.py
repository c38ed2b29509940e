"""L-BFGS on all of the data: SciPy's steps to the bit, what is recorded, and what is left where a run ends early."""

import subprocess
import sys
import textwrap

import numpy as np
import pytest
from scipy.optimize import minimize

import backprop as bp
from backprop.training import lbfgs
from tests import teams
from tests.network.test_bits import ByLayers
from tests.registry import ACTIVATIONS, LOSSES, loss_options, targets

BOTH = pytest.mark.parametrize("kind", [bp.Network, ByLayers])
RNG = np.random.default_rng(0)
X, T = RNG.normal(size=(60, 5)), RNG.integers(0, 3, 60)


def network(kind=bp.Network, dtype="float64", **options):
    return kind([5, 7, 3], dtype=dtype, seed=0, **dict(activation="tanh") | options)


def fitted(net, iterations, x=X, t=T, **options):
    return net.fit(x, t, iterations=iterations, optimizer="lbfgs", **options)


def by_scipy(net, x, t, iterations):
    """SciPy's driver on the loss and gradient of the layers: the losses before each iteration, and the last point."""

    def f(v):
        net.set_flat_params(v)
        loss = net.loss(x, t, training=True)
        return loss, np.concatenate([net.gradient(x, t)[key].reshape(-1) for key in net.params])

    start = net.get_flat_params()
    losses, found = [f(start)[0]], []

    def callback(intermediate_result):
        losses.append(intermediate_result.fun)
        found.append(intermediate_result.x.copy())

    options = dict(maxiter=iterations, maxfun=10**6, ftol=lbfgs.LEAST_FALL, gtol=lbfgs.LEAST_GRADIENT)
    minimize(f, start, jac=True, method="L-BFGS-B", callback=callback, options=options)
    return losses[:-1], found


# --- What it finds ----------------------------------------------------------------------------------------------


@BOTH
def test_weights_of_samples_and_classes(kind):
    weights = np.random.default_rng(3).uniform(0, 2, 60)
    loss = bp.SoftmaxWithLoss(0.1, [1, 2, 3], ignored_label=2)
    net = network(kind, loss=loss)
    history = fitted(net, 15, sample_weight=weights)
    assert history.loss[0] == network(loss=loss).loss(X, T, sample_weight=weights)
    assert net.loss(X, T, sample_weight=weights) < history.loss[-1] < history.loss[0]
    assert history.loss == fitted(network(loss=loss), 15, sample_weight=weights).loss


@BOTH
@pytest.mark.parametrize("loss", LOSSES)
def test_the_steps_are_scipys(loss, kind):
    options = dict(loss=LOSSES[loss](*loss_options(loss)), input_mean=0.2, input_scale=2.0)
    t = targets(loss, np.random.default_rng(1), 60, 3)
    net, twin = network(kind, **options), network(**options)
    history = fitted(net, 20, t=t)
    losses, points = by_scipy(twin, X, t, 20)
    assert history.loss == losses
    assert np.array_equal(net.get_flat_params(), points[-1])
    assert len(losses) == 20 or loss in ("absolute_error", "quantile")


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_every_activation_and_normalisations(activation):
    nets = [network(kind, activation=activation) for kind in (bp.Network, ByLayers)]
    for net in nets:
        net.layers.insert_after("Affine1", "Norm1", bp.LayerNorm(7, dtype=np.float64))
    histories = [fitted(net, 12) for net in nets]
    assert histories[0].loss == histories[1].loss
    assert np.array_equal(*(net.get_flat_params() for net in nets))
    assert histories[0].loss[-1] < histories[0].loss[0]


def test_a_convex_problem_is_solved():
    (x, t), _ = bp.load_digits()
    # The ink of each quarter, by which not all are told apart: the minimum is not at infinity.
    x, t = x[:600].reshape(-1, 2, 4, 2, 4).mean(axis=(2, 4)) / 4, t[:600]
    nets = [bp.Network([4, 10], dtype="float64", seed=seed) for seed in (0, 1)]
    for net in nets:
        history = fitted(net, 500, x, t)
        assert len(history.loss) < 500
        assert max(np.abs(one).max() for one in net.gradient(x, t).values()) <= lbfgs.LEAST_GRADIENT
        assert all(np.diff(history.loss) < 0)
    # The loss is convex: two points at which the gradient is at most g differ in it by g·|difference|₁ at most.
    one, other = (net.get_flat_params() for net in nets)
    most = lbfgs.LEAST_GRADIENT * np.abs(one - other).sum()
    assert abs(nets[0].loss(x, t) - nets[1].loss(x, t)) <= most


def test_it_ends_where_it_has_converged():
    net = bp.Network([3, 1], loss="squared_error", dtype="float64", seed=0)
    x = RNG.normal(size=(30, 3))
    t = x @ [[1.0], [-2.0], [0.5]] + 0.25
    history = fitted(net, 500, x, t)
    assert len(history.loss) < 30
    # At a gradient of at most 1e-6; the Hessian's least eigenvalue is that of the covariance, above 0.3.
    assert np.abs(net.get_flat_params() - [1, -2, 0.5, 0.25]).max() <= 2 * 1e-6 / 0.3
    again = fitted(net, 500, x, t)
    assert len(again.loss) <= 1


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_same_bits_again_and_on_any_number_of_threads(dtype):
    x, t = RNG.normal(size=(3000, 40)).astype(dtype), RNG.integers(0, 5, 3000)
    found = []
    with teams.allowed():
        for threads in (None, 1, 2, 3, 7):
            net = bp.Network([40, 150, 60, 5], dtype=dtype, seed=0)
            history = fitted(net, 3, x, t, threads=threads)
            found.append((tuple(history.loss), net.get_flat_params().tobytes()))
    assert len(set(found)) == 1


@BOTH
def test_a_network_of_float32_gets_the_numbers_of_float64(kind):
    x = X.astype(np.float32)
    net = network(kind, "float32")
    twin = net.astype("float64")
    one, other = fitted(net, 15, x), fitted(twin, 15, x)
    assert one.loss == other.loss
    assert np.array_equal(net.get_flat_params(), twin.get_flat_params().astype(np.float32))
    assert net.is_planned or kind is ByLayers


# --- What is recorded -------------------------------------------------------------------------------------------


def test_the_history_of_each_iteration():
    net, seen = network(), []

    def callback(given, history):
        assert given is net
        assert net.history is history
        seen.append((len(history.loss), history.evaluated_at[-1], net.loss(X, T)))

    history = fitted(net, 9, validation=(X[:20], T[:20]), callbacks=[callback])
    assert history is net.history
    assert history.evaluated_at == list(range(1, 10))
    assert [done[:2] for done in seen] == [(n, n) for n in range(1, 10)]
    # What a callback computes through the layers is what the run goes on from, to the bit.
    assert [loss for *_, loss in seen[:-1]] == history.loss[1:]
    assert [len(one) for one in (history.train_accuracy, history.validation_loss)] == [9, 9]
    assert history.train_accuracy[-1] == net.accuracy(X, T)
    assert history.validation_accuracy[-1] == net.accuracy(X[:20], T[:20])
    assert history.seconds > 0


def test_numbers_have_no_accuracy():
    net = bp.Network([5, 4, 2], loss="huber", seed=0)
    history = fitted(net, 4, t=RNG.normal(size=(60, 2)), validation=(X, RNG.normal(size=(60, 2))))
    assert history.train_accuracy == history.validation_accuracy == []
    assert len(history.validation_loss) == 4


def test_soft_targets_without_a_class():
    history = fitted(network(), 2, t=np.zeros((60, 3)))
    assert history.train_accuracy == history.loss == []  # all gradients are 0: there is nothing to do
    with pytest.raises(ValueError, match="fit: all weights of t are 0"):
        fitted(network(), 2, t=np.zeros((60, 3)), track_accuracy=True)


def test_a_callback_ends_it(capsys):
    net, twin = network(), network()
    history = fitted(net, 8, callbacks=[lambda net, history: len(history.loss) == 4], progress=True)
    assert history.loss == fitted(twin, 4).loss
    assert np.array_equal(net.get_flat_params(), twin.get_flat_params())
    assert "step 4 of 8" in capsys.readouterr().err


# --- What is left where it ends early ---------------------------------------------------------------------------


def test_an_exception_of_a_callback():
    def callback(net, history):
        if len(history.loss) == 3:
            raise OSError("disk full")

    net, twin = network(), network()
    with pytest.raises(OSError, match="disk full"):
        fitted(net, 10, callbacks=[callback])
    assert net.history.loss == fitted(twin, 3).loss
    assert np.array_equal(net.get_flat_params(), twin.get_flat_params())
    assert net._layers.trainer is None


def test_a_callback_that_trains_the_network():
    net, twin = network(), network()
    with pytest.raises(
        RuntimeError, match="fit: a callback has changed the parameters, and optimizer='lbfgs'"
    ):
        fitted(net, 10, callbacks=[lambda net, history: net.train_step(X, T, bp.SGD(0.1)) and None])
    assert net.history.loss == fitted(twin, 1).loss
    assert np.array_equal(net.get_flat_params(), twin.get_flat_params())


def test_the_network_never_has_a_trial():
    seen, calls = set(), []

    class Watched(bp.Network):
        def loss(self, x, t, training=None):
            # Of the copy that is evaluated; `net` is the user's.
            seen.add(net.get_flat_params().tobytes())
            calls.append(1)
            if len(calls) > 40:
                raise KeyboardInterrupt
            return super().loss(x, t, training)

    net, twin = network(Watched), network()
    before = net.get_flat_params()
    with pytest.raises(KeyboardInterrupt):
        fitted(net, 10**6)
    taken = [before.tobytes()]
    done = len(net.history.loss)
    assert 5 < done < 39
    history = fitted(twin, done, callbacks=[lambda net, _: taken.append(net.get_flat_params().tobytes())])
    assert net.history.loss == history.loss
    assert np.array_equal(net.get_flat_params(), twin.get_flat_params())
    assert seen <= set(taken)


AT_ANY_MOMENT = textwrap.dedent("""
    import signal
    import numpy as np, backprop as bp

    def interrupt(number, frame):
        raise KeyboardInterrupt

    signal.signal(signal.SIGALRM, interrupt)
    rng = np.random.default_rng(0)
    x, t = rng.normal(size=(64, 12)), rng.integers(0, 3, 64)
    options = dict(optimizer="lbfgs", validation=(x, t))
    network = lambda: bp.Network([12, 8, 8, 3], dtype="float64", seed=0)
    network().fit(x, t, iterations=1, **options)
    wrong, done = 0, []
    for n in range(40):
        net, twin = network(), network()
        try:
            signal.setitimer(signal.ITIMER_REAL, 1e-3 + 2e-2 * rng.random())
            while True:
                net.fit(x, t, iterations=10**6, **options)
                net = network()
        except KeyboardInterrupt:
            pass
        losses = [] if net.history is None else net.history.loss
        if losses:
            wrong += twin.fit(x, t, iterations=len(losses), **options).loss != losses
        wrong += not np.array_equal(net.get_flat_params(), twin.get_flat_params())
        wrong += net.layers.trainer is not None
        done.append(len(losses))
    print(wrong, len(set(done)) > 1)
""")


def test_an_interrupt_at_any_moment():
    done = subprocess.run(
        [sys.executable, "-c", AT_ANY_MOMENT], capture_output=True, text=True, check=True, timeout=120
    )
    assert done.stdout.split() == ["0", "True"], done.stderr


@BOTH
def test_data_that_are_not_finite(kind):
    net, x = network(kind), X.copy()
    x[3, 1] = np.nan
    before = net.get_flat_params()
    message = r"fit: the loss of step 1 is nan: x\[3, 1\] is nan, no finite number of float64"
    with pytest.warns(RuntimeWarning, match=message) as caught:
        history = fitted(net, 5, x)
    assert caught[0].filename == __file__
    assert np.isnan(history.loss).tolist() == [True]
    assert np.array_equal(net.get_flat_params(), before)


class Walled:
    """The squared distance from 3, and nothing beyond a wall."""

    def __init__(self, wall):
        self.wall = wall

    def forward(self, x, t):
        self.x = x
        return float("inf") if np.abs(x).max() > self.wall else float(((x - 3) ** 2).mean())

    def backward(self, dout=1):
        return dout * 2 * (self.x - 3) / self.x.size


def test_a_trial_that_is_not_finite():
    # The first trial is a step of length 1.
    net, x, t = (
        bp.Network([1, 1], loss=Walled(3.5), dtype="float64", seed=0),
        np.full((4, 1), 8.0),
        np.zeros(4),
    )
    history = fitted(net, 30, x, t)
    assert np.abs(net.predict(x) - 3).max() <= 1e-5
    assert np.isfinite(history.loss).all()
    net = bp.Network([1, 1], loss=Walled(2.0), dtype="float64", seed=0)
    with pytest.warns(RuntimeWarning, match="is inf: x and t are finite; x may need scaling"):
        history = fitted(net, 30, x, t)
    assert np.isfinite(history.loss).all()
    assert np.abs(net.predict(x)).max() <= 2
