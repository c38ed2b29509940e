"""What a review of `fit` has found, each as a test that showed it."""

import copy
import signal

import numpy as np
import pytest

import backprop as bp
from backprop import schedules
from backprop.training import sampling
from tests.training.runs import T, X, Y, bits, of_numbers, plain


def test_a_call_that_fails_before_its_first_step_leaves_the_rate_and_the_run():
    net, optimizer = plain(), bp.SGD(0.1)
    with pytest.raises(ValueError, match="threads"):
        net.fit(X, T, epochs=1, optimizer=optimizer, schedule="cosine", threads=0)
    assert optimizer.lr == 0.1
    history = net.fit(X, T, epochs=1, optimizer=optimizer)
    told = []

    class Tells(bp.Callback):
        def end(self, run):
            told.append(run)

    with pytest.raises(ValueError, match="threads"):
        net.fit(X, T, epochs=1, continue_from=history, threads=0, callbacks=[Tells()])
    assert told == []  # the beginning was not told either
    net.fit(X, T, epochs=1, continue_from=history)


@pytest.mark.parametrize("at", [1, 2, 3])
def test_an_interrupt_while_samples_are_drawn(monkeypatch, at):
    whole, parts, calls = plain(), plain(), []
    whole.fit(X, T, epochs=3, batch_size=10, seed=1)
    order = sampling.Epochs._order

    def interrupted(self):
        drawn = order(self)
        calls.append(1)
        if len(calls) == at:
            raise KeyboardInterrupt
        return drawn

    with monkeypatch.context() as patch:
        patch.setattr(sampling.Epochs, "_order", interrupted)
        with pytest.raises(KeyboardInterrupt):
            parts.fit(X, T, epochs=3, batch_size=10, seed=1)
    parts.fit(X, T, epochs=4 - at, continue_from=parts.history)
    assert bits(parts) == bits(whole)
    assert parts.history.train_accuracy == whole.history.train_accuracy


@pytest.mark.parametrize("where", ["step", "metric"])
def test_an_evaluation_that_was_interrupted_is_made_up_for(where):
    def network_and_options(fails):
        calls = []

        def error(t, y):
            calls.append(1)
            if fails and where == "metric" and len(calls) == 3:
                raise KeyboardInterrupt
            return float(np.abs(t - y).max())

        class Ends(bp.Callback):
            every = 6

            def step(self, run):
                if fails and where == "step" and run.step == 18 and not calls.count("ended"):
                    calls.append("ended")
                    raise KeyboardInterrupt

        return of_numbers(), dict(validation=(X[:9], Y[:9]), metrics=error, callbacks=[Ends()])

    first = dict(batch_size=10, seed=1, early_stopping=50, schedule=schedules.Plateau(0.5, patience=1))
    whole, options = network_and_options(False)
    whole.fit(X, Y, epochs=6, **first, **options)
    parts, options = network_and_options(True)
    with pytest.raises(KeyboardInterrupt):
        parts.fit(X, Y, epochs=6, **first, **options)
    assert parts.history.evaluated_at == [6, 12]
    history = parts.fit(X, Y, epochs=3, continue_from=parts.history, **options)
    assert bits(parts) == bits(whole)
    assert history.to_dict() == whole.history.to_dict()


def test_accuracies_count_what_an_error_has_let_be_taken():
    calls = []

    class Fails(bp.SGD):
        def update(self, params, grads):
            calls.append(1)
            if len(calls) == 10:
                raise MemoryError
            super().update(params, grads)

    whole, parts = plain(), plain()
    whole.fit(X, T, epochs=4, batch_size=10, seed=1)
    with pytest.raises(MemoryError):
        parts.fit(X, T, epochs=4, batch_size=10, seed=1, optimizer=Fails(0.1))
    parts.fit(X, T, epochs=3, continue_from=parts.history)
    assert parts.history.train_accuracy == whole.history.train_accuracy


@pytest.mark.parametrize("name", ["loss", "accuracy"])
def test_functions_do_not_take_the_names_of_what_is_recorded(name):
    def function(t, y):
        return 0.0

    function.__name__ = name
    with pytest.raises(
        ValueError, match=f"metrics has a function called '{name}', which validation_{name} is"
    ):
        plain().fit(X, T, epochs=1, validation=(X, T), metrics=function)


