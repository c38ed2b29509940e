"""Threads whose stacks are small: 128 kB, musl's default, and what a program or a user may set."""

import os
import subprocess
import sys

import pytest

import bpcore

RUN = """
import sys, threading
import numpy as np, backprop as bp, bpcore

def work():
    for dtype in (np.float32, np.float64):
        net = bp.Network([200, 512, 300, 10], dtype=dtype, seed=0)
        net.fit(x, t, iterations=3, batch_size=150, optimizer=bp.Adam(0.01), seed=0, threads=2)
        net.predict(x), net.accuracy(x, t), net.gradient(x, t), net.train_step(x, t, bp.SGD(0.1))
        a, W, b = x.astype(dtype), np.ones((200, 533), dtype), np.ones(533, dtype)
        out, dx, dW = np.empty((300, 533), dtype), np.empty_like(a), np.empty_like(W)
        for threads in (1, 2):
            bpcore.kernels.affine_forward(a, W, b, out, threads)
            bpcore.kernels.affine_backward_input(out, W, dx, threads)
            bpcore.kernels.affine_backward_params(a, out, dW, b, threads)
            bpcore.kernels.softmax(dx[:, :40].copy(), np.empty((300, 40), dtype), threads)
    done.append(net.params["W1"].sum())

rng, done = np.random.default_rng(0), []
x, t = rng.normal(size=(300, 200)), rng.integers(0, 10, 300)
# Modules are loaded and files read on the stack that the process began with.
bp.Network([2, 2], seed=0).fit(x[:, :2], t % 2, iterations=1, seed=0)
if sys.argv[1] != "main":
    threading.stack_size(int(sys.argv[1]) * 1024)
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
else:
    work()
print(len(done))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="sizes of stacks are set as on Linux")
@pytest.mark.skipif(
    bpcore.cpu_info()["build"] != "Release", reason="checks and sanitizers need more of a stack"
)
@pytest.mark.parametrize(
    ("of_thread", "of_openmp", "of_process"), [("128", "128k", 8192), ("main", "128k", 192)]
)
def test_training_and_kernels(of_thread, of_openmp, of_process):
    limited = f'ulimit -s {of_process}; exec "$0" -c "$1" {of_thread}'
    environment = {**os.environ, "OMP_STACKSIZE": of_openmp, "OMP_NUM_THREADS": "2"}
    command = ["sh", "-c", limited, sys.executable, RUN]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "1\n"), done.stderr
