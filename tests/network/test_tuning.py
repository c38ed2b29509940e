"""How a loop of steps finds the number of threads that takes the least time, and that no bit depends on it."""

import logging
import signal
import subprocess
import sys
import textwrap

import numpy as np
import pytest

import backprop as bp
from bpcore.plan import Tuning
from bpcore.threads import available_cpus, limited
from tests import teams

RNG = np.random.default_rng(0)


def decide(tuning, seconds, steps=100_000):
    """Take steps that last so long, by threads and parts of columns; what was tried, in its order."""
    tried = []
    while tuning.is_trying:
        way = tuning.threads, tuning.column_parts
        if way not in tried:
            tried.append(way)
        count = tuning.count(steps)
        assert 1 <= count <= steps
        tuning.record(count, count * seconds[way])
    return tried


def take(tuning, count, seconds):
    for _ in range(count):
        tuning.record(100, 100 * seconds[tuning.threads])


def by_rows(seconds):
    return {(threads, 1): value for threads, value in seconds.items()}


@pytest.mark.parametrize(
    ("seconds", "best"),
    [
        ({8: 1e-5, 4: 2e-5, 2: 3e-5, 1: 5e-5}, 8),
        ({8: 4e-5, 4: 3e-5, 2: 2e-5, 1: 1e-5}, 1),
        ({8: 4e-5, 4: 1e-5, 2: 2e-5, 1: 3e-5}, 4),
        # Not one after the other: half of the threads are worse, one is best.
        ({8: 2e-5, 4: 3e-5, 2: 3e-5, 1: 1e-5}, 1),
    ],
)
def test_of_short_steps_every_number_is_tried(seconds, best):
    tuning = Tuning(8)
    assert decide(tuning, by_rows(seconds)) == [(8, 1), (4, 1), (2, 1), (1, 1)]
    assert (tuning.threads, tuning.column_parts) == (best, 1)
    assert tuning.seconds == pytest.approx(by_rows(seconds))
    assert tuning.count(1000) == 1000


def test_of_long_steps_no_number_is_tried_below_one_that_is_worse():
    tuning = Tuning(12)
    assert decide(tuning, by_rows({12: 1.0, 6: 1.1})) == [(12, 1), (6, 1)]
    assert tuning.threads == 12
    tuning = Tuning(12)
    assert decide(tuning, by_rows({12: 1.0, 6: 0.8, 3: 0.9})) == [(12, 1), (6, 1), (3, 1)]
    assert tuning.threads == 6


@pytest.mark.parametrize(
    ("most", "ways"),
    [
        (2, [(2, 1), (2, 2), (1, 1)]),
        (3, [(3, 1), (3, 3), (1, 1)]),
        (
            16,
            [
                (16, 1),
                (16, 16),
                (16, 4),
                (8, 1),
                (8, 8),
                (8, 4),
                (4, 1),
                (4, 4),
                (4, 2),
                (2, 1),
                (2, 2),
                (1, 1),
            ],
        ),
        (64, [(64, 1), (64, 64), (64, 8)]),
    ],
)
def test_the_columns_of_wide_layers_are_divided_in_several_ways(most, ways):
    tuning = Tuning(most, is_wide=True)
    # Fewer parts are faster, on any number of threads, so that all are tried.
    tried = decide(tuning, {(n, parts): 1e-4 + 1e-6 * parts for n in range(1, 65) for parts in range(1, 65)})
    assert tried[: len(ways)] == ways
    tuning = Tuning(most, is_exact=True, is_wide=True)
    of_most = [way for way in ways if way[0] == most]
    best = of_most[-1]
    assert decide(tuning, {way: 1e-4 if way == best else 2e-4 for way in of_most}) == of_most
    assert (tuning.threads, tuning.column_parts) == best


def test_one_long_trial_of_three_does_not_count():
    tuning = Tuning(2)
    for seconds in (1e-3, 1e-5, 1e-5, 2e-5, 2e-5, 2e-5):
        tuning.record(1000, 1000 * seconds)
    assert not tuning.is_trying
    assert tuning.threads == 2


def test_steps_too_short_to_tell_are_no_trial():
    tuning = Tuning(2)
    for _ in range(20):
        tuning.record(1, 1e-6)
    assert tuning.is_trying
    assert tuning.seconds == {}
    # It then asks for as many as can be told from each other.
    assert tuning.count(10**9) == 1500
    assert tuning.count(7) == 7


