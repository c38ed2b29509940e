"""Many threads of Python at once: each gets the bits that it gets alone, and what is refused is refused in words."""

import copy
import pickle
import subprocess
import sys
import textwrap
import threading

import numpy as np
import pytest

import backprop as bp
from bpcore import kernels

OPTIMIZERS = [lambda: bp.SGD(0.1), lambda: bp.Momentum(0.05), lambda: bp.Adam(0.01)]


@pytest.fixture(autouse=True)
def _many_switches():
    """Threads of Python take turns a hundred times as often as usual."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(usual / 100)
    yield
    sys.setswitchinterval(usual)


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(0)
    x, t = rng.random((600, 60), dtype=np.float32), rng.integers(0, 10, 600)
    x.setflags(write=False)
    t.setflags(write=False)
    return x, t


def together(*jobs):
    """Run the jobs in a thread each, from one moment on; their results, or the first error."""
    results, errors, start = [None] * len(jobs), [], threading.Barrier(len(jobs))

    def work(n):
        try:
            start.wait()
            results[n] = jobs[n]()
        except BaseException as error:  # noqa: BLE001  # raised below, in the thread of the test
            errors.append(error)

    workers = [threading.Thread(target=work, args=(n,)) for n in range(len(jobs))]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    if errors:
        raise errors[0]
    return results


def same(one, other):
    """Whether two nests of lists, dicts, arrays and numbers hold the same bits."""
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same, one, other))
    return np.array_equal(one, other)


def trains(x, t, seed, threads):
    """A job: a network of its own learns in calls of every kind."""

    def job():
        net, optimizer = bp.Network([60, 50, 10], seed=seed), OPTIMIZERS[seed % 3]()
        found = []
        for n in range(8):
            found += net.fit(
                x, t, iterations=40, batch_size=40 + 15 * n, optimizer=optimizer, seed=n, threads=threads
            ).loss
            found += [net.train_step(x[: 50 * n + 10], t[: 50 * n + 10], optimizer) for _ in range(10)]
            found += [net.accuracy(x, t), net.loss(x, t), dict(net.gradient(x, t))]
        return [found, dict(net.params)]

    return job


def predicts(net, x, t, times=200):
    """A job: a network that others use too is asked, again and again; nothing else may come than came at first."""

    def job():
        out = np.empty((len(x), 10), np.float32)
        first = [net.predict(x), net.predict_proba(x), net.accuracy(x, t)]
        for n in range(times):
            assert same(first, [net.predict(x, out=out if n % 2 else None), net.predict_proba(x), first[2]])
        assert net.accuracy(x, t) == first[2]
        return first

    return job


def calls_kernels(x, t, threads):
    """A job: the kernels themselves, on the data that all share."""

    def job():
        rng, found = np.random.default_rng(threads), {}
        W, b = rng.normal(size=(60, 80)).astype(np.float32), np.zeros(80, np.float32)
        for _ in range(150):
            out, y, dx = (np.empty((600, 80), np.float32) for _ in range(3))
            dW, db = np.empty_like(W), np.empty_like(b)
            kernels.affine_forward(x, W, b, out, threads=threads)
            loss = kernels.softmax_cross_entropy(out, t, y, dx, threads=threads)
            kernels.affine_backward_params(x, dx, dW, db, threads=threads)
            again = {"out": out, "y": y, "dx": dx, "dW": dW, "db": db, "loss": loss}
            assert not found or same(found, again)
            found = again
        return found

    return job


def checks_gradients():
    """A job: a network's gradient is proven."""
    rng = np.random.default_rng(0)
    net = bp.Network([5, 4, 3], activation="tanh", dtype="float64", seed=0)
    report = bp.check_gradients(net, rng.normal(size=(4, 5)), rng.integers(0, 3, 4))
    assert report.passed
    return str(report)


def test_everything_at_once(data):
    shared = bp.Network([60, 50, 10], seed=9, input_scale=0.5)
    jobs = [
        *(trains(*data, seed, threads=1 + seed % 2) for seed in range(3)),
        *(predicts(shared, *data) for _ in range(2)),
        *(calls_kernels(*data, threads) for threads in (1, 2)),
        checks_gradients,
    ]
    alone = [job() for job in jobs]
    assert same(together(*jobs), alone)


@pytest.mark.parametrize("twin_of", [copy.deepcopy, lambda net: pickle.loads(pickle.dumps(net))])
def test_copies_of_a_network_that_others_predict_with(data, twin_of):
    net = bp.Network([60, 50, 10], seed=9)
    expected = net.predict(data[0])

    def job():
        for _ in range(20):
            twin = twin_of(net)
            assert np.array_equal(twin.predict(data[0]), expected)
            twin.train_step(*data, bp.SGD(0.1))
        return twin.predict(data[0])

    first, second, *predicted = together(job, job, predicts(net, *data), predicts(net, *data))
    assert np.array_equal(first, second)
    assert not np.array_equal(first, expected)
    assert same(predicted[0], predicted[1])
    assert np.array_equal(predicted[0][0], expected)


