"""What an update works with, looked at before anything moves: parameters, gradients, state."""

from collections.abc import Iterator, Mapping, MutableMapping
from operator import itemgetter
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from backprop._util.arrays import Array, parameter, plural, readable, real_array, shares

# What an error calls an array, the array, and a group; arrays of one group may have memory in common.
Named = tuple[str, Array, str]


def pair(owner: str, params: Mapping[str, Array], key: str, grad: ArrayLike) -> tuple[Array, Array]:
    """A parameter that can be moved, and its gradient in the parameter's type."""
    if key not in params:
        raise KeyError(f"{owner}: grads has {key!r}, params has {', '.join(params)}")
    value = params[key]
    if isinstance(value, (float, np.floating)):
        if not hasattr(params, "__setitem__"):
            raise TypeError(
                f"{owner}: params[{key!r}] is a number in a {type(params).__name__}, which takes no other in its place"
            )
        value = np.array(value)  # which is moved, and takes its place
    w = np.asarray(parameter(owner, f"params[{key!r}]", value, getattr(value, "ndim", 0)))
    g = real_array(owner, f"the gradient of {key!r}", grad)
    if w.shape != g.shape:
        raise ValueError(f"{owner}: params[{key!r}] has shape {w.shape}, its gradient has {g.shape}")
    if not w.flags.writeable:
        raise ValueError(f"{owner}: params[{key!r}] is read-only, wanted an array to change in place")
    return w, readable(g, w.dtype)


def moved(params: MutableMapping[str, Any], key: str, w: Array) -> None:
    """Put a number that was moved in the place of the one that it was."""
    params[key] = w[()] if isinstance(params[key], np.floating) else float(w)


def checked_state(owner: str, key: str, w: Array, state: Any, count: int) -> tuple[Array, ...]:
    """The state of a parameter, `count` arrays of its shape and type that can be changed in place."""
    if not isinstance(state, tuple) or len(state) != count:
        got = (
            f"has {plural(len(state), 'array')}" if isinstance(state, tuple) else f"is {type(state).__name__}"
        )
        raise ValueError(f"{owner}: state[{key!r}] {got}, wanted a tuple of {plural(count, 'array')}")
    for n, moment in enumerate(state):
        name = f"state[{key!r}][{n}]"
        if not isinstance(moment, np.ndarray):
            raise TypeError(f"{owner}: {name} is a {type(moment).__name__}, wanted a NumPy array")
        if moment.shape != w.shape or moment.dtype != w.dtype:
            raise ValueError(
                f"{owner}: the state of {key!r} is {moment.dtype} {moment.shape}, the "
                f"parameter is {w.dtype} {w.shape}; another network needs another optimizer"
            )
        if not moment.flags.writeable:
            raise ValueError(f"{owner}: {name} is read-only, wanted an array to change in place")
        if not moment.flags.carray:
            raise ValueError(f"{owner}: {name} is not C-contiguous; numpy.ascontiguousarray makes it so")
    return state


def require_separate(
    owner: str,
    params: Mapping[str, Array],
    grads: Mapping[str, Array],
    state: Mapping[str, tuple[Array, ...]],
) -> None:
    """Raise if two arrays have memory in common, but for two parameters, as layers may share them, or two gradients."""
    # By the address of their first byte, so that only neighbours are compared: there may be thousands.
    spans = [(*_span(array), name, array, group) for name, array, group in _named(params, grads, state)]
    reaching: list[tuple[int, int, str, Array, str]] = []
    for one in sorted(spans, key=itemgetter(0)):
        first, _, name, array, group = one
        reaching = [other for other in reaching if other[1] > first]
        for _, _, other_name, other, other_group in reaching:
            if group != other_group and shares(array, other):
                names = sorted((name, other_name), key=lambda name: name.startswith("params"))
                raise ValueError(f"{owner}: {names[0]} overlaps {names[1]}, wanted an array of its own")
        reaching.append(one)


def _named(
    params: Mapping[str, Array], grads: Mapping[str, Array], state: Mapping[str, tuple[Array, ...]]
) -> Iterator[Named]:
    yield from ((f"params[{key!r}]", w, "params") for key, w in params.items())
    yield from ((f"the gradient of {key!r}", g, "grads") for key, g in grads.items())
    for key, arrays in state.items():
        for n, moment in enumerate(arrays):
            yield f"state[{key!r}][{n}]", moment, f"state {key} {n}"


def _span(array: Array) -> tuple[int, int]:
    """The addresses of an array's first byte, and of what comes behind its last."""
    first: int = array.__array_interface__["data"][0]
    if array.flags.c_contiguous or not array.size:
        return first, first + array.nbytes
    steps = [(size - 1) * stride for size, stride in zip(array.shape, array.strides, strict=True)]
    below = sum(step for step in steps if step < 0)
    return first + below, first + sum(steps) - below + array.itemsize
