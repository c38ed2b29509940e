"""Derivatives by the inputs: of the outputs, and of the loss.

A compiled plan goes back below the first layer, else the layers of a copy of the network: the numbers are the same, bit
for bit. Both are in inference: dropout does nothing.
"""

import copy
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from backprop._util.arrays import Array, floats
from backprop.layers.base import pass_forward
from backprop.layers.base_loss import Loss, checked_targets
from backprop.layers.row_losses import LossOfScaledNumbers
from backprop.network.plan import READABLE, readable_rows
from backprop.network.protocol import NetworkLike
from bpcore.plan import Plan


def jacobian(net: NetworkLike, x: ArrayLike) -> Array:
    """The derivatives of the outputs; the parameters are those of `Network.jacobian`."""
    plan = _plan_of(net)
    rows, inputs, outputs = _rows_and_sizes(net, plan, x)
    derivatives = np.empty((len(rows), outputs, inputs), net.dtype)
    if plan is not None:
        plan.input_gradient_into(rows, derivatives.reshape(-1, inputs))
    elif len(rows):
        twin, scores = _forward("jacobian", net, x)
        for k in range(outputs):
            seed = np.zeros_like(scores)  # a layer may write to what it is given
            seed[:, k] = 1
            derivatives[:, k] = _back("jacobian", twin, seed, len(rows))
    unit = _unit_of_targets(net)
    if unit is not None:
        derivatives *= np.broadcast_to(unit, outputs)[:, np.newaxis].astype(net.dtype)
    return derivatives


def _unit_of_targets(net: NetworkLike) -> Array | None:
    """What a unit of the scores is in the targets' unit; None where that is 1."""
    loss = net.lastLayer
    if not isinstance(loss, LossOfScaledNumbers) or not loss.scales_targets:
        return None
    return 1 / np.asarray(loss.target_scale, np.float64)


def input_gradient(net: NetworkLike, x: ArrayLike, t: ArrayLike | None, dout: ArrayLike | None) -> Array:
    """The gradient of the loss or of Σ dout·outputs; the parameters are those of `Network.input_gradient`."""
    owner = "input_gradient"
    if (t is None) == (dout is None):
        given = "neither t nor dout is" if t is None else "t and dout are both"
        raise TypeError(f"{owner}: {given} given, wanted one of them")
    plan = None if t is not None and net._overrides("loss") else _plan_of(net)
    rows, inputs, outputs = _rows_and_sizes(net, plan, x)
    if t is not None:
        t = net._numbered(owner, t)
        targets = checked_targets(net.lastLayer, owner, t, (len(rows), outputs), net.dtype)
    else:
        (seeds,) = floats(owner, net.dtype, dout=dout)  # type: ignore[arg-type]  # it is not None
        if seeds.shape != (len(rows), outputs):
            raise ValueError(
                f"{owner}: dout has shape {seeds.shape}, wanted {(len(rows), outputs)}, that of predict(x)"
            )
        unit = _unit_of_targets(net)
        seeds = seeds if unit is None else seeds * unit.astype(net.dtype)
    gradient = np.empty((len(rows), inputs), net.dtype)
    if plan is not None and t is not None and len(rows) and _is_weighted(net.lastLayer, outputs):
        # Of what such a loss makes of targets the plan's way back to the inputs knows nothing.
        loss = copy.copy(net.lastLayer)
        loss.forward(net._scores(x), targets)
        t, seeds = None, loss.backward(1)
    if plan is not None:
        plan.input_gradient_into(rows, gradient, *((seeds, None) if t is None else (None, targets)))
    elif len(rows):
        if t is None:
            twin, _ = _forward(owner, net, x)
            gradient[...] = _back(owner, twin, seeds.copy(), len(rows))
        else:
            twin = copy.deepcopy(net)
            twin.loss(x, targets)  # that of a subclass, if it has one of its own
            gradient[...] = _back(owner, twin, twin.lastLayer.backward(1), len(rows))
    return gradient


def _is_weighted(loss: Any, outputs: int) -> bool:
    """Whether a loss gives rows weights of their own, or makes targets of those given."""
    return isinstance(loss, Loss) and (loss.weighs or loss.target_table(outputs) is not None)


def _plan_of(net: NetworkLike) -> Plan | None:
    """The plan that computes what `net.predict` does and goes back to the inputs, if there is one."""
    plan = None if net._overrides("predict") else net._plan()
    return plan if plan is not None and plan.reaches_inputs else None


def _rows_and_sizes(net: NetworkLike, plan: Plan | None, x: ArrayLike) -> tuple[Array, int, int]:
    """`x` as rows, which the plan can read if there is one, and how many inputs and outputs the network has."""
    if plan is not None:
        # To ask the network takes longer than a small one does.
        inputs, outputs = plan.inputs, plan.outputs
        is_right = type(x) is np.ndarray and x.ndim == 2 and x.shape[1] == inputs and x.dtype in READABLE
        if is_right and x.flags.c_contiguous and x.flags.aligned:  # type: ignore[union-attr]  # it is an array
            return x, inputs, outputs  # type: ignore[return-value]
        return readable_rows(net._rows(x), net), inputs, outputs
    sizes = net.sizes
    return net._rows(x), sizes[0], sizes[-1]


def _forward(owner: str, net: NetworkLike, x: ArrayLike) -> tuple[NetworkLike, Array]:
    """Go forward through a copy of the network: its layers keep what `backward` needs, and their own gradients."""
    twin = copy.deepcopy(net)
    scores = twin._inputs(x)
    for layer in twin.layers.values():
        scores = pass_forward(layer, scores, training=False)
    if net._overrides("predict") and not np.array_equal(net._scores(x), scores, equal_nan=True):
        raise TypeError(
            f"{owner}: {type(net).__name__}.predict returns something else than the layers give out, which is what is "
            "differentiated"
        )
    return twin, scores


def _back(owner: str, net: NetworkLike, dout: Any, rows: int) -> Array:
    """From the gradient of the outputs to that of x, of the last pass."""
    for name, layer in reversed(net.layers.items()):
        if not hasattr(layer, "backward"):
            raise TypeError(f"{owner}: layers[{name!r}] ({type(layer).__name__}) has no backward, wanted one")
        dout = layer.backward(dout)
    gradient, wanted = np.asarray(dout), (rows, net.sizes[0])
    if gradient.shape != wanted:
        first = next(iter(net.layers))
        raise ValueError(
            f"{owner}: layers[{first!r}].backward returned an array of shape {gradient.shape}, wanted {wanted}, "
            "that of x"
        )
    if (net.input_scale != 1).any():
        gradient = gradient * net.input_scale.astype(net.dtype)
    return gradient
