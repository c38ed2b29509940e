"""The learning-rate range test: a few steps at rates that grow, to see which are too small and which too large."""

import copy
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from backprop._util.arguments import seed_number
from backprop._util.arrays import plural
from backprop._util.names import named_arguments
from backprop._util.settings import positive
from backprop.optimizers.base import Optimizer, chosen_optimizer
from backprop.training.protocol import Trainable
from backprop.training.sampling import WithReplacement
from backprop.training.schedules.arithmetic import Floats, power, root

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["RateRange", "rate_range_test"]

# Of the running mean of losses: what each step keeps of it.
KEPT = 0.9
# The loss has exploded where its running mean is that many times the best.
EXPLODED = 4


@dataclass(eq=False)
class RateRange:
    """What `rate_range_test` found.

    Attributes
    ----------
    rates : ndarray of shape (N,)
        The learning rate of each step that was taken.
    losses : ndarray of shape (N,)
        The loss of each step's batch, before the step; the last may not be finite.
    smoothed : ndarray of shape (N,)
        Their running mean, which keeps 0.9 of itself at every step and whose beginning at 0 is undone.
    suggestion : float or None
        The rate at which the smoothed loss falls most steeply before it is at its best; left out is a tenth of the
        steps asked for at the beginning, where it is a mean of few. None where it never falls.
    """

    rates: Floats
    losses: Floats
    smoothed: Floats
    suggestion: float | None

    def plot(self, ax: "Axes | None" = None) -> "Axes":
        """Draw both losses over the rate; needs matplotlib (`pip install 'bpcore[plot]'`).

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw; by default new axes on a figure of their own.

        Returns
        -------
        matplotlib Axes
        """
        from backprop.plots import rate_range

        return rate_range(self, ax)

    def __repr__(self) -> str:
        suggestion = "None" if self.suggestion is None else f"{self.suggestion:.3g}"
        return f"RateRange({plural(len(self.rates), 'step')}, suggestion={suggestion})"


@named_arguments
def rate_range_test(
    net: Trainable,
    x: ArrayLike,
    t: ArrayLike,
    optimizer: Optimizer | str = "sgd",
    *,
    lowest: float = 1e-6,
    highest: float = 1.0,
    steps: int = 100,
    batch_size: int = 100,
    seed: int | None = None,
) -> RateRange:
    """Train a copy of a network at rates that grow from step to step, and record the losses (Smith 2017).

    The rates are lowest·f^n, f the greatest float for which the last is not above `highest`. It ends early where the
    smoothed loss is more than 4 times the best one, or a loss is not finite.

    Parameters
    ----------
    net : Network
        It stays as it is.
    x : array of shape (N, inputs)
    t : array
        Targets as for `fit`.
    optimizer : UpdateRule or str, default "sgd"
        Anything with `lr`; it stays as it is.
    lowest, highest : float, default 1e-6 and 1.0
        The first and the last rate.
    steps : int, default 100
        At least 10.
    batch_size : int, default 100
        The samples of each step are drawn with replacement.
    seed : int, optional
        Of the samples.

    Returns
    -------
    RateRange

    Raises
    ------
    TypeError, ValueError
        An argument is not what it can be, or the optimizer has no `lr`.

    Examples
    --------
    >>> (x, t), _ = bp.load_digits()
    >>> found = bp.rate_range_test(bp.Network([64, 30, 10], seed=0), x, t, bp.SGD(), highest=100, seed=0)
    >>> 0.001 < found.suggestion < 10
    True
    """
    owner = "rate_range_test"
    lowest, highest = positive(owner, "lowest", lowest), positive(owner, "highest", highest)
    if not lowest < highest or math.isinf(highest / lowest):
        raise ValueError(
            f"{owner}: lowest is {lowest:g}, highest is {highest:g}; wanted a lower and a higher rate, whose quotient "
            "is finite"
        )
    steps, batch_size = _whole("steps", steps, 10), _whole("batch_size", batch_size, 1)
    optimizer = copy.deepcopy(chosen_optimizer(owner, optimizer))
    if not hasattr(optimizer, "lr"):
        raise TypeError(
            f"{owner}: optimizer is {optimizer!r}, which has no lr; wanted one with a learning rate"
        )
    if not callable(getattr(net, "train_step", None)) or isinstance(net, type):
        raise TypeError(f"{owner}: net is a {type(net).__name__}, wanted a Network")
    rows = net._readable_rows(x)
    if not 0 < len(rows) < 2**32:
        raise ValueError(f"{owner}: x has {len(rows)} rows, wanted at least 1 and fewer than 2**32")
    targets = net.targets_for(owner, t, len(rows))
    sampler = WithReplacement(np.random.PCG64(seed_number(owner, seed)), len(rows), batch_size)
    net = copy.deepcopy(net)

    rates = lowest * power(root(highest / lowest, steps - 1), np.arange(steps))
    losses: list[float] = []
    smoothed: list[float] = []
    mean, part, best = 0.0, 1.0, math.inf
    for rate in rates.tolist():
        optimizer.lr = rate
        (batch,) = sampler.take(1)[0]
        with np.errstate(all="ignore"):  # layers of one's own may overflow where the rate is too large
            losses.append(float(net.train_step(rows[batch], targets[batch], optimizer)))
        part *= KEPT
        mean += (
            (1 - KEPT) / (1 - part) * (losses[-1] - mean)
        )  # by which losses that stay have a mean that stays
        smoothed.append(mean)
        best = min(best, smoothed[-1])
        # Of losses above 0 the bound is EXPLODED · best; others may be below 0.
        if not math.isfinite(smoothed[-1]) or smoothed[-1] > best + (EXPLODED - 1) * abs(best):
            break
    taken = np.array(smoothed)
    return RateRange(
        rates[: len(taken)], np.array(losses), taken, _steepest(rates[: len(taken)], taken, steps // 10)
    )


def _steepest(rates: Floats, smoothed: Floats, skipped: int) -> float | None:
    """The rate in the middle of the two steps between which the loss falls most, up to the best loss."""
    finite = smoothed[: np.isfinite(smoothed).sum()]
    # Behind the best, it falls from what a rate that is too large has raised.
    falling = (
        finite[skipped : skipped + finite[skipped:].argmin() + 1] if len(finite) > skipped else finite[:0]
    )
    if len(falling) < 3:
        return None
    return float(rates[skipped + 1 + int((falling[2:] - falling[:-2]).argmin())])


def _whole(name: str, value: Any, least: int) -> int:
    if isinstance(value, bool) or not hasattr(value, "__index__") or value < least:
        raise ValueError(f"rate_range_test: {name} is {value!r}, wanted a whole number of at least {least}")
    return int(value)
