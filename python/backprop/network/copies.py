"""Copies of a network: of another type, in a file, and as `copy` and `pickle` make them."""

import copy
import os
from typing import Any, Self

import numpy as np
from numpy.typing import DTypeLike

from backprop._util.arguments import float_type
from backprop._util.arrays import Array, read_only_copy
from backprop._util.names import named_arguments
from backprop._util.settings import from_0_to_1
from backprop.layers.parameter_discovery import convert_arrays
from backprop.network.layers import Layers
from backprop.network.parameters import Parameters
from backprop.training.averaging import blended, move
from bpcore.plan import Plan


class Copyable:
    """The part of a network that makes copies of it; the rest of it is `Network`."""

    dtype: np.dtype[Any]
    params: Parameters
    input_mean: Array
    input_scale: Array
    lastLayer: Any  # noqa: N815  # the notes' name
    _layers: Layers
    _planned: object

    def clear_cache(self) -> None:
        """Drop what the layers keep of the last pass."""
        raise NotImplementedError("a network knows its layers")

    def _plan(self) -> object:
        """The compiled plan of the network as it is now, if there is one."""
        raise NotImplementedError("a network knows its plan")

    def astype(self, dtype: DTypeLike) -> Self:
        """Return a copy of the network whose weights and arithmetic have another type.

        Every array of floating-point numbers that a layer keeps is converted, also in lists, dicts and layers that it
        holds; what two layers share they share in the copy too.
        """
        wanted = float_type("astype", dtype)
        twin = copy.deepcopy(self)
        vars(twin)["dtype"] = wanted
        convert_arrays((*twin._layers.values(), twin.lastLayer), wanted)
        twin.clear_cache()
        return twin

    def blend(self, other: Any, tau: float) -> None:
        """Move parameters and running statistics towards those of another network, in place: `p += tau·(q - p)`.

        The soft update of a target network. A moving average of the weights of a network that is trained is
        `average.blend(net, 1 - decay)` after each step; `fit(ema=average)` does that. The running statistics of
        `BatchNorm` belong to the weights of the layers below, and move with them.

        Parameters
        ----------
        other : Network
            Of the same parameters and running statistics: names, shapes and type. It stays as it is.
        tau : float
            From 0 to 1, where the parameters become those of `other`, bit for bit.

        Raises
        ------
        TypeError, ValueError
            `other` is no such network, shares parameters with this one, or tau is something else; a parameter is
            read-only. Nothing is changed then.

        Examples
        --------
        >>> net, target = bp.Network([4, 8, 2], seed=0), bp.Network([4, 8, 2], seed=1)
        >>> target.blend(net, 0.005)
        """
        tau = from_0_to_1("blend", "tau", tau)
        if isinstance(other, Copyable):
            # In one call, which looks whether both plans still fit; then with new ones; else one by one, which says
            # what does not fit.
            plan, others = self._planned, other._planned
            if type(plan) is type(others) is Plan and plan.blend(others, tau):
                return
            plan, others = self._plan(), other._plan()
            if isinstance(plan, Plan) and isinstance(others, Plan) and plan.blend(others, tau):
                return
        move(blended(self.params, self._layers, other), tau)

    @named_arguments
    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the network to a safetensors file, atomically: weights, sizes, input scaling and metadata.

        Raises
        ------
        TypeError
            The file could not hold the network or its metadata as they are.
        OSError
            The path cannot be written; what is there stays.
        """
        from backprop.io import format_of

        format_of(path).save(self, path)

    def __getstate__(self) -> dict[str, Any]:
        """Leave out of copies and pickles the plan, which holds addresses, and what belongs to a call."""
        return self.__dict__ | {"_planned": None, "_sparse": (None, None), "_training_threads": {}}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Take what a copy or a pickle has; NumPy's copies can be written to, of which no plan would know."""
        vars(self).update(
            {"_training_threads": {}, "_sparse": (None, None)}
            | state
            | {name: read_only_copy(state[name]) for name in ("input_mean", "input_scale")}
        )
