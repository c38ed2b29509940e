"""What a checkpoint holds of a run besides its network, and how a new run gets it."""

import copy
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from backprop._util.arrays import Array
from backprop._util.messages import shown
from backprop._util.settings import MOST_STEPS
from backprop.layers.base import Layer
from backprop.layers.buffers import buffers_of
from backprop.optimizers.base import UpdateRule
from backprop.training.history import History
from backprop.training.protocol import Trainable
from backprop.training.step import rate_of
from backprop.training.stopping import arrays_of, put

COLUMNS = ("train_accuracy", "validation_loss", "validation_accuracy", "evaluated_at")


def captured(run: Any) -> tuple[dict[str, Array], dict[str, Any], dict[str, Array]]:
    """The arrays that `fit` would leave in the network if it ended now, the state, and the other arrays."""
    net, optimizer, history, watch = run.network, run.optimizer, run.history, run.watch
    names = [*net.params, *buffers_of(net.layers)]
    arrays, others = arrays_of(net), {"loss": np.array(history.loss, np.float64)}
    best = None
    if watch is not None and watch.best_arrays:
        best = "network" if run.watched is net else "average"
        if best == "network":
            others |= _numbered("last", arrays)
            arrays = watch.best_arrays
        else:
            others |= _numbered("best", watch.best_arrays)
    if run.average is not None:
        others |= _numbered("average", arrays_of(run.average.network))
    for key, own in optimizer.state.items():
        others |= _numbered(f"optimizer.{key}", own)
    settings = {name: getattr(optimizer, name) for name in optimizer.settings}
    if run.schedule is not None:
        settings["lr"] = run.base_rate  # with which the rates go on
    state = {
        "arguments": run.given,
        **{name: getattr(run, name) for name in ("step", "steps", "by_epochs", "has_ended")},
        "recorded": list(run.recorded),
        "running": [run.correct, run.counted, run.found_at, run.told_at],
        "found": run.found,
        "position": run.sampler.position,
        "schedule": None if run.schedule is None else run.schedule.state,
        "watch": None if watch is None else [watch.best, watch.best_step, watch.waited],
        "best": best,
        "optimizer": {"steps": optimizer.steps, "settings": settings, "state": list(optimizer.state)},
        "history": {
            "seconds": run.seconds,
            **{name: getattr(history, name) for name in (*COLUMNS, "others")},
        },
    }
    return dict(zip(names, arrays, strict=True)), state, others


def _numbered(name: str, arrays: Any) -> dict[str, Array]:
    return {f"{name}.{n}": array for n, array in enumerate(arrays)}


