"""Steps of a network in which layers stand that no plan knows: only these leave it.

a) What stands between them is a segment, layers one behind another with a workspace of their own (segments.pxi). The
   others, and activations without a layer in front of them, go forward and back by themselves, with arrays of their
   own: nothing that they do to these reaches a segment.
b) All gradients are there before a parameter moves. Then the segments move theirs, and the optimizer's kernels the
   others. Where it needs all gradients at once (limits of their norm, its first step, a layer that has got another
   parameter), they leave the segments in new arrays, and it moves all parameters as it does layer by layer.
c) The numbers are those of the layers, bit for bit. So a layer takes part once passes layer by layer have shown its
   parameters (layers.py), and that arrays of the network's type alone go through it. Where it gives something else
   later on, the step is taken anew layer by layer, and so are those that follow.
d) After so much work in C the Python here runs from cold caches, at a third of its speed: what is looked at in each
   step is as little as can be.
"""

from operator import setitem
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from backprop._util.arrays import FLOAT32, FLOAT64, Array, readable
from backprop.layers.base import Layer, pass_forward
from backprop.layers.base_loss import checked_targets, loss_of, row_weights_of
from backprop.layers.counters import Counters
from backprop.layers.parameter_discovery import declared
from backprop.layers.parametric import Affine
from backprop.layers.weighting import sample_weights
from backprop.network.parameters import Places, gradient_of
from backprop.network.plan import (
    Guards,
    Run,
    pieces_of,
    planned_loss,
    planned_scaling,
    state_of_array,
)
from backprop.network.protocol import NetworkLike
from backprop.network.settled import settled
from backprop.optimizers.base import Call, UpdateRule, perform
from bpcore.plan import Segment

# The loss of a segment that has others behind it, which nobody asks for.
NO_LOSS = ("squared_error", 0.0, None, False)


class UnsuitedError(Exception):
    """A layer gave something that no segment takes as the layers would; the layers take it, or raise."""


class ChangedError(UnsuitedError):
    """A layer has changed in a pass in which not all of it was looked at; in those that follow it is."""


class PlannedPart:
    """A segment, as a part of a pass.

    Attributes
    ----------
    keys : list of str
        Its parameters, as the network calls them.
    """

    def __init__(
        self, net: NetworkLike, run: Run, keys: list[str], first: bool, loss: Any, guards: Guards
    ) -> None:
        mean, scale = planned_scaling(net) if first else (None, None)
        self.keys, self._first, self._dtype, self._outputs = keys, first, net.dtype, run.outputs
        # It takes samples of any shape.
        self._flattens = run.planned[0][0] == Affine.kind
        self._shape: tuple[int, ...] = ()
        loss = loss or NO_LOSS
        entrance = None if first else run.entrance
        self.segment = Segment(net.dtype.name, run.planned, loss, mean, scale, guards, None, entrance)

    def _rows(self, x: Any) -> Array:
        """What comes in, as rows that can be read in place."""
        if self._first:
            return x  # type: ignore[no-any-return]  # they are
        if type(x) is not np.ndarray or x.dtype != self._dtype or x.ndim < 2:
            raise UnsuitedError
        self._shape = x.shape
        if x.ndim > 2:
            if not self._flattens or not x.size:
                raise UnsuitedError
            x = x.reshape(len(x), -1)
        return readable(x, self._dtype)

    def forward(self, x: Any) -> Array:
        """Go forward in training."""
        out = self.segment.forward(self._rows(x), not self._first)
        if out is None:
            raise UnsuitedError
        return out

    def forth_and_back(
        self, net: NetworkLike, x: Any, t: ArrayLike, sample_weight: ArrayLike | None
    ) -> tuple[float, Array, Array | None]:
        """The loss, the scores, and the gradient of what came in."""
        rows, found = self._rows(x), None
        if type(t) is np.ndarray and sample_weight is None:
            found = self.segment.forth_and_back(rows, t)
        if found is None:
            t = net._numbered("train_step", t)
            wanted = checked_targets(net.lastLayer, "train_step", t, (len(rows), self._outputs), self._dtype)
            weights = sample_weights("train_step", sample_weight, len(rows))
            row_weights = row_weights_of(net.lastLayer, wanted, weights)
            found = self.segment.forth_and_back(rows, wanted, row_weights)
        if found is None:
            raise UnsuitedError
        loss, scores, dx = found
        return loss, scores, self._as_it_came(dx)

    def back(self, dout: Any) -> Array | None:
        """Go back; what comes of it is None where nobody needs it."""
        if type(dout) is not np.ndarray or dout.dtype != self._dtype or not self.segment.is_valid():
            raise UnsuitedError
        if dout.shape != (self.segment.rows, self._outputs):
            raise UnsuitedError
        return self._as_it_came(self.segment.back(readable(dout, self._dtype)))

    def _as_it_came(self, dx: Array | None) -> Array | None:
        return dx if dx is None or len(self._shape) == 2 else dx.reshape(self._shape)


