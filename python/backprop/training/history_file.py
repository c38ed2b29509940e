"""Histories as JSON files.

a) A file is one object: "format", the attributes of a history, and "checksum", the CRC-32 of the JSON text of the rest
   as Python writes it. One that is changed on purpose has none.
b) JSON has no NaN and no infinity: they are the texts "nan", "inf" and "-inf". All other numbers are written as the
   shortest that are read back as they were.
c) What can be saved can be loaded, and the other way round: both are held to the same checks.
"""

import json
import math
import os
import zlib
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import numpy as np

from backprop._util.files import expanded, opened
from backprop._util.json import parsed
from backprop._util.messages import cut, listed, shown
from backprop.training.history_parts import EVALUATED, require_rows

FORMAT, CHECKSUM = "backprop history 1", "checksum"
LISTS = ("loss", *EVALUATED)
NAMES = (*LISTS, "evaluated_at", "seconds", "others", "best_at")
NOT_FINITE = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}
# Of a message about a file.
LONGEST = 300


def content_of(history: Any) -> bytes:
    """A history as the bytes of a file."""
    try:
        stated: dict[str, Any] = {"format": FORMAT}
        for name in LISTS:
            stated[name] = [_written(name, value) for value in getattr(history, name)]
        stated["evaluated_at"] = [_whole("evaluated_at", value) for value in history.evaluated_at]
        stated["seconds"] = _written("seconds", history.seconds)
        stated["others"] = [
            {_text(name): _written(name, value) for name, value in row.items()} for row in history.others
        ]
        stated["best_at"] = None if history.best_at is None else _whole("best_at", history.best_at)
        _check(stated)
    except (TypeError, ValueError) as error:
        raise type(error)(f"save: {error}") from None
    stated[CHECKSUM] = _checksum(stated)
    return (json.dumps(stated) + "\n").encode()


def read(path: str | os.PathLike[str], history: Any) -> None:
    """Give a history the attributes that a file has."""
    with opened(expanded(path)) as file:
        content = file.read()
    try:
        stated = parsed(content.decode())
        if not isinstance(stated, dict):
            raise ValueError(f"it is {shown(stated)}, wanted names with values")
        if stated.get("format") != FORMAT:
            raise ValueError(f"the file's format is {shown(stated.get('format'))}, wanted {FORMAT!r}")
        if missing := [name for name in NAMES if name not in stated]:
            raise ValueError(f"{listed(missing)} is missing")
        if unknown := [name for name in stated if name not in (*NAMES, "format", CHECKSUM)]:
            raise ValueError(f"it has {listed(unknown)}, which no history has")
        found = _check(stated)
        if stated.get(CHECKSUM) not in (None, _checksum(stated)):
            raise ValueError(
                f"not what was saved: the file is damaged; one that is changed on purpose has no {CHECKSUM!r}"
            )
        vars(history).update(found)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{os.fspath(path)}: no history: {cut(str(error), LONGEST)}") from None


def _check(stated: dict[str, Any]) -> dict[str, Any]:
    """The attributes that a file says, all of them right."""
    for name in (*LISTS, "evaluated_at", "others"):
        if not isinstance(stated[name], list):
            raise ValueError(f"{name} is {shown(stated[name])}, wanted a list")
    found: dict[str, Any] = {name: [_number(name, value) for value in stated[name]] for name in LISTS}
    found["evaluated_at"] = [_whole("evaluated_at", value) for value in stated["evaluated_at"]]
    steps, taken = found["evaluated_at"], len(found["loss"])
    if any(a >= b for a, b in pairwise([0, *steps, taken + 1])):
        raise ValueError(
            f"evaluated_at is {shown(steps)}, wanted steps that go up from 1 to {taken}, those of loss"
        )
    found["seconds"], found["others"] = _number("seconds", stated["seconds"]), []
    for row in stated["others"]:
        if not isinstance(row, dict):
            raise ValueError(f"others has {shown(row)}, wanted names with numbers")
        found["others"].append({name: _number(name, value) for name, value in row.items()})
    best = found["best_at"] = None if stated["best_at"] is None else _whole("best_at", stated["best_at"])
    if best is not None and not 1 <= best <= taken:
        raise ValueError(f"best_at is {shown(best)}, wanted one of the {taken} steps of loss, or null")
    require_rows("", SimpleNamespace(**found))
    return found


def _written(name: str, value: Any) -> float | str:
    """A number as a file has it."""
    if isinstance(value, bool) or not isinstance(value, (int, float, np.integer, np.floating)):
        raise TypeError(f"{name} has {shown(value)}, wanted numbers")
    number = float(value)
    return number if math.isfinite(number) else repr(number)


def _number(name: str, value: Any) -> float:
    """A number that a file has."""
    if type(value) is str and value in NOT_FINITE:
        return NOT_FINITE[value]
    if type(value) not in (int, float):
        raise ValueError(
            f"{name} has {shown(value)}, wanted a number, or one of {listed(map(repr, NOT_FINITE))}"
        )
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise ValueError(f"{name} has a number that no float64 holds")
    return number


def _whole(name: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
        raise ValueError(f"{name} has {shown(value)}, wanted whole numbers")
    return int(value)


def _text(name: Any) -> str:
    if not isinstance(name, str) or json.loads(json.dumps(name)) != name:
        raise ValueError(f"others has the name {shown(name)}, wanted a text")
    return name


def _checksum(stated: dict[str, Any]) -> int:
    """CRC-32 of what a file says, in the order in which it does."""
    return zlib.crc32(json.dumps({name: stated[name] for name in ("format", *NAMES)}).encode())