class Saved:
    """A checkpoint that a run is to go on from.

    Attributes
    ----------
    path : str
    network : Network
        As `fit` would have left it.
    state : dict
    arrays : dict of str to ndarray
    step, steps : int
    by_epochs, has_ended : bool
    arguments : dict
        What `fit` was asked for.
    data : dict
        The data's fingerprint.
    """

    def __init__(self, path: str) -> None:
        from backprop.io import _checkpoint

        self.path = path
        self.network, self.state, self.arrays = _checkpoint.read(path)
        self.step, self.steps = (self._of(self.state, name, *WHOLE) for name in ("step", "steps"))
        self.by_epochs, self.has_ended = (
            self._of(self.state, name, *TRUE_OR_FALSE) for name in ("by_epochs", "has_ended")
        )
        self.arguments, self.data = (self._of(self.state, name, *MAPPING) for name in ("arguments", "data"))
        if not max(self.step, 1) <= self.steps < MOST_STEPS:
            raise ValueError(f"{path}: step is {self.step} of {self.steps} steps")

    def require_data(self, data: Mapping[str, Any]) -> None:
        """Raise for data that is not that of the run."""
        for name, now in data.items():
            if (before := self.data.get(name)) != now:
                had = [_shape_of(one) for one in (now, before)]
                what = f"{had[0]}, there {had[1]}" if had[0] != had[1] else f"{had[0]} of other numbers"
                raise ValueError(
                    f"fit: {name} is not that of the run of {self.path}: {what}; a network that is to go on with other "
                    "data is read by Network.load, and trained by a fit of its own"
                )

    def require_rates(self, run: Any) -> None:
        """Raise where a schedule of another length would have given other rates to the steps that were taken."""
        if run.steps == self.steps:
            return
        as_it_was, base = run.schedule.begin(run.steps_an_epoch, self.steps), rate_of(run.optimizer)
        as_it_was.state = run.schedule.state
        if (as_it_was.rates(base, 0, self.step) != run.schedule.rates(base, 0, self.step)).any():
            raise ValueError(
                f"fit: schedule={run.schedule!r} is of the whole run of {self.path}, which has {self.steps} steps, and "
                f"is to have {run.steps}; wanted one that says its length"
            )

    def put_into(self, run: Any, net: Trainable, average: Any) -> tuple[History, Callable[[], None]]:
        """Give a run, that has not begun, its place, schedule and watch.

        Returns
        -------
        History
        callable
            What gives the network, the average and the optimizer what they had.

        Raises
        ------
        ValueError
            The network is another, or the checkpoint has something that cannot be. Then only the run has changed.
        """
        self._require_same(net)
        best = self._of(self.state, "best", *BEST)
        if best is not None and (run.watch is None or (best == "average" and average is None)):
            raise ValueError(f"{self.path}: best is {best!r}, and the run has none")
        arrays = self._arrays("last", net) if best == "network" else arrays_of(self.network)
        averaged = None if average is None else self._arrays("average", average.network)
        optimizer = self._optimizer(run.optimizer, net)
        history = self._history(run)
        self._put_into_run(run)
        if run.watch is not None:
            run.watch.best, run.watch.best_step, run.watch.waited = self._of(self.state, "watch", *THREE)
            if best is not None:
                kept = [array.copy() for array in arrays_of(self.network)]
                run.watch.best_arrays = kept if best == "network" else self._arrays("best", average.network)

        def put_all() -> None:
            put(net, arrays)
            _put_counters(net, self.network)
            if averaged is not None:
                put(average.network, averaged)
            run.optimizer.__setstate__(optimizer)

        return history, put_all

    def _put_into_run(self, run: Any) -> None:
        run.step, run.has_ended = self.step, self.has_ended
        run.correct, run.counted, run.found_at, run.told_at = self._of(self.state, "running", *FOUR)
        run.found = self._of(self.state, "found", *RECORD)
        if run.told_at > self.step or run.found_at > self.step:
            raise ValueError(f"{self.path}: running is {self.state['running']}, and step is {self.step}")
        try:
            run.sampler.position = self._of(self.state, "position", *MAPPING)
            if run.schedule is not None:
                run.schedule.state = self._of(self.state, "schedule", *MAPPING)
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"{self.path}: {error}") from None

    def _require_same(self, net: Any) -> None:
        from backprop.io import _checkpoint

        if not _checkpoint.are_alike(net, self.network):
            raise ValueError(
                f"fit: the network is {net!r}, and {self.path} is of {self.network!r}, wanted one made as that was"
            )

    def _optimizer(self, optimizer: UpdateRule, net: Trainable) -> dict[str, Any]:
        """All that the optimizer had."""
        said = self._of(self.state, "optimizer", *MAPPING)
        settings, steps = self._of(said, "settings", *MAPPING), self._of(said, "steps", *WHOLE)
        if settings.keys() != optimizer.settings.keys():
            raise ValueError(f"{self.path}: {type(optimizer).__name__} has {shown(list(settings))}")
        twin = copy.copy(optimizer)
        twin.state = {}
        try:
            for name, value in settings.items():
                vars(twin)[name] = twin.settings[name]("settings", name, value)
            vars(twin)["steps"] = steps
            params = net.params
            for key in self._of(said, "state", *NAMES):
                own = [self._array(f"optimizer.{key}.{n}", params[key]) for n in range(twin.state_size)]
                twin.state[key] = tuple(own)
            twin.require_match(params)
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"{self.path}: optimizer: {error}") from None
        return twin.__getstate__()

    def _history(self, run: Any) -> History:
        said = self._of(self.state, "history", *MAPPING)
        history = History(loss=self._array("loss", np.empty(self.step)).tolist())
        history.seconds = float(self._of(said, "seconds", *NUMBER))
        history.evaluated_at = self._of(said, "evaluated_at", *WHOLES)
        rows = len(history.evaluated_at)
        history.others = self._of(said, "others", *RECORDS)
        for name in ("train_accuracy", "validation_loss", "validation_accuracy"):
            setattr(history, name, self._of(said, name, *NUMBERS))
            if len(getattr(history, name)) != rows * (name in run.recorded):
                raise ValueError(f"{self.path}: {name} has not the length of evaluated_at")
        if len(history.others) != rows or history.evaluated_at != sorted({*history.evaluated_at}):
            raise ValueError(
                f"{self.path}: others has not the length of evaluated_at, or that is not in order"
            )
        if history.evaluated_at and not 0 < history.evaluated_at[-1] <= self.step:
            raise ValueError(f"{self.path}: evaluated_at has {history.evaluated_at[-1]}, step is {self.step}")
        return history

    def _arrays(self, name: str, net: Trainable) -> list[Array]:
        """The arrays of a network, out of those besides the network's."""
        return [self._array(f"{name}.{n}", own) for n, own in enumerate(arrays_of(net))]

    def _array(self, name: str, like: Array) -> Array:
        array = self.arrays.get(name)
        if array is None or (array.shape, array.dtype) != (like.shape, like.dtype):
            found = "missing" if array is None else f"{array.dtype} {array.shape}"
            raise ValueError(f"{self.path}: {name} is {found}, wanted {like.dtype} {like.shape}")
        return array

    def _of(self, state: Mapping[str, Any], name: str, wanted: str, check: Callable[[Any], bool]) -> Any:
        """A part of the state."""
        if name not in state:
            raise ValueError(f"{self.path}: {name} is missing")
        if not check(value := state[name]):
            raise ValueError(f"{self.path}: {name} is {shown(value)}, wanted {wanted}")
        return value


