"""Training allocates when it begins, and not at every step."""

import subprocess
import sys
import tracemalloc

import numpy as np
import pytest

import backprop as bp
import bpcore

RULES = {"sgd": lambda: bp.SGD(0.1), "adam": lambda: bp.Adam(0.01)}


def problem(steps):
    rng = np.random.default_rng(0)
    x, t = rng.normal(size=(200, 20)).astype(np.float32), rng.integers(0, 3, 200)
    return x, t, rng.integers(0, 200, (steps, 30))


@pytest.mark.parametrize("rule", RULES)
def test_python_and_numpy_allocate_nothing_more_for_more_steps(rule):
    net, optimizer = bp.Network([20, 30, 3], seed=0), RULES[rule]()
    plan = net.plan_for(optimizer)
    moments = optimizer.moments_for(plan, net.params)

    def peak(steps):
        x, t, indices = problem(steps)
        losses, settings = np.empty(steps), optimizer.settings()
        tracemalloc.start()
        plan.train(x, t, indices, settings, losses, None, moments)
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    peak(10)
    # The least of a few: other threads of Python, as those of a parallel test run, allocate too while a plan trains.
    few, many = (min(peak(steps) for _ in range(5)) for steps in (10, 1000))
    # The number of samples that were right is a Python object of its own where it is large.
    assert many <= few + 32


COUNT = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stddef.h>
static long count;
long allocations(void) { return count; }
#define COUNTED(result, name, types, names) \
    result name types { \
        static result (*real) types; \
        if (!real) real = (result (*) types)dlsym(RTLD_NEXT, #name); \
        count++; \
        return real names; \
    }
COUNTED(void *, malloc, (size_t n), (n))
COUNTED(void *, realloc, (void *p, size_t n), (p, n))
COUNTED(void *, aligned_alloc, (size_t a, size_t n), (a, n))
COUNTED(void *, mmap, (void *p, size_t n, int a, int b, int c, long d), (p, n, a, b, c, d))
"""
RUN = """
import ctypes
import numpy as np, backprop as bp
from tests.network.test_memory import RULES, problem
allocations = ctypes.CDLL(None).allocations
allocations.restype = ctypes.c_long
for rule, make in RULES.items():
    for threads in (1, 2):
        net, optimizer = bp.Network([20, 300, 300, 3], seed=0), make()
        plan = net.plan_for(optimizer)
        moments = optimizer.moments_for(plan, net.params)
        counts = []
        for steps in (10, 10, 100):
            (x, t, indices), losses = problem(steps), np.empty(steps)
            before = allocations()
            plan.train(x, t, indices, optimizer.settings(), losses, threads, moments)
            counts.append(allocations() - before)
        print(rule, threads, *counts)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="counts calls of malloc through the Linux loader")
@pytest.mark.skipif(bpcore.cpu_info()["build"] == "Sanitized", reason="sanitizers have a malloc of their own")
def test_malloc_is_not_called_at_every_step(tmp_path):
    (tmp_path / "count.c").write_text(COUNT)
    library = tmp_path / "count.so"
    command = ["cc", "-O1", "-shared", "-fPIC", "-o", str(library), str(tmp_path / "count.c"), "-ldl"]
    subprocess.run(command, check=True)
    done = subprocess.run(
        [sys.executable, "-c", RUN], env={"LD_PRELOAD": str(library), "PYTHONPATH": ":".join(sys.path)},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    lines = [line.split() for line in done.stdout.splitlines()]
    assert len(lines) == 4
    for rule, threads, first, second, many in lines:
        # The first call makes the workspace; a hundred steps need what ten need, give or take Python's own arenas.
        assert int(first) > 0
        assert int(many) <= int(second) + 3, (rule, threads)


TOO_LARGE = """
import resource
import numpy as np, backprop as bp
net = bp.Network([1, 100_000, 2], seed=0)
x, t = np.zeros((10_000, 1), np.float32), np.zeros(10_000, np.int64)
before = net.train_step(x[:1], t[:1], bp.SGD(1e-30))
# What a batch of all rows needs is 4 GB and more.
resource.setrlimit(resource.RLIMIT_AS, (3 << 30, 3 << 30))
for _ in range(2):
    try:
        net.train_step(x, t, bp.SGD(1e-30))
    except MemoryError as error:
        print(error)
print(net.train_step(x[:1], t[:1], bp.SGD(1e-30)) == before, net.train_step(x[:2], t[:2], bp.SGD(1e-30)) == before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="limits the memory of a process")
@pytest.mark.skipif(
    bpcore.cpu_info()["build"] == "Sanitized", reason="sanitizers take more addresses than the limit"
)
def test_a_batch_that_memory_cannot_hold_leaves_the_network_usable():
    done = subprocess.run([sys.executable, "-c", TOO_LARGE], capture_output=True, text=True, check=False)
    assert done.stdout.splitlines() == ["no memory for batches of 10000 rows"] * 2 + ["True True"], (
        done.stderr
    )
