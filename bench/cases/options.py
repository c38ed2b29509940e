"""What a step costs with each option of the toolbox: beside the same step without it, and beside the peers' with it."""

import importlib
import math
import statistics
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np

import backprop as bp
from bench.peak import multiply_adds, operations_of_step
from bench.results import Result
from bench.timing import interleaved, paired_ratio

THREADED = True
SIZES, BATCH, RATE = [784, 512, 256, 10], 128, 1e-6
PEERS = {"PyTorch": "bench.peers.options_pytorch", "JAX": "bench.peers.options_jax"}


@dataclass(frozen=True)
class Option:
    """A network and an optimizer that differ in one thing from ReLU, softmax and SGD.

    Attributes
    ----------
    most : float
        How many times the step without it the step may take.
    activation, loss, output, dropout : str, str, str, float or list of float
        As Network takes them; the loss is of labels where it is "softmax".
    label_smoothing, class_weights : float, sequence or None
        Of that loss.
    weighted : bool
        Whether samples have weights.
    normalised : class of a normalisation
        What stands behind each hidden affine layer.
    limits : dict
        Penalties and limits of SGD.
    """

    most: float = math.inf
    activation: str = "relu"
    loss: str = "softmax"
    output: str = "identity"
    label_smoothing: float = 0.0
    class_weights: tuple[float, ...] | None = None
    dropout: float | list[float] = 0.0
    weighted: bool = False
    normalised: Callable[[int], Any] | None = None
    limits: dict[str, float] = field(default_factory=dict)

    def targets(self, rng: np.random.Generator, outputs: int) -> np.ndarray:
        """Targets of a batch that the loss takes."""
        if self.loss == "softmax":
            return rng.integers(0, outputs, BATCH)
        parts = bp.layers.base.LOSSES[self.loss].outputs_per_target
        return rng.random((BATCH, outputs // parts), dtype=np.float32)


OPTIONS = {
    **{
        f"activation {name}": Option(1.1, activation=name)
        for name in sorted(bp.layers.elementwise.activations())
    },
    **{
        f"loss {name}": Option(1.1, loss=name)
        for name, loss in bp.layers.base.LOSSES.items()
        if not loss.classifies
    },
    **{
        f"output {name}": Option(1.1, loss="squared_error", output=name)
        for name in ("softmax", "log_softmax")
    },
    "label smoothing": Option(1.1, label_smoothing=0.1),
    "class weights": Option(1.1, class_weights=tuple(range(1, 11))),
    "weights of samples": Option(1.1, weighted=True),
    "BatchNorm": Option(1.15, normalised=bp.BatchNorm),
    "LayerNorm": Option(1.15, normalised=bp.LayerNorm),
    "RMSNorm": Option(1.15, normalised=bp.RMSNorm),
    "dropout 0.3": Option(1.15, dropout=0.3),
    "dropout 0.3, 0.15 of the inputs": Option(1.15, dropout=[0.15, 0.3, 0.3]),
    "l1": Option(1.1, limits=dict(l1=1e-4)),
    "weight_decay": Option(1.1, limits=dict(weight_decay=1e-4)),
    "clip_value": Option(1.1, limits=dict(clip_value=0.1)),
    "clip_norm": Option(1.15, limits=dict(clip_norm=1.0)),
    "max_norm": Option(1.15, limits=dict(max_norm=3.0)),
}


def run(quick: bool, threads: int) -> Iterator[Result]:
    """Give each step as a multiple of the plain one and of each peer's, and as a share of the floor."""
    sizes = [20, 16, 8, 10] if quick else SIZES
    rng = np.random.default_rng(0)
    x, weights = rng.random((BATCH, sizes[0]), dtype=np.float32), rng.random(BATCH)
    peers = {} if quick else available_peers()
    plain = step(Option(), sizes, x, Option().targets(rng, sizes[-1]), weights)
    adds, operations = multiply_adds("float32", threads)
    parameters = np.ones(sum((inputs + 1) * outputs for inputs, outputs in pairwise(sizes)), np.float32)
    copied = np.empty_like(parameters)
    floor = {"peak": adds, "copy": lambda: np.copyto(copied, parameters)}
    for name, option in {"plain": Option(), **OPTIONS}.items():
        t = option.targets(rng, sizes[-1])
        # A few at a time, so that what changes on the machine meets all of them.
        timings = interleaved(
            {"without": plain, "ours": step(option, sizes, x, t, weights)}
            | floor
            | {peer: one.step(option, sizes, x, t, weights, RATE) for peer, one in peers.items()},
            3 if quick else 31,
            rest=threads > 1,
        )
        if name != "plain":
            ratio = paired_ratio(timings["ours"], timings["without"])
            wanted = "" if quick else f"<= {option.most}"
            yield Result("options", f"{name}: times the step without", ratio, "", wanted)
        if not peers:
            continue
        ratios = {peer: paired_ratio(timings[peer], timings["ours"]) for peer in peers}
        for peer, ratio in ratios.items():
            yield Result("options", f"{name}: times as fast as {peer}", ratio, "")
        # Multiply-adds alone, and each parameter read and written once; nothing of the option.
        share = statistics.median(
            (operations_of_step(sizes, BATCH) / operations * peak + copy) / ours
            for peak, copy, ours in zip(
                *(timings[one].turns for one in ("peak", "copy", "ours")), strict=True
            )
        )
        yield Result("options", f"{name}: share of the floor", share, "")
        yield Result(
            "options",
            f"{name}: of 1.5 times the fastest peer, or of 0.85 of the floor, the nearer",
            max(min(ratios.values()) / 1.5, share / 0.85),
            "",
            ">= 1",
        )


def step(
    option: Option, sizes: list[int], x: np.ndarray, t: np.ndarray, weights: np.ndarray
) -> Callable[[], object]:
    """Our step on one batch."""
    loss: Any = option.loss
    if loss == "softmax":
        loss = bp.SoftmaxWithLoss(option.label_smoothing, option.class_weights)
    net = bp.Network(sizes, option.activation, loss, seed=0, output=option.output, dropout=option.dropout)
    rule = bp.SGD(RATE, **option.limits)  # type: ignore[arg-type]  # numbers by name
    for n, width in enumerate(sizes[1:-1] if option.normalised else (), start=1):
        assert option.normalised is not None
        net.layers.insert_after(f"Affine{n}", f"Norm{n}", option.normalised(width))
    if option.weighted:
        return lambda: net.train_step(x, t, rule, sample_weight=weights)
    return lambda: net.train_step(x, t, rule)


def available_peers() -> dict[str, Any]:
    """The modules of the peers that are installed."""
    found = {}
    for name, module in PEERS.items():
        try:
            found[name] = importlib.import_module(module)
        except ImportError:
            continue
    return found
