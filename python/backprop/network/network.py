"""A stack of affine layers and activations with a loss on top (sections 0092 and 0093).

a) `loss` and `gradient` go through the layers and leave in them what their `backward` needs, as in the notes.
   Evaluation leaves the layers' memory as it is.
b) `predict`, `predict_proba`, `accuracy`, `train_step` and `fit` run a compiled plan where one can (plan.py), else
   the layers: the numbers are the same, bit for bit. Without a plan, evaluation goes through shallow copies, and
   training by segments of the network where these can (segments.py).
c) `train_step` and `fit` change the weights that the last pass went through, so they drop what the layers keep of it.
d) The layers are the truth: `params` is a view of them, `spec`, and with it `sizes`, `activation` and `loss_name`, is
   computed from them, and a replaced layer is used from the next call on.
e) Several threads may evaluate one network, also while another trains it: answers then come from weights that are
   partly old and partly new. A second thread that trains it is refused (training/lock.py); a) is for one at
   a time.
"""

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeGuard

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from backprop._util.arguments import float_type, seed_number
from backprop._util.arrays import Array, plural, samples
from backprop._util.names import named_arguments
from backprop._util.sparse import SparseRows, is_sparse, sparse_rows
from backprop.layers.base_loss import checked_targets, labels_of_scores
from backprop.layers.row_losses import LossOfScaledNumbers
from backprop.network import assignment, evaluation
from backprop.network.arguments import (
    OneActivation,
    OneOutput,
    checked_activations,
    checked_dropout,
    checked_loss,
    checked_output,
    checked_sizes,
    per_feature,
)
from backprop.network.class_names import Naming, checked_classes
from backprop.network.copies import Copyable
from backprop.network.described import Described
from backprop.network.fitting import Fitting
from backprop.network.initial_weights import WeightInit
from backprop.network.inspection import Inspectable
from backprop.network.layers import Layers, initial_layers
from backprop.network.parameters import Parameters
from backprop.network.passes import Passing
from backprop.network.plan import NoPlan, guards_of, make_plan, readable_rows, require_sparse_inputs
from backprop.network.scaling import Standardising, scaled
from backprop.optimizers.base import Optimizer, UpdateRule
from backprop.training.protocol import Steps
from backprop.training.step import train_step
from bpcore.plan import Plan

if TYPE_CHECKING:
    from backprop.training.history import History


