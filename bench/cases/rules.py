"""A step with each update rule beside its floor: multiply-adds, bytes, roots and divisions, one behind the other.

Multiply-adds at the peak, measured beside the step; bytes of the parameters and of what the rule
keeps, each read and written once, as fast as a copy of as much memory; square roots and divisions of vectors as fast as
NumPy's, in the second-level cache.
"""

import statistics
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

import backprop as bp
from bench.peak import multiply_adds, operations_of_step
from bench.results import Result
from bench.timing import interleaved
from bpcore.plan import RULES

THREADED = True
SIZES, BATCH = [784, 512, 256, 10], 128
IN_CACHE = 1 << 16  # numbers, whose vectors a second-level cache holds


@dataclass(frozen=True)
class Rule:
    """What a rule does for each parameter.

    Attributes
    ----------
    make : callable
        Of a learning rate, the optimizer.
    kept : int
        Numbers that it keeps.
    roots, divisions : int
        Beside multiply-adds, of which it takes few.
    """

    make: Callable[[float], bp.optimizers.base.UpdateRule]
    kept: int
    roots: int = 0
    divisions: int = 0


ALL = {
    "sgd": Rule(bp.SGD, 0),
    "momentum": Rule(bp.Momentum, 1),
    "nesterov": Rule(bp.Nesterov, 1),
    "adagrad": Rule(bp.AdaGrad, 1, 1, 1),
    "rmsprop": Rule(bp.RMSprop, 1, 1, 1),
    "rmsprop_centered": Rule(lambda lr: bp.RMSprop(lr, centered=True), 2, 1, 1),
    "adam": Rule(bp.Adam, 2, 1, 1),
    "adamw": Rule(bp.AdamW, 2, 1, 1),
    "amsgrad": Rule(lambda lr: bp.Adam(lr, amsgrad=True), 3, 1, 1),
    "amsgradw": Rule(lambda lr: bp.AdamW(lr, amsgrad=True), 3, 1, 1),
    "nadam": Rule(bp.NAdam, 2, 1, 1),
    "adadelta": Rule(bp.Adadelta, 2, 2, 1),
    "lion": Rule(bp.Lion, 1),
    "rprop": Rule(bp.Rprop, 2),
}


def run(quick: bool, threads: int) -> Iterator[Result]:
    """Give each rule's share of the floor, on one thread alone."""
    if threads > 1:
        return
    assert ALL.keys() == RULES.keys(), "a rule is missing here"
    sizes = [20, 16, 8, 10] if quick else SIZES
    rng, rounds = np.random.default_rng(0), 3 if quick else 31
    x, t = rng.random((BATCH, sizes[0]), dtype=np.float32), rng.integers(0, sizes[-1], BATCH)
    cached = rng.uniform(0.5, 2, IN_CACHE).astype(np.float32)
    out = np.empty_like(cached)
    adds, operations = multiply_adds("float32", 1)
    for name, rule in ALL.items():
        net, optimizer = bp.Network(sizes, seed=0), rule.make(1e-6)
        parameters = sum(array.size for array in net.params.values())
        source = np.ones(parameters * (1 + rule.kept), np.float32)
        target = np.empty_like(source)
        step = step_of(net, x, t, optimizer)
        timings = interleaved(
            {
                "step": step,
                "peak": adds,
                # As many bytes read and written as the rule's arrays have.
                "copy": lambda target=target, source=source: np.copyto(target, source),  # type: ignore[misc]
                "root": lambda: np.sqrt(cached, out=out),
                "division": lambda: np.divide(cached, cached, out=out),
            },
            rounds,
            rest=False,
        )
        of_peak = operations_of_step(sizes, BATCH) / operations
        of_vectors = parameters / IN_CACHE
        shares = [
            (of_peak * peak + copy + of_vectors * (rule.roots * root + rule.divisions * division)) / whole
            for whole, peak, copy, root, division in zip(
                *(one.turns for one in timings.values()), strict=True
            )
        ]
        yield Result(
            "rules", f"{name}: share of the floor", statistics.median(shares), "", "" if quick else ">= 0.85"
        )


def step_of(
    net: bp.Network, x: np.ndarray, t: np.ndarray, optimizer: bp.optimizers.base.UpdateRule
) -> Callable[[], object]:
    """A step on one batch, by a call."""
    return lambda: net.train_step(x, t, optimizer)
