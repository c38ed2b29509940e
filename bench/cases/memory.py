"""How much memory a search over networks takes, one after the other, beside that of one of them."""

import subprocess
import sys
from collections.abc import Iterator

from bench.results import Result

# Without the garbage collector: what a network leaves behind would wait for it.
SEARCH = """
import gc, sys
import numpy as np, backprop as bp

def size(what):
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith(what))

gc.disable()
networks, width, batch = map(int, sys.argv[1:])
x, t = np.zeros((batch, 784), np.float32), np.zeros(batch, int)
before = size("VmRSS")
for seed in range(networks):
    net, adam = bp.Network([784, width, 10], seed=seed), bp.Adam()
    net.fit(x, t, epochs=1, batch_size=batch, optimizer=adam)
    net.accuracy(x, t)
print(size("VmHWM") - before, size("VmHWM"))
"""


def run(quick: bool) -> Iterator[Result]:
    """Compare the largest resident sizes of a process with one network and of one with 40; Linux alone tells them."""
    if sys.platform != "linux":
        return
    width, batch = (400, 400) if quick else (4000, 4000)
    required = "" if quick else "<= 1.3"  # A small network takes less than what the allocator keeps.
    (one, one_whole), (many, many_whole) = (_peak(networks, width, batch) for networks in (1, 40))
    name = f"784-{width}-10 with batches of {batch}"
    yield Result("memory", f"{name}: what one network takes", one / 1024, "MB")
    yield Result("memory", f"{name}: what 40 take, one after the other", many / 1024, "MB")
    yield Result("memory", f"{name}: 40 over 1", many / one, "", required)
    yield Result("memory", f"{name}: the whole processes, 40 over 1", many_whole / one_whole, "", required)


def _peak(*arguments: int) -> list[int]:
    """Kilobytes of networks alone, and of the process."""
    command = [sys.executable, "-c", SEARCH, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return [int(number) for number in done.stdout.split()]