def test_files_of_several_threads(data, tmp_path):
    nets = [bp.Network([60, 50, 10], seed=seed) for seed in range(3)]
    expected = [net.predict(data[0]) for net in nets]

    def saves(n):
        def job():
            for _ in range(5):
                nets[n].save(tmp_path / "net")
                # Whose it is, nobody knows; but it is somebody's, whole.
                found = bp.Network.load(tmp_path / "net").predict(data[0])
                assert any(np.array_equal(found, each) for each in expected)
            return found.shape

        return job

    assert together(*(saves(n) for n in range(3))) == [(600, 10)] * 3
    assert [path.name for path in tmp_path.iterdir()] == ["net"]


def test_predicting_with_a_network_that_another_thread_trains(data):
    x, t = data
    net, alone = (bp.Network([60, 50, 10], seed=3) for _ in range(2))
    stop = threading.Event()

    def trains_it(network):
        optimizer = bp.Adam(0.01)
        for n in range(12):
            # Batches that grow, so that the workspace moves while others predict.
            network.fit(x, t, iterations=150, batch_size=20 + 20 * n, optimizer=optimizer, seed=n)
        stop.set()
        return dict(network.params)

    def asks():
        count = 0
        while not stop.is_set() or count == 0:
            # With which weights, nobody knows; but with weights, and in memory of its own.
            assert np.isfinite(net.predict(x)).all()
            assert 0 <= net.accuracy(x, t) <= 1
            # The same 10 exponentials are added up twice; between lie a reciprocal and a product.
            assert np.abs(net.predict_proba(x).sum(axis=1) - 1).max() <= (10 + 1 + 1 + 10) * 2**-23
            count += 1
        return count

    params, *counts = together(lambda: trains_it(net), asks, asks)
    assert min(counts) > 0
    assert same(params, trains_it(alone))
    assert np.array_equal(net.predict(x), alone.predict(x))


def output_of(code):
    """What a process of its own prints, for what could go wrong is a crash."""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


COMES_TOO_LATE = textwrap.dedent("""
    import threading
    import numpy as np, backprop as bp

    rng = np.random.default_rng(0)
    x, t = rng.random((256, 200), dtype=np.float32), rng.integers(0, 10, 256)
    indices, params = rng.integers(0, 256, (1000, 256)), []
    for others in ([], [bp.Momentum(), bp.Adagrad(), bp.SGD()]):
        net, adam = bp.Network([200, 100, 10], seed=0), bp.Adam()
        plan = net.plan_for(adam)
        state = adam.state_for(plan, net.params)
        arguments = x, t, indices, adam.plan_update(), np.empty(1000), 1, state
        first = threading.Thread(target=plan.train, args=arguments)
        first.start()
        while not plan.training and first.is_alive():
            pass
        for other in others:
            try:
                net.train_step(x, t, other)
            except RuntimeError as error:
                print(str(error) == "this network is being trained by another thread", other.steps)
        first.join()
        params.append(dict(net.params))
    print(all(np.array_equal(params[0][key], params[1][key]) for key in params[0]))
""")


def test_what_another_optimizer_keeps_does_not_come_between():
    assert output_of(COMES_TOO_LATE) == ["True", "0"] * 3 + ["True"]


TRAINERS = textwrap.dedent("""
    import sys, threading
    import numpy as np, backprop as bp

    sys.setswitchinterval(1e-5)
    rng = np.random.default_rng(0)
    x, t = rng.random((100, 60), dtype=np.float32), rng.integers(0, 10, 100)
    net = bp.Network([60, 200, 10], seed=0)
    optimizers, refused, taken = [bp.Adam(0.001), bp.Momentum(0.001), bp.SGD(0.001)], [], [0, 0, 0]

    def train(n):
        while taken[n] < 150:
            try:
                net.train_step(x, t, optimizers[n])
            except RuntimeError as error:
                refused.append(str(error))
            else:
                taken[n] += 1

    workers = [threading.Thread(target=train, args=(n,)) for n in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    print(set(refused) <= {"this network is being trained by another thread"})
    print([optimizer.steps for optimizer in optimizers] == taken == [150] * 3)
    print(np.isfinite(net.predict(x)).all())
""")


def test_optimizers_that_keep_different_things_on_one_network():
    assert output_of(TRAINERS) == ["True"] * 3


@pytest.mark.skipif(sys.platform != "linux", reason="moves threads from processor to processor")
def test_beside_forks_and_moves_and_a_blas():
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "tests.stress", "--seconds", "2"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    counts = dict(part.split(": ") for part in done.stdout.strip().split(", "))
    assert {"small", "wide", "outputs", "product"} & counts.keys()
    assert int(counts["forks"]) > 0