@pytest.mark.parametrize("by_layers", [False, True])
def test_a_rule_of_a_users_own_makes_what_it_will_of_the_rate(by_layers):
    class Half(bp.SGD):
        def _rule(self):
            name, values = super()._rule()
            return name, (values[0] / 2, *values[1:])

    nets = [plain() for _ in range(2)]
    for net, schedule in zip(nets, ("constant", None), strict=True):
        if by_layers:
            net._plan = lambda: None
        net.fit(X, T, epochs=2, batch_size=10, seed=1, optimizer=Half(0.5), schedule=schedule)
    assert bits(nets[0]) == bits(nets[1])


@pytest.mark.parametrize(
    ("loss", "outputs"), [("gaussian_nll", 6), ("poisson", 3), ("binary_cross_entropy", 3)]
)
def test_metrics_of_outputs_that_are_no_predictions(loss, outputs):
    net = bp.Network([6, outputs], loss=loss, seed=0)
    t = np.abs(Y) if loss == "poisson" else (Y > 0).astype(np.float32)
    with pytest.raises(
        ValueError, match=f"metrics has 'mae', and outputs of the loss '{loss}' are no predictions"
    ):
        net.fit(X, t, epochs=1, validation=(X, t), metrics="mae")


@pytest.mark.parametrize(
    "given", [{}, dict(validation=(X, Y)), dict(validation=(X, Y), metrics=["r2", "mae"])]
)
def test_a_run_that_goes_on_records_what_it_did(given):
    net = of_numbers()
    history = net.fit(X, Y, epochs=1, validation=(X, Y), metrics="r2")
    before = bits(net)
    with pytest.raises(ValueError, match="wanted validation data and metrics as before"):
        net.fit(X, Y, epochs=1, continue_from=history, **given)
    assert bits(net) == before


def test_weights_of_classes_with_ignored_labels():
    nets = [bp.Network([6, 3], loss=bp.SoftmaxWithLoss(ignored_label=-1), seed=0) for _ in range(2)]
    t = T.copy()
    t[::4] = -1
    options = dict(epochs=2, batch_size=10, seed=0)
    nets[0].fit(X, t, class_weight=[1.0, 2.0, 3.0], **options)
    nets[1].fit(X, t, sample_weight=np.array([1.0, 2.0, 3.0, 1.0])[t], **options)
    assert bits(nets[0]) == bits(nets[1])
    nets[0].fit(X, t, class_weight="balanced", **options)


def test_an_average_of_a_network_with_masks_goes_on():
    nets = [bp.Network([6, 8, 3], seed=1, dropout=0.3) for _ in range(2)]
    averages = [copy.deepcopy(net) for net in nets]
    nets[0].fit(X, T, epochs=4, batch_size=10, seed=0, ema=averages[0])
    history = nets[1].fit(X, T, epochs=2, batch_size=10, seed=0, ema=averages[1])
    nets[1].fit(X, T, epochs=2, continue_from=history)
    assert bits(averages[0]) == bits(averages[1])
    assert bits(nets[0]) == bits(nets[1])


@pytest.mark.parametrize("rate", [None, {"W1": 0.1}, "fast", 1])
def test_an_optimizer_of_ones_own_may_have_any_rate(rate):
    class Own:
        lr = rate

        def update(self, params, grads):
            for key, grad in grads.items():
                params[key][...] -= 0.1 * grad

    net = plain()
    history = net.fit(X, T, epochs=1, optimizer=Own())
    assert history.others == [{"learning_rate": 1.0} if rate == 1 else {}]
    if rate == 1:
        net.fit(X, T, epochs=1, optimizer=Own(), schedule="exponential")


def test_a_run_is_not_continued_from_within():
    net, seen = plain(), []

    def callback(net, history):
        with pytest.raises(ValueError, match="fit: continue_from is of a run that has not ended"):
            net.fit(X, T, epochs=1, continue_from=history)
        seen.append(1)

    net.fit(X, T, epochs=2, callbacks=[callback])
    assert len(seen) == 2


def test_every_end_is_told_whatever_one_does():
    told = []

    class Fails(bp.Callback):
        def end(self, run):
            told.append("fails")
            raise OSError("no space")

    class Tells(bp.Callback):
        def end(self, run):
            told.append("tells")

    net, optimizer = plain(), bp.SGD(0.1)
    with pytest.raises(OSError, match="no space"):
        net.fit(X, T, epochs=1, optimizer=optimizer, schedule="cosine", callbacks=[Fails(), Tells(), Fails()])
    assert told == ["fails", "tells", "fails"]
    assert optimizer.lr == 0.1
    assert not net.history._run.is_going


