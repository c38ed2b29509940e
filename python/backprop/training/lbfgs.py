"""L-BFGS for small data: all of it in each evaluation, by SciPy's L-BFGS-B (Zhu, Byrd, Lu and Nocedal 1997).

a) What is minimised is the loss of a copy of the network in float64: in float32 a line search would soon see rounding
   alone. The network itself gets what an iteration has accepted, and never the parameters of a line search's trial,
   whatever ends the run and whoever evaluates it meanwhile.
b) A line search compares losses of one function, so nothing may draw masks.
c) A trial whose loss or gradient is not finite was far too long a step: it counts as a large loss, and the search goes
   back.
"""

import math
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from backprop._util.arrays import Array, resize_guards
from backprop._util.progress import bar_for
from backprop._util.sparse import is_sparse
from backprop.layers.base_loss import has_classes, labels_of_targets, labels_with_a_class, row_weights_of
from backprop.layers.buffers import buffers_of
from backprop.layers.counters import draws
from backprop.optimizers import SGD
from backprop.training import arguments
from backprop.training.callbacks import Callback
from backprop.training.divergence import warn_of_loss, warn_of_parameters, warn_of_validation
from backprop.training.gradients import loss_and_gradients
from backprop.training.history import History
from backprop.training.lock import exclusive
from backprop.training.metrics import metrics_of, require_numbers
from backprop.training.protocol import Trainable
from backprop.training.validation import evaluate, evaluate_some
from bpcore.threads import limited

NAME = "lbfgs"
# It is done where an iteration lowers the loss by less than rounding may, or no number of the gradient is larger.
LEAST_FALL, LEAST_GRADIENT = 64 * 2.0**-52, 1e-6
# Evaluations of an iteration: two line searches of 20, the second down the gradient, and some more.
EVALUATIONS = 50
WITHOUT_MEANING = {
    "epochs": "each iteration takes all of the data, and iterations= says how many",
    "batch_size": "each iteration takes all of the data",
    "accumulate": "each iteration takes all of the data",
    "seed": "each iteration takes all of the data in its order",
    "ema": "its iterations are few, and each goes as far as it can",
    "ema_decay": "its iterations are few, and each goes as far as it can",
    "schedule": "its line searches choose how far they go",
    "class_weight": "sample_weight= takes the weights of the samples",
    "validation_fraction": "validation= takes data",
    "early_stopping": "a callback that returns True stops it",
    "checkpoint": "its runs are short",
    "every": "its runs are short",
    "resume": "its runs are short",
    "continue_from": "another fit begins anew, with the weights as they are",
}
Pair = tuple[Array, Array]


