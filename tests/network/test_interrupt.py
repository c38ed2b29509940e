"""Ctrl-C during a long fit: it stops soon, the network is usable, and what was recorded so far is kept."""

import subprocess
import sys
import textwrap

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
    assert float(late) > 0  # how late is measured by `python -m bench interrupt`
    steps, as_uninterrupted = history.split()
    assert int(steps) > 0
    assert as_uninterrupted == "True"
    assert moved == "True"
    assert usable == "True True"