def test_another_number_is_taken_where_the_best_became_worse():
    tuning = Tuning(2)
    decide(tuning, by_rows({2: 1e-5, 1: 2e-5}))
    take(tuning, 5, {2: 1e-5})
    assert tuning.threads == 2
    take(tuning, 20, {2: 9e-5, 1: 2e-5})
    assert tuning.threads == 1
    take(tuning, 20, {1: 2e-5})
    assert tuning.threads == 1


def test_after_some_seconds_it_is_tried_again():
    tuning = Tuning(2)
    decide(tuning, by_rows({2: 1e-5, 1: 2e-5}))
    for _ in range(11):
        tuning.record(100_000, 1.0)
    assert tuning.is_trying
    assert tuning.threads == 2


X = RNG.random((600, 300), dtype=np.float32)
T = RNG.integers(0, 10, 600)


def fitted(**options):
    net = bp.Network([300, 200, 10], seed=0)
    history = net.fit(
        X, T, epochs=40, batch_size=90, seed=0, optimizer=bp.Adam(0.001), track_accuracy=False, **options
    )
    return net, history


def test_no_bit_depends_on_what_is_measured():
    # Batches of 90 and a last one of 60, in pieces on changing numbers of threads.
    with limited(1):
        one, expected = fitted()
    assert one._planned.tunings == {}
    with teams.allowed():
        net, history = fitted()
    assert history.loss == expected.loss
    assert history.train_accuracy == expected.train_accuracy
    for name, array in one.params.items():
        assert np.array_equal(array, net.params[name])
    if available_cpus() > 1:
        tuning = net._planned.tunings[90]
        assert tuning.most == min(available_cpus(), teams.MOST)
        assert {threads for threads, _ in tuning.seconds} <= {max(tuning.most >> n, 1) for n in range(11)}


def test_a_number_that_is_named_is_used():
    with teams.allowed():
        assert fitted(threads=3)[0]._planned.tunings == {}
        bp.set_num_threads(2)
        try:
            assert fitted()[0]._planned.tunings == {}
        finally:
            bp.set_num_threads(None)


def test_a_number_that_is_named_is_measured_with_it_alone():
    net = bp.Network([40, 600, 10], seed=0)
    x = RNG.random((100, 40), dtype=np.float32)
    with teams.allowed():
        net.fit(x, RNG.integers(0, 10, 100), iterations=30, batch_size=100, seed=0, threads=3)
    tuning = net._planned.tunings[100]
    assert tuning.threads == 3
    assert {threads for threads, _ in tuning.seconds} <= {3}


# The handler of a signal runs behind all pieces of a call: none of its steps is left without a record.
INTERRUPTED = textwrap.dedent("""
    import signal
    import numpy as np, backprop as bp
    from backprop.network.plan import make_plan

    def interrupt(number, frame):
        raise KeyboardInterrupt

    signal.signal(signal.SIGALRM, interrupt)
    rng = np.random.default_rng(0)
    x, t = rng.random((600, 300), dtype=np.float32), rng.integers(0, 10, 600)
    indices = rng.integers(0, 600, (200, 90))
    partly = interrupted = 0
    for n in range(40):
        plan, losses = make_plan(bp.Network([300, 200, 10], seed=0)), np.full(200, np.nan)
        update = bp.SGD(0.1).plan_update()
        try:
            signal.setitimer(signal.ITIMER_REAL, 1e-3 + 1e-2 * rng.random())
            plan.train(x, t, indices, update, losses)
            signal.pause()
        except KeyboardInterrupt:
            interrupted += 1
        # None where it came before the call.
        partly += 0 < np.isfinite(losses).sum() < 200
    print(partly, interrupted)
""")


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs a timer that sends a signal")
def test_no_step_of_a_call_is_interrupted():
    done = subprocess.run([sys.executable, "-c", INTERRUPTED], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["0", "40"], done.stderr


def test_a_logger_is_told(caplog):
    net, decided = bp.Network([300, 200, 10], seed=0), Tuning(2)
    net.predict(X)
    decide(decided, by_rows({2: 1e-5, 1: 2e-5}))
    net._planned.tunings.update({90: decided, 60: Tuning(2)})
    with caplog.at_level(logging.DEBUG, logger="backprop"):
        net.fit(X, T, iterations=1, threads=1)
    assert [record.getMessage() for record in caplog.records] == [
        "fit: batches of 90 on 2 threads; a step by threads: 2: 10 µs, 1: 20 µs"
    ]
