"""How many threads a call uses."""

import os
import subprocess
import sys
import threading

import numpy as np
import pytest

import bpcore
from bpcore import kernels, threads


@pytest.fixture(autouse=True)
def restore():
    yield
    bpcore.set_num_threads(None)


def in_a_new_process(code, **environment):
    return subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_the_order_of_the_sources():
    default = bpcore.get_num_threads()
    bpcore.set_num_threads(3)
    assert bpcore.get_num_threads() == 3
    assert threads.resolve(None) == 3
    assert threads.resolve(5) == 5
    bpcore.set_num_threads(None)
    assert bpcore.get_num_threads() == default


def test_limited_is_for_this_thread_of_python_alone():
    bpcore.set_num_threads(3)
    seen = []
    with threads.limited(2):
        other = threading.Thread(target=lambda: seen.append(bpcore.get_num_threads()))
        other.start()
        other.join()
        assert bpcore.get_num_threads() == 2
        with threads.limited(None):
            assert bpcore.get_num_threads() == 2
    assert seen == [3]
    assert bpcore.get_num_threads() == 3


def raises_inside(number):
    with threads.limited(number):
        assert bpcore.get_num_threads() == (number or 4)
        raise KeyError


def test_limited_ends_with_an_exception():
    bpcore.set_num_threads(3)
    with threads.limited(4):
        for number, error in ((2, KeyError), (None, KeyError), (0, ValueError)):
            with pytest.raises(error):
                raises_inside(number)
            assert bpcore.get_num_threads() == 4
    assert bpcore.get_num_threads() == 3
    assert threads.named(None) is None


@pytest.mark.parametrize(
    "number", [threads.MOST_THREADS + 1, 100_000, 2**63, 10**20, pytest.param(10**5000, id="5000 digits")]
)
def test_more_threads_than_anything_gains_from(number):
    x = np.ones((2, 2))
    most = r"threads is .{1,40}, wanted a whole number of at least 1 and at most 1024$"
    for refused in (
        lambda: bpcore.set_num_threads(number),
        lambda: threads.limited(number).__enter__(),
        lambda: threads.resolve(number),
        lambda: kernels.exp(x[0], x[0].copy(), threads=number),
        lambda: kernels.affine_forward(x, x, x[0], np.empty_like(x), threads=number),
    ):
        with pytest.raises(ValueError, match=most):
            refused()
    assert bpcore.get_num_threads() <= threads.MOST_THREADS


def test_the_most_threads_that_may_be_said():
    bpcore.set_num_threads(threads.MOST_THREADS)
    assert bpcore.get_num_threads() == threads.MOST_THREADS == 1024
    x = np.linspace(0, 1, 200_000)
    assert np.array_equal(kernels.exp(x, np.empty_like(x)), kernels.exp(x, np.empty_like(x), threads=1))


@pytest.mark.parametrize(
    ("number", "error"), [(0, ValueError), (-2, ValueError), ("2", TypeError), (2.0, TypeError)]
)
def test_not_a_number_of_threads(number, error):
    with pytest.raises(error, match="set_num_threads: threads is .*, wanted a whole number of at least 1"):
        bpcore.set_num_threads(number)


def test_the_environment():
    done = in_a_new_process("import bpcore; print(bpcore.get_num_threads())", BACKPROP_NUM_THREADS="5")
    assert done.stdout.strip() == "5"
    done = in_a_new_process(
        "import bpcore; print(bpcore.get_num_threads())", BACKPROP_NUM_THREADS=f"{5:0100}"
    )
    assert done.stdout.strip() == "5"
    done = in_a_new_process("import bpcore", BACKPROP_NUM_THREADS="many")
    assert "BACKPROP_NUM_THREADS is 'many', wanted a whole number of at least 1" in done.stderr


@pytest.mark.parametrize(
    ("files", "quota"),
    [
        ({"cpu.max": "max 100000"}, None),
        ({"cpu.max": "150000 100000"}, 1),
        ({"cpu.max": "50000 100000"}, 1),
        ({"cpu.max": "400000 100000"}, 4),
        ({"cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000"}, None),
        ({"cpu/cpu.cfs_quota_us": "200000", "cpu/cpu.cfs_period_us": "100000"}, 2),
        ({}, None),
    ],
)
def test_the_quota_of_the_cgroup(files, quota, tmp_path):
    (tmp_path / "cpu").mkdir()
    for name, text in files.items():
        (tmp_path / name).write_text(text + "\n")
    assert threads._cgroup_quota(tmp_path) == quota


FORK = """
import os, numpy as np, bpcore
from bpcore import kernels
x = np.ones((512, 512)); out = np.empty_like(x); b = np.zeros(512)
kernels.affine_forward(x, x, b, out, threads=2)
pid = os.fork()
if pid == 0:
    out[...] = 0
    kernels.affine_forward(x, x, b, out, threads=2)
    os._exit(0 if bpcore.get_num_threads() == 1 and (out == 512).all() else 1)
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_forked_child_runs_on_one_thread():
    done = in_a_new_process(FORK)
    assert done.stdout.strip() == "0", done.stderr


TASKS = """
import os, numpy as np, bpcore
from bpcore import kernels
def tasks():
    return len(os.listdir("/proc/self/task"))
bpcore.set_num_threads(2)
few, many = np.ones(1000), np.ones(200_000)
before = tasks()
kernels.exp(few, few.copy())
kernels.exp(few, few.copy(), threads=2)
kernels.exp(many, many.copy(), threads=1)
print(tasks() - before)
kernels.exp(many, many.copy())
print(tasks() - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="counts the threads of the process in /proc")
@pytest.mark.skipif(not kernels.has_threads(), reason="built without OpenMP")
def test_a_second_thread_is_started_by_default_for_work_that_is_worth_it():
    # Where there is one processor OpenMP has one thread, unless it is told of more.
    done = in_a_new_process(TASKS, OMP_NUM_THREADS="2")
    assert done.stdout.split() == ["0", "1"], done.stderr


def test_threads_write_every_row():
    rng = np.random.default_rng(1)
    x, W = rng.normal(size=(300, 200)), rng.normal(size=(200, 64))
    one, two = np.empty((300, 64)), np.full((300, 64), np.nan)
    kernels.affine_forward(x, W, np.zeros(64), one, threads=1)
    kernels.affine_forward(x, W, np.zeros(64), two, threads=2)
    assert np.array_equal(one, two)
