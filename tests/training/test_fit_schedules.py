"""`fit` with a schedule: each step has the rate that the schedule gives it."""

import numpy as np
import pytest

import backprop as bp
from backprop import schedules
from backprop.training.sampling import Epochs
from tests.training.runs import NETWORKS, T, X, bits, plain, targets

SCHEDULES = {
    "step": schedules.StepDecay(5, 0.5),
    "an epoch": schedules.Exponential(0.7, per="epoch"),
    "cosine": schedules.Cosine(minimum=0.001),
    "warm-up": schedules.Warmup(7, then=schedules.Exponential(0.9)),
    "one cycle": schedules.OneCycle(0.3),
}
RULES = {
    "sgd": lambda: bp.SGD(0.1),
    "momentum": lambda: bp.SGD(0.1, momentum=0.9),
    "adamw": lambda: bp.AdamW(0.01),
}


@pytest.mark.parametrize("made", NETWORKS.values(), ids=NETWORKS)
@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("name", SCHEDULES)
def test_each_step_has_its_rate(made, rule, name):
    by_hand, net = made(), made()
    t, optimizer = targets(net), RULES[rule]()
    rates = SCHEDULES[name].begin(6, 18).rates(optimizer.lr, 0, 18)
    sampler = Epochs(np.random.PCG64(3), len(X), 10)
    losses = []
    for rate in rates:
        optimizer.lr = float(rate)
        batch = sampler.take(1)[0][0]
        losses.append(by_hand.train_step(X[batch], t[batch], optimizer))
    scheduled, seen = RULES[rule](), []
    base = scheduled.lr
    history = net.fit(
        X, t, epochs=3, batch_size=10, seed=3, optimizer=scheduled, schedule=SCHEDULES[name],
        callbacks=[lambda net, history: seen.append(scheduled.lr)],
    )  # fmt: skip
    assert history.loss == losses
    assert bits(net) == bits(by_hand)
    assert seen == [rates[5], rates[11], rates[17]] == [row["learning_rate"] for row in history.others]
    assert scheduled.lr == base


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_pieces_of_a_loop_have_their_rates(threads):
    # Many steps on several threads are taken in pieces, which are timed.
    rng = np.random.default_rng(0)
    x, t = rng.normal(size=(600, 64)).astype(np.float32), rng.integers(0, 10, 600)
    nets = [bp.Network([64, 128, 10], seed=0) for _ in range(2)]
    schedule = schedules.Exponential(0.99)
    nets[0].fit(x, t, iterations=40, batch_size=100, seed=1, schedule=schedule, threads=1)
    nets[1].fit(x, t, iterations=40, batch_size=100, seed=1, schedule=schedule, threads=threads)
    assert bits(nets[0]) == bits(nets[1])


def test_a_rate_of_0_moves_nothing():
    net = plain()
    net.fit(X, T, iterations=1, schedule=lambda step: 0.0)
    assert bits(net) == bits(plain())


def test_a_plateau_watches_the_validation_loss():
    net, seen = plain(), []
    valid = X, np.random.default_rng(4).permutation(T)
    history = net.fit(
        X, T, epochs=40, batch_size=10, seed=0, validation=valid, schedule=schedules.Plateau(0.5, patience=2),
        callbacks=[lambda *_: seen.append(net.history.others[-1]["learning_rate"])],
    )  # fmt: skip
    own = schedules.Plateau(0.5, patience=2).begin(6, 240)
    for n, loss in enumerate(history.validation_loss):
        assert own.rates(0.1, 6 * n + 5, 1)[0] == seen[n]
        own.observe(6 * n + 6, loss)
    assert seen[-1] < 0.1


@pytest.mark.parametrize("name", ["step", "an epoch", "warm-up"])
def test_a_run_that_goes_on_has_its_schedule(name):
    whole, parts = plain(), plain()
    options = dict(batch_size=10, seed=2, optimizer=None, schedule=SCHEDULES[name])
    whole.fit(X, T, epochs=6, **options)
    history = parts.fit(X, T, epochs=2, **options)
    history = parts.fit(X, T, epochs=4, continue_from=history)
    assert bits(parts) == bits(whole)
    assert history.others == whole.history.others


def test_a_schedule_of_the_whole_run_is_of_one_length():
    net = plain()
    history = net.fit(X, T, epochs=2, batch_size=10, schedule="cosine")
    with pytest.raises(
        ValueError, match="is of the whole run, which had 12 steps, and is to have 18; wanted one that"
    ):
        net.fit(X, T, epochs=1, continue_from=history)

    def ends(net, history):
        raise KeyboardInterrupt

    whole, parts = plain(), plain()
    whole.fit(X, T, epochs=3, batch_size=10, seed=0, schedule="cosine")
    with pytest.raises(KeyboardInterrupt):
        parts.fit(X, T, epochs=3, batch_size=10, seed=0, schedule="cosine", callbacks=[ends])
    parts.fit(X, T, epochs=2, continue_from=parts.history)
    assert bits(parts) == bits(whole)


def test_whoever_changes_the_rate_of_a_schedule_is_told():
    optimizer = bp.SGD(0.1)

    class Sets(bp.Callback):
        def epoch(self, run):
            run.rate = 0.5

    def assigns(net, history):
        optimizer.lr = 0.5

    for callback, words in (
        (Sets(), "fit: rate is set to 0.5"),
        (assigns, "fit: the optimizer's lr was changed to 0.5"),
    ):
        with pytest.raises(ValueError, match=words):
            plain().fit(X, T, epochs=2, optimizer=optimizer, schedule="cosine", callbacks=[callback])
        assert optimizer.lr == 0.1


@pytest.mark.parametrize(
    ("given", "error", "words"),
    [
        (dict(schedule="cosin"), ValueError, "cosin.*did you mean 'cosine'"),
        (dict(schedule=3), TypeError, "schedule"),
        (dict(schedule=lambda step: -1.0), ValueError, "-1|-0.1"),
    ],
)
def test_schedules_that_cannot_be(given, error, words):
    net = plain()
    with pytest.raises(error, match=words):
        net.fit(X, T, epochs=1, **given)
    assert bits(net) == bits(plain())


def test_an_optimizer_without_a_rate_has_no_schedule():
    class Own:
        def update(self, params, grads):
            pass

    with pytest.raises(
        TypeError, match="fit: schedule is given, and the optimizer's lr is None, wanted a number"
    ):
        plain().fit(X, T, epochs=1, optimizer=Own(), schedule="cosine")
