"""Names that are not known, answered with the nearest one that is."""

from collections.abc import Callable, Iterable, Mapping
from functools import wraps
from typing import Any, TypeVar

from backprop._elsewhere import ARGUMENTS, SAME

F = TypeVar("F", bound=Callable[..., Any])

# Letters in common that make one name near to another, as a share of both.
NEAR = 0.6


def did_you_mean(
    name: object, known: Iterable[str], near: float = NEAR, instead: Mapping[str, str] | None = None
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
    """
    import difflib

    names = {str(one).lower(): one for one in known}
    wrong = str(name).lower()
    nearest = [same for same in SAME.get(wrong, ()) if same in names]
    if not nearest and instead and wrong in instead:
        return f"; {instead[wrong]}"
    nearest = nearest or difflib.get_close_matches(wrong, names, n=1, cutoff=near)
    return f"; did you mean {names[nearest[0]]!r}?" if nearest else ""


def named_arguments(function: F) -> F:
    """Decorate a function so that an unknown keyword is answered with the nearest of its own.

    The signature and documentation stay the function's. A call costs a fraction of a microsecond more: for what builds
    and trains, not for what is called in a loop.
    """
    code = function.__code__
    known = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    allowed = frozenset(known[code.co_posonlyargcount :])

    @wraps(function)
    def checked(*args: Any, **kwargs: Any) -> Any:
        if not kwargs.keys() <= allowed:
            _refuse(function, [name for name in known if name != "self"], kwargs)
        return function(*args, **kwargs)

    return checked  # type: ignore[return-value]  # `wraps` keeps what is asked of F


def _refuse(function: Callable[..., Any], known: list[str], given: dict[str, Any]) -> None:
    """Raise for the first keyword that is not known, in Python's own words and a few more."""
    wrong = next(name for name in given if name not in known)
    owner = function.__qualname__.removesuffix(".__init__")
    hint = did_you_mean(wrong, known, instead=ARGUMENTS) or f"; it takes {', '.join(known)}"
    raise TypeError(f"{owner}() got an unexpected keyword argument {wrong!r}{hint}")
