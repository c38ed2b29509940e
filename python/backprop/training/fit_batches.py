"""`fit` of batches that somebody else makes: what it is asked for, all of it checked, made a run."""

import copy
from typing import Any, cast

import numpy as np

from backprop._util.arguments import seed_number
from backprop._util.arrays import Array
from backprop.layers.base_loss import has_classes, is_binary, labels_of_targets
from backprop.layers.weighting import RowWeights
from backprop.optimizers import SGD
from backprop.optimizers.base import Optimizer, chosen_optimizer
from backprop.training import arguments
from backprop.training.batches import UNKNOWN, Source, source_of
from backprop.training.protocol import Trainable
from backprop.training.run import Data, Run
from backprop.training.splitting import class_weights
from backprop.training.step import train_batches

# Data that the first batch replaces.
NOTHING = np.empty((0, 0)), np.empty(0)
WITHOUT_MEANING = {
    "batch_size": "the batches are as they are given",
    "accumulate": "a step takes one of them",
    "validation_fraction": "validation= takes data",
    "sample_weight": "a batch may be (x, t, sample_weight)",
}


class RunOfBatches(Run):
    """A run whose batches somebody else makes."""

    def __init__(self, net: Trainable, optimizer: Optimizer, source: Source, steps_an_epoch: int) -> None:
        super().__init__(net, optimizer, source, steps_an_epoch)
        self.source = source

    def close(self) -> None:
        """Stop reading ahead."""
        self.source.close()

    def _as_the_loss_has_them(self, data: Data) -> tuple[Array | None, RowWeights | None]:
        return None, None  # each batch says itself

    def _take_steps(
        self, data: Data, count: int, has_class: Array | None, row_weights: RowWeights | None
    ) -> int:
        """A step with each of so many batches, or those that there are."""
        net, losses, first = self.network, self.history.loss, len(self.history.loss)
        rates, classes = self._rates(count), has_classes(net.lastLayer, net.sizes[-1])
        for n in range(count):
            try:
                given = self.source.next()
            except StopIteration:
                self.steps = self.step
                break
            data.x, data.t, data.weights = self._checked(net, given)
            before, correct = len(losses), list[int]()
            try:
                train_batches(
                    net, data.x, data.t, [np.arange(len(data.x))[np.newaxis]], self.optimizer, losses, data.weights,
                    None, self.average, None if rates is None else rates[n : n + 1], correct,
                )  # fmt: skip
            finally:
                if len(losses) > before:
                    self.source.done()
                    self.step += 1
                    self.correct += sum(correct)
                    labels = labels_of_targets(net.lastLayer, data.t) if classes else None
                    self.counted += len(data.t) if labels is None else int((labels >= 0).sum())
                    if rates is not None:
                        self._show(float(rates[n]))
        return len(losses) - first

    def _checked(self, net: Trainable, given: Any) -> tuple[Array, Array, Array | None]:
        """A batch as it is trained on."""
        number = self.step + 1
        if not isinstance(given, (tuple, list)) or len(given) not in (2, 3):
            raise TypeError(
                f"fit: batch {number} is a {type(given).__name__}, wanted (x, t) or (x, t, sample_weight)"
            )
        try:
            x, t = arguments.data(net, given[0], given[1], net)
            weights = arguments.weights(given[2] if len(given) == 3 else None, len(x))
        except (TypeError, ValueError) as error:
            text = str(error).removeprefix("fit: ").removeprefix("Network: ")
            raise type(error)(f"fit: batch {number}: {text}") from None
        if self.class_weight is not None:
            labels = labels_of_targets(net.lastLayer, t)
            by_class = class_weights(self.class_weight, labels, _classes(net))
            weights = by_class if weights is None else weights * cast("Array", by_class)
        return x, t, weights


def run_of_batches(
    net: Trainable,
    batches: Any,
    earlier: Run | None,
    epochs: int | None,
    iterations: int | None,
    sample_weight: Any,
    tracked: bool,
    given: dict[str, Any],
    resumes: bool,
) -> RunOfBatches:
    """A run with these batches, a new one or the earlier one; what it decides is put into `given`."""
    for name, what in WITHOUT_MEANING.items():
        if (sample_weight if name == "sample_weight" else given[name]) is not None:
            raise ValueError(f"fit: {name} is given, and t is not: x has batches; {what}")
    if tracked:
        raise ValueError("fit: track_accuracy is True, and x has batches, which are not gone through twice")
    if isinstance(given["class_weight"], str):
        raise ValueError(
            f"fit: class_weight is {given['class_weight']!r}, and x has batches, whose classes nobody has counted; "
            "wanted weights by class"
        )
    if epochs is iterations is None and not resumes and not hasattr(batches, "__next__"):
        raise ValueError("fit: epochs is None, iterations is None; wanted exactly one of them")
    if earlier is not None:
        return _with_others(earlier, batches)
    seed = seed_number("fit", given["seed"])
    seed = cast("int", np.random.SeedSequence().entropy) if seed is None else seed
    source = source_of(batches, np.random.PCG64(seed), given["shuffle"])
    if epochs is not None and source.length is None:
        raise ValueError(
            f"fit: epochs is {epochs}, and x is a {type(batches).__name__} that does not say how many batches it has; "
            "wanted iterations="
        )
    if given["schedule"] is not None and epochs is iterations is None:
        raise ValueError(
            "fit: schedule is given, and nobody says how many steps there are; wanted iterations="
        )
    optimizer = SGD(0.1) if given["optimizer"] is None else chosen_optimizer("fit", given["optimizer"])
    run = RunOfBatches(net, optimizer, source, source.length or UNKNOWN)
    run.by_epochs, run.class_weight = iterations is None, copy.deepcopy(given["class_weight"])
    if run.class_weight is not None:
        class_weights(run.class_weight, _no_labels(net), _classes(net))
    given |= dict(optimizer=optimizer, seed=seed)
    return run


def _with_others(run: Run, batches: Any) -> RunOfBatches:
    """The earlier run, with batches that are given again."""
    if not isinstance(run, RunOfBatches):
        raise ValueError("fit: t is not given, and the run of continue_from has x and t")
    if type(own := run.source) is not type(other := source_of(batches, np.random.PCG64(0), True)):
        raise ValueError(
            f"fit: x is a {type(batches).__name__}, the run of continue_from has batches of another kind"
        )
    if own.length != other.length:
        raise ValueError(f"fit: x has {other.length} batches, the run of continue_from has {own.length}")
    if batches is not own.batches:
        own.replace(batches)
    return run


def _no_labels(net: Trainable) -> Array | None:
    return np.empty(0, np.int64) if has_classes(net.lastLayer, net.sizes[-1]) else None


def _classes(net: Trainable) -> int:
    return 2 if is_binary(net.lastLayer) else net.sizes[-1]