class Segments:
    """A network in parts: segments, and the names of layers that go by themselves.

    Made where `Layers.are_known`; it is valid as long as the `NoPlan` that it belongs to.

    Attributes
    ----------
    is_of_use : bool
        Until a layer gives what no segment takes.
    """

    def __init__(self, net: NetworkLike, pieces: list[Run | str], guards: Guards) -> None:
        layers, places = net.layers, net.params.places()
        self._loss = net.lastLayer
        # What passes show of layers that are not ours makes another version, which is looked at apart.
        guards = [one for one in guards if one[1] != "version"]
        self._layers, self._version, self._places = layers, layers.version, places
        self._inputs = net.sizes[0]
        keys: dict[int, list[str]] = {}
        for key, (layer, _) in places.items():
            keys.setdefault(id(layer), []).append(key)
        objects, loss = dict(layers.items()), planned_loss(net)
        self._parts: list[PlannedPart | str] = []
        for n, piece in enumerate(pieces):
            if isinstance(piece, Run):
                own = [key for name in piece.keys for key in keys.get(id(objects[name]), [])]
                its_loss = loss if n == len(pieces) - 1 else None
                self._parts.append(PlannedPart(net, piece, own, n == 0, its_loss, guards))
            else:
                self._parts.append(piece)
        self._alone = {name: objects[name] for name in self._parts if isinstance(name, str)}
        self._planned = [part for part in self._parts if isinstance(part, PlannedPart)]
        # Layers that are not ours, whose parameters may be others after any pass.
        self._others = {name: layer for name, layer in self._alone.items() if declared(layer) is None}
        # Those of them of which little has to be looked at.
        self._names = {name: layers.parameter_names(name) for name in self._others}
        known = {name: settled(layer, self._names[name]) for name, layer in self._others.items()}
        self._settled = {name: one for name, one in known.items() if one is not None}
        owned = {key for part in self._planned for key in part.keys}
        self._own: Places = {key: place for key, place in places.items() if key not in owned}
        ours = [layer for name, layer in objects.items() if name not in self._others]
        self._counting = [layer for layer in ours if type(layer).counters]
        # Ours that no segment took: an array that none can use may be made one that it can, in place.
        found = [
            (layer, declared(layer) or ()) for name, layer in self._alone.items() if name not in self._others
        ]
        arrays = [getattr(layer, name) for layer, names in found for name in names]
        self._arrays = [(array, state_of_array(array)) for array in arrays]
        self._caches = _caches(net, [*ours, net.lastLayer])
        self._is_running, self.is_of_use = False, True
        self._states: tuple[list[Any] | None, list[list[Any]]] = (None, [])

    def _have_the_same_parameters(self) -> bool:
        """Whether those of the layers that are not ours still have the names that they had."""
        return all(
            name in self._settled or self._layers.parameter_names(name) == names
            for name, names in self._names.items()
        )

    def _have_layers_changed(self, net: NetworkLike) -> bool:
        """Whether a layer has replaced another, the loss, or an array or a number of one."""
        return net.lastLayer is not self._loss or not self._planned[0].segment.is_valid()

    def _watch(self, changed: list[str]) -> bool:
        """Look at all of these layers from now on; whether there are any."""
        for name in changed:
            del self._settled[name]
        return bool(changed)

    def are_valid(self) -> bool:
        """Whether the network is still made of what it was."""
        return (
            self._layers.version is self._version
            and all(part.segment.is_valid() for part in self._planned)
            and all(state_of_array(array) == state for array, state in self._arrays)
        )

    def step(
        self,
        net: NetworkLike,
        x: ArrayLike,
        t: ArrayLike,
        optimizer: UpdateRule,
        losses: list[float],
        sample_weight: ArrayLike | None = None,
    ) -> Array | None:
        """One step, which adds the loss before it to `losses`: the scores.

        None, with nothing changed, where it has to be taken layer by layer.
        """
        rows = self._rows(net, x)
        if self._is_running or not len(rows):
            return None
        counters, taken, loss = Counters(self._counting), None, 0.0
        try:
            self._is_running = True
            loss, scores = self._pass(net, rows, t, sample_weight, counters)
            if self._have_layers_changed(net):
                raise UnsuitedError
            calls = self._calls(net, optimizer)
            taken = optimizer.steps
            if calls is None:
                optimizer.update(net.params, self._gradients(net))
            else:
                perform(calls)
            losses += (loss,)
            return scores
        except BaseException as error:
            # The handler of a signal may raise behind the update's last call: what it has counted is recorded.
            if taken is not None and optimizer.steps != taken:
                losses += (loss,)
            else:
                counters.restore()
            if not isinstance(error, UnsuitedError):
                raise
            self.is_of_use = isinstance(error, ChangedError)
            if self._have_layers_changed(net):
                self._layers.change_in_passes = True
            return None
        finally:
            self._is_running = False
            self._end(net)

    def _rows(self, net: NetworkLike, x: ArrayLike) -> Array:
        """`x` as rows of numbers that a segment reads; without a look at each layer where it is such rows."""
        if type(x) is np.ndarray and x.ndim == 2 and x.shape[1] == self._inputs and x.dtype == net.dtype:
            return readable(x, net.dtype)
        return net._readable_rows(x)

    def _end(self, net: NetworkLike) -> None:
        """Drop what a pass has left, as `Network.clear_cache` does."""
        for part in self._planned:
            part.segment.forget()
        if self._caches is None:
            net.clear_cache()
            return
        for attributes, name in self._caches:
            attributes[name] = None
        for layer in self._others.values():
            if hasattr(layer, "clear_cache"):
                layer.clear_cache()
        self._layers.clear_cache()

    def _pass(
        self,
        net: NetworkLike,
        rows: Array,
        t: ArrayLike,
        sample_weight: ArrayLike | None,
        counters: Counters,
    ) -> tuple[float, Array]:
        """Forward and back: the loss and the scores."""
        layers, head = self._layers, self._parts[-1]
        layers.clear_cache()
        self._watch([name for name, one in self._settled.items() if not one.is_as_it_was()])
        y: Any = rows if isinstance(self._parts[0], PlannedPart) else net._inputs(rows)
        below = self._parts[:-1] if isinstance(head, PlannedPart) else self._parts
        for part in below:
            if isinstance(part, PlannedPart):
                y = part.forward(y)
            elif part in self._settled:
                y = self._settled[part].forward(y)
            elif part in self._others:
                one = layers.begin_pass(part, self._others[part])
                if one.inner or isinstance(one.layer, Layer):
                    counters.hold([one.layer])
                y = one.forward(y, training=True)
            else:
                y = pass_forward(self._alone[part], y, training=True)
        dout: Any
        if isinstance(head, PlannedPart):
            loss, y, dout = head.forth_and_back(net, y, t, sample_weight)
        else:
            loss = float(loss_of(net.lastLayer, y, t, sample_weight))
            dout = net.lastLayer.backward(1)
        for part in reversed(below):
            if isinstance(part, PlannedPart):
                dout = part.back(dout)
            elif part in self._settled:
                dout = self._settled[part].backward(dout)
            else:
                dout = layers.back_through_layer(part, self._alone[part], dout)
        if self._watch([name for name, one in self._settled.items() if not one.has_passed()]):
            raise ChangedError
        layers.learn()
        return loss, y

    def _calls(self, net: NetworkLike, optimizer: UpdateRule) -> list[Call] | None:
        """What moves each parameter where it is; None where all gradients are needed at once."""
        if self._layers.version is not self._version or not self._have_the_same_parameters():
            return None
        update, state = optimizer.plan_update(), None
        if optimizer.state_size:
            state = optimizer.bound_state(self)
            if state is None:
                # That of a first step is made with it, or not at all.
                if not all(key in optimizer.state for key in self._places):
                    return None
                state = optimizer.state_for(self, net.params)
        calls: list[Call] = [(setitem, vars(optimizer), "steps", optimizer.steps + 1)]
        for part, kept in zip(self._planned, self._split(state), strict=True):
            if not part.segment.is_ready(update, kept):
                return None
            calls.append((part.segment.move, update))
        for key, (layer, name) in self._own.items():
            w, g = getattr(layer, name), gradient_of(key, layer, name)
            arrays = optimizer.state[key] if optimizer.state_size else ()
            if not self._can_move(w, g, arrays):
                return None
            calls.append(optimizer.call_to_move(w, g, arrays))
        return calls

    def _can_move(self, w: Any, g: Any, kept: tuple[Array, ...]) -> bool:
        """Whether nothing has to be made of a parameter, its gradient and what is kept of it, nor looked at closer."""
        for array in (w, g, *kept):
            if type(array) is not np.ndarray or array.dtype != w.dtype or array.shape != w.shape:
                return False
            flags = array.flags
            if not (flags.carray or (array is g and flags.c_contiguous and flags.aligned)):
                return False
        if w.dtype not in (FLOAT32, FLOAT64):
            return False
        # Gradients are refused that have memory in common with a parameter or with what is kept.
        for other in (*kept, *(getattr(layer, name) for layer, name in self._own.values())):
            if np.may_share_memory(g, other):
                return False
        return all(part.segment.is_apart(one) for part in self._planned for one in (w, g))

    def _split(self, state: list[Any] | None) -> list[list[Any]] | list[None]:
        """The state of each segment's parameters."""
        if state is None:
            return [None] * len(self._planned)
        if self._states[0] is not state:
            by_key = dict(zip(self._places, state, strict=True))
            self._states = state, [[by_key[key] for key in part.keys] for part in self._planned]
        return self._states[1]

    def _gradients(self, net: NetworkLike) -> dict[str, Array]:
        """All gradients by the names that the parameters have now."""
        made: dict[tuple[int, str], Array] = {}
        for part in self._planned:
            for key, gradient in zip(part.keys, part.segment.gradients(), strict=True):
                layer, name = self._places[key]
                made[id(layer), name] = gradient
        return {
            key: made[id(layer), name] if (id(layer), name) in made else gradient_of(key, layer, name)
            for key, (layer, name) in net.params.places().items()
        }


def _caches(net: NetworkLike, layers: list[Any]) -> list[tuple[dict[str, Any], str]] | None:
    """What these layers of ours keep of a pass; None where the network, or one, has a way of its own to drop it."""
    if net._overrides("clear_cache") or any("clear_cache" in vars(one) for one in (net, *layers)):
        return None
    if any(type(layer).clear_cache is not Layer.clear_cache for layer in layers):
        return None
    return [(vars(layer), name) for layer in layers for name in layer.caches]


def segments_of(net: NetworkLike, guards: Guards, is_sparse: bool = False) -> Segments | None:
    """The segments of a network whose layers were looked at; None where all of it goes layer by layer."""
    pieces = pieces_of(net, is_sparse)
    if pieces is None or planned_loss(net) is None:
        return None
    runs = sum(isinstance(piece, Run) for piece in pieces)
    if runs == 0 or len(pieces) == 1:
        return None
    return Segments(net, pieces, guards)
