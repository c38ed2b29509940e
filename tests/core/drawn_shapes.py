"""The bits contract over drawn shapes: `python -m tests.core.drawn_shapes COUNT THREADS …` prints JSON.

a) Sizes are around every block size: the lanes of a sum, vectors and tiles of each level, edges, panels, blocks of k
   and of rows, padded layouts. Each shape has enough work for several threads.
b) Shapes and numbers come from NumPy's frozen generator. A float64 has all of its 53 bits, so sums in another order
   are other sums.
c) What one thread gives is compared with what THREADS give, rows and columns with the same alone, networks by plan with
   networks by layers, a loop with its single steps. One hash stands for all results of one thread, on any level.
"""

import copy
import hashlib
import json
import sys
from collections.abc import Iterator

import numpy as np

import backprop as bp
import bpcore
from backprop.training.step import train_batches
from bpcore import kernels, plan
from tests import registry, teams

THREAD_MIN_OPERATIONS = 1048576  # multiplications from which on a kernel runs on several threads
DTYPES = ("float32", "float64")
FEW = list(range(1, 18))
# Lanes, vectors and tiles of all levels; 128 and 1024 terms of dot products, 256 and 512 numbers of long rows or rows
# that conflict in a cache, 240 rows of a block, the rows and terms of panels and blocks.
EDGES = [24, 32, 48, 64, 96, 128, 144, 192, 240, 256, 384, 512, 682, 768, 784]
EDGES += [1000, 1024, 1365, 1536, 2048, 3072]
OFFSETS = [-1, 0, 1, 2, 4, 7, 8, 9]
RULES, ACTIVATIONS, LOSSES = ([*each] for each in (registry.RULES, registry.ACTIVATIONS, registry.LOSSES))
POOL = np.random.RandomState(18).random_sample(1 << 24) - 0.5
POOLS = {dtype: POOL.astype(dtype) for dtype in DTYPES}


class Found:
    """The hash of all results of one thread, and which other results differ from them."""

    def __init__(self):
        self.hash, self.compared, self.differing = hashlib.sha256(), 0, []

    def take(self, arrays):
        for array in arrays:
            self.hash.update(np.ascontiguousarray(array))

    def compare(self, arrays, others, what):
        for n, (one, other) in enumerate(zip(arrays, others, strict=True)):
            self.compared += 1
            if not np.array_equal(as_bits(one), as_bits(other)):
                self.differing.append(f"{what}, result {n}")


def as_bits(array):
    return np.ascontiguousarray(array).view(f"u{array.itemsize}")


def around(rng):
    return EDGES[rng.randint(len(EDGES))] + OFFSETS[rng.randint(len(OFFSETS))]


def products(rng, count) -> Iterator[tuple[int, int, int]]:
    """Shapes (B, I, O): one of a former fault, then half of few rows, a quarter of few columns, others of any."""
    yield 4, 784, 500
    drawn = 1
    while drawn < count:
        few, one, other, any_ = FEW[rng.randint(len(FEW))], around(rng), around(rng), around(rng) // 4
        shape = [(few, one, other), (one, other, few), (few, one, other), (one, any_, other)][drawn % 4]
        if THREAD_MIN_OPERATIONS <= np.prod(shape) <= 8 * THREAD_MIN_OPERATIONS:
            drawn += 1
            yield shape


def arrays_of(rng, dtype, *shapes):
    """Random numbers from −1/2 to 1/2, beginning anywhere in a cache line."""
    for shape in shapes:
        size = int(np.prod(shape))
        begin = rng.randint(len(POOL) - size)
        yield POOLS[dtype][begin : begin + size].reshape(shape)


def products_of(arrays, threads):
    x, W, b, dout = arrays
    out, dx, dW, db = (np.empty_like(array) for array in (dout, x, W, b))
    kernels.affine_forward(x, W, b, out, threads=threads)
    kernels.affine_backward_input(dout, W, dx, threads=threads)
    kernels.affine_backward_params(x, dout, dW, db, threads=threads)
    return out, dx, dW, db


