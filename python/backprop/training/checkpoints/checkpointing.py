"""The checkpoints of one call of `fit`: those that it writes, and the one that it goes on from."""

from collections.abc import Mapping
from typing import Any

from backprop._util.arrays import Array
from backprop._util.messages import shown
from backprop.training.averaging import DECAY
from backprop.training.batches import FromSequence, Source
from backprop.training.checkpoints.arguments import agreed, described
from backprop.training.checkpoints.fingerprint import fingerprint
from backprop.training.checkpoints.saver import Saver, checked_paths
from backprop.training.checkpoints.state import Saved
from backprop.training.history import History
from backprop.training.protocol import Trainable


class Checkpointing:
    """What `checkpoint=`, `every=` and `resume=` ask for.

    Attributes
    ----------
    saver : Saver or None
        What writes checkpoints.
    saved : Saved or None
        What the run goes on from.
    """

    def __init__(self, checkpoint: Any, every: Any, resume: Any, continue_from: History | None) -> None:
        path, self.resumed = checked_paths(checkpoint, resume)
        if path is None and every is not None:
            raise ValueError(f"fit: every is {every!r}, and checkpoint is None; wanted checkpoint=path")
        if self.resumed is not None and continue_from is not None:
            raise ValueError("fit: continue_from and resume are given; wanted one of the two")
        self.saver = None if path is None else Saver(path, every, self.resumed)
        self.saved = None if self.resumed is None else Saved(self.resumed)

    def arguments(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """The arguments of the run, those of the checkpoint where there is one."""
        if self.saved is None:
            return dict(given)
        path, saved = self.saved.path, self.saved.arguments
        if (given["ema"] is None) is not (saved.get("ema_decay") is None):
            has = "no moving average" if given["ema"] is not None else "a moving average"
            raise ValueError(f"fit: the run of {path} has {has}, and ema is {given['ema']!r}")
        found = agreed(path, saved, given)
        if not given["shuffle"] and saved.get("shuffle"):
            raise ValueError(f"fit: shuffle is False, and the run of {path} shuffles")
        found["shuffle"] = bool(saved.get("shuffle"))
        asked = [name for name in ("epochs", "iterations") if given[name] is not None]
        if asked and asked != ["epochs" if self.saved.by_epochs else "iterations"]:
            raise ValueError(f"fit: {asked[0]} is given, and the run of {path} goes by the other")
        return found

    def steps(self, asked: int | None, unit: int) -> int:
        """After how many steps the run that goes on is to end, `asked` times `unit` of the whole run."""
        assert self.saved is not None  # who asks has looked
        steps = self.saved.steps if asked is None else asked * unit
        if steps < self.saved.step:
            raise ValueError(
                f"fit: the run of {self.saved.path} has taken {self.saved.step} steps, and is to end after {steps}: "
                "what is given is of the whole run"
            )
        return steps

    def look_at(
        self, x: Array, t: Array, weights: Array | None, validation: tuple[Array, Array, Array | None] | None
    ) -> None:
        """Take note of the data, or raise where it is not that of the run."""
        if self.saver is None and self.saved is None:
            return
        found = fingerprint(x, t, weights, validation)
        if self.saved is not None:
            self.saved.require_data(found)
        if self.saver is not None:
            self.saver.data = found

    def look_at_batches(self, source: Source) -> None:
        """The same of batches, of which only their number is known."""
        if self.saver is None and self.saved is None:
            return
        if not isinstance(source, FromSequence):
            raise TypeError(
                f"fit: checkpoint is given, and x is a {type(source.batches).__name__}, which cannot be asked where it "
                "is; wanted a sequence of batches, with __len__ and __getitem__"
            )
        found = {"batches": [[source.length], "batches", 0]}
        if self.saved is not None:
            self.saved.require_data(found)
        if self.saver is not None:
            self.saver.data = found

    def begin(self, net: Trainable, run: Any, average: Any, history: History) -> History:
        """Look whether all can be written, and let a run have what the checkpoint has; returns its history."""
        if self.saver is not None:
            self.saver.require_storable(net, run)
        if self.saved is None:
            return history
        saved = self.saved
        if list(run.recorded) != saved.state.get("recorded"):
            raise ValueError(
                f"fit: {', '.join(run.recorded)} would be recorded, and the run of {saved.path} has "
                f"{shown(saved.state.get('recorded'))}; wanted validation data and metrics as before"
            )
        history, put_all = saved.put_into(run, net, average)
        if run.schedule is not None:
            saved.require_rates(run)
        put_all()
        if self.saver is not None:
            self.saver.begin(run)
        return history


def of_the_run(given: Mapping[str, Any], average: Any) -> dict[str, Any]:
    """What a checkpoint has of the arguments of a run."""
    decay = None
    if average is not None:
        decay = DECAY if given["ema_decay"] is None else given["ema_decay"]
    return {**described({**given, "ema_decay": decay}), "shuffle": given["shuffle"]}
