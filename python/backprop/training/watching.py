"""What a progress bar says of a run beside its steps."""

from typing import Any

from backprop._util.sums import exact_sum


class Said:
    """The loss since the last look, what was recorded last, the rate of a schedule, and samples a second.

    Parameters
    ----------
    run : Run
        One that has its history.
    """

    def __init__(self, run: Any) -> None:
        self.run, self._seen = run, len(run.history.loss)
        self._loss: list[str] = []
        # Of an epoch on average, whose last batch may be short; 0 where others make the batches.
        by_epochs, sampler = run.by_epochs, run.sampler
        self._samples = sampler.samples / run.steps_an_epoch if by_epochs else sampler.batch_size

    def __call__(self, steps_a_second: float) -> list[str]:
        """Texts such as "loss 0.25"."""
        run = self.run
        if losses := run.history.loss[self._seen :]:
            self._loss = [f"loss {exact_sum(losses) / len(losses):.4g}"]
            self._seen += len(losses)
        found = run.metrics
        names = [name for name in found if name.startswith("validation_")]
        if not names and "train_accuracy" in found:
            names = ["train_accuracy"]
        said = self._loss + [f"{name.replace('_', ' ')} {found[name]:.4g}" for name in names]
        if run.schedule is not None:
            said.append(f"learning rate {run.rate:.3g}")
        if self._samples and steps_a_second == steps_a_second:  # is no NaN
            said.append(f"{self._samples * steps_a_second:,.0f} samples/s")
        return said