def test_a_history_of_an_earlier_version_has_what_came_later():
    history = bp.History.__new__(bp.History)
    history.__setstate__({"loss": [1.0, 3.0], "evaluated_at": [2], "seconds": 1.0})
    assert history.to_dict() == {"step": [2], "loss": [2.0]}


def test_a_class_keeps_a_sample_to_train_on():
    t, seen = np.array([0] * 50 + [1, 2, 2]), []

    class Net(bp.Network):
        def gradient(self, x, t, **given):
            seen.extend(t.tolist())
            return super().gradient(x, t, **given)

    Net([6, 3], seed=0).fit(X, t, epochs=1, validation_fraction=0.9, seed=0)
    assert {*seen} == {0, 1, 2}
    with pytest.raises(ValueError, match="no class has two samples"):
        plain().fit(X[:3], np.arange(3), epochs=1, validation_fraction=0.5)


def test_a_metric_that_writes_to_its_targets_changes_nothing():
    def evil(t, y):
        t[...] = 0
        return 0.0

    nets = [of_numbers() for _ in range(2)]
    for net, metrics in zip(nets, ((), evil), strict=True):
        net.fit(X, Y, epochs=3, seed=0, validation=(X, Y), metrics=metrics)
    assert nets[0].history.validation_loss == nets[1].history.validation_loss


def test_a_run_that_was_stopped_early_has_its_patience_again():
    net = plain()
    valid = X, np.random.default_rng(4).permutation(T)
    history = net.fit(X, T, epochs=90, validation=valid, early_stopping=4)
    more = net.fit(X, T, epochs=3, validation=valid, continue_from=history)
    assert len(more.evaluated_at) == len(history.evaluated_at) + 3


def test_a_call_that_fails_keeps_the_last_weights_beside_the_best():
    nets = plain(), plain()
    valid = X, np.random.default_rng(4).permutation(T)
    for net in nets:
        history = net.fit(X, T, epochs=20, batch_size=10, seed=0, validation=valid, early_stopping=99)
        if net is nets[0]:
            with pytest.raises(ValueError, match="threads"):
                net.fit(X, T, epochs=1, validation=valid, continue_from=history, threads=0)
        net.fit(X, T, epochs=3, validation=valid, continue_from=history)
    assert nets[0].history.loss == nets[1].history.loss
    assert bits(nets[0]) == bits(nets[1])


def test_a_schedule_goes_on_with_the_rate_that_it_began_with():
    net, optimizer = plain(), bp.SGD(0.1)
    history = net.fit(X, T, epochs=1, optimizer=optimizer, schedule="exponential")
    optimizer.lr = 0.5
    with pytest.raises(ValueError, match=r"the optimizer's lr is 0.5, and schedule=.* began with 0.1"):
        net.fit(X, T, epochs=1, continue_from=history)


def test_a_schedule_is_told_of_losses():
    with pytest.raises(ValueError, match="what it is told of is a loss; wanted mode='min'"):
        plain().fit(X, T, epochs=1, schedule=schedules.Plateau(mode="max"))


@pytest.mark.parametrize("seconds", [1e-3 * n for n in range(1, 30, 4)])
def test_ctrl_c_at_any_moment_goes_on(seconds):
    def interrupt(number, frame):
        raise KeyboardInterrupt

    whole, parts = plain(), plain()
    options = dict(batch_size=10, seed=1, validation_fraction=0.2, early_stopping=10**6)
    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        try:
            signal.setitimer(signal.ITIMER_REAL, seconds)
            parts.fit(X, T, epochs=10**6, **options)
        except KeyboardInterrupt:
            pass
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    if parts.history is None or parts.history._run is None:  # nothing had begun
        return
    done = len(parts.history.loss)
    history = parts.fit(X, T, epochs=2, continue_from=parts.history)
    whole.fit(X, T, epochs=len(history.loss) // 5, **options)
    assert len(history.loss) > done
    assert history.loss == whole.history.loss
    assert history.to_dict() == whole.history.to_dict()
    assert bits(parts) == bits(whole)
