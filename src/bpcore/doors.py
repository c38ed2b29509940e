"""How Python reaches a kernel: the compiled function, and an error that names the argument when a call is wrong.

a) A kernel's door is described once, as `"x:BI W:IO b:O -> out:BO"`: letters are sizes, equal letters are equal
   sizes, what stands behind the arrow is written to. `~` after the letters allows any strides, `?` marks a mask,
   `t:B|BK` is (B,) integer labels or a (B, K) matrix, `out:N=x` may be x itself.
b) The compiled function checks types, dimensions and sizes itself and only says that something is wrong.
   The words are found here, after the fact, so that a right call pays nothing for them.
"""

import functools
import inspect
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, TypeVar

Kernel = TypeVar("Kernel", bound=Callable[..., Any])
FLOATS = ("float32", "float64")
MASKS = ("bool", "uint8")
LABELS: tuple[str, ...] = ("int64",)


class Argument(NamedTuple):
    """What a door wants of one array."""

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
    letters = form.rstrip("~?")
    labels = alternatives and len(letters) == 1
    dtypes = LABELS if labels else MASKS if "?" in form else FLOATS
    return Argument(name, letters, dtypes, "~" in form, written, may_be)


def door(description: str) -> Callable[[Kernel], Kernel]:
    """Give a compiled kernel errors that say which argument was wrong, what came and what was wanted."""
    wanted = parse(description)

    def decorate(kernel: Kernel) -> Kernel:
        @functools.wraps(kernel)
        def call(*args: Any, **kwargs: Any) -> Any:
            try:
                return kernel(*args, **kwargs)
            except (TypeError, ValueError, BufferError, OverflowError) as error:
                explain(call, wanted, args, kwargs)
                raise type(error)(f"{kernel.__name__}: {error}") from None

        call.arguments = wanted  # type: ignore[attr-defined]  # what tests try every kernel with
        return call  # type: ignore[return-value]  # same signature by functools.wraps

    return decorate


def explain(
    call: Callable[..., Any],
    wanted: list[list[Argument]],
    args: tuple[Any, ...],
    kwargs: Mapping[str, Any],
) -> None:
    """Raise the error for the first argument that does not fit; return when each one fits."""
    kernel = call.__name__
    try:
        given = inspect.signature(call).bind(*args, **kwargs).arguments
    except TypeError as error:
        raise TypeError(f"{kernel}: {error}") from None
    arguments = []
    for forms in wanted:
        value = given[forms[0].name]
        argument = next(
            (form for form in forms if getattr(value, "ndim", None) == len(form.letters)), forms[-1]
        )
        check_array(kernel, argument, value)
        arguments.append(argument)
    check_types(kernel, arguments, given)
    check_sizes(kernel, arguments, given)
    check_overlaps(kernel, arguments, given)
    check_scalars(kernel, arguments, given)


def check_scalars(kernel: str, arguments: list[Argument], given: Mapping[str, Any]) -> None:
    """What is no array is a number, but for `threads`, which bpcore.threads checks."""
    for name, value in given.items():
        if name != "threads" and all(name != argument.name for argument in arguments):
            try:
                float(value)
            except (TypeError, ValueError, OverflowError):
                raise TypeError(f"{kernel}: {name} is {value!r}, wanted a number") from None


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

    for n, argument in enumerate(arguments):
        array = given[argument.name]
        for other in arguments[:n] if argument.written else ():
            same = other.name in argument.may_be
            if np.shares_memory(array, given[other.name]) and not (same and _same(array, given[other.name])):
                itself = f"{other.name} itself or " if same else ""
                raise ValueError(
                    f"{kernel}: {argument.name} overlaps {other.name}, wanted {itself}an array of its own"
                )


def _same(array: Any, other: Any) -> bool:
    one, two = array.__array_interface__, other.__array_interface__
    return bool(one["data"][0] == two["data"][0] and array.strides == other.strides)
