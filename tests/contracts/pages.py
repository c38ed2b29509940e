"""Arrays that end where a page begins that may not be touched, or begin where one ends: who reads past them dies.

Run as a program, it calls every entry, and trains and evaluates networks, on such arrays; the test sees its death.
"""

import ctypes
import itertools
import mmap
import sys
from typing import Any

import numpy as np

import backprop as bp
from tests.contracts.guarded import EVERY, SIZES, Call
from tests.registry import ACTIVATIONS, RULES

PAGE = mmap.PAGESIZE
NOTHING = 0  # PROT_NONE
LIBC = ctypes.CDLL(None, use_errno=True)
MAPPED: list[mmap.mmap] = []


def fenced(array: np.ndarray, at_end: bool) -> np.ndarray:
    """A copy between two pages that may not be touched, right before the second or right behind the first."""
    pages = -(-max(array.nbytes, 1) // PAGE)
    memory = mmap.mmap(-1, (pages + 2) * PAGE)
    MAPPED.append(memory)  # an array does not keep it
    start = ctypes.addressof(ctypes.c_char.from_buffer(memory))
    for page in (start, start + (pages + 1) * PAGE):
        forbid(page, PAGE)
    first = PAGE + (pages * PAGE - array.nbytes if at_end else 0)
    copy = np.frombuffer(memory, array.dtype, array.size, first).reshape(array.shape)
    copy[...] = array
    return copy


def forbid(address: int, size: int) -> None:
    """Let whoever touches these pages die."""
    if LIBC.mprotect(ctypes.c_void_p(address), ctypes.c_size_t(size), NOTHING):
        raise OSError(ctypes.get_errno(), "mprotect")


def entries(at_end: bool) -> int:
    """Call every entry with sizes around vectors and tiles; returns how many calls that were."""
    calls = 0
    sizes = [dict.fromkeys("BIOKN", size) for size in (1, 2, 7, 8, 9, 15, 16, 17, 31, 33, 49, 65, 130)]
    sizes += [SIZES, {**SIZES, "B": 10, "I": 300, "O": 50}, {**SIZES, "B": 300, "I": 33, "O": 7, "K": 66}]
    for (entry, alternative), dtype, some in itertools.product(EVERY, ("f4", "f8"), sizes):
        call = Call(entry, dtype, alternative, **some)
        for name in call.arguments:
            call.given[name] = fenced(call.given[name], at_end)
        call()
        calls += 1
    return calls


# The hidden layers of all networks take the activations in turn.
KINDS = itertools.cycle(ACTIVATIONS)


def network(sizes: list[int], dtype: str, stored: str, at_end: bool) -> None:
    """Train, predict and count with every array fenced."""
    rng = np.random.default_rng(0)
    activation = [next(KINDS) for _ in sizes[1:-1]]
    net = bp.Network(sizes, activation, dtype=dtype, seed=0, input_mean=1.0, input_scale=0.5)
    for layer in net.layers.values():
        if isinstance(layer, bp.Affine):
            layer.W, layer.b = fenced(layer.W, at_end), fenced(layer.b, at_end)
    x = fenced(rng.integers(0, 9, (33, sizes[0])).astype(stored), at_end)
    t = fenced(rng.integers(0, sizes[-1], 33), at_end)
    for make in RULES.values():
        optimizer = make(0.001)
        # Loops of one step and of several; only the latter pad the parameters.
        net.fit(x, t, epochs=1, batch_size=3, optimizer=optimizer, seed=0)
        net.train_step(x, t, optimizer)
    for rows in (1, 2, 33):
        net.predict(fenced(x[:rows], at_end))
    net.gradient(x, t)
    net.accuracy(x, t)
    net._plan().loss_and_gradient(x, t, fenced(net.get_flat_params(), at_end))
    dout = fenced(np.ones((33, sizes[-1]), dtype), at_end)
    net.input_gradient(x, t)
    net.input_gradient(x, dout=dout)
    for rows, each in ((2, sizes[-1]), (33, 1)):
        out = fenced(np.empty((rows * each, sizes[0]), dtype), at_end)
        net._plan().input_gradient_into(x[:rows], out, dout if each == 1 else None)
    net.predict(fenced(np.tile(x, (31, 1)), at_end))


def released_state(sizes: list[int]) -> None:
    """Train by Adam, forbid access to its state, and go on with a rule without state."""
    rng = np.random.default_rng(0)
    net, adam = bp.Network(sizes, seed=0), bp.Adam(0.001)
    x, t = rng.random((33, sizes[0]), dtype="f4"), rng.integers(0, sizes[-1], 33)
    for key, array in net.params.items():
        adam.state[key] = (fenced(np.zeros_like(array), False), fenced(np.zeros_like(array), False))
    options: dict[str, Any] = {"iterations": 20, "batch_size": 3, "seed": 0}
    net.fit(x, t, optimizer=adam, **options)
    for moment in itertools.chain(*adam.state.values()):
        forbid(moment.ctypes.data, -(-moment.nbytes // PAGE) * PAGE)
    net.fit(x, t, optimizer=bp.SGD(0.01), **options)


def main(argument: Any) -> int:
    at_end = argument == "end"
    calls = entries(at_end)
    for sizes in ([5, 3], [784, 50, 10], [33, 17, 9, 2], [130, 65, 100]):
        for dtype, stored in itertools.product(("f4", "f8"), ("f4", "f8", "u1", "i8")):
            network(sizes, dtype, stored, at_end)
    released_state([784, 50, 10])
    sys.stdout.write(f"{calls} calls\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
