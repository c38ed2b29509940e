"""The network of the demo, and all that the page shows of one image."""

import math
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import numpy as np

from backprop._util.arrays import Array
from backprop.demo.image import FITS, fitted
from backprop.layers.base import kind_of
from backprop.layers.base_loss import classifies
from backprop.layers.elementwise import Activation, activations
from backprop.layers.parametric import Affine
from backprop.network import Network
from bpcore.threads import limited

# Cells a side of the drawing that the page sends; each holds from 0, paper, to INK.
CANVAS = 112
INK = 255


@dataclass(frozen=True)
class View:
    """What a network makes of one image.

    Attributes
    ----------
    pixels : ndarray of shape (side * side,)
        What it was given.
    hidden : list of ndarray
        The outputs of the hidden layers, behind their activation.
    scores, probabilities : ndarray of shape (classes,)
    predicted, label : int
        The likeliest class, and the one whose loss is meant below.
    loss : float
        Cross-entropy of the label.
    gradient : ndarray of shape (side * side,)
        Of the loss, with respect to `pixels` in their own unit.
    """

    pixels: Array
    hidden: list[Array]
    scores: Array
    probabilities: Array
    predicted: int
    label: int
    loss: float
    gradient: Array


class Model:
    """A network that classifies square images.

    Parameters
    ----------
    net : Network
        A classifier of 64 or 784 inputs, of affine layers with an activation between them. It is used from several
        threads and must not be changed.
    classes : sequence of str
        Their names.
    full : float, optional
        The value of a pixel that is all ink; by default what `input_scale` takes to 1.
    source : str
        Where the network comes from, as the page says it.

    Raises
    ------
    TypeError
        The network is no classifier.
    ValueError
        It has another number of inputs, other layers or only one class, or the value of full ink is not known.
    """

    def __init__(
        self, net: Network, classes: Sequence[str], full: float | None = None, source: str = ""
    ) -> None:
        side = math.isqrt(net.sizes[0])
        if not classifies(net.lastLayer):
            raise TypeError(
                f"the network's outputs are numbers (loss={net.loss_name!r}), wanted one that classifies"
            )
        if side not in FITS or side * side != net.sizes[0]:
            wanted = " or ".join(f"{n * n} ({n} × {n} pixels)" for n in sorted(FITS))
            raise ValueError(f"the network has {net.sizes[0]} inputs, wanted {wanted}")
        if net.sizes[-1] < 2:
            raise ValueError("the network has 1 class, wanted at least 2")
        self.activations = _activations(net)
        self.net, self.classes, self.source = net, list(classes), source
        self.fit = FITS[side]
        self.full = _full(net) if full is None else full
        self._lock = threading.Lock()

    def view(self, drawing: Array, label: int | None = None) -> View:
        """Show a drawing, (CANVAS, CANVAS) from 0 to INK with ink somewhere, to the network."""
        return self.view_pixels(fitted(drawing, self.fit).reshape(-1) * (self.full / INK), label)

    def view_pixels(self, pixels: Array, label: int | None = None) -> View:
        """Show the network the pixels themselves; `label` is by default the class that it predicts."""
        net, x = self.net, pixels[np.newaxis]
        # One row is no work for several threads, and each that asks would get a pool of its own.
        with self._lock, limited(1):  # the lock since `loss` leaves in the layers what `backward` needs
            scores, probabilities = net.predict(x)[0], net.predict_proba(x)[0]
            predicted = int(probabilities.argmax())
            label = predicted if label is None else label
            loss = net.loss(x, np.array([label]))
            dout = net.lastLayer.backward(1)
            for layer in reversed(net.layers.values()):
                dout = layer.backward(dout)
            inputs: list[Array] = [
                layer.x[0] for layer in net.layers.values() if kind_of(layer) == Affine.kind
            ]
            net.clear_cache()
        return View(
            pixels=pixels,
            hidden=inputs[1:],  # what an affine layer is given is what the one before it gave
            scores=scores,
            probabilities=probabilities,
            predicted=predicted,
            label=label,
            loss=loss,
            gradient=dout[0] * net.input_scale,
        )

    def description(self) -> dict[str, Any]:
        """What the page has to know before anything is drawn."""
        net = self.net
        return {
            "canvas": CANVAS,
            "ink": INK,
            "pen": self.fit.pen,
            "side": self.fit.side,
            "full": self.full,
            "sizes": list(net.sizes),
            "activations": [activation.label for activation in self.activations],
            "signed": [activation.signed for activation in self.activations],
            "classes": self.classes,
            "source": self.source,
        }


def _activations(net: Network) -> list[type[Activation]]:
    """The activation of each hidden layer; raises where the page could not show what there is."""
    before, *hidden, behind = net.spec.gaps
    known = activations()
    if before or behind or not all(len(kinds) == 1 and kinds[0] in known for kinds in hidden):
        kinds = ", ".join(layer.kind for layer in net.spec.layers)
        raise ValueError(
            f"the network's layers are {kinds}, wanted affine layers with an activation between them"
        )
    return [known[kind] for (kind,) in hidden]


def _full(net: Network) -> float:
    """The pixel that the network's scaling takes to 1."""
    scales = np.unique(net.input_scale)
    if net.input_mean.any() or len(scales) != 1 or scales[0] <= 0:
        raise ValueError(
            "input_mean and input_scale do not say what value a pixel full of ink has; wanted --full VALUE"
        )
    return float(1 / scales[0])


def trained() -> Model:
    """The network that comes with the package; NETWORK.md beside its file says how it was trained."""
    with (files("backprop.demo") / "network.npz").open("rb") as file, np.load(file) as stored:
        arrays = {name: stored[name] for name in stored.files}
    weights = [name for name in sorted(arrays) if name.startswith("W")]
    net = Network(
        [len(arrays["W1"]), *(arrays[name].shape[1] for name in weights)], seed=0, input_scale=1 / 255
    )
    for n, name in enumerate(weights, start=1):
        net.params[name][...] = arrays[name] * arrays[f"step{n}"]  # int8, in steps
        net.params[f"b{n}"][...] = arrays[f"b{n}"]
    return Model(
        net,
        [str(n) for n in range(10)],
        source=f"trained on MNIST, {arrays['right']:.1f} % of its test images right",
    )
