"""A model of how long a training step takes on so many threads, from rates that are measured on the machine.

docs/explanation/time-of-a-step.md explains it.
"""

from dataclasses import dataclass
from itertools import pairwise

from bench.peak import operations_of_step

ITEM = 4  # bytes of a number
WIDE = 2048  # bytes of a row from which threads can share its columns
FEW = 8  # rows up to which a product reads W where it is


@dataclass(frozen=True)
class Rates:
    """What a machine reaches on as many threads as the step has.

    Attributes
    ----------
    products : float
        Operations a second of all threads, each with products that stay in its caches.
    copied : float
        Bytes a second that all threads together read and write, each copying as much memory as it uses for a step.
    barrier : float
        Seconds until all threads have waited for each other.
    """

    products: float
    copied: float
    barrier: float = 0.0


def seconds_of_step(sizes: list[int], batch: int, threads: int, rates: Rates, column_parts: int = 1) -> float:
    """Seconds of a step with SGD: operations, bytes and barriers, one behind the other."""
    moved = threads * bytes_of_thread(sizes, batch, threads, column_parts) / rates.copied
    # Of a loop of steps, and where columns are shared behind each layer, forwards and backwards.
    barriers = 2 if column_parts == 1 else 2 + 2 * (len(sizes) - 1)
    waited = barriers * rates.barrier if threads > 1 else 0.0
    return operations_of_step(sizes, batch) / rates.products + moved + waited


def memory_of_thread(sizes: list[int], batch: int, threads: int, column_parts: int = 1) -> float:
    """Bytes of memory that one thread uses for a step."""
    rows = batch * column_parts / threads
    weights = sum(inputs * outputs for inputs, outputs in pairwise(sizes)) / column_parts
    return ITEM * (weights + rows * (sizes[0] + 3 * sum(sizes[1:])))


def bytes_of_thread(sizes: list[int], batch: int, threads: int, column_parts: int = 1) -> float:
    """Bytes that one thread reads and writes for a step, but for those in registers and in the nearest cache.

    a) Forwards it packs its columns of each W and reads what comes in and writes what leaves the layer, before and
       behind the activation, of its rows; backwards the same of all layers but the first.
    b) The gradient of W reads what came in, its own columns, and the gradient of what left, of all rows; W is read and
       written.
    """
    rows = batch * column_parts / threads
    packs = 3 if rows > FEW else 1  # read, written, and read once more by the tiles
    total = 0.0
    for n, (inputs, outputs) in enumerate(pairwise(sizes)):
        columns = column_parts if outputs * ITEM >= WIDE else 1
        total += packs * inputs * outputs / columns + rows * inputs + 3 * rows * outputs / columns
        if n > 0:
            columns = column_parts if inputs * ITEM >= WIDE else 1
            total += packs * inputs * outputs / columns + rows * outputs + 3 * rows * inputs / columns
        total += batch * inputs / threads + batch * outputs + 2 * inputs * outputs / threads
    return ITEM * total
