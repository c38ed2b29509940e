"""Arrays between guard bytes, and right calls of every door made of them."""

import inspect
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided

from bpcore import kernels
from bpcore.errors import Argument

GUARD, MARGIN = 0xA5, 128
DOORS = sorted(name for name, value in vars(kernels).items() if isinstance(value, kernels.Entry))
# Few columns, so that no vector is full; many rows, so that there is more than a tile; no two alike.
SIZES = {"B": 37, "I": 6, "O": 5, "K": 4, "N": 41}
NUMBERS = {"lr": 0.1, "momentum": 0.9, "alpha": 0.9, "beta1": 0.9, "beta2": 0.999, "eps": 1e-8, "step": 3}


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
    """A right call of a door, every array of it between guard bytes; change `given` to make it wrong.

    Attributes
    ----------
    arguments : dict of str to Argument
    given : dict of str to array or number
    """

    def __init__(self, door: str, dtype: Any, form: int = 0, **sizes: int) -> None:
        self.door, self.function = door, getattr(kernels, door)
        rng = np.random.default_rng(7)
        all_sizes = {**SIZES, **sizes}
        forms = [forms[min(form, len(forms) - 1)] for forms in self.function.arguments]
        self.arguments: dict[str, Argument] = {argument.name: argument for argument in forms}
        self.memory: dict[str, Memory] = {}
        self.given: dict[str, Any] = {}
        for name in inspect.signature(self.function).parameters:
            if name in NUMBERS:
                self.given[name] = NUMBERS[name]
            elif name == "dout" and name not in self.arguments:
                self.given[name] = 1.5
        for name, argument in self.arguments.items():
            shape = tuple(all_sizes[letter] for letter in argument.letters)
            if argument.dtypes == ("int64",):
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
        """Names of what the door writes."""
        return [name for name, argument in self.arguments.items() if argument.written]

    def contents(self) -> dict[str, bytes]:
        """Copies of what the arrays hold."""
        return {name: np.asarray(self.given[name]).tobytes() for name in self.arguments}

    def intact(self) -> bool:
        """Whether all guard bytes are what they were."""
        return all(memory.intact() for memory in self.memory.values())

    def results(self) -> list[bytes]:
        """Call the door; the bytes of what it wrote and returned."""
        returned = self()
        return [self.contents()[name] for name in self.written()] + [np.float64(returned or 0).tobytes()]


def far_apart(array: np.ndarray) -> np.ndarray:
    """A copy whose rows are 64 KiB apart."""
    memory = np.zeros(2**16 * len(array), np.uint8).view(array.dtype)
    apart = as_strided(memory, array.shape, (2**16, *array.strides[1:]))
    apart[...] = array
    return apart


def expected(door: str, dtype: Any, form: int = 0, **sizes: int) -> list[bytes]:
    """What a right call gives."""
    return Call(door, dtype, form, **sizes).results()


def forms_of(door: str) -> int:
    """In how many forms the door takes its arguments: labels or weights."""
    return max(len(forms) for forms in getattr(kernels, door).arguments)


EVERY = [(door, form) for door in DOORS for form in range(forms_of(door))]
EVERY_ARGUMENT = [
    (door, form, name) for door, form in EVERY for name in Call(door, np.float32, form).arguments
]
