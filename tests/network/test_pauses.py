"""How often a training looks at signals, as Ctrl-C: by time, however long an epoch is."""

import subprocess
import sys
import textwrap

RUN = textwrap.dedent("""
    import signal
    import numpy as np, backprop as bp

    # An epoch of 4000 steps, which no evaluation cuts.
    x, t = np.zeros((400_000, 16), np.uint8), np.zeros(400_000, int)
    net, looks = bp.Network([16, 1000, 10], seed=0), set()
    if by_layers:
        net._plan = lambda: None

    def look(number, frame):
        if net.history is not None:
            looks.add(len(net.history.loss))

    # Signals that come while the training does not look are one.
    signal.signal(signal.SIGALRM, look)
    signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
    net.fit(x, t, **length, batch_size=100, seed=0, threads=1)
    signal.setitimer(signal.ITIMER_REAL, 0)
    print(*sorted(looks))
""")


def steps_at_looks(by_layers, length):
    code = f"by_layers, length = {by_layers}, {length}\n" + RUN
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120
    )
    return [int(step) for step in done.stdout.split()]


def test_a_fit_looks_often_in_a_long_epoch():
    """Steps take 0.2 ms and more, so there is a look every 250 steps and less: no more than 16 of them are counted.

    A training that looked when its chunks end, and let them grow a hundredfold, would look after 1, 101 and all steps.
    """
    assert len(steps_at_looks(False, {"epochs": 1})) >= 8