@exclusive
def fit_lbfgs(
    net: Trainable,
    /,
    x: ArrayLike,
    t: ArrayLike | None,
    *,
    iterations: int | None,
    sample_weight: ArrayLike | None,
    validation: tuple[ArrayLike, ...] | None,
    metrics: Any,
    threads: int | None,
    progress: bool,
    callbacks: Sequence[Callback | Callable[[Any, History], Any]],
    track_accuracy: bool,
    shuffle: bool,
    **given: Any,
) -> History:
    """Train `net` on all of the data at once; the parameters are those of `Network.fit`."""
    if t is None:
        raise TypeError(f"fit: t is not given, and optimizer={NAME!r} takes all of the data at once: x and t")
    x, t = arguments.data(net, x, t, net)
    weights = arguments.weights(sample_weight, len(x))
    checked = arguments.validation_data(net, validation, net)
    _in_place = [resize_guards(x), resize_guards(checked[0]) if checked is not None else None]
    for name, value in given.items():
        if value is not None:
            raise ValueError(
                f"fit: {name} is {value!r}, and optimizer={NAME!r} takes none: {WITHOUT_MEANING[name]}"
            )
    if iterations is None:
        raise ValueError(f"fit: iterations is None, wanted how many optimizer={NAME!r} takes at most")
    iterations = arguments.whole("iterations", iterations)
    called: list[Callable[[Any, History], Any]] = []
    for n, one in enumerate(arguments.functions(callbacks)):
        if isinstance(one, Callback):
            raise TypeError(
                f"fit: callbacks[{n}] is a Callback, and optimizer={NAME!r} takes functions alone"
            )
        called.append(one)
    if shuffle is not True:
        raise ValueError(
            f"fit: shuffle is {shuffle!r}, and optimizer={NAME!r} takes all of the data in its order"
        )
    measured = metrics_of(metrics, net)
    if measured and checked is None:
        raise ValueError("fit: metrics are of validation data, and there is none")
    if checked is not None:
        require_numbers(measured, net, checked[1])
    progress = arguments.switch("progress", progress)
    counts = has_classes(net.lastLayer, net.sizes[-1])
    if arguments.switch("track_accuracy", track_accuracy) and counts:
        labels_with_a_class("fit", net.lastLayer, t)
    train = (x, t) if counts and (labels_of_targets(net.lastLayer, t) >= 0).any() else None
    _require_no_running_statistics(net)
    _require_no_masks(net)
    minimize = _minimizer()

    history, started = History(), time.perf_counter()

    def said(iterations_a_second: float) -> list[str]:
        return [f"loss {history.loss[-1]:.4g}"] if history.loss else []

    with limited(threads), closing(bar_for(progress, iterations, said)) as bar:
        if checked is not None:
            evaluate_some(net, checked)
        loss = Loss(net, x, t, weights)
        run = Run(net, history, loss)

        def finish(result: Any) -> None:
            """Take an iteration, evaluate it, and ask the callbacks."""
            run.take(result.x.copy(), float(result.fun))
            bar.update(1)
            evaluate(net, history, len(history.loss), math.nan, train, checked, None, measured)
            if run.is_stopped_by(called):
                raise StopIteration

        net.history = history
        try:
            # SciPy goes by the name of the callback's argument.
            minimize(
                loss,
                run.reached[0][0],
                jac=True,
                method="L-BFGS-B",
                callback=lambda intermediate_result: finish(intermediate_result),
                options={
                    "maxiter": iterations,
                    "maxfun": EVALUATIONS * (iterations + 1),
                    "ftol": LEAST_FALL,
                    "gtol": LEAST_GRADIENT,
                },
            )
        except NotFiniteError:
            pass
        finally:
            run.settle()
            history.seconds = time.perf_counter() - started
            net.history = history  # a callback may have called `fit`, which left its own
    if loss.beyond is not None:
        warn_of_loss(net, x, t, [loss.beyond], len(run.reached) - 1, None)
    elif checked is not None and not np.isfinite(history.validation_loss).all():
        warn_of_validation(net, history, checked[:2])
    else:
        warn_of_parameters(net, len(history.loss), None)
    return history


class NotFiniteError(Exception):
    """The loss that a run begins with is not finite; nobody else sees it."""


class Loss:
    """The loss of all of the data as a function of all parameters in one row, and its gradient.

    Attributes
    ----------
    first : float or None
        That of the first evaluation.
    beyond : float or None
        The last that was not finite since the last iteration, if there was one; NaN where only the gradient was not.
    """

    def __init__(self, net: Trainable, x: Array, t: Array, weights: Array | None) -> None:
        if is_sparse(x) or net.plan_for(SGD()) is None:
            _require_one_function(net, x, t, weights)
        self.twin = net.astype(np.float64)
        self.x, self.t, self.weights = x, self.twin.targets_for("fit", t, len(x)), weights
        self.row_weights = row_weights_of(self.twin.lastLayer, self.t, weights)
        self.first: float | None = None
        self.beyond: float | None = None
        self._finite = 0.0

    def __call__(self, v: Array) -> tuple[float, Array]:
        """The loss and its gradient, as L-BFGS goes on from."""
        gradient = np.empty(len(v))
        self.twin.set_flat_params(v)
        plan = None if is_sparse(self.x) else self.twin.plan_for(SGD())
        if plan is None:
            value, parts = _by_layers(self.twin, self.x, self.t, self.weights)
            np.concatenate(parts, out=gradient)
        else:
            value = plan.loss_and_gradient(self.x, self.t, gradient, None, self.row_weights)
        if not np.isfinite(gradient).all() and math.isfinite(value):
            value = math.nan
        is_first, self.first = self.first is None, value if self.first is None else self.first
        if not math.isfinite(value):
            self.beyond = value
            if is_first:
                raise NotFiniteError
            return 1e6 * (1 + abs(self._finite)), np.zeros(len(v))
        self._finite = value
        return value, gradient


