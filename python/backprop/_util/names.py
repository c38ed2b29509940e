"""Names that are not known, answered with the nearest one that is."""

import sys
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import wraps
from typing import Any, ClassVar, TypeVar

from backprop._util.other_libraries.arguments import ARGUMENTS, SAME

F = TypeVar("F", bound=Callable[..., Any])

# The flag of a function that takes *args (inspect.CO_VARARGS, which a plain import of the package can do without).
VARARGS = 4
# Letters in common that make one name near to another, as a share of both.
NEAR = 0.6
# Letters of a name that is compared: that takes as long as it is long, and a text from a file may be.
LONGEST = 100
# Of names in a module, which are many, so that some are near to anything; two letters of eight may be wrong.
NEAR_IN_MODULE = 0.75


# What there is, by class name, in the order of definition: answers list it. Layers and rules put themselves here.
AVAILABLE: dict[str, list[str]] = {"activations": [], "losses": [], "rules": []}


def did_you_mean(
    name: object,
    known: Iterable[str],
    near: float = NEAR,
    instead: Mapping[str, str] | None = None,
    same: Mapping[str, tuple[str, ...]] | None = None,
) -> str:
    """`; did you mean 'epochs'?`, or what to do instead, or nothing where no known name is near; case does not matter.

    Parameters
    ----------
    name : object
        What came.
    known : iterable of str
    near : float
        How much has to be in common: short names take less.
    instead : mapping of str to str, optional
        Names that other libraries have and this one has not, in lower case, and what to do instead.
    same : mapping of str to tuple of str, optional
        What other libraries call it, and what it may be called here. Where what is meant is not among the known, no
        name that only looks alike is offered for it.
    """
    # Of a function and a class of one name, the one that begins alike.
    large = str(name)[:1].isupper()
    names = {one.lower(): one for one in sorted(map(str, known), key=lambda one: one[:1].isupper() == large)}
    instead, same = instead or {}, same or {}
    wrong = str(name).lower()
    meant = (wrong, *same.get(wrong, ()))
    nearest = [one for one in meant if one in names]
    if not nearest:
        for one in meant:
            if one in instead:
                return f"; {filled_in(instead[one])}"
        if names and wrong not in same and len(wrong) <= LONGEST:
            import difflib

            nearest = difflib.get_close_matches(wrong, names, n=1, cutoff=near)
    return f"; did you mean {names[nearest[0]]!r}?" if nearest else ""


def filled_in(answer: str) -> str:
    """An answer with the names that there are for `{activations}`, `{losses}` and `{rules}`."""
    return answer.format(**{group: enumerated(names) for group, names in AVAILABLE.items()})


def enumerated(names: Sequence[str]) -> str:
    """`Relu, Sigmoid and Tanh`."""
    return " and ".join(filter(None, (", ".join(names[:-1]), *names[-1:])))


def attribute_error(
    owner: str, name: str, known: Iterable[str], near: float, instead: Mapping[str, str]
) -> AttributeError:
    """The error for a name that a module or an object has not."""
    hint = "" if name.startswith("_") else did_you_mean(name, known, near, instead)
    # With an object whose names are not ours, or Python would add its own suggestion to tracebacks.
    return AttributeError(f"{owner} has no attribute {name!r}{hint}", name=name, obj=None)


def suggesting_getattr(module: str, known: Collection[str], table: str) -> Callable[[str], Any]:
    """A module's `__getattr__`, which answers names that it has not; `table` is that of `other_libraries.modules`."""

    def answer(name: str) -> Any:
        from backprop._util.other_libraries import modules

        raise attribute_error(f"module {module!r}", name, known, NEAR_IN_MODULE, getattr(modules, table))

    return answer


class SuggestsNames:
    """Something whose attributes other libraries call by other names: `_table` is one of their tables."""

    _table: ClassVar[str]

    def __getattr__(self, name: str) -> Any:
        from backprop._util.other_libraries import attributes

        # Only what is in the table: what looks whether there is an attribute asks for names of its own, and often.
        raise attribute_error(
            f"{type(self).__name__!r} object", name, (), NEAR, getattr(attributes, self._table)
        )


def named_arguments(function: F) -> F:
    """Decorate a function so that an unknown keyword is answered with the nearest of its own.

    The signature and documentation stay the function's. A call costs a fraction of a microsecond more: for what builds
    and trains, not for what is called in a loop.
    """
    return named_arguments_and(())(function)


def named_arguments_and(others: Iterable[str]) -> Callable[[F], F]:
    """The same for a function whose `**` argument takes these names."""
    names = tuple(others)
    return lambda function: _named(function, names)


def _named(function: F, others: tuple[str, ...]) -> F:
    code = function.__code__
    known = (*code.co_varnames[: code.co_argcount + code.co_kwonlyargcount], *others)
    allowed = frozenset(known[code.co_posonlyargcount :])
    most = sys.maxsize if code.co_flags & VARARGS else code.co_argcount

    @wraps(function)
    def checked(*args: Any, **kwargs: Any) -> Any:
        if len(args) > most:
            _refuse_by_place(function, known, most, len(args))
        if not kwargs.keys() <= allowed:
            _refuse(function, [name for name in known if name != "self"], kwargs)
        return function(*args, **kwargs)

    return checked  # type: ignore[return-value]  # `wraps` keeps what is asked of F


def _refuse(function: Callable[..., Any], known: list[str], given: dict[str, Any]) -> None:
    """Raise for the first keyword that is not known, in Python's own words and a few more."""
    wrong = next(name for name in given if name not in known)
    owner = function.__qualname__.removesuffix(".__init__")
    hint = did_you_mean(wrong, known, instead=ARGUMENTS, same=SAME) or f"; it takes {', '.join(known)}"
    raise TypeError(f"{owner}() got an unexpected keyword argument {wrong!r}{hint}")


def _refuse_by_place(function: Callable[..., Any], known: tuple[str, ...], most: int, given: int) -> None:
    """Raise for more arguments by place than are taken, in Python's own words and a few more, if names would do."""
    named = known[most:]
    if named:
        owner = function.__qualname__.removesuffix(".__init__")
        raise TypeError(
            f"{owner}() takes {most} positional arguments but {given} were given; after {known[most - 1]} they are "
            f"given by name: {', '.join(f'{name}=' for name in named)}"
        )
