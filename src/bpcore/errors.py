"""The signature of an entry of a kernel, as one line of text, and the error of a wrong call.

a) A signature is written like `"x:BI W:IO b:O -> out:BO"`: subscripts name the sizes of the axes, as in numpy.einsum;
   equal subscripts are equal sizes; arrays behind the arrow are written. `~` behind the subscripts allows any strides,
   `?` marks a mask, `@` integers of 32 or 64 bits, `!` an array that is read and written, `t:B|BK` is (B,) integer
   labels or a (B, K) matrix, and `out:N=x` may be x itself. A name without subscripts is a number: `beta1[0,1)` is at
   least 0 and below 1, `delta(0,inf)` above 0 and finite, `weight_decay[0,inf)=0` is 0 where it is not given.
b) The compiled entry checks the arguments and only finds that one is wrong. The message is written here, so that a
   right call takes no time for it.
"""

import inspect
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from bpcore.threads import whole_number

FLOATS = ("float32", "float64")
MASKS = ("bool", "uint8")
INDICES = ("int32", "int64")
LABELS = ("int64",)
# Whole numbers, and the least of each; they are held in float64.
COUNTS = {"step": 1, "seed": 0}
MOST = 2**53
# Name, interval and default of a number.
NUMBER = re.compile(r"(\w+)(?:([\[(])(\w+),(\w+)\))?(?:=(\w+))?")


class Interval(NamedTuple):
    """The numbers from `low` on, or above it, that are below `high`."""

    low: float
    includes_low: bool
    high: float

    def __contains__(self, number: object) -> bool:
        above = number >= self.low if self.includes_low else number > self.low  # type: ignore[operator]
        return above and number < self.high  # type: ignore[operator]

    def __str__(self) -> str:
        text = f"at least {self.low:g}" if self.includes_low else f"above {self.low:g}"
        return text + (f" and below {self.high:g}" if self.high < float("inf") else " and finite")


class ArgumentSpec(NamedTuple):
    """What an entry requires of an array, or of a number, which has no subscripts."""

    name: str
    subscripts: str
    dtypes: tuple[str, ...]
    strided: bool
    written: bool
    may_be: tuple[str, ...]
    interval: Interval | None = None
    default: float | None = None


def parse(description: str) -> list[list[ArgumentSpec]]:
    """Parse a signature such as `"dout:N mask:N? -> dx:N"`: the specs of each argument, two of labels or a matrix."""
    inputs, _, outputs = description.partition("->")
    arguments = []
    for part, written in ((inputs, False), (outputs, True)):
        for argument in part.split():
            name, is_array, axes = argument.partition(":")
            if not is_array:
                arguments.append([_number_spec(argument)])
                continue
            axes, _, others = axes.partition("=")
            may_be = tuple(others.split(",")) if others else ()
            arguments.append([_spec(name, text, written, "|" in axes, may_be) for text in axes.split("|")])
    return arguments


def _spec(name: str, text: str, written: bool, alternatives: bool, may_be: tuple[str, ...]) -> ArgumentSpec:
    subscripts = text.rstrip("~?!@")
    dtypes = LABELS if alternatives and len(subscripts) == 1 else FLOATS
    dtypes = MASKS if "?" in text else INDICES if "@" in text else dtypes
    return ArgumentSpec(name, subscripts, dtypes, "~" in text, written or "!" in text, may_be)


def _number_spec(text: str) -> ArgumentSpec:
    found = NUMBER.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} describes no argument")
    name, bracket, low, high, default = found.groups()
    interval = Interval(float(low), bracket == "[", float(high)) if bracket else None
    return ArgumentSpec(name, "", (), False, False, (), interval, None if default is None else float(default))


def signature_of(arguments: list[list[ArgumentSpec]]) -> inspect.Signature:
    """The signature of an entry."""
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    names = [
        inspect.Parameter(
            specs[0].name,
            kind,
            default=inspect.Parameter.empty if specs[0].default is None else specs[0].default,
        )
        for specs in arguments
    ]
    return inspect.Signature([*names, inspect.Parameter("threads", kind, default=None)])