class Run:
    """The iterations that were taken.

    Attributes
    ----------
    reached : list of (ndarray of shape (P,) float64, float)
        The parameters at the start and behind each iteration, and the loss there; at the start it is that of `loss`.
    """

    def __init__(self, net: Trainable, history: History, loss: Loss) -> None:
        self.net, self.history, self.loss = net, history, loss
        start = net.get_flat_params()
        net.set_flat_params(start)  # what cannot be set is refused before anything changes
        self.reached: list[tuple[Array, float]] = [(start.astype(np.float64), math.nan)]

    def take(self, point: Array, value: float) -> None:
        """Move the network to what an iteration has accepted."""
        self.net.set_flat_params(point)
        self.reached += ((point, value),)
        self.loss.beyond = None
        self.history.loss[:] = self.losses()

    def losses(self) -> list[float]:
        """The loss before each iteration; where there was none, that of the start if it is not finite."""
        first = [] if self.loss.first is None else [self.loss.first]
        return (first + [value for _, value in self.reached[1:]])[: len(self.reached) - 1] or [
            value for value in first if not math.isfinite(value)
        ]

    def settle(self) -> None:
        """Let network and record be those of the last iteration, which an interrupt may have left half done."""
        self.net.set_flat_params(self.reached[-1][0])
        self.history.loss[:] = self.losses()

    def is_stopped_by(self, callbacks: Sequence[Callable[[Any, History], Any]]) -> bool:
        """Whether one of them returns True."""
        before = self.net.get_flat_params() if callbacks else None
        try:
            answers = [callback(self.net, self.history) for callback in callbacks]
        except StopIteration as error:  # by which SciPy's driver is told to stop
            raise RuntimeError("fit: a callback raised StopIteration") from error
        if before is not None and not np.array_equal(before, self.net.get_flat_params(), equal_nan=True):
            raise RuntimeError(
                f"fit: a callback has changed the parameters, and optimizer={NAME!r} goes on from those that it had "
                "found; wanted callbacks that only look"
            )
        return any(isinstance(answer, (bool, np.bool_)) and answer for answer in answers)


def _minimizer() -> Callable[..., Any]:
    """SciPy's `minimize`."""
    try:
        from scipy.optimize import minimize
    except ImportError as error:
        raise ImportError(f"fit: optimizer={NAME!r} needs SciPy: pip install 'bpcore[sklearn]'") from error
    found: Callable[..., Any] = minimize
    return found


def _require_no_masks(net: Trainable) -> None:
    """Raise where a layer draws masks."""
    for name, layer in net.layers.items():
        if draws(layer):
            raise ValueError(
                f"fit: layers[{name!r}] ({layer!r}) draws other masks at each evaluation, and optimizer={NAME!r} "
                "compares losses of one function; wanted a network without dropout, or another optimizer"
            )


def _require_no_running_statistics(net: Trainable) -> None:
    """Raise where a layer keeps running statistics: trials of a line search would move them, not the network's."""
    for key in buffers_of(net.layers):
        raise ValueError(
            f"fit: the network keeps running statistics ({key}), which optimizer={NAME!r} has no batches for; wanted a "
            "network without batch normalisation, or another optimizer"
        )


def _require_one_function(net: Trainable, x: Array, t: Array, weights: Array | None) -> None:
    """Raise where layers of one's own give two losses or gradients of one batch, or a pass in training changes them."""
    twin = net.astype(np.float64)
    _by_layers(twin, x, t, weights)  # which shows the parameters of layers
    outputs = twin.predict(x)
    (loss, parts), (again, others) = (_by_layers(twin, x, t, weights) for _ in range(2))
    same = len(parts) == len(others) and all(map(_same, parts, others))
    if not same or not _same(loss, again):
        raise ValueError(
            f"fit: the same parameters and data have the loss {loss} and then {again}, or two gradients; "
            f"optimizer={NAME!r} compares losses of one function"
        )
    if not _same(outputs, twin.predict(x)):
        raise ValueError(
            f"fit: after a pass in training the same parameters predict something else; optimizer={NAME!r} makes such "
            "passes at trials of its line searches too, wanted layers that keep nothing of them"
        )
    _by_layers(net, x, t, weights)  # as above, of the network itself


def _same(one: ArrayLike, other: ArrayLike) -> bool:
    return np.array_equal(one, other, equal_nan=True)


def _by_layers(net: Trainable, x: Array, t: Array, weights: Array | None) -> tuple[float, list[Array]]:
    """The loss, and the gradient of each parameter in one row, layer by layer."""
    loss, gradients, _ = net._while_training(lambda: loss_and_gradients(net, x, t, weights))
    net.clear_cache()
    return loss, [np.reshape(gradients[key], -1) for key in net.params]
