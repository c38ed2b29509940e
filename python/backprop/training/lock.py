"""One thread at a time trains a network; another that tries is refused, at once and before anything changes.

a) Whoever trains stands in `trainer` of the network's layers from the beginning of a `fit` or a step to its end. The
   same thread may train the network once more inside, as a callback does. Networks that have their layers in common, as
   `copy.copy` makes them, are one; other copies are free.
b) Nothing is called between the look at `trainer` and the assignment, so CPython gives no other thread a turn there.
   Signals are handled between calls too: an exception from there finds the thread not registered, or inside the `try`
   whose `finally` removes it.
c) A forked child has only the thread that forked. What others were training is free there, and its plan, which would
   wait for the end of their step, is made anew.
"""

import os
from _thread import get_ident  # threading's, without its import
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from functools import wraps
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar
from weakref import ref

P = ParamSpec("P")
R = TypeVar("R")

REFUSED = "this network is being trained by another thread"


class Locked(Protocol):
    """The layers of a network.

    Attributes
    ----------
    trainer : int or None
        The thread that trains them, by its `threading.get_ident()`.
    version : object
        Another one makes another plan necessary.
    change_in_passes : bool
        Whether a layer was seen to change others in a pass.
    """

    trainer: int | None
    version: object
    change_in_passes: bool


# No weak dictionary: what that does where layers end is Python, in which a Ctrl-C would be lost.
_known: deque[ref[Locked]] = deque()


def register(layers: Locked) -> None:
    """Remember layers for as long as they live, so that a forked child can free them."""
    # Two of those that were looked at longest ago: those that have ended are forgotten faster than others come.
    with suppress(IndexError):
        for _ in range(2):
            one = _known.popleft()
            if one() is not None:
                _known.append(one)
    _known.append(ref(layers))


def exclusive(function: Callable[Concatenate[Any, P], R]) -> Callable[Concatenate[Any, P], R]:
    """Decorate a function that trains the network that is its first argument.

    Raises
    ------
    RuntimeError
        Another thread trains the network.
    """

    @wraps(function)
    def call(net: Any, /, *args: P.args, **kwargs: P.kwargs) -> R:
        layers, me = net._layers, get_ident()
        outer = layers.trainer
        if outer is not None and outer != me:
            raise RuntimeError(REFUSED)
        try:
            layers.trainer = me
            return function(net, *args, **kwargs)
        finally:
            layers.trainer = outer

    return call


def _after_fork() -> None:
    me = get_ident()
    for one in [*_known]:
        layers = one()
        if layers is not None and layers.trainer is not None and layers.trainer != me:
            layers.trainer = None
            layers.version = object()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
