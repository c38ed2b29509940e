"""A training run: its loop, and where it has come to, from which it can go on."""

import math
import time
from collections.abc import Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from typing import Any
from weakref import ref

import numpy as np
from numpy.typing import NDArray

from backprop._util.arrays import Array
from backprop._util.progress import bar_for
from backprop.layers.base_loss import has_classes, labels_of_targets, row_weights_of
from backprop.layers.weighting import RowWeights
from backprop.optimizers.base import Optimizer
from backprop.training.averaging import Average, held
from backprop.training.batches import UNKNOWN
from backprop.training.callbacks import Callback, stops
from backprop.training.checkpoints.saver import Saver
from backprop.training.divergence import warn_of_loss, warn_of_parameters, warn_of_validation
from backprop.training.history import History
from backprop.training.metrics import Metric
from backprop.training.protocol import Scheduled, Trainable
from backprop.training.sampling import Indices, Sampler
from backprop.training.step import rate_of, set_rate, train_batches
from backprop.training.stopping import Watch
from backprop.training.validation import Validation, evaluate, evaluate_some
from backprop.training.watching import Said
from bpcore.threads import limited

# Seconds between two looks at Ctrl-C and the progress bar, if steps go on as the last ones went. They may take ten
# times as long where others begin to use the processors.
PAUSE = 0.03


@dataclass
class Data:
    """What a call of `fit` trains on and evaluates.

    Attributes
    ----------
    x, t, weights : arrays, the weights None without them
    validation : (x, t, weights) or None
    tracked : (x, t) or None
        Whose accuracy is recorded in the place of the running one.
    metrics : sequence of Metric
    """

    x: Array
    t: Array
    weights: Array | None
    validation: Validation | None
    tracked: tuple[Array, Array] | None
    metrics: Sequence[Metric]