class Network(Described, Naming, Standardising, Copyable, Inspectable, Passing, Fitting):
    """A dense neural network.

    Parameters
    ----------
    sizes : sequence of int
        Units of each layer from input to output, at least two numbers: `[784, 50, 10]`.
    activation : str, class or object of an activation, or a sequence with one a hidden layer, default "relu"
        What stands between the affine layers: "relu", "leaky_relu", "elu", "selu", "softplus", "gelu", "gelu_tanh",
        "silu", "mish", "hardswish", "sigmoid", "tanh" or "hardtanh", or an object such as `LeakyRelu(0.2)`.
    loss : str or object, default "softmax"
        "softmax", with cross-entropy, for classification, or "binary_cross_entropy" for outputs that say yes or no; for
        outputs that are numbers "squared_error", half of it, "huber", "absolute_error", "log_cosh", "quantile",
        "poisson" or "gaussian_nll", which has two outputs a target; an object such as `Quantile(0.9)`, or your own.
    dtype : float32 or float64, default float32
        The type of the weights and of all arithmetic; inputs of other types are converted.
    seed : int, optional
        Seed of the initial weights. Without it they come from `np.random`'s global state, as in the notes.
    weight_init : str, float or a list with one of these an affine layer, optional
        "pytorch", {he,glorot,lecun}_{normal,uniform}, "he", "glorot", "xavier", or normal weights' standard deviation.
        By default weights and biases are uniform within ±1/√inputs as PyTorch's; before sigmoids within ±3/√inputs,
        before SELU within ±√(3/inputs).
    input_mean, input_scale : float or array of shape (sizes[0],), default 0 and 1
        The network computes with `(x - input_mean) * input_scale`, whatever it is asked to do; both are saved
        with it. The difference is taken in float64 and then rounded, so raw unix times or dates keep their digits.
        `input_scale=1/255` lets it take uint8 images as they are; `Network.standardised` takes both from data.
    dropout : float or sequence of float, default 0
        The share of each hidden layer's units that training drops, or a sequence: first that of the inputs, then one a
        hidden layer. `Dropout` says how.
    target_mean, target_scale : float or array of shape (sizes[-1],), default 0 and 1
        For outputs that are numbers, other than counts and variances: the loss is that of
        `(t - target_mean) * target_scale`, and `predict` answers `y / target_scale + target_mean`, in the targets'
        unit. They are options of the loss, are saved with it, and may be assigned. Targets are first taken in the
        network's type, which has to have the digits of their differences.
    classes : sequence, optional
        What the classes are called: texts, or whole numbers, each once, in the order of the labels. `predict_classes`
        returns them, and targets may be such texts. They are saved with the network, in `metadata["classes"]`.
    output : str, class or object of an activation or of `Softmax` or `LogSoftmax`, optional
        What stands behind the last affine layer, and what `predict` then returns: "tanh" for numbers from -1 to 1,
        "softmax" for shares that add up to 1, "log_softmax" for their logarithms. With a loss of numbers, such as
        "squared_error"; "softmax" and "binary_cross_entropy" take the scores themselves, and only "identity", which is
        the same as None: `predict_proba` makes probabilities of them.

    Attributes
    ----------
    layers : Layers, an OrderedDict
        `Affine1`, `Relu1`, `Affine2`, … An entry may be replaced, the mapping itself may not. A layer of your own
        runs by itself, between compiled segments of the others.
    lastLayer : SoftmaxWithLoss, IdentityWithLoss or another loss
        Or a loss of your own: `forward(scores, t)` returns the mean loss and `backward(dout)` its gradient. Its class
        attribute `classifies` says whether outputs are classes; without it, targets are passed on as they are, and
        `accuracy` and `predict_proba` refuse.
    params : Parameters
        `W1`, `b1`, `W2`, … A layer of your own has as parameters its arrays `p` beside which `backward` sets `dp`
        (`gamma` and `dgamma` give `gamma1`), unless a pass replaces them or they are its data; kept in lists, as plain
        numbers or in a layer inside they are refused.
    metadata : dict of str
        The user's own notes, saved with the network: texts, numbers, booleans, None, and lists and dicts of them.
    history : History or None
        Of the last `fit`, also when it was interrupted.

    Examples
    --------
    >>> (x_train, t_train), (x_test, t_test) = bp.load_digits()
    >>> net = bp.Network([64, 50, 10], seed=0)
    >>> history = net.fit(x_train, t_train, epochs=30, batch_size=32, optimizer=bp.SGD(0.3), seed=0)
    >>> net.accuracy(x_test, t_test) > 0.94
    True
    """

    @named_arguments
    def __init__(
        self,
        sizes: Sequence[int],
        activation: OneActivation | Sequence[OneActivation] = "relu",
        loss: Any = "softmax",
        dtype: DTypeLike = np.float32,
        seed: int | None = None,
        *,
        weight_init: WeightInit = None,
        input_mean: ArrayLike = 0.0,
        input_scale: ArrayLike = 1.0,
        dropout: float | Sequence[float] = 0.0,
        output: OneOutput | None = None,
        target_mean: ArrayLike | None = None,
        target_scale: ArrayLike | None = None,
        classes: Sequence[Any] | None = None,
    ) -> None:
        sizes = checked_sizes(sizes)
        activations = checked_activations(activation, len(sizes) - 2)
        loss_layer = checked_loss(loss, sizes[-1], target_mean, target_scale)
        names = None if classes is None else checked_classes("Network", classes, loss_layer, sizes[-1])
        outputs = checked_output(output, loss_layer)
        dtype = float_type("Network", dtype)
        mean = per_feature("input_mean", input_mean, sizes[0], dtype)
        scale = per_feature("input_scale", input_scale, sizes[0], dtype)
        seed = seed_number("Network", seed, most=2**32 - 1)
        rates = checked_dropout(dropout, len(sizes) - 2)
        layers = initial_layers(sizes, activations, dtype, seed, weight_init, rates, outputs)
        self._complete(sizes, dtype, mean, scale, layers, loss_layer)
        if names is not None:
            self.metadata["classes"] = names

    def _complete(
        self,
        sizes: tuple[int, ...],
        dtype: np.dtype[Any],
        mean: Array,
        scale: Array,
        layers: Layers,
        loss_layer: Any,
    ) -> None:
        """Set every attribute; what it is given is right."""
        self._sizes, self._layers = sizes, layers
        self.dtype, self.input_mean, self.input_scale = dtype, mean, scale
        self.lastLayer = loss_layer
        self.params = Parameters(layers)
        self.metadata: dict[str, Any] = {}
        self.history: History | None = None
        self._planned: Plan | NoPlan | None = None
        # What takes steps on sparse samples, and the plan, or what stands in for it, that it was made beside.
        self._sparse: tuple[object, Steps | None] = None, None
        self._training_threads: dict[int, bool] = {}

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "layers" and value is vars(self).get("_layers"):  # what `net.layers |= …` ends with
            return
        super().__setattr__(name, assignment.checked_value(self, Network, name, value))

    def __getattr__(self, name: str) -> Any:
        return assignment.attribute_of_other_name(self, name)

    def predict(self, x: ArrayLike, out: Array | None = None) -> Array:
        """What the last layer gives out, (B, K): scores, as a rule; numbers in the targets' unit, if those are scaled.

        Parameters
        ----------
        x : array of shape (B, I) or (B, …) with I elements a sample, or a sparse matrix as for `fit`
        out : ndarray of shape (B, K) and the network's type, optional
            What takes them.
        """
        planned, scores = self._planned, None
        if planned is not None and type(x) is np.ndarray:  # others may have a mask, which no plan sees
            scores = planned.predict(x, out)
        if scores is None:
            scores = evaluation.predict(self, self._plan(), x, out)
        loss = self.lastLayer
        if isinstance(loss, LossOfScaledNumbers) and loss.scales_targets:
            return loss.in_units_of_targets(scores, out=scores)
        return scores

    def predict_classes(self, x: ArrayLike) -> Array:
        """The class of each sample that has the highest score, (B,): its name, if `classes` has names, or its number.

        Parameters
        ----------
        x : array of shape (B, I) or (B, …) with I elements a sample

        Raises
        ------
        TypeError
            The outputs are no classes.

        Examples
        --------
        >>> net = bp.Network([2, 8, 2], classes=["no", "yes"], seed=0)
        >>> net.predict_classes(np.ones((3, 2))).shape
        (3,)
        """
        evaluation.require_classes(self, "predict_classes")
        labels, names = labels_of_scores(self.lastLayer, self.predict(x)), self.classes
        if names is None:
            return labels
        found = np.array(names)
        # NumPy's texts have no zeros at their end, and its whole numbers 64 bits.
        return (found if tuple(found.tolist()) == names else np.array(names, object))[labels]

    def predict_proba(self, x: ArrayLike) -> Array:
        """Softmax, or sigmoid, of the scores: probabilities, (B, K); of a loss of your own, its `probabilities`."""
        return evaluation.predict_proba(self, x)

    @named_arguments
    def accuracy(self, x: ArrayLike, t: ArrayLike) -> float:
        """Share of samples whose highest score is that of their label, or of their highest weight.

        Samples whose weights are all 0 have no class and are left out.
        """
        evaluation.require_classes(self, "accuracy")
        # Whoever overrides `predict` means those scores.
        plan = None if self._overrides("predict") else self._plan()
        return evaluation.accuracy(self, plan, x, t)

    def train_step(
        self, x: ArrayLike, t: ArrayLike, optimizer: Optimizer, *, sample_weight: ArrayLike | None = None
    ) -> float:
        """One step: loss, gradient, update. Returns the loss before the update.

        `sample_weight` is that of `loss`. While another thread trains the network it raises a RuntimeError and changes
        nothing.
        """
        return train_step(self, x, t, optimizer, sample_weight)

    def clear_cache(self) -> None:
        """Drop what the layers keep of the last pass; `backward` raises until the next `loss` or `gradient`."""
        for layer in (*self.layers.values(), self.lastLayer):
            if hasattr(layer, "clear_cache"):
                layer.clear_cache()
        self.layers.clear_cache()

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> "Network":
        """Read a network that `save` wrote.

        Raises
        ------
        ValueError
            The file is not one of ours, or its parts do not fit together.
        """
        from backprop.io import format_of

        net: Network = format_of(path).load(path)
        return net

    # --- What the other modules ask ------------------------------------------------------------------------

    def plan_for(self, optimizer: Optimizer) -> Plan | None:
        """Return the compiled plan that can train this network with `optimizer`; None if none can."""
        return self._plan() if self._trains_by_plan(optimizer) else None

    def _trains_by_plan(self, optimizer: Optimizer) -> TypeGuard[UpdateRule]:
        """Whether a plan, if there is one, makes the steps that this network and the optimizer mean."""
        # Whoever overrides how gradients or updates are made means them to be used.
        own = type(self) is not Network and (self._overrides("loss") or self._overrides("gradient"))
        return not own and isinstance(optimizer, UpdateRule) and type(optimizer).update is UpdateRule.update

    def _overrides(self, method: str) -> bool:
        """Whether a subclass has a method of its own."""
        return getattr(type(self), method) is not getattr(Network, method)

    def targets_for(self, owner: str, t: ArrayLike, rows: int) -> Array:
        """`t` as the loss takes it for that many rows: checked, and of the network's type."""
        t = self._numbered(owner, t)
        return checked_targets(self.lastLayer, owner, t, (rows, self.sizes[-1]), self.dtype)

    def _scores(self, x: ArrayLike) -> Array:
        """What the loss is computed of: outputs in its unit, not in that of the targets."""
        return evaluation.scores_of(self, x)

    def _readable_rows(self, x: ArrayLike) -> Array:
        """`x` as rows that a plan can read: as they are, or converted so that the network computes the same.

        A sparse matrix is checked, and is what the layers read.
        """
        if is_sparse(x):
            return self._sparse_rows(x)  # type: ignore[return-value]  # see there
        return readable_rows(self._rows(x), self)

    def _plan(self) -> Plan | None:
        """The compiled plan of the network as it is now; None if it has to run layer by layer."""
        planned = self._planned
        if planned is None or not planned.is_valid():
            planned = self._planned = make_plan(self)
        return planned if isinstance(planned, Plan) else None

    def _rows(self, x: ArrayLike) -> Array:
        """`x` as rows of the network's number of inputs, of whatever type."""
        rows = samples("Network", x)
        if rows.shape[1] != self.sizes[0]:
            raise ValueError(
                f"Network: x has {plural(rows.shape[1], 'column')}, the network has {plural(self.sizes[0], 'input')}"
            )
        return rows

    def _sparse_rows(self, x: Any) -> SparseRows:
        """A sparse matrix as rows; they stand where arrays do, and only what is written for them reads them."""
        rows = sparse_rows("Network", x)
        if rows.shape[1] != self.sizes[0]:
            raise ValueError(
                f"Network: x has {plural(rows.shape[1], 'column')}, the network has {plural(self.sizes[0], 'input')}"
            )
        require_sparse_inputs(self)
        return rows

    def _inputs(self, x: ArrayLike) -> Array:
        """`x` as the first layer gets it: rows of the network's type, shifted and scaled."""
        if is_sparse(x):
            rows = self._sparse_rows(x)
            return rows.for_network(self.input_scale, self.dtype)  # type: ignore[return-value]  # see there
        return scaled(self._rows(x), self.input_mean, self.input_scale, self.dtype)

    def _sparse_segments(self, optimizer: Optimizer) -> Steps | None:
        """What takes a step on sparse samples, faster than all layers one by one; None where nothing can."""
        if not self._trains_by_plan(optimizer) or not self._layers.are_known(self.dtype):
            return None
        self._plan()
        planned, segments = self._sparse
        if planned is not self._planned or (segments is not None and not segments.are_valid()):
            from backprop.network.segments import segments_of

            segments = segments_of(self, guards_of(self), is_sparse=True)
            self._sparse = self._planned, segments
        return segments if segments is not None and segments.is_of_use else None

    def _segments(self, optimizer: Optimizer) -> Steps | None:
        """What takes a step of a network that has no plan, apart from a few of its layers; None where nothing can."""
        if not self._trains_by_plan(optimizer) or self._plan() is not None:
            return None
        planned = self._planned
        if not isinstance(planned, NoPlan) or planned.segments is False:
            return None
        if planned.segments is None and self._layers.are_known(self.dtype):
            from backprop.network.segments import segments_of  # which only networks with layers of users need

            planned.segments = segments_of(self, planned.guards) or False
        if planned.segments and not planned.segments.is_of_use:
            planned.segments = False
        return planned.segments or None

    def _repr_html_(self) -> str:
        from backprop.network.html import of_network

        return of_network(self)
