"""Ctrl-C during a long call: it stops soon and the network is usable; of a fit, what was recorded so far is kept."""

import subprocess
import sys
import textwrap

import numpy as np
import pytest

import backprop as bp

# The signal comes from a timer of the process itself, in the middle of the training.
RUN = textwrap.dedent("""
    import copy, signal, time
    import numpy as np, backprop as bp

    rng = np.random.default_rng(0)
    x, t = rng.random((5000, 784), dtype=np.float32), rng.integers(0, 10, 5000)
    net = bp.Network([784, 100, 10], seed=0)
    raised = []

    def interrupt(number, frame):
        raised.append(time.perf_counter())
        raise KeyboardInterrupt

    signal.signal(signal.SIGALRM, interrupt)
    net.fit(x, t, iterations=200, seed=0, track_accuracy=False)
    before = {key: value.copy() for key, value in net.params.items()}
    twin = copy.deepcopy(net)
    signal.setitimer(signal.ITIMER_REAL, 0.4)
    sent = time.perf_counter() + 0.4
    try:
        net.fit(x, t, iterations=10**9, seed=0, track_accuracy=False)
    except KeyboardInterrupt:
        print(raised[0] - sent)
    kept = list(net.history.loss)
    print(len(kept), kept == twin.fit(x, t, iterations=len(kept), seed=0, track_accuracy=False).loss)
    print(any((net.params[key] != before[key]).any() for key in before))
    print(np.isfinite(net.predict(x[:5])).all(), np.isfinite(net.train_step(x[:50], t[:50], bp.SGD(0.1))))
""")


def test_a_fit_stops_soon_and_keeps_what_it_has():
    done = subprocess.run([sys.executable, "-c", RUN], capture_output=True, text=True, check=True, timeout=60)
    late, history, moved, usable = done.stdout.splitlines()
    # Far more than it takes, and far less than the run: how late it is is measured by `python -m bench interrupt`.
    assert 0 < float(late) < 5
    steps, as_uninterrupted = history.split()
    assert int(steps) > 0
    assert as_uninterrupted == "True"
    assert moved == "True"
    assert usable == "True True"


# A signal at any moment, again and again: parameters, the optimizer's steps and the record are those of one number of
# steps, which a run without an interrupt then takes.
AT_ANY_MOMENT = textwrap.dedent("""
    import copy, signal, sys
    import numpy as np, backprop as bp
    from tests.network.machine import Halve

    def interrupt(number, frame):
        raise KeyboardInterrupt

    signal.signal(signal.SIGALRM, interrupt)
    rng = np.random.default_rng(0)
    x, t = rng.random((64, 12), dtype=np.float32), rng.integers(0, 3, 64)

    class Own(bp.SGD):
        def update(self, params, grads):
            super().update(params, {key: grad / 2 for key, grad in grads.items()})

    class OwnLoss(bp.Network):
        def loss(self, x, t):
            return super().loss(x, t)

    def network():
        net = (OwnLoss if kind == "own loss" else bp.Network)([12, 8, 8, 3], seed=0)
        if "layers" in kind:
            net._plan = lambda: None
        elif "segments" in kind:
            net.layers.insert_after("Affine1", "Halve", Halve())
            net.layers.insert_after("Relu1", "Norm", bp.BatchNorm(8))
            net.layers.insert_after("Norm", "Dropout", bp.Dropout(0.25, seed=1))
        return net

    def average_of(net):
        return {"ema": copy.deepcopy(net), "ema_decay": 0.5} if "average" in kind else {}

    def same(net, twin):
        return all(np.array_equal(net.params[key], twin.params[key]) for key in twin.params)

    call, kind, times = sys.argv[1], sys.argv[2], int(sys.argv[3])
    optimizer_of = Own if kind == "own update" else lambda: bp.Adam(0.01)
    options = dict(batch_size=8, seed=1, validation=(x, t), track_accuracy=True)
    wrong, steps = 0, []
    # What the first call imports takes longer than those that are interrupted.
    getattr(network(), call)(x, t, **({"iterations": 1, **options} if call == "fit" else {}), optimizer=optimizer_of())
    for n in range(times):
        net, optimizer, losses = network(), optimizer_of(), []
        average, other_average = average_of(net), average_of(net)
        try:
            # With an average, or segments, there is more in front of the first step.
            longer = 10 if "average" in kind or "segments" in kind else 1
            signal.setitimer(signal.ITIMER_REAL, 1e-4 + longer * (4e-3 + 1e-4 * n % 0.02) * rng.random())
            while True:
                if call == "fit":
                    net.fit(x, t, iterations=10**9, optimizer=optimizer, **options, **average)
                else:
                    net.train_step(x, t, optimizer)
        except KeyboardInterrupt:
            pass
        done = optimizer.steps
        twin, other = network(), optimizer_of()
        if call == "fit":
            history = net.history or bp.History()
            taken = dict(iterations=done, optimizer=other, **options, **other_average)
            whole = twin.fit(x, t, **taken) if done else bp.History()
            right = history.loss == whole.loss and len({
                len(history.evaluated_at), len(history.train_accuracy), len(history.validation_loss),
                len(history.validation_accuracy),
            }) == 1
        else:
            right = all(twin.train_step(x, t, other) > 0 for _ in range(done))
        right = right and same(net, twin) and (not average or same(average["ema"], other_average["ema"])) and all(
            np.array_equal(one, two)
            for key in other.state for one, two in zip(other.state[key], optimizer.state[key], strict=True)
        )
        wrong += not right
        steps.append(done)
        # It was left: another thread may have it.
        right = net.layers.trainer is None
        wrong += not right
    print(wrong, len(set(steps)) > 1)
""")


