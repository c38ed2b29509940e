"""JSON that others wrote."""

import json
from typing import Any, NoReturn


def parsed(text: str) -> Any:
    """What the text says; ValueError if it is damaged."""
    try:
        return json.loads(text, parse_constant=_refuse)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def _refuse(name: str) -> NoReturn:
    # NaN and Infinity, which Python's reader takes and JSON has not.
    raise ValueError(f"{name} is no number of JSON")