class Run:
    """One training run, as its callbacks see it.

    Attributes
    ----------
    network : Network
    history : History
    optimizer : Optimizer
    step : int
        Steps taken so far.
    steps : int
        How many it takes, if nothing stops it.
    steps_an_epoch : int
        With `iterations`: N // batch_size, after which things are recorded as after an epoch.
    recorded : tuple of str
        The names of what is recorded after each epoch, "loss" first.
    """

    def __init__(self, net: Trainable, optimizer: Optimizer, sampler: Sampler, steps_an_epoch: int) -> None:
        self.optimizer, self.sampler = optimizer, sampler
        self.steps_an_epoch, self.step, self.steps = steps_an_epoch, 0, 0
        self.schedule: Scheduled | None = None
        self.watch: Watch | None = None
        # What a call that goes on has to agree with.
        self.rows, self.by_epochs, self.class_weight = sampler.samples, True, None
        self.chosen: tuple[Indices, Indices] | None = None  # samples to train on, and for validation
        self.averaged: tuple[Any, Any] = None, None  # `ema` and `ema_decay`
        self._of: ref[Trainable] = ref(net)
        self._last: ref[History] | None = None
        self.correct = self.counted = 0
        self._stops = False
        self.base_rate: float | None = None  # the optimizer's own, with which those of a schedule began
        self._shown = math.nan
        self._scheduled = self._watches = False
        # What was recorded last, of which step, and whether schedule and watch were told.
        self.found: dict[str, float] = {}
        self.found_at = self.told_at = 0
        self.recorded: tuple[str, ...] = ()
        # What a checkpoint has of the call, and whether something else than the number of steps has ended the run.
        self.given: dict[str, Any] = {}
        self.part: int | None = None  # how many samples go through the network at once, if not all of a step
        self.has_ended = False
        self._since = 0.0  # when it would have begun, had it been one call

    @property
    def metrics(self) -> dict[str, float]:
        """What was recorded last, by name; "loss" is the mean of the steps since the time before."""
        return {**self.found}

    @property
    def seconds(self) -> float:
        """The time that its steps have taken so far, in all its calls."""
        return time.perf_counter() - self._since

    @property
    def epoch(self) -> int:
        """How many epochs are complete."""
        return self.step // self.steps_an_epoch

    @property
    def rate(self) -> float:
        """The learning rate of the last step. It may be set, but not where a schedule sets it."""
        return float(self.optimizer.lr)  # type: ignore[attr-defined]

    @rate.setter
    def rate(self, rate: float) -> None:
        if self.schedule is not None:
            raise ValueError(f"fit: rate is set to {rate}, and schedule={self.schedule!r} sets it")
        self.optimizer.lr = rate  # type: ignore[attr-defined]

    def stop(self) -> None:
        """End the run behind the callback that calls this."""
        self._stops = True

    def is_of(self, net: Trainable) -> bool:
        """Whether it is the run of this very network."""
        return self._of() is net

    def has_come_to(self, history: History) -> bool:
        """Whether this is the record of its last call."""
        return self._last is not None and self._last() is history

    @property
    def watched(self) -> Trainable:
        """The network whose weights the watch keeps: that which the monitored number is of."""
        own = self.average is None or self.watch is None or self.watch.monitor in ("loss", "train_accuracy")
        return self.network if own else self.average.network  # type: ignore[union-attr]  # `own` has looked

    def go(
        self,
        net: Trainable,
        history: History,
        average: Average | None,
        data: Data,
        callbacks: Sequence[Callback],
        threads: int | None,
        progress: bool,
        started: float,
        saver: Saver | None = None,
    ) -> None:
        """Take the steps that are left, and record them."""
        begun = list[Callback]()
        self._since = started - history.seconds
        validated: Trainable = net if average is None else average.network

        def record() -> None:
            history.seconds = self.seconds
            if self.watch is not None and self.watch.best_step:
                history.best_at = self.watch.best_step
            if history.loss:
                net.history = history  # a callback may have called `fit`, which left its own

        self._stops = self.has_ended
        with ExitStack() as last:
            # From the last to the first, each whatever becomes of the others.
            last.callback(self._leave)
            last.callback(lambda: _tell_the_end(self, begun))
            last.callback(self._restore)
            last.callback(self._end_rates)
            if average is not None:
                last.callback(average.catch_up)  # with a step that an interrupt has let be taken
            last.callback(record)
            self.network, self.history, self.average = net, history, average
            left = None if self.steps == UNKNOWN else self.steps - self.step
            with (
                held(average),
                limited(threads),
                closing(bar_for(progress, left, Said(self))) as bar,
            ):
                if data.validation is not None:
                    evaluate_some(validated, data.validation)
                if self.watch is not None:
                    self.watch.resume(self.watched)
                    self._watches = True
                history._run, self._last = self, ref(history)
                net.history = history
                self._begin_rates()
                for callback in callbacks:
                    begun.append(callback)
                    self._ask([callback], "begin")
                try:
                    self._train(data, validated, callbacks, bar, saver)
                except KeyboardInterrupt:
                    if saver is not None:
                        if average is not None:
                            average.catch_up()
                        saver.save(self)
                    raise

    @property
    def is_going(self) -> bool:
        """Whether its steps are being taken."""
        return "network" in vars(self)

    def close(self) -> None:
        """Let go of what only a call needs."""

    def _leave(self) -> None:
        # The network has the history, and that the run, which would keep both until garbage is collected.
        for name in ("network", "history", "average"):
            vars(self).pop(name, None)

    def _restore(self) -> None:
        # A call that has failed before that has the weights that it restored at its end.
        if self.watch is not None and self._watches:
            self._watches = False
            self.watch.restore(self.watched)

    def _train(
        self,
        data: Data,
        validated: Trainable,
        callbacks: Sequence[Callback],
        bar: Any,
        saver: Saver | None,
    ) -> None:
        net, history = self.network, self.history
        chunk, self._warned, taken = 1, False, self.step
        loss_layer = net.lastLayer
        has_class, row_weights = self._as_the_loss_has_them(data)
        if self.step and self.step % self.steps_an_epoch == 0 and self.told_at != self.step:
            self._evaluate(data, validated)  # which an interrupt has kept from it
            self._ask(callbacks, "epoch")
        while self.step < self.steps and not self._stops:
            # Up to the next evaluation or callback, and no longer than Ctrl-C and the progress bar may wait.
            ends = [self.steps_an_epoch, *(one.every for one in callbacks if one.every)]
            ends += [saver.steps] if saver is not None and saver.steps else []
            count = min(chunk, self.steps - self.step, *(every - self.step % every for every in ends))
            before = time.perf_counter()
            count = self._take_steps(data, count, has_class, row_weights)
            losses = history.loss[len(history.loss) - count :]
            if not self._warned and not np.isfinite(losses).all():
                self._warned = True
                warn_of_loss(net, data.x, data.t, losses, self.step - count, self.optimizer)
            chunk = chunk_for(PAUSE, count, time.perf_counter() - before, chunk)
            bar.update(count)
            if count:
                self._ask([one for one in callbacks if one.every and self.step % one.every == 0], "step")
            is_due = self.step % self.steps_an_epoch == 0 or self.step == self.steps
            is_due = is_due and self.told_at != self.step
            if is_due:
                self._evaluate(data, validated)
                self._ask(callbacks, "epoch")
            if callbacks and (is_due or net.lastLayer is not loss_layer):  # which may have changed the loss
                loss_layer = net.lastLayer
                data.t = net.targets_for("fit", data.t, len(data.x))
                has_class, row_weights = self._as_the_loss_has_them(data)
            if saver is not None and saver.is_due(self.step, is_due):
                saver.save(self)
        self.has_ended = self._stops
        if saver is not None:
            saver.save(self)
        if not self._warned and self.step > taken:
            warn_of_parameters(net, self.step, self.optimizer)

    def _evaluate(self, data: Data, validated: Trainable) -> None:
        """Record what belongs to the steps so far, and tell the schedule and the watch."""
        if self.found_at != self.step:
            running = self.correct / self.counted if self.counted else math.nan
            self.found = evaluate(
                self.network, self.history, self.step, running, data.tracked, data.validation, validated,
                data.metrics, rate_of(self.optimizer),
            )  # fmt: skip
            self.found_at = self.step
        found, self.correct, self.counted = self.found, 0, 0
        if not self._warned and data.validation is not None and not math.isfinite(found["validation_loss"]):
            self._warned = True
            warn_of_validation(validated, self.history, data.validation[:2])
        if self.schedule is not None:
            self.schedule.observe(self.step, found["validation_loss" if data.validation else "loss"])
        if self.watch is not None and self.watch.observe(self.step, found[self.watch.monitor], self.watched):
            self.stop()
        self.told_at = self.step

    def _take_steps(
        self, data: Data, count: int, has_class: Array | None, row_weights: RowWeights | None
    ) -> int:
        """So many steps; returns how many. What an interrupt ends can go on from the last step that was taken."""
        losses, drawn_from, before = self.history.loss, self.sampler.state, len(self.history.loss)
        rates, correct, batches = self._rates(count), list[int](), list[Indices]()
        try:
            batches = self.sampler.take(count)
            train_batches(
                self.network, data.x, data.t, batches, self.optimizer, losses, data.weights, row_weights,
                self.average, rates, correct, self.part,
            )  # fmt: skip
        finally:
            taken = len(losses) - before
            if taken < count:
                self.sampler.state = drawn_from
                batches = self.sampler.take(taken) if taken else []
            self.step += taken
            self.correct += sum(correct)
            self.counted += sum(
                group.size if has_class is None else has_class[group].sum() for group in batches
            )
            if rates is not None and taken:
                self._show(float(rates[taken - 1]))
        return count

    def _begin_rates(self) -> None:
        if self.schedule is not None:
            self.base_rate = self.optimizer.lr  # type: ignore[attr-defined]  # `fit` has looked
            self._scheduled = True
            self._show(self.base_rate)

    def _rates(self, count: int) -> NDArray[np.float64] | None:
        """The learning rates of the next steps, where a schedule sets them."""
        if self.schedule is None:
            return None
        if self.optimizer.lr != self._shown:  # type: ignore[attr-defined]
            raise ValueError(
                f"fit: the optimizer's lr was changed to {self.optimizer.lr}, and schedule={self.schedule!r} sets it"  # type: ignore[attr-defined]
            )
        assert self.base_rate is not None  # `_begin_rates` has set it
        return self.schedule.rates(self.base_rate, self.step, count)

    def _show(self, rate: float) -> None:
        """Let the optimizer have the rate of the last step."""
        set_rate(self.optimizer, rate)
        self._shown = rate

    def _end_rates(self) -> None:
        if self._scheduled and self.base_rate is not None:
            set_rate(self.optimizer, self.base_rate)
        self._scheduled = False

    def _ask(self, callbacks: Sequence[Callback], what: str) -> None:
        answers = [getattr(callback, what)(self) for callback in callbacks]
        if any(stops(answer) for answer in answers):
            self.stop()

    def _as_the_loss_has_them(self, data: Data) -> tuple[Array | None, RowWeights | None]:
        """Which samples have a class, None where all have or none is counted, and the weights of the rows."""
        loss = self.network.lastLayer
        # Samples without a class are left out, as `accuracy` does.
        has_class = (
            labels_of_targets(loss, data.t) >= 0 if has_classes(loss, self.network.sizes[-1]) else None
        )
        return (
            None if has_class is None or has_class.all() else has_class,
            row_weights_of(loss, data.t, data.weights),
        )


def _tell_the_end(run: Run, callbacks: Sequence[Callback]) -> None:
    with ExitStack() as all_of_them:
        for callback in reversed(callbacks):
            all_of_them.callback(callback.end, run)


def chunk_for(seconds: float, steps: int, took: float, last: int) -> int:
    """How many steps take about `seconds`, if `steps` of them took `took`; at most twice as many as the last time.

    Beside others that want the processors a step may take any time, now and then a hundredfold.
    """
    return max(1, min(2 * last, int(steps * seconds / max(took, 1e-9))))