KINDS = ("plan", "segments", "layers", "own update", "own loss")
AVERAGES = ("average", "average by segments", "average by layers")


@pytest.mark.parametrize(
    ("call", "kind"),
    [(call, kind) for kind in KINDS for call in ("fit", "train_step")] + [("fit", kind) for kind in AVERAGES],
)
@pytest.mark.parametrize("times", [25, pytest.param(1000, marks=pytest.mark.exhaustive)])
def test_steps_parameters_and_record_belong_together(call, kind, times):
    done = subprocess.run(
        [sys.executable, "-c", AT_ANY_MOMENT, call, kind, str(times)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["0", "True"], done.stderr


UPDATE = textwrap.dedent("""
    import signal, sys
    import numpy as np, backprop as bp

    def interrupt(number, frame):
        raise KeyboardInterrupt

    signal.signal(signal.SIGALRM, interrupt)
    rng = np.random.default_rng(0)
    wrong, steps = 0, set()
    for n in range(40):
        # A power of 2 as learning rate and gradients of 1: each parameter tells how often it was moved.
        params = {f"W{k}": np.zeros((3, 4), order="CF"[k % 2]) for k in range(200)}
        grads = {key: np.ones((3, 4)) for key in params}
        sgd = bp.SGD(0.25)
        try:
            signal.setitimer(signal.ITIMER_REAL, 1e-3 * (1 + n * rng.random()))
            while True:
                sgd.update(params, grads)
        except KeyboardInterrupt:
            pass
        wrong += any((w != -0.25 * sgd.steps).any() for w in params.values())
        steps.add(sgd.steps)
    print(wrong, len(steps) > 1)
""")


def test_an_update_is_interrupted_before_or_behind_all_of_its_parameters():
    done = subprocess.run([sys.executable, "-c", UPDATE], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["0", "True"], done.stderr


# The handler runs in the middle of the call, or only after it: a call that cannot be interrupted returns what it made.
CALL = textwrap.dedent("""
    import signal, sys
    import numpy as np, backprop as bp

    net = bp.Network([400, 1500, 1500, 10], seed=0)
    if sys.argv[1] == "own layer":
        net.layers["Own"] = type("Own", (), {"forward": lambda self, x: x})()
    x, t = np.random.default_rng(0).random((40_000, 400), dtype=np.float32), np.zeros(40_000, int)
    calls = {
        "predict": lambda: net.predict(x),
        "predict_proba": lambda: net.predict_proba(x),
        "accuracy": lambda: net.accuracy(x, t),
        "loss": lambda: net.loss(x, t),
        "own layer": lambda: net.predict(x),
        "input_gradient": lambda: net.input_gradient(x, t),
        "jacobian": lambda: net.jacobian(x[:5000]),
    }
    before, raised = net.predict(x[:300]), []

    def interrupt(number, frame):
        raised.append(number)
        raise KeyboardInterrupt

    signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, 0.1)
    returned = False
    try:
        calls[sys.argv[1]]()
        returned = True
    except KeyboardInterrupt:
        pass
    print(len(raised), returned, (net.predict(x[:300]) == before).all())
""")


@pytest.mark.parametrize(
    "call", ["predict", "predict_proba", "accuracy", "loss", "own layer", "input_gradient", "jacobian"]
)
def test_an_evaluation_of_many_rows_is_interrupted(call):
    # A second and more of work, and a signal after a tenth of it.
    done = subprocess.run(
        [sys.executable, "-c", CALL, call], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.split() == ["1", "False", "True"]


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_an_evaluation_gives_the_same_bits_across_checks_for_ctrl_c(threads):
    # One thread checks every 960 rows; the first layer's parameters are padded once for all of them.
    rng = np.random.default_rng(0)
    net = bp.Network([300, 50, 3000, 100], seed=0)
    plan, x = net.plan_for(bp.SGD(0.1)), rng.normal(size=(5_000, 300)).astype(np.float32)
    labels = rng.integers(0, 100, len(x))
    scores = np.empty((len(x), 100), np.float32)
    plan.predict_into(x, scores, threads)
    rows = np.r_[0:4, 950:970, 1910:1930, 2870:2890, 4990:5000]
    assert np.array_equal(scores[rows], np.concatenate([net.predict(x[n : n + 1]) for n in rows]))
    assert plan.count_correct(x, labels, threads) == (scores.argmax(axis=1) == labels).sum()
