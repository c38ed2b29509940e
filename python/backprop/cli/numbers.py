"""Numbers and names of the command line: types for argparse, which refuse what only Python takes for a number."""

import argparse

# Epochs, steps and samples of a batch: more are a mistake, and arithmetic with them stays within 64 bits.
MOST = 10**9
# More digits than any number here has.
DIGITS = 100


def whole(text: str) -> int:
    """A whole number; `1_000` and digits of other scripts are none."""
    number = _ascii(text, int)
    if number is None:
        raise argparse.ArgumentTypeError(f"invalid int value: {text!r}, wanted a whole number")
    return int(number)


def real(text: str) -> float:
    """A number, which may be infinite or NaN: what takes it says what it wants."""
    number = _ascii(text, float)
    if number is None:
        raise argparse.ArgumentTypeError(f"invalid float value: {text!r}, wanted a number")
    return number


def sizes(text: str) -> list[int]:
    """`64,32` as the sizes of the hidden layers."""
    numbers = [_ascii(part, int) for part in text.split(",")]
    units = [int(number) for number in numbers if number is not None and number >= 1]
    if len(units) < len(numbers):
        raise argparse.ArgumentTypeError(
            f"invalid sizes value: {text!r}, wanted whole numbers of at least 1, such as 64,32"
        )
    return units


def reals(text: str) -> list[float]:
    """`0.2,0.5` as numbers, which may be infinite or NaN."""
    return [real(part) for part in text.split(",")]


def names(text: str) -> list[str]:
    """`gelu,tanh` as names."""
    return text.split(",")


def require_range(option: str, value: int, least: int, most: int) -> None:
    """Raise for a number that is out of an option's range."""
    if not least <= value <= most:
        raise ValueError(f"{option} is {value}, wanted {least} to {most}")


def _ascii(text: str, kind: type[int] | type[float]) -> int | float | None:
    if not text.isascii() or "_" in text or len(text) > DIGITS:
        return None
    try:
        return kind(text)
    except ValueError:
        return None
