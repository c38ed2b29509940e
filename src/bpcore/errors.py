"""What an entry to a kernel takes, described in one line, and the error of a call that is wrong.

a) An entry is described as `"x:BI W:IO b:O -> out:BO"`: letters are sizes, equal letters are equal sizes, what stands
   behind the arrow is written. `~` after the letters allows any strides, `?` marks a mask, `!` what is read and
   written, `t:B|BK` is (B,) integer labels or a (B, K) matrix, `out:N=x` may be x itself. A name without letters is a
   number.
b) The compiled entry checks all of it and only finds that something is wrong. The words are found here, after the fact,
   so that a right call pays nothing for them.
"""

import inspect
from collections.abc import Mapping
from typing import Any, NamedTuple

from bpcore.threads import whole_number

FLOATS = ("float32", "float64")
MASKS = ("bool", "uint8")
LABELS = ("int64",)
# Of which a kernel counts, as float64.
MOST_STEPS = 2**53
# Numbers from 0 to below 1.
DECAYS = ("beta1", "beta2")


class Argument(NamedTuple):
    """What an entry wants of an array; of a number, which has no letters, only the name counts."""

    name: str
    letters: str
    dtypes: tuple[str, ...]
    strided: bool
    written: bool
    may_be: tuple[str, ...]


def parse(description: str) -> list[list[Argument]]:
    """Read a description such as `"dout:N mask:N? -> dx:N"`: for each argument, the forms it may have."""
    inputs, _, outputs = description.partition("->")
    arguments = []
    for words, written in ((inputs, False), (outputs, True)):
        for word in words.split():
            name, _, forms = word.partition(":")
            forms, _, others = forms.partition("=")
            may_be = tuple(others.split(",")) if others else ()
            arguments.append([_form(name, form, written, "|" in forms, may_be) for form in forms.split("|")])
    return arguments


def _form(name: str, form: str, written: bool, alternatives: bool, may_be: tuple[str, ...]) -> Argument:
    letters = form.rstrip("~?!")
    dtypes = LABELS if alternatives and len(letters) == 1 else MASKS if "?" in form else FLOATS
    return Argument(name, letters, dtypes, "~" in form, written or "!" in form, may_be)


def signature_of(arguments: list[list[Argument]]) -> inspect.Signature:
    """The signature of an entry."""
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    names = [inspect.Parameter(forms[0].name, kind) for forms in arguments]
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
    for forms in entry.arguments:
        value = given[forms[0].name]
        argument = next(
            (form for form in forms if getattr(value, "ndim", None) == len(form.letters)), forms[-1]
        )
        check_array(kernel, argument, value)
        arguments.append(argument)
    check_types(kernel, arguments, given)
    check_sizes(kernel, arguments, given)
    check_overlaps(kernel, arguments, given)


def number(kernel: str, name: str, value: Any) -> float:
    """A number as a kernel takes it, which is in the range that its name stands for."""
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


def check_array(kernel: str, argument: Argument, value: Any) -> None:
    """Type, dimensions, memory layout and writability of one array."""
    name, dimensions, dtypes = argument.name, len(argument.letters), " or ".join(argument.dtypes)
    if not (hasattr(value, "dtype") and hasattr(value, "flags")):
        kind = "None" if value is None else f"a {type(value).__name__}"
        raise TypeError(f"{kernel}: {name} is {kind}, wanted a NumPy array of {dtypes}")
    if str(value.dtype) not in argument.dtypes:
        raise TypeError(f"{kernel}: {name} has dtype {value.dtype}, wanted {dtypes}")
    if value.ndim != dimensions:
        letters = ", ".join(argument.letters) + ("," if dimensions == 1 else "")
        raise ValueError(f"{kernel}: {name} has {value.ndim} dimensions, wanted {dimensions} ({letters})")
    if not argument.strided and not value.flags.c_contiguous:
        raise ValueError(f"{kernel}: {name} is not C-contiguous; numpy.ascontiguousarray makes it so")
    if not value.flags.aligned:
        raise ValueError(
            f"{kernel}: {name} is not aligned: its numbers begin between addresses of their type"
        )
    if argument.written and not value.flags.writeable:
        raise ValueError(f"{kernel}: {name} is read-only, wanted an array to write into")


def check_types(kernel: str, arguments: list[Argument], given: Mapping[str, Any]) -> None:
    """All floating-point arrays of a call have one type."""
    floats = [argument.name for argument in arguments if argument.dtypes == FLOATS]
    for name in floats[1:]:
        if given[name].dtype != given[floats[0]].dtype:
            raise TypeError(
                f"{kernel}: {name} has dtype {given[name].dtype}, {floats[0]} has {given[floats[0]].dtype}"
            )


def check_sizes(kernel: str, arguments: list[Argument], given: Mapping[str, Any]) -> None:
    """Equal letters are equal sizes."""
    seen: dict[str, tuple[int, str]] = {}
    for argument in arguments:
        shape = given[argument.name].shape
        axes = ("rows", "columns") if len(shape) == 2 else ("elements",)
        for letter, size, axis in zip(argument.letters, shape, axes, strict=True):
            first_size, first = seen.setdefault(letter, (size, f"{argument.name} has {size} {axis}"))
            if first_size != size:
                raise ValueError(f"{kernel}: {first}, {argument.name} has {size} {axis}")


def check_overlaps(kernel: str, arguments: list[Argument], given: Mapping[str, Any]) -> None:
    """What is written shares no memory with anything else, but may be some of the inputs themselves."""
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