def bind(entry: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> inspect.BoundArguments:
    """The arguments of a call in their order, `threads` too; TypeError if they are not those of the entry."""
    signature: inspect.Signature = entry.__signature__
    try:
        bound = signature.bind(*args, **kwargs)
    except TypeError as error:
        raise TypeError(f"{entry.__name__}: {error}") from None
    bound.apply_defaults()
    return bound


def explain(entry: Any, args: tuple[Any, ...]) -> None:
    """Raise the error for the first argument that does not fit; return when each one fits."""
    kernel, given = entry.__name__, bind(entry, args, {}).arguments
    arguments = []
    for specs in entry.arguments:
        value = given[specs[0].name]
        argument = next(
            (spec for spec in specs if getattr(value, "ndim", None) == len(spec.subscripts)), specs[-1]
        )
        check_array(kernel, argument, value)
        arguments.append(argument)
    check_types(kernel, arguments, given)
    check_sizes(kernel, arguments, given)
    check_overlaps(kernel, arguments, given)


def number(kernel: str, argument: ArgumentSpec, value: Any) -> float:
    """A number argument as a float, in its interval."""
    name = argument.name
    if name in COUNTS:
        count = whole_number(f"{kernel}: {name}", value, COUNTS[name])
        if count >= MOST:
            raise OverflowError(
                f"{kernel}: {name} has {count.bit_length()} bits, wanted a number below 2**53"
            )
        return float(count)
    try:
        found = float(value)
    except (TypeError, ValueError, OverflowError):
        raise TypeError(f"{kernel}: {name} is {value!r}, wanted a number") from None
    if argument.interval is not None and found not in argument.interval:
        raise ValueError(f"{kernel}: {name} is {value}, wanted {argument.interval}")
    return found


def check_array(kernel: str, argument: ArgumentSpec, value: Any) -> None:
    """Type, dimensions, memory layout and writability of one array."""
    name, dimensions, dtypes = argument.name, len(argument.subscripts), " or ".join(argument.dtypes)
    if not (hasattr(value, "dtype") and hasattr(value, "flags")):
        kind = "None" if value is None else f"a {type(value).__name__}"
        raise TypeError(f"{kernel}: {name} is {kind}, wanted a NumPy array of {dtypes}")
    if str(value.dtype) not in argument.dtypes:
        raise TypeError(f"{kernel}: {name} has dtype {value.dtype}, wanted {dtypes}")
    if value.ndim != dimensions:
        sizes = ", ".join(argument.subscripts) + ("," if dimensions == 1 else "")
        raise ValueError(f"{kernel}: {name} has {value.ndim} dimensions, wanted {dimensions} ({sizes})")
    if not argument.strided and not value.flags.c_contiguous:
        raise ValueError(f"{kernel}: {name} is not C-contiguous; numpy.ascontiguousarray makes it so")
    if not value.flags.aligned:
        raise ValueError(
            f"{kernel}: {name} is not aligned: its numbers begin between addresses of their type"
        )
    if argument.written and not value.flags.writeable:
        raise ValueError(f"{kernel}: {name} is read-only, wanted an array to write into")


def check_types(kernel: str, arguments: list[ArgumentSpec], given: Mapping[str, Any]) -> None:
    """All floating-point arrays of a call have one type."""
    floats = [argument.name for argument in arguments if argument.dtypes == FLOATS]
    for name in floats[1:]:
        if given[name].dtype != given[floats[0]].dtype:
            raise TypeError(
                f"{kernel}: {name} has dtype {given[name].dtype}, {floats[0]} has {given[floats[0]].dtype}"
            )


def check_sizes(kernel: str, arguments: list[ArgumentSpec], given: Mapping[str, Any]) -> None:
    """Axes with one subscript have one size."""
    seen: dict[str, tuple[int, str]] = {}
    for argument in arguments:
        shape = given[argument.name].shape
        axes = ("rows", "columns") if len(shape) == 2 else ("elements",)
        for subscript, size, axis in zip(argument.subscripts, shape, axes, strict=True):
            first_size, first = seen.setdefault(subscript, (size, f"{argument.name} has {size} {axis}"))
            if first_size != size:
                raise ValueError(f"{kernel}: {first}, {argument.name} has {size} {axis}")
    if "J" in seen and seen["J"][0] != 2 * seen["K"][0]:
        raise ValueError(f"{kernel}: {seen['K'][1]}, {seen['J'][1]}, wanted twice as many")
    if "P" in seen and seen["P"][0] != seen["B"][0] + 1:
        raise ValueError(f"{kernel}: {seen['P'][1]}, {seen['B'][1]}, wanted one more than rows")


def check_overlaps(kernel: str, arguments: list[ArgumentSpec], given: Mapping[str, Any]) -> None:
    """An output shares no memory with another array, but may be some of the inputs themselves."""
    import numpy as np  # only where a call is wrong

    for argument in arguments:
        array = given[argument.name]
        for other in arguments if argument.written else ():
            if other is argument or not np.shares_memory(array, given[other.name]):
                continue
            same = other.name in argument.may_be
            if not (same and _same(array, given[other.name])):
                itself = f"{other.name} itself or " if same else ""
                raise ValueError(
                    f"{kernel}: {argument.name} overlaps {other.name}, wanted {itself}an array of its own"
                )


def explain_rows(kernel: str, indptr: Any, indices: Any, columns: int) -> None:
    """Raise the error for what keeps compressed sparse rows from being a matrix of so many columns; else return."""
    last, numbers = len(indptr) - 1, len(indices)
    for r, place in enumerate(indptr):
        least = indptr[r - 1] if r else 0
        text = f"{kernel}: indptr[{r}] is {place}, wanted "
        if r == 0 and place != 0:
            raise ValueError(text + "0")
        if r == last and place >= least and place != numbers:
            raise ValueError(text + f"{numbers}: indices has so many elements")
        if not least <= place <= numbers:
            raise ValueError(text + f"{least} to {numbers}: the one before it, and the elements of indices")
    for r in range(last):
        before = -1
        for n in range(indptr[r], indptr[r + 1]):
            index = indices[n]
            if not 0 <= index < columns:
                raise ValueError(f"{kernel}: indices[{n}], of row {r}, is {index}, wanted 0 to {columns - 1}")
            if index <= before:
                raise ValueError(
                    f"{kernel}: indices[{n}], of row {r}, is {index} behind {before}, wanted indices that ascend, "
                    "none twice: SciPy's x.sum_duplicates() makes them so"
                )
            before = index


def _same(array: Any, other: Any) -> bool:
    one, two = array.__array_interface__, other.__array_interface__
    return bool(one["data"][0] == two["data"][0] and array.strides == other.strides)
