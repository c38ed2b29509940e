"""A plan's threads: beside Python's own, after a fork, and under limits that others set."""

import os
import subprocess
import sys
import textwrap
import threading

import numpy as np
import pytest

import backprop as bp

COMMON = textwrap.dedent("""
    import os
    import numpy as np, backprop as bp

    rng = np.random.default_rng(0)
    x, t = rng.random((512, 300), dtype=np.float32), rng.integers(0, 10, 512)

    def trained():
        net = bp.Network([300, 200, 10], seed=0)
        net.fit(x, t, iterations=5, batch_size=256, seed=0, threads=2)
        return net.params["W1"].copy()

    def tasks():
        return len(os.listdir("/proc/self/task"))
""")


def output_of(code, **environment):
    # Where there is one processor OpenMP has one thread, unless it is told of more.
    done = subprocess.run(
        [sys.executable, "-c", COMMON + textwrap.dedent(code)],
        env={**os.environ, "OMP_NUM_THREADS": "2", **environment},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_forked_child_trains_to_the_same_bits():
    code = """
        before = trained()
        pid = os.fork()
        if pid == 0:
            os._exit(0 if (trained() == before).all() and bp.get_num_threads() == 1 else 1)
        print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), (trained() == before).all())
    """
    assert output_of(code) == ["0", "True"]


LINUX = pytest.mark.skipif(sys.platform != "linux", reason="counts the threads of the process in /proc")


@LINUX
def test_threadpoolctl_and_the_environment_limit_the_threads():
    code = """
        from threadpoolctl import threadpool_limits
        start = tasks()
        with threadpool_limits(limits=1, user_api="openmp"):
            alone = trained()
        limited = tasks()
        print(limited - start, (trained() == alone).all(), tasks() - limited)
    """
    assert output_of(code) == ["0", "True", "1"]
    assert output_of(code, OMP_NUM_THREADS="1") == ["0", "True", "0"]


@LINUX
def test_one_pool_serves_evaluation_training_and_kernels():
    code = """
        from bpcore import kernels
        start = tasks()
        trained()
        bp.set_num_threads(2)
        net = bp.Network([300, 200, 10], seed=0)
        net.accuracy(x, t), net.predict(x)
        out = np.empty((512, 200), np.float32)
        kernels.affine_forward(x, net.params["W1"], net.params["b1"], out, threads=2)
        print(tasks() - start)
    """
    assert output_of(code) == ["1"]


def test_every_row_is_counted_once():
    # Seven parts of 1003 rows begin and end anywhere.
    code = """
        net, x = bp.Network([784, 50, 10], seed=0), rng.random((1003, 784), dtype=np.float32)
        plan, labels = net.plan_for(bp.SGD(0.1)), net.predict(x).argmax(axis=1)
        print(*(plan.count_correct(x, labels, threads) for threads in (1, 2, 3, 5, 7)))
    """
    assert output_of(code, OMP_NUM_THREADS="7") == ["1003"] * 5


@LINUX
def test_calls_at_the_same_time_share_the_threads():
    code = """
        import sys, threading, time
        bp.set_num_threads(2)
        net, other, rule = bp.Network([300, 200, 10], seed=0), bp.Network([300, 200, 10], seed=0), bp.SGD(0.1)
        plan, indices = net.plan_for(rule), rng.integers(0, 512, (600, 256))
        worker = threading.Thread(target=plan.train, args=(x, t, indices, rule.plan_update(), np.empty(600), 1))
        start = tasks()
        # From here on no thread is made to give way: the worker runs until it trains, without the interpreter's lock.
        sys.setswitchinterval(1000)
        worker.start()
        while not plan.training:
            time.sleep(0)
        other.predict(x)
        print(plan.training, tasks() - start)
        worker.join()
        # Python's thread has ended by then, the system's a moment later.
        while os.path.exists(f"/proc/self/task/{worker.native_id}"):
            time.sleep(0)
        other.predict(x)
        print(tasks() - start)
    """
    assert output_of(code) == ["True", "1", "1"]


def test_networks_trained_at_once_from_several_threads_of_python():
    rng = np.random.default_rng(0)
    x, t = rng.random((512, 300), dtype=np.float32), rng.integers(0, 10, 512)

    def train(seed, results):
        net = bp.Network([300, 200, 10], seed=seed)
        for _ in range(3):
            net.fit(x, t, iterations=4, batch_size=256, seed=seed, threads=2)
            net.accuracy(x, t)
        results[seed] = net.params["W1"].copy()

    alone, together = {}, {}
    for seed in range(4):
        train(seed, alone)
    workers = [threading.Thread(target=train, args=(seed, together)) for seed in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert sorted(together) == [0, 1, 2, 3]
    assert all(np.array_equal(alone[seed], together[seed]) for seed in alone)
