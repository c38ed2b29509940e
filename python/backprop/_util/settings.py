"""What numbers that a user sets may be: checked in the constructor, and whenever one is assigned."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import numpy as np

INFINITY, NAN = float("inf"), float("nan")
MOST_STEPS = 2**62  # a kernel counts in 64 bits

# Returns the value as it is kept, or raises: for the class's name, the setting's, and the value.
Check = Callable[[str, str, Any], Any]


def positive(owner: str, name: str, value: Any) -> float:
    """A positive finite number, as a float."""
    return _number(owner, name, value, INFINITY, False)


def non_negative(owner: str, name: str, value: Any) -> float:
    """A finite number of at least 0, as a float."""
    return _number(owner, name, value, INFINITY, True)


def limit(owner: str, name: str, value: Any) -> float | None:
    """A positive finite number, as a float, or None: no limit."""
    return None if value is None else positive(owner, name, value)


def finite(owner: str, name: str, value: Any) -> float:
    """A finite number, as a float."""
    return _number(owner, name, value, INFINITY, None)


def numbers(owner: str, name: str, value: Any) -> float | tuple[float, ...]:
    """A finite number, as a float, or several of them, as a tuple."""
    try:
        array = np.asarray(value)
    except ValueError:  # ragged lists
        raise ValueError(f"{owner}: {name} is {value!r:.60}, wanted a number, or one an output") from None
    if array.ndim == 0:
        return finite(owner, name, value.item() if isinstance(value, np.ndarray) else value)
    if array.ndim != 1 or not len(array):
        raise ValueError(f"{owner}: {name} has shape {array.shape}, wanted a number, or one an output")
    return tuple(finite(owner, f"{name}[{n}]", one) for n, one in enumerate(array.tolist()))


def positive_numbers(owner: str, name: str, value: Any) -> float | tuple[float, ...]:
    """A positive finite number, as a float, or several of them, as a tuple."""
    found = numbers(owner, name, value)
    for n, one in enumerate(found if isinstance(found, tuple) else (found,)):
        positive(owner, f"{name}[{n}]" if isinstance(found, tuple) else name, one)
    return found


def fraction(owner: str, name: str, value: Any) -> float:
    """A number from 0 to below 1, as a float."""
    return _number(owner, name, value, 1, True)


def share(owner: str, name: str, value: Any) -> float:
    """A number between 0 and 1, neither of them, as a float."""
    with suppress(ValueError):
        number = fraction(owner, name, value)
        if number > 0:
            return number
    raise ValueError(f"{owner}: {name} is {value!r}, wanted a number above 0 and below 1")


def from_0_to_1(owner: str, name: str, value: Any) -> float:
    """A number from 0 to 1, as a float."""
    if type(value) is float and 0 <= value <= 1:
        return value  # at once: a soft update of a small network takes no longer than the rest of this
    with suppress(ValueError):
        number = non_negative(owner, name, value)
        if number <= 1:
            return number
    raise ValueError(f"{owner}: {name} is {value!r}, wanted a number from 0 to 1")


def two_fractions(owner: str, name: str, value: Any) -> tuple[float, float]:
    """Two numbers from 0 to below 1."""
    first, second = _pair(owner, name, value)
    return fraction(owner, f"{name}[0]", first), fraction(owner, f"{name}[1]", second)


def growth(owner: str, name: str, value: Any) -> tuple[float, float]:
    """Two factors: one below 1 and one above."""
    low, high = _pair(owner, name, value)
    return share(owner, f"{name}[0]", low), _number(owner, f"{name}[1]", high, INFINITY, False, 1)


def size_range(owner: str, name: str, value: Any) -> tuple[float, float]:
    """Two positive numbers, the first not above the second."""
    least, most = _pair(owner, name, value)
    least = positive(owner, f"{name}[0]", least)
    return least, _number(owner, f"{name}[1]", most, INFINITY, True, least)


def _pair(owner: str, name: str, value: Any) -> Any:
    if not isinstance(value, (tuple, list, np.ndarray)) or np.shape(value) != (2,):
        raise ValueError(f"{owner}: {name} is {value!r}, wanted two numbers")
    return value


def switch(owner: str, name: str, value: Any) -> bool:
    """True or False."""
    if not isinstance(value, (bool, np.bool_)):
        raise ValueError(f"{owner}: {name} is {value!r}, wanted True or False")
    return bool(value)


def whole_below(most: int) -> Check:
    """A check for whole numbers from 0 to below another."""

    def check(owner: str, name: str, value: Any) -> int:
        if isinstance(value, bool) or not hasattr(value, "__index__") or not 0 <= value < most:
            power = most.bit_length() - 1
            raise ValueError(
                f"{owner}: {name} is {value!r}, wanted a whole number of at least 0 and below 2**{power}"
            )
        return int(value)

    return check


def step_count(owner: str, name: str, value: Any) -> int:
    """A whole number of steps."""
    return int(whole_below(MOST_STEPS)(owner, name, value))


def state_mapping(owner: str, name: str, value: Any) -> Any:
    """A dict."""
    if not isinstance(value, dict):
        raise TypeError(
            f"{owner}: {name} is a {type(value).__name__}, wanted a dict of names to tuples of arrays"
        )
    return value


def _number(
    owner: str, name: str, value: Any, high: float, includes_low: bool | None, low: float = 0
) -> float:
    """`value` as a float between low and high; of any sign where `includes_low` is None."""
    number = NAN
    if isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool):
        with suppress(OverflowError):  # an int that no float can hold
            number = float(value)
    if includes_low is None:
        if not -INFINITY < number < INFINITY:
            raise ValueError(f"{owner}: {name} is {value!r}, wanted a finite number")
    elif not ((number >= low if includes_low else number > low) and number < high):
        least = f"a finite number of at least {low:g}" if includes_low else "a positive finite number"
        if low and not includes_low:
            least = f"a finite number above {low:g}"
        wanted = least if high == INFINITY else f"a number from 0 to below {high}"
        raise ValueError(f"{owner}: {name} is {value!r}, wanted {wanted}")
    return number