def rows_alone(arrays, row):
    x, W, b, dout = arrays
    out, dx = np.empty((1, W.shape[1]), W.dtype), np.empty((1, W.shape[0]), W.dtype)
    kernels.affine_forward(x[row : row + 1], W, b, out)
    kernels.affine_backward_input(dout[row : row + 1], W, dx)
    return out, dx


def check_products(found, rng, shape, dtype, numbers_of_threads):
    B, I, O = shape  # noqa: E741  # the sizes' letters
    arrays = list(arrays_of(rng, dtype, (B, I), (I, O), O, (B, O)))
    one = products_of(arrays, 1)
    found.take(one)
    for threads in numbers_of_threads:
        found.compare(one, products_of(arrays, threads), f"{dtype} {shape}, {threads} threads")
    # Narrow gradients are done in tiles, whatever the number of rows.
    first = 48 * rng.randint((O + 47) // 48)
    narrow = np.ascontiguousarray(arrays[3][:, first : first + 48])
    dW, db = np.empty_like(arrays[1][:, first : first + 48], order="C"), np.empty(narrow.shape[1], dtype)
    kernels.affine_backward_params(arrays[0], narrow, dW, db)
    whole = [one[2][:, first : first + 48], one[3][first : first + 48]]
    found.compare(whole, (dW, db), f"{dtype} {shape}, gradients of columns from {first} on")
    row = rng.randint(B)
    of_row = [array[row : row + 1] for array in one[:2]]
    found.compare(of_row, rows_alone(arrays, row), f"{dtype} {shape}, row {row} alone")


def others_of(z, t, labels, threads):
    """What softmax, losses, elementwise kernels and updates make of z."""
    y, dz, total = np.empty_like(z), np.empty_like(z), np.empty_like(z[0])
    losses, flat = [kernels.softmax_cross_entropy(z, labels, y, dz, threads=threads)], z.reshape(-1)
    results = [y, dz]

    def run(name, *inputs, outputs=None):
        made = outputs or [np.empty_like(flat)]
        getattr(kernels, name)(*inputs, *made, threads=threads)
        results.extend(made)
        return made

    for kind in registry.LOSSES_OF_NUMBERS:
        dx = np.empty_like(z)
        numbers = np.clip(t, *registry.DOMAINS[kind])
        losses.append(getattr(kernels, kind)(z, numbers, *registry.loss_options(kind), dx, threads=threads))
        results.append(dx)
    run("exp", flat)
    run("log", np.abs(flat))
    for kind, layer in registry.ACTIVATIONS.items():
        masks = [np.empty(z.size, bool)] if layer.keeps == "mask" else []
        numbers = registry.activation_numbers(kind)
        out, *mask = run(f"{kind}_forward", flat, *numbers, outputs=[np.empty_like(flat), *masks])
        run(f"{kind}_backward", flat, mask[0] if mask else {"x": flat, "out": out}[layer.keeps], *numbers)
    for kind in plan.RULES:
        update, w = getattr(kernels, f"{kind}_update"), flat.copy()
        state = [np.zeros_like(flat) for _ in update.arguments[2:]]
        for step in (1, 2):
            counted = {"step": step} if "step" in update.__signature__.parameters else {}
            settings = registry.settings_of(kind) | counted
            update(w, dz.reshape(-1), *state, **settings, threads=threads)
        results += [w, *state]
    run("sum_rows", z, outputs=[total])
    return [*results, np.array(losses)]


def check_others(found, rng, dtype, numbers_of_threads):
    K = [*FEW, *EDGES[:14]][rng.randint(31)] + rng.randint(2)
    B = -(-THREAD_MIN_OPERATIONS // 8 // K) + rng.randint(20)
    z, t = arrays_of(rng, dtype, (B, K), (B, K))
    labels = rng.randint(0, K, B).astype(np.int64)
    one = others_of(z, t, labels, 1)
    found.take(one)
    for threads in numbers_of_threads:
        what = f"{dtype} ({B}, {K}), other kernels, {threads} threads"
        found.compare(one, others_of(z, t, labels, threads), what)


def network_of(rng, n):
    """Sizes and a batch with work for several threads in a loop and, each fourth, in a single step too."""
    if n == 0:
        return [784, 500, 10], 4
    least = (16 if n % 4 == 1 else 1) * THREAD_MIN_OPERATIONS
    while True:
        sizes = [around(rng) for _ in range(2 + n % 3 // 2)] + [FEW[rng.randint(len(FEW))]]
        B = (FEW if n % 2 else EDGES)[rng.randint(len(FEW))]
        if least <= 0.75 * B * sum(np.multiply(sizes[:-1], sizes[1:])) <= 2 * least:
            return sizes, B


def check_network(found, rng, n, dtype, numbers_of_threads):
    """Five steps by layers and the rule on one thread: by layers, by single steps and by a loop on several."""
    rule, activation, loss = (each[rng.randint(len(each))] for each in (RULES, ACTIVATIONS, LOSSES))
    sizes, B = network_of(rng, n)
    x, initial = arrays_of(rng, dtype, (3 * B, sizes[0]), 2_000_000)
    t = rng.randint(0, sizes[-1], 3 * B)
    if not registry.LOSSES[loss].classifies:
        (t,) = arrays_of(rng, dtype, (3 * B, sizes[-1]))
        t = t.clip(*registry.DOMAINS[loss])
    batches = rng.randint(0, 3 * B, (5, B))

    at_first = bp.Network(sizes, activation, loss, dtype, seed=0)
    for array in at_first.params.values():
        array[...] = np.resize(initial, array.shape) / np.sqrt(len(array))

    def steps(threads, manner):
        net, optimizer, losses = copy.deepcopy(at_first), registry.RULES[rule](0.01), []
        with bpcore.threads.limited(threads):
            if manner == "a loop":
                losses, _ = train_batches(net, x, t, [batches], optimizer)
            elif manner == "single steps":
                losses = [net.train_step(x[batch], t[batch], optimizer) for batch in batches]
            else:
                for batch in batches:
                    losses.append(net.loss(x[batch], t[batch]))
                    grads = net.gradient(x[batch], t[batch])
                    if rule == "sgd":
                        for key, grad in grads.items():
                            net.params[key] -= np.asarray(0.01, dtype) * grad
                    else:
                        optimizer.update(net.params, grads)
            return [*net.params.values(), np.array(losses), net.predict(x[:B])]

    one = steps(1, "layers")
    found.take(one)
    for threads in (1, *numbers_of_threads):
        for manner in ("layers", "single steps", "a loop")[threads == 1 :]:
            what = f"{dtype} {sizes} × {B}, {rule}, {activation}, {loss}, {manner}, {threads} threads"
            found.compare(one, steps(threads, manner), what)


def team_sizes():
    """How many threads a product on 1 to 8 of them has started in all; None where that cannot be asked."""
    x, b, out = np.ones((128, 128)), np.ones(128), np.empty((128, 128))
    before, sizes = teams.running(), []
    for threads in range(1, teams.MOST + 1):
        kernels.affine_forward(x, x, b, out, threads=threads)
        sizes.append(teams.running() - before + 1 if before else None)
    return sizes


def main(count, *numbers_of_threads):
    """Check `count` shapes of products, an eighth of it of other kernels, and a sixteenth of it of networks."""
    rng, found = np.random.RandomState(count), Found()
    with teams.allowed():
        sizes = team_sizes()
        for shape in products(rng, count):
            for dtype in DTYPES:
                check_products(found, rng, shape, dtype, numbers_of_threads)
        for _ in range(count // 8):
            for dtype in DTYPES:
                check_others(found, rng, dtype, numbers_of_threads)
        for n in range(count // 16):
            for dtype in DTYPES:
                check_network(found, rng, n, dtype, numbers_of_threads)
    return {
        "level": bpcore.cpu_info()["chosen"],
        "teams": sizes,
        "shapes": count + count // 8 + count // 16,
        "compared": found.compared,
        "differing": found.differing,
        "hash": found.hash.hexdigest()[:32],
    }


if __name__ == "__main__":
    print(json.dumps(main(*map(int, sys.argv[1:]))))
