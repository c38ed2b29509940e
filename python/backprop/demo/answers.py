"""What the page asks for, checked, and what it is answered, as JSON."""

import json
from http import HTTPStatus
from typing import Any

import numpy as np

from backprop._util.arrays import Array
from backprop._util.json import parsed
from backprop.demo.model import CANVAS, INK, Model, View

# A drawing takes 50 kB at most: 112 × 112 numbers of three digits, with commas.
LARGEST = 1 << 16


class RefusedError(Exception):
    """A request that is wrong; the status of the answer, and its text."""

    def __init__(self, status: HTTPStatus, message: str) -> None:
        super().__init__(message)
        self.status = status


def predict(model: Model, body: bytes) -> bytes:
    """Answer a body `{"pixels": […], "label": null or the number of a class}`."""
    pixels, label = _asked(model, body)
    if not pixels.any():
        raise _bad(f"pixels: all {pixels.size} are 0, wanted a drawing")
    return to_json(_answer(model, model.view(pixels, label)))


def to_json(content: object) -> bytes:
    """A content that has no NaN, which JSON does not know."""
    return json.dumps(content, allow_nan=False, separators=(",", ":")).encode()


def _asked(model: Model, body: bytes) -> tuple[Array, int | None]:
    """The drawing, (CANVAS, CANVAS), and the label, None standing for the predicted class."""
    try:
        content = parsed(body.decode())
    except ValueError as error:
        raise _bad(f"the body is not JSON: {error}") from None
    if not isinstance(content, dict):
        raise _bad(f"the body is a {type(content).__name__}, wanted an object with pixels and label")
    if "pixels" not in content or not content.keys() <= {"pixels", "label"}:
        raise _bad(f"the body has {_short(', '.join(content)) or 'nothing'}, wanted pixels and label")
    pixels, label = content["pixels"], content.get("label")
    if not isinstance(pixels, list) or len(pixels) != CANVAS * CANVAS:
        got = f"{len(pixels)} elements" if isinstance(pixels, list) else f"a {type(pixels).__name__}"
        raise _bad(f"pixels: got {got}, wanted a list of {CANVAS * CANVAS} ({CANVAS} × {CANVAS})")
    for n, value in enumerate(pixels):
        # By type, since True is an int; NaN is in no range.
        if type(value) not in (int, float) or not 0 <= value <= INK:
            raise _bad(f"pixels[{n}] is {_short(repr(value))}, wanted a number from 0 to {INK}")
    last = len(model.classes) - 1
    if label is not None and (type(label) is not int or not 0 <= label <= last):
        raise _bad(f"label is {_short(repr(label))}, wanted null or the number of a class, 0 to {last}")
    return np.array(pixels, dtype=np.float64).reshape(CANVAS, CANVAS), label


def _answer(model: Model, view: View) -> dict[str, Any]:
    """A view as the page takes it; see View for what the entries are."""
    numbers = (*view.hidden, view.scores, view.gradient, np.array(view.loss))
    if not all(np.isfinite(array).all() for array in numbers):
        raise RefusedError(
            HTTPStatus.UNPROCESSABLE_ENTITY, "the network's numbers for this drawing are not finite"
        )
    return {
        "pixels": view.pixels.tolist(),
        "hidden": [values.tolist() for values in view.hidden],
        "scores": view.scores.tolist(),
        "probabilities": view.probabilities.tolist(),
        "predicted": view.predicted,
        "label": view.label,
        "loss": view.loss,
        "gradient": view.gradient.tolist(),
    }


def _bad(message: str) -> RefusedError:
    return RefusedError(HTTPStatus.BAD_REQUEST, message)


def _short(text: str) -> str:
    """The beginning of what somebody sent."""
    return text if len(text) <= 60 else f"{text[:60]}…"
