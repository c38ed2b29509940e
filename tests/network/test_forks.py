"""A child that was forked while its parent trained, or imported what training needs, can train too."""

import os
import subprocess
import sys
import textwrap

import pytest

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
MESSAGE = "this network is being trained by another thread"


def lines_of(code, *arguments):
    """What a process of its own prints, which has to end well."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore::DeprecationWarning", "-c", code, *arguments],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


FORK = textwrap.dedent("""
    import os, signal, sys, threading
    import multiprocessing
    import numpy as np, backprop as bp
    from tests.network.machine import Halve

    rng = np.random.default_rng(0)
    x, t = rng.random((500, 100), dtype=np.float32), rng.integers(0, 10, 500)
    net, stop = bp.Network([100, 80, 10], seed=0), threading.Event()
    layered, optimizer = sys.argv[1] == "layers", bp.Adam()
    if layered:
        net.layers["Halve"] = Halve()
    plan = net.plan_for(optimizer)

    def works():
        # In the child, which ends with the alarm where it has to wait.
        signal.alarm(30)
        losses = net.fit(x, t, iterations=5, seed=0, optimizer=optimizer).loss
        losses.append(net.train_step(x, t, optimizer))
        refused = []

        def other(net, history):
            try:
                net.train_step(x, t, bp.SGD())
            except RuntimeError as error:
                refused.append(str(error))

        def callback(net, history):
            worker = threading.Thread(target=other, args=(net, history))
            worker.start()
            worker.join()

        net.fit(x, t, epochs=1, callbacks=[callback])
        return len(losses) == 6 and np.isfinite(losses).all() and refused == [MESSAGE]

    MESSAGE = "this network is being trained by another thread"
    first = threading.Thread(
        target=net.fit, args=(x, t),
        kwargs=dict(epochs=10**9, optimizer=optimizer, callbacks=[lambda net, history: stop.is_set()]),
    )
    first.start()
    for n in range(6):
        # Half of the time in the middle of the plan's work.
        while first.is_alive() and (net.history is None or not (layered or n % 2 or plan.training)):
            pass
        if n == 5:
            child = multiprocessing.get_context("fork").Process(target=lambda: os._exit(0 if works() else 1))
            child.start()
            child.join()
            code = child.exitcode
        else:
            pid = os.fork()
            if pid == 0:
                status = 1
                try:
                    status = 0 if works() else 2
                finally:
                    os._exit(status)
            code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        print(code)
    try:
        net.train_step(x, t, bp.SGD())
    except RuntimeError as error:
        print(error)
    stop.set()
    first.join()
    print(optimizer.steps == len(net.history.loss), net.train_step(x, t, bp.SGD()) > 0)
""")


@pytest.mark.parametrize("kind", ["plan", "layers"])
def test_a_child_forked_while_another_thread_trains_can_train(kind):
    assert lines_of(FORK, kind) == ["0"] * 6 + [MESSAGE, "True True"]


IMPORTING = textwrap.dedent("""
    import os, signal, sys, threading
    import numpy as np, backprop as bp

    x, t = np.zeros((20, 3), np.float32), np.zeros(20, int)
    nets = [bp.Network([3, 4, 2], seed=0) for _ in range(2)]
    begun, forks = threading.Event(), threading.Event()

    class Finder:
        def find_spec(self, name, path=None, target=None):
            if name == "backprop.training.fit":
                begun.set()
                forks.wait(20)

    sys.meta_path.insert(0, Finder())
    os.register_at_fork(before=forks.set)  # called before those that were registered earlier
    sys.setswitchinterval(1000)  # the other thread goes on where this one waits, and else not
    thread = threading.Thread(target=nets[0].fit, args=(x, t), kwargs=dict(epochs=1))
    thread.start()
    begun.wait(20)
    pid = os.fork()
    if pid == 0:
        signal.alarm(10)
        nets[1].fit(x, t, epochs=1)
        os._exit(0)
    print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
    thread.join()
""")


def test_a_child_forked_while_another_thread_imports_what_a_fit_needs():
    assert lines_of(IMPORTING) == ["0"]


IN_CALLBACK = textwrap.dedent("""
    import os, signal, threading
    import numpy as np, backprop as bp

    rng = np.random.default_rng(0)
    x, t = rng.random((500, 100), dtype=np.float32), rng.integers(0, 10, 500)
    net, twin = (bp.Network([100, 80, 10], seed=0) for _ in range(2))
    twin.fit(x, t, epochs=3, seed=0)
    pids, errors = [], []

    def forks(net, history):
        if not pids:
            pids.append(os.fork())
            if pids[0] == 0:
                signal.alarm(30)
        else:
            # It goes on in both processes, and holds the network in both.
            worker = threading.Thread(target=intrudes)
            worker.start()
            worker.join()

    def intrudes():
        try:
            net.train_step(x, t, bp.SGD())
        except RuntimeError as error:
            errors.append(str(error))

    net.fit(x, t, epochs=3, seed=0, callbacks=[forks])
    same = all(np.array_equal(net.params[key], twin.params[key]) for key in net.params)
    if pids[0] == 0:
        os._exit(0 if same and len(errors) == 2 else 1)
    print(os.waitstatus_to_exitcode(os.waitpid(pids[0], 0)[1]), same, len(errors))
""")


def test_a_fit_that_forks_goes_on_in_both():
    assert lines_of(IN_CALLBACK) == ["0 True 2"]
