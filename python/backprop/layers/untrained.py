"""Layers that keep parameters where nothing trains them: refused or warned of after a pass, never passed over.

a) Refused is what is a parameter beyond doubt, written in another way: a number, integers or a list beside which
   backward leaves a gradient, a gradient under another name or of another shape, lists of parameters and gradients,
   parameters of a layer inside.
b) A layer that has no parameters and keeps an array which is no constant (read-only) is warned of: backward may have
   forgotten the gradient.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np

from backprop._util.arrays import is_floating
from backprop.layers.parameter_discovery import Pass, attributes, has_gradient, items_of, parameter_names

# How others call the gradient of an attribute.
SPELLINGS = (
    "grad_{}",
    "{}_grad",
    "grad{}",
    "{}grad",
    "{}_gradient",
    "gradient_{}",
    "d_{}",
    "D{}",
    "g_{}",
    "delta_{}",
)
# How others call the gradients of a list of parameters.
LISTS = ("grads", "gradients", "grad", "dparams", "d{}", *SPELLINGS)


def fault_of(one: Pass, own: list[str], trained: set[int]) -> str:
    """What of a layer is not trained though it is meant to be, and how to write it; nothing if all is.

    Parameters
    ----------
    one : Pass
        The layer's last.
    own : list of str
        The attributes that are its parameters.
    trained : set of int
        Addresses of all parameters of the network.
    """
    kept = attributes(one.layer)
    for name, value in kept.items():
        if name in own or not one.stayed(name):
            continue
        gradient: Any = getattr(one.layer, f"d{name}", None)
        if is_floating(value):
            for other in (spelling.format(name) for spelling in SPELLINGS):
                if other in kept and np.shape(kept[other]) == value.shape and id(value) not in trained:
                    return f"its backward leaves the gradient of {name} in {other}, wanted d{name}"
            if _left(one, name) and np.shape(gradient) != value.shape:
                return f"{name} has shape {value.shape}, its backward leaves d{name} of shape {np.shape(gradient)}"
        elif _is_number(value) and _left(one, name):
            what = (
                f"an array of {value.dtype}" if isinstance(value, np.ndarray) else f"a {type(value).__name__}"
            )
            return (
                f"{name} is {what}, wanted an array of float32 or float64: np.array({name}, dtype=np.float32)"
            )
        elif any(is_floating(item) and id(item) not in trained for _, item in items_of(name, value)):
            for other in (spelling.format(name) for spelling in LISTS):
                if other in kept and other != name:
                    return (
                        f"it keeps arrays in {name} and {other}, wanted an attribute each: self.W, self.b, and "
                        "backward sets self.dW, self.db"
                    )
    for place, within in _parameters_inside(one, trained):
        array = place.rsplit(".", 1)[1]
        return (
            f"nothing trains {place} of the {within} that it holds; wanted layers in net.layers, or arrays of its own: "
            f"self.{array} = self.{place}, and backward sets self.d{array}; one that stays is read-only: "
            f"{place}.setflags(write=False)"
        )
    return ""


def doubt_of(one: Pass, own: list[str], trained: set[int]) -> str:
    """What of a layer without parameters may have been meant to be trained; nothing if there is nothing."""
    if own:
        return ""
    for name, value in attributes(one.layer).items():
        if one.stayed(name):
            for place, item in ((name, value), *items_of(name, value)):
                if is_floating(item) and item.flags.writeable and id(item) not in trained:
                    wanted = f"no d{name}" if place == name else "no gradient of it"
                    return (
                        f"{place} is not trained: its backward leaves {wanted}; a constant is read-only: "
                        f"self.{place}.setflags(write=False)"
                    )
    return ""


def _left(one: Pass, name: str) -> bool:
    """Whether the pass has left something as the gradient of an attribute, and not what stood there anyway."""
    kept = attributes(one.layer)
    if not has_gradient(one.layer, kept, name):
        return False
    gradient = getattr(one.layer, f"d{name}")
    return gradient is not None and one.before.get(f"d{name}") is not gradient and not one.is_data(gradient)


def _is_number(value: Any) -> bool:
    """Whether these are numbers, but not in an array that can be moved."""
    if isinstance(value, np.ndarray):
        return value.dtype.kind in "iu"
    if isinstance(value, list):
        return bool(value) and all(map(_is_number, value))
    return isinstance(value, (int, float, np.number)) and not isinstance(value, bool)


def _parameters_inside(one: Pass, trained: set[int]) -> Iterator[tuple[str, str]]:
    """Parameters of the layers that a layer holds, as `affine.W`, and the class of the layer that has them."""
    for place, within in one.inner:
        for name in parameter_names(within.layer, within.replaced()):
            array = getattr(within.layer, name)
            if (
                is_floating(array)
                and array.flags.writeable
                and id(array) not in trained
                and not one.is_data(array)
            ):
                yield f"{place}.{name}", type(within.layer).__name__
        lists = attributes(within.layer)
        if "params" in lists and "grads" in lists:
            for where, item in items_of("params", lists["params"]):
                if is_floating(item) and id(item) not in trained:
                    yield f"{place}.{where}", type(within.layer).__name__
        for where, kind in _parameters_inside(within, trained):
            yield f"{place}.{where}", kind
