"""Moving parameters of one network towards those of another: once (`blend`), or after each step of a `fit`.

Both copy nothing: what is moved stays the very array that it was. All is looked at before anything moves, and a handler
of a signal finds all of it moved, or nothing.
"""

import re
from _thread import get_ident
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from operator import setitem
from typing import Any

import numpy as np

from backprop._util.arrays import Array, readable, shares
from backprop._util.settings import fraction
from backprop.layers.base import Layer
from backprop.layers.buffers import buffers_of
from backprop.layers.parameter_discovery import declared
from backprop.optimizers.base import perform
from backprop.training.lock import REFUSED
from backprop.training.protocol import Trainable
from bpcore import kernels
from bpcore.plan import Plan

DECAY = 0.999


def blended(params: Mapping[str, Array], layers: Mapping[str, Any], other: Any) -> list[tuple[Array, Array]]:
    """Each parameter and buffer with that of the other network, which it can be moved towards."""
    theirs = getattr(other, "params", None)
    if not isinstance(theirs, Mapping):
        raise TypeError(f"blend: other is a {type(other).__name__}, wanted a network")
    if list(theirs) != list(params):
        raise ValueError(f"blend: other has the parameters {', '.join(theirs)}, wanted {', '.join(params)}")
    own, others = buffers_of(layers), buffers_of(getattr(other, "layers", {}))
    if list(own) != list(others):
        had, wanted = (", ".join(names) or "none" for names in (others, own))
        raise ValueError(f"blend: other has the running statistics {had}, wanted {wanted}")
    params, theirs = {**params, **own}, {**theirs, **others}
    pairs = [(params[key], theirs[key]) for key in params]
    for key, (p, q) in zip(params, pairs, strict=True):
        if (p.shape, p.dtype) != (q.shape, q.dtype):
            raise ValueError(f"blend: {key} of other is {q.dtype} {q.shape}, wanted {p.dtype} {p.shape}")
        if not p.flags.writeable:
            raise ValueError(f"blend: {key} is read-only, wanted an array to change in place")
    for key, p in params.items():
        if any(shares(p, q) for q in theirs.values()):
            raise ValueError(f"blend: {key} shares memory with a parameter of other, wanted another network")
    # An array that several layers have moves once.
    once = {(p.ctypes.data, p.shape, p.strides): (p, q) for p, q in reversed(pairs)}
    return [*reversed(once.values())]


def _followed(average: Any, net: Any) -> list[tuple[Array, Array]]:
    """The same of an average and the network that it follows, with errors of `fit`."""
    try:
        return blended(average.params, average.layers, net)
    except (TypeError, ValueError) as error:
        text = re.sub(r"\bother\b", "the network", str(error).removeprefix("blend: "))
        raise ValueError(f"fit: ema does not fit the network any more: {text}") from None


def move(pairs: list[tuple[Array, Array]], tau: float, counter: dict[str, Any] | None = None) -> None:
    """p += tau·(q − p) of each pair, and one more of `moves` in a dict."""
    calls: list[tuple[Any, ...]] = []
    if counter is not None:
        calls.append((setitem, counter, "moves", counter["moves"] + 1))
    for p, q in pairs:
        run = p if p.flags.carray else np.ascontiguousarray(p)
        calls.append((kernels.blend, run.reshape(-1), readable(q, p.dtype).reshape(-1), tau))
        if run is not p:
            calls.append((setitem, p, ..., run))
    perform(calls)


class Average:
    """A network that follows another in training: after each step `a += (1 - decay)·(p - a)`.

    Attributes
    ----------
    network : Network
        Which has the average a.
    share : float
        1 - decay.
    moves : int
        How many steps it has followed.
    """

    def __init__(self, net: Trainable, network: Any, decay: float) -> None:
        self.net, self.network, self.share = net, network, 1 - decay
        self.moves = 0
        self.begin([])

    def begin(self, losses: list[float]) -> None:
        """From now on each loss that is added to a list is that of a step to follow."""
        self._losses, self._at, self._before = losses, len(losses), self.moves

    def catch_up(self) -> None:
        """Follow the last step, if it was taken and is not followed yet."""
        if self.moves - self._before < len(self._losses) - self._at:
            move(_followed(self.network, self.net), self.share, vars(self))

    def plan_beside(self, plan: Plan) -> Plan | None:
        """The plan of the network, if the loop of the trained one can move it along."""
        own: Plan | None = self.network._plan()
        return own if own is not None and plan.averages(own) else None


@contextmanager
def held(average: Average | None) -> Iterator[None]:
    """No other thread trains the network that has the average.

    Raises
    ------
    RuntimeError
        Another thread does.
    """
    if average is None:
        yield
        return
    layers, me = average.network._layers, get_ident()
    outer = layers.trainer
    if outer is not None and outer != me:
        raise RuntimeError(f"fit: ema: {REFUSED}")
    try:
        layers.trainer = me
        yield
    finally:
        layers.trainer = outer


def checked_average(net: Trainable, ema: Any, decay: Any) -> Average | None:
    """What `fit` is asked to average, all of it checked."""
    if ema is None:
        if decay is not None:
            raise ValueError(
                f"fit: ema_decay is {decay!r}, and ema is None; wanted the network that has the average, too: "
                "ema=copy.deepcopy(net)"
            )
        return None
    decay = fraction("fit", "ema_decay", DECAY if decay is None else decay)
    if isinstance(ema, type) or not all(hasattr(ema, name) for name in ("params", "_layers", "_plan")):
        what = f"the class {ema.__name__}" if isinstance(ema, type) else f"a {type(ema).__name__}"
        raise TypeError(f"fit: ema is {what}, wanted a network of its own: ema=copy.deepcopy(net)")
    _require_known(net)
    try:
        blended(net.params, net.layers, ema)
        for key, array in {**ema.params, **buffers_of(ema.layers)}.items():
            if not array.flags.writeable:
                raise ValueError(f"{key} of ema is read-only, wanted an array to change in place")
    except ValueError as error:
        text = re.sub(r"\bother\b", "ema", str(error).removeprefix("blend: "))
        raise ValueError(f"fit: {text}") from None
    if _made_of(ema) != _made_of(net) or any(
        not np.array_equal(getattr(ema, name), getattr(net, name)) for name in ("input_mean", "input_scale")
    ):
        raise ValueError(f"fit: ema is {ema!r}, the network {net!r}, wanted a copy: ema=copy.deepcopy(net)")
    return Average(net, ema, decay)


def _require_known(net: Any) -> None:
    """Of layers that are not ours a pass has shown the parameters, which the copy then has too."""
    for name, layer in net.layers.items():
        if declared(layer) is not None or name in net.layers._known or not hasattr(layer, "__dict__"):
            continue
        arrays = [own for own, value in vars(layer).items() if isinstance(value, np.ndarray)]
        unknown = [own for own in arrays if own not in net.layers.parameter_names(name)]
        if unknown:
            raise ValueError(
                f"fit: ema: no pass has shown yet whether {unknown[0]} of layers[{name!r}] ({type(layer).__name__}) "
                "is a parameter; call net.gradient(x, t) once, and copy the network then"
            )


def _made_of(net: Any) -> list[tuple[str, type, Any]]:
    """The layers by name, and the loss, with their options."""
    layers = [*net.layers.items(), ("", net.lastLayer)]
    return [
        (name, type(layer), _without_step(layer.options()) if isinstance(layer, Layer) else None)
        for name, layer in layers
    ]


def _without_step(options: Any) -> dict[str, Any]:
    """Options without how many masks a layer has drawn, in which an average may differ."""
    return {name: value for name, value in dict(options).items() if name != "step"}
