"""The signature of an entry of a kernel, as one line of text, and the error of a wrong call.

a) A signature is written like `"x:BI W:IO b:O -> out:BO"`: subscripts name the sizes of the axes, as in numpy.einsum;
   equal subscripts are equal sizes; arrays behind the arrow are written. `~` behind the subscripts allows any strides,
   `?` marks a mask, `!` an array that is read and written, `t:B|BK` is (B,) integer labels or a (B, K) matrix, and
   `out:N=x` may be x itself. A name without subscripts is a number.
b) The compiled entry checks the arguments and only finds that one is wrong. The message is written here, so that a
   right call takes no time for it.
"""

import inspect
from collections.abc import Mapping
from typing import Any, NamedTuple

from bpcore.threads import whole_number

FLOATS = ("float32", "float64")
MASKS = ("bool", "uint8")
LABELS = ("int64",)
# Steps are counted in float64.
MOST_STEPS = 2**53
# Arguments from 0 to below 1.
DECAYS = ("beta1", "beta2")


class ArgumentSpec(NamedTuple):
    """What an entry requires of an array; of a number, which has no subscripts, only the name is used."""

    name: str
    subscripts: str
    dtypes: tuple[str, ...]
    strided: bool
    written: bool
    may_be: tuple[str, ...]


def parse(description: str) -> list[list[ArgumentSpec]]:
    """Parse a signature such as `"dout:N mask:N? -> dx:N"`: the specs of each argument, two of labels or a matrix."""
    inputs, _, outputs = description.partition("->")
    arguments = []
    for part, written in ((inputs, False), (outputs, True)):
        for argument in part.split():
            name, _, axes = argument.partition(":")
            axes, _, others = axes.partition("=")
            may_be = tuple(others.split(",")) if others else ()
            arguments.append([_spec(name, text, written, "|" in axes, may_be) for text in axes.split("|")])
    return arguments


def _spec(name: str, text: str, written: bool, alternatives: bool, may_be: tuple[str, ...]) -> ArgumentSpec:
    subscripts = text.rstrip("~?!")
    dtypes = LABELS if alternatives and len(subscripts) == 1 else MASKS if "?" in text else FLOATS
    return ArgumentSpec(name, subscripts, dtypes, "~" in text, written or "!" in text, may_be)


def signature_of(arguments: list[list[ArgumentSpec]]) -> inspect.Signature:
    """The signature of an entry."""
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    names = [inspect.Parameter(specs[0].name, kind) for specs in arguments]
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


def number(kernel: str, name: str, value: Any) -> float:
    """A number argument as a float, in the range that its name has."""
    if name == "step":
        step = whole_number(f"{kernel}: step", value)
        if step >= MOST_STEPS:
            raise OverflowError(f"{kernel}: step has {step.bit_length()} bits, wanted a number below 2**53")
        return float(step)
    try:
        found = float(value)
    except (TypeError, ValueError, OverflowError):
        raise TypeError(f"{kernel}: {name} is {value!r}, wanted a number") from None
    if name in DECAYS and not 0 <= found < 1:
        raise ValueError(f"{kernel}: {name} is {value}, wanted at least 0 and below 1")
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


def _same(array: Any, other: Any) -> bool:
    one, two = array.__array_interface__, other.__array_interface__
    return bool(one["data"][0] == two["data"][0] and array.strides == other.strides)
