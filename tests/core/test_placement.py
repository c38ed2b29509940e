"""Where the threads of a team run: on processors of their own, with their affinity as it was."""

import os
import subprocess
import sys

import pytest

import bpcore
from bpcore import kernels, threads

# The C library's functions with a record of what the team's other thread asks of them. Before it first asks where it
# is, it is moved beside the first thread, where a system may wake it. A thread whose affinity names one processor runs
# there when the call returns, so each answer is sure, whatever else the machine does.
RECORD = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <sched.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
int first, recording, count;
struct { int processors, has_first, at; } events[64];    /* 0 processors: it asked where it is */
static int (*real_getcpu)(void);
static int (*real_setaffinity)(pid_t, size_t, const cpu_set_t *);
static int recorded(void) { return recording && syscall(SYS_gettid) != getpid() && count < 64; }
__attribute__((constructor)) static void find(void) {
    real_getcpu = (int (*)(void))dlsym(RTLD_NEXT, "sched_getcpu");
    real_setaffinity = (int (*)(pid_t, size_t, const cpu_set_t *))dlsym(RTLD_NEXT, "sched_setaffinity");
}
int sched_getcpu(void) {
    if (!recorded()) return real_getcpu();
    if (count == 0) {
        cpu_set_t before, beside;
        sched_getaffinity(0, sizeof before, &before);
        CPU_ZERO(&beside);
        CPU_SET(first, &beside);
        real_setaffinity(0, sizeof beside, &beside);
        real_setaffinity(0, sizeof before, &before);
    }
    events[count].processors = 0;
    return events[count++].at = real_getcpu();
}
int sched_setaffinity(pid_t pid, size_t size, const cpu_set_t *set) {
    int result = real_setaffinity(pid, size, set);
    if (recorded()) {
        events[count].processors = CPU_COUNT(set);
        events[count].has_first = CPU_ISSET(first, set) != 0;
        events[count++].at = real_getcpu();
    }
    return result;
}
"""
RUN = """
import ctypes, os
import numpy as np
from bpcore import kernels
library = ctypes.CDLL(None)
recording, count = (ctypes.c_int.in_dll(library, name) for name in ("recording", "count"))
events = (ctypes.c_int * 3 * 64).in_dll(library, "events")
first, second = sorted(os.sched_getaffinity(0))[:2]
ctypes.c_int.in_dll(library, "first").value = first
x = np.ones((512, 512)); out = np.empty_like(x); b = np.zeros(512)
before = set(os.listdir("/proc/self/task"))
kernels.affine_forward(x, x, b, out, threads=2)
(other,) = map(int, set(os.listdir("/proc/self/task")) - before)
os.sched_setaffinity(0, {first})
def asked(allowed):
    os.sched_setaffinity(other, allowed)
    out[...] = count.value = 0
    recording.value = 1
    kernels.affine_forward(x, x, b, out, threads=2)
    recording.value = 0
    assert os.sched_getaffinity(other) == allowed and os.sched_getaffinity(0) == {first}
    assert (out == 512).all()
    return [tuple(event) for event in events[:count.value]]
moved = 0
for n in range(20):
    (_, _, found), *moves, (_, _, _) = asked({first, second})
    if found == first:
        moved += 1
        assert [move[:2] for move in moves] == [(1, 0), (2, 1)] and moves[0][2] == second, moves
    else:
        assert found == second and moves == []
    # Where it may not move it stays.
    assert asked({first}) == [(0, 0, first)] * 2
assert moved > 0
"""


@pytest.mark.skipif(sys.platform != "linux", reason="records calls of the C library through the Linux loader")
@pytest.mark.skipif(bpcore.cpu_info()["build"] == "Sanitized", reason="sanitizers have to be loaded first")
@pytest.mark.skipif(not kernels.has_threads(), reason="built without OpenMP")
@pytest.mark.skipif(threads.available_cpus() < 2, reason="there is one processor")
def test_a_team_works_on_processors_of_its_own_and_keeps_its_affinity(tmp_path):
    (tmp_path / "record.c").write_text(RECORD)
    library = tmp_path / "record.so"
    command = ["cc", "-O1", "-shared", "-fPIC", "-o", str(library), str(tmp_path / "record.c"), "-ldl"]
    subprocess.run(command, check=True)
    done = subprocess.run(
        [sys.executable, "-c", RUN],
        env={**os.environ, "LD_PRELOAD": str(library), "OMP_WAIT_POLICY": "passive"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
