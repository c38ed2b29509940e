"""What a step costs with each option of the toolbox, beside the same step without it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

import backprop as bp
from bench.results import Result
from bench.timing import interleaved, paired_ratio

THREADED = True
SIZES, BATCH, RATE = [784, 512, 256, 10], 128, 1e-6


@dataclass(frozen=True)
class Option:
    """A network and an optimizer that differ in one thing from ReLU, softmax and SGD.

    Attributes
    ----------
    most : float
        How many times the step without it the step may take.
    network : dict
        Arguments of Network.
    rule : callable
        What makes the optimizer of a learning rate.
    of_numbers : bool
        Whether the loss takes numbers.
    weighted : bool
        Whether samples have weights.
    normalised : class of a normalisation
        What stands behind each hidden affine layer.
    """

    most: float
    network: dict[str, Any] = field(default_factory=dict)
    rule: Callable[[float], Any] = bp.SGD
    of_numbers: bool = False
    weighted: bool = False
    normalised: Callable[[int], Any] | None = None


def limited(**limits: float) -> Callable[[float], Any]:
    """SGD with a penalty or a limit."""
    return lambda lr: bp.SGD(lr, **limits)  # type: ignore[arg-type]


OPTIONS = {
    **{
        f"activation {name}": Option(1.1, dict(activation=name))
        for name in sorted(bp.layers.elementwise.activations())
    },
    **{
        f"loss {name}": Option(1.1, dict(loss=name), of_numbers=True)
        for name, loss in bp.layers.base.LOSSES.items()
        if not loss.classifies
    },
    "label smoothing": Option(1.1, dict(loss=bp.SoftmaxWithLoss(0.1))),
    "class weights": Option(1.1, dict(loss=bp.SoftmaxWithLoss(class_weights=[*range(1, 11)]))),
    "weights of samples": Option(1.1, weighted=True),
    "BatchNorm": Option(1.15, normalised=bp.BatchNorm),
    "LayerNorm": Option(1.15, normalised=bp.LayerNorm),
    "RMSNorm": Option(1.15, normalised=bp.RMSNorm),
    "dropout 0.3": Option(1.15, dict(dropout=0.3)),
    "dropout 0.3, 0.15 of the inputs": Option(1.15, dict(dropout=[0.15, 0.3, 0.3])),
    "l1": Option(1.1, rule=limited(l1=1e-4)),
    "weight_decay": Option(1.1, rule=limited(weight_decay=1e-4)),
    "clip_value": Option(1.1, rule=limited(clip_value=0.1)),
    "clip_norm": Option(1.15, rule=limited(clip_norm=1.0)),
    "max_norm": Option(1.15, rule=limited(max_norm=3.0)),
}


def run(quick: bool, threads: int) -> Iterator[Result]:
    """Give each step as a multiple of the plain one, the median of the ratios of the rounds."""
    sizes = [20, 16, 8, 10] if quick else SIZES
    rng = np.random.default_rng(0)
    x = rng.random((BATCH, sizes[0]), dtype=np.float32)
    weights = rng.random(BATCH)
    labels, numbers = rng.integers(0, 10, BATCH), rng.random((BATCH, 10), dtype=np.float32)

    def step(option: Option) -> Callable[[], object]:
        net, rule = bp.Network(sizes, seed=0, **option.network), option.rule(RATE)
        t = numbers if option.of_numbers else labels
        for n, width in enumerate(sizes[1:-1] if option.normalised else (), start=1):
            net.layers.insert_after(f"Affine{n}", f"Norm{n}", option.normalised(width))  # type: ignore[misc]
        if option.weighted:
            return lambda: net.train_step(x, t, rule, sample_weight=weights)
        return lambda: net.train_step(x, t, rule)

    for name, option in OPTIONS.items():
        # Two at a time, so that what changes on the machine meets both.
        timings = interleaved(
            {"plain": step(Option(1)), name: step(option)}, 3 if quick else 31, rest=threads > 1
        )
        ratio = paired_ratio(timings[name], timings["plain"])
        yield Result(
            "options", f"{name}: times the step without", ratio, "", f"<= {option.most}" if not quick else ""
        )
