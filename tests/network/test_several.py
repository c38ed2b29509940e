"""Several epochs, calls, parameters and files: what is true of the first is true of the next."""

import numpy as np
import pytest

import backprop as bp
from backprop.training import sampling
from tests.bounds import gamma
from tests.registry import LOSSES, RULES


class ByLayers(bp.Network):
    """A network that never uses a plan."""

    def _plan(self):
        return None


each_rule = pytest.mark.parametrize("rule", RULES)
each_kind = pytest.mark.parametrize("kind", [bp.Network, ByLayers])


def data(rows=50):
    rng = np.random.default_rng(0)
    return rng.normal(size=(rows, 6)), rng.integers(0, 3, rows)


@each_rule
def test_each_parameter_has_moments_of_its_own(rule):
    rng = np.random.default_rng(0)
    both = {key: rng.normal(size=(4, 3)) for key in "ab"}
    alone = {key: {key: array.copy()} for key, array in both.items()}
    optimizer, others = RULES[rule](0.03), {key: RULES[rule](0.03) for key in "ab"}
    for _ in range(5):
        grads = {key: rng.normal(size=(4, 3)) for key in "ab"}
        optimizer.update(both, grads)
        for key, other in others.items():
            other.update(alone[key], {key: grads[key]})
    assert all(np.array_equal(both[key], alone[key][key]) for key in "ab")


@each_rule
@each_kind
def test_an_optimizer_goes_on_in_the_next_fit(kind, rule):
    (x, t), optimizers = data(), [RULES[rule](0.03) for _ in range(2)]
    net, twin = (kind([6, 8, 3], dtype=np.float64, seed=0) for _ in range(2))
    for seed in (1, 2):
        history = net.fit(x, t, iterations=6, batch_size=7, optimizer=optimizers[0], seed=seed)
        (batches,) = sampling.WithReplacement(np.random.PCG64(seed), len(x), 7).take(6)
        assert history.loss == [twin.train_step(x[batch], t[batch], optimizers[1]) for batch in batches]
    assert optimizers[0].steps == optimizers[1].steps == 12
    assert all(np.array_equal(net.params[key], twin.params[key]) for key in net.params)


def test_each_fit_has_a_history_of_its_own():
    net, (x, t) = bp.Network([6, 8, 3], seed=0), data()
    first = net.fit(x, t, epochs=1, batch_size=10, seed=0)
    kept = list(first.loss)
    second = net.fit(x, t, epochs=2, batch_size=10, seed=0)
    assert net.history is second is not first
    assert (first.loss, len(second.loss), second.evaluated_at) == (kept, 10, [5, 10])


@pytest.mark.parametrize("loss", LOSSES)
@each_kind
def test_validation_is_of_the_network_after_each_epoch(kind, loss):
    net, (x, t) = kind([6, 8, 3], loss=loss, dtype=np.float64, seed=0), data()
    classifies = LOSSES[loss].classifies
    t = t if classifies else np.eye(3)[t]
    asked = []

    def ask(net, history):
        asked.append((net.loss(x[30:], t[30:]), net.accuracy(x[30:], t[30:]) if classifies else None))

    history = net.fit(x, t, epochs=4, batch_size=10, validation=(x[30:], t[30:]), callbacks=[ask], seed=0)
    losses, accuracies = zip(*asked, strict=True)
    # The mean of one block is multiplied by its rows and divided by them.
    assert len(set(losses)) == 4
    assert all(
        abs(one - other) <= gamma(2, np.float64) * other
        for one, other in zip(history.validation_loss, losses, strict=True)
    )
    assert history.validation_accuracy == (list(accuracies) if classifies else [])


def test_files_that_are_written_and_read_in_turn(tmp_path):
    nets = [bp.Network([6, width, 3], seed=width) for width in (40, 3, 12)]
    x, paths = data()[0], [tmp_path / "a", tmp_path / "b"]
    for n in range(6):
        # Over a longer and over a shorter file.
        nets[n % 3].save(paths[n % 2])
        other = nets[(n - 1) % 3] if n else nets[0]
        for path, net in ((paths[n % 2], nets[n % 3]), (paths[(n - 1) % 2 if n else 0], other)):
            assert np.array_equal(bp.Network.load(path).predict(x), net.predict(x))
