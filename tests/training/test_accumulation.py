"""Gradients of several batches in one step."""

import numpy as np
import pytest

import backprop as bp
from tests.training.runs import NETWORKS, T, X, bits, normalised, of_numbers, plain, targets

U = {"float32": 2.0**-24, "float64": 2.0**-53}


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("made", [plain, of_numbers], ids=lambda made: made.__name__)
def test_a_step_is_that_of_all_the_samples(made, weighted):
    """Against one batch of all of them: sums of at most 53 terms, in another order."""
    nets = made(), made()
    t, weights = targets(nets[0]), np.linspace(0.5, 1.5, len(X)) if weighted else None
    histories = [
        net.fit(X, t, epochs=1, seed=0, sample_weight=weights, optimizer=bp.SGD(1.0), **given)
        for net, given in zip(nets, (dict(batch_size=60), dict(batch_size=10, accumulate=6)), strict=True)
    ]
    u = U[str(nets[0].dtype)]
    for key, array in nets[0].params.items():
        # What is summed: a gradient's terms are below the largest activation times the largest error, of 53 samples.
        bound = 2 * 53 * u * (np.abs(X).max() * 8 + np.abs(array).max())
        assert np.abs(nets[1].params[key] - array).max() <= bound
    one, other = (history.loss[0] for history in histories)
    assert abs(one - other) <= 2 * 53 * u * max(abs(one), 1)
    assert histories[0].train_accuracy == histories[1].train_accuracy


@pytest.mark.parametrize("made", NETWORKS.values(), ids=NETWORKS)
def test_a_step_is_that_of_its_batches_by_hand(made):
    nets, sgd = (made(), made()), bp.SGD(0.1)
    t = targets(nets[0])
    history = nets[0].fit(X, t, epochs=2, batch_size=10, accumulate=3, shuffle=False, optimizer=bp.SGD(0.1))
    losses = []
    for first in [0, 30] * 2:
        sums, total, loss = {}, 0.0, 0.0
        for start in range(first, min(first + 30, len(X)), 10):
            rows = slice(start, min(start + 10, first + 30))
            own, grads, _ = nets[1]._while_training(lambda rows=rows: _both(nets[1], rows, t))
            size = float(len(X[rows]))
            for key, grad in grads.items():
                sums[key] = sums.get(key, 0) + size * grad
            total, loss = total + size, loss + own * size
        sgd.update(nets[1].params, {key: grad / np.asarray(total, grad.dtype) for key, grad in sums.items()})
        losses.append(loss / total)
    assert bits(nets[0]) == bits(nets[1])
    assert history.loss == losses
    assert history.evaluated_at == [2, 4]


def _both(net, rows, t):
    from backprop.training.gradients import loss_and_gradients

    return loss_and_gradients(net, X[rows], t[rows], None)


def test_one_batch_is_an_ordinary_step():
    nets = plain(), plain()
    nets[0].fit(X, T, epochs=2, batch_size=10, seed=0)
    nets[1].fit(X, T, epochs=2, batch_size=10, seed=0, accumulate=1)
    assert bits(nets[0]) == bits(nets[1])


@pytest.mark.parametrize("made", [plain, normalised], ids=lambda made: made.__name__)
def test_such_a_run_goes_on(made, tmp_path):
    class Ends(bp.Callback):
        every = 3

        def step(self, run):
            raise KeyboardInterrupt

    path, options = (
        tmp_path / "run.safetensors",
        dict(epochs=3, batch_size=8, accumulate=3, seed=1, optimizer="adam"),
    )
    whole, parts, resumed = made(), made(), made()
    whole.fit(X, T, **options)
    with pytest.raises(KeyboardInterrupt):
        parts.fit(X, T, checkpoint=path, callbacks=[Ends()], **options)
    resumed.fit(X, T, resume=path)
    assert bits(resumed) == bits(whole)
    parts.fit(X, T, epochs=2, continue_from=parts.history)
    assert bits(parts) == bits(whole)
    with pytest.raises(ValueError, match="fit: accumulate is 2, and the run of .* has 3"):
        made().fit(X, T, resume=path, accumulate=2)


def test_an_error_in_a_later_batch_leaves_the_step_untaken():
    class Fails:
        calls = 0

        def forward(self, x):
            self.calls += 1
            if self.calls == 8:
                raise MemoryError
            return x

        def backward(self, dout):
            return dout

    nets = [bp.Network([6, 8, 3], seed=1, dropout=0.3) for _ in range(2)]
    nets[0].layers.insert_after("Relu1", "Fails1", Fails())
    options = dict(batch_size=10, accumulate=3, seed=1)
    with pytest.raises(MemoryError):
        nets[0].fit(X, T, epochs=2, **options)
    assert len(nets[0].history.loss) == 2
    nets[1].fit(X, T, epochs=2, **options)
    nets[0].fit(X, T, epochs=1, continue_from=nets[0].history)
    assert bits(nets[0]) == bits(nets[1])


@pytest.mark.parametrize(
    ("given", "error", "words"),
    [
        (dict(accumulate=0), ValueError, "fit: accumulate is 0, wanted a whole number of at least 1"),
        (dict(accumulate=1.5), TypeError, "fit: accumulate is 1.5, wanted a whole number"),
        (
            dict(accumulate=2, optimizer="lbfgs", iterations=2, epochs=None),
            ValueError,
            "takes none: each iteration",
        ),
        (dict(accumulate=2, x=[(X, T)], t=None), ValueError, "fit: accumulate is given, and t is not"),
    ],
)
def test_what_is_refused(given, error, words):
    with pytest.raises(error, match=words):
        plain().fit(**{**dict(x=X, t=T, epochs=1), **given})
