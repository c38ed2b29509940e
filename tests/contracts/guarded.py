"""Arrays between guard bytes, and right calls of every entry made of them."""

import inspect
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided

from bpcore import kernels
from bpcore.errors import INDICES, ArgumentSpec
from tests.registry import NUMBERS

GUARD, MARGIN = 0xA5, 128
ENTRIES = sorted(name for name, value in vars(kernels).items() if isinstance(value, kernels.Entry))
# Few columns, so that no vector is full; many rows, so that there is more than a tile; no two alike.
SIZES = {"B": 37, "I": 6, "O": 5, "K": 4, "N": 41}


class Memory:
    """Bytes between guard bytes."""

    def __init__(self, nbytes: int, offset: int = 0) -> None:
        self.raw = np.full(nbytes + 2 * MARGIN + 64, GUARD, np.uint8)
        self.start = MARGIN + -(self.raw.ctypes.data + MARGIN) % 64 + offset
        self.end = self.start + nbytes

    def array(self, shape: tuple[int, ...], dtype: Any, first: int = 0) -> np.ndarray:
        """An array that begins `first` bytes behind the guard."""
        return np.ndarray(shape, dtype, self.raw.data, self.start + first)

    def intact(self) -> bool:
        """Whether every guard byte is what it was."""
        return bool((self.raw[: self.start] == GUARD).all() and (self.raw[self.end :] == GUARD).all())


class Call:
    """A right call of an entry, every array of it between guard bytes; change `given` to make it wrong.

    Attributes
    ----------
    arguments : dict of str to ArgumentSpec
    given : dict of str to array or number
    """

    def __init__(self, entry: str, dtype: Any, alternative: int = 0, **sizes: int) -> None:
        self.entry, self.function = entry, getattr(kernels, entry)
        rng = np.random.default_rng(7)
        all_sizes = {**SIZES, **sizes}
        all_sizes.setdefault("J", 2 * all_sizes["K"])
        all_sizes.setdefault("P", all_sizes["B"] + 1)
        # A sparse matrix has room for so many numbers.
        cells = all_sizes["B"] * all_sizes["I"]
        all_sizes["Z"] = min(all_sizes.get("Z", cells * 2 // 5), cells)
        stored = np.sort(rng.choice(cells, all_sizes["Z"], replace=False))
        positions = {
            "indptr": np.searchsorted(stored, np.arange(all_sizes["P"]) * all_sizes["I"]),
            "indices": stored % max(all_sizes["I"], 1),
        }
        chosen = [specs[min(alternative, len(specs) - 1)] for specs in self.function.arguments]
        self.arguments: dict[str, ArgumentSpec] = {spec.name: spec for spec in chosen}
        self.memory: dict[str, Memory] = {}
        self.given: dict[str, Any] = {}
        for name in inspect.signature(self.function).parameters:
            if name == "dout" and name not in self.arguments:
                self.given[name] = 1.5
            elif name != "threads" and name not in self.arguments:
                self.given[name] = NUMBERS[name]
        for name, argument in self.arguments.items():
            shape = tuple(all_sizes[subscript] for subscript in argument.subscripts)
            if argument.dtypes == INDICES:
                # As wide as the other numbers, so that arrays may begin anywhere in each other.
                values = positions[name].astype(f"i{np.dtype(dtype).itemsize}")
            elif argument.dtypes == ("int64",):
                values = rng.integers(0, max(all_sizes["K"], 1), shape)
            elif "bool" in argument.dtypes:
                values = rng.integers(0, 2, shape).astype(bool)
            else:
                values = rng.uniform(0.1, 0.9, shape).astype(dtype)
            self.put(name, values)

    def put(self, name: str, values: np.ndarray, offset: int = 0) -> None:
        """Give an argument other values, in memory of its own."""
        self.memory[name] = Memory(values.nbytes, offset)
        self.given[name] = self.memory[name].array(values.shape, values.dtype)
        self.given[name][...] = values

    def __call__(self) -> Any:
        return self.function(**self.given)

    def written(self) -> list[str]:
        """Names of the outputs."""
        return [name for name, argument in self.arguments.items() if argument.written]

    def contents(self) -> dict[str, bytes]:
        """Copies of what the arrays hold."""
        return {name: np.asarray(self.given[name]).tobytes() for name in self.arguments}

    def intact(self) -> bool:
        """Whether all guard bytes are what they were."""
        return all(memory.intact() for memory in self.memory.values())

    def results(self) -> list[bytes]:
        """Call the entry; the bytes of what it wrote and returned."""
        returned = self()
        return [self.contents()[name] for name in self.written()] + [np.float64(returned or 0).tobytes()]


def far_apart(array: np.ndarray) -> np.ndarray:
    """A copy whose rows are 64 KiB apart."""
    memory = np.zeros(2**16 * len(array), np.uint8).view(array.dtype)
    apart = as_strided(memory, array.shape, (2**16, *array.strides[1:]))
    apart[...] = array
    return apart


def expected(entry: str, dtype: Any, alternative: int = 0, **sizes: int) -> list[bytes]:
    """The results of a right call."""
    return Call(entry, dtype, alternative, **sizes).results()


def count_alternatives(entry: str) -> int:
    """How many alternatives an entry has for its targets: labels or weights."""
    return max(len(specs) for specs in getattr(kernels, entry).arguments)


EVERY = [(entry, alternative) for entry in ENTRIES for alternative in range(count_alternatives(entry))]
EVERY_ARGUMENT = [
    (entry, alternative, name)
    for entry, alternative in EVERY
    for name in Call(entry, np.float32, alternative).arguments
]