def _put_counters(net: Any, other: Any) -> None:
    for own, saved in zip(net.layers.values(), other.layers.values(), strict=True):
        for name in type(own).counters if isinstance(own, Layer) else ():
            if not isinstance(getattr(own, name), np.ndarray):  # arrays are among those of the network
                setattr(own, name, getattr(saved, name))


def _shape_of(print_of: Any) -> str:
    """Type and shape that a fingerprint has of an array."""
    try:
        shape, dtype, _ = print_of
        return f"{dtype} {tuple(shape)}"
    except (TypeError, ValueError):
        return "none"


def _is_whole(value: Any) -> bool:
    return type(value) is int and 0 <= value < MOST_STEPS


def _is_number(value: Any) -> bool:
    return type(value) in (int, float)


def _is_record(value: Any) -> bool:
    return type(value) is dict and all(map(_is_number, value.values()))


def _all(check: Callable[[Any], bool], count: int | None = None) -> Callable[[Any], bool]:
    return lambda value: type(value) is list and count in (None, len(value)) and all(map(check, value))


WHOLE = "a whole number", _is_whole
NUMBER = "a number", _is_number
TRUE_OR_FALSE = "true or false", lambda value: type(value) is bool
MAPPING = "names with values", lambda value: type(value) is dict
NAMES = "names", _all(lambda value: type(value) is str)
WHOLES = "whole numbers", _all(_is_whole)
NUMBERS = "numbers", _all(_is_number)
RECORD = "names with numbers", _is_record
RECORDS = "names with numbers, several", _all(_is_record)
BEST = "None, 'network' or 'average'", lambda value: value in (None, "network", "average")
THREE = "three numbers", _all(_is_number, 3)
FOUR = "four whole numbers", _all(_is_whole, 4)
