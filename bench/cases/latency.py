"""One call from Python: scores and a training step at batches of 1, 8 and 100."""

from collections.abc import Callable, Iterator

import numpy as np

import backprop as bp
from bench.peers import all_peers
from bench.results import Result
from bench.timing import interleaved

THREADED = True
# What `predict` and `train_step` are to take at most, allocation included, in microseconds on one thread.
BOUNDS = {
    ("784-50-10", 1, "predict"): 4,
    ("16-32-32-4", 1, "predict"): 2,
    ("16-32-32-4", 1, "train_step"): 4,
}


def run(quick: bool, threads: int) -> Iterator[Result]:
    """Check scores against each other, then time everyone, interleaved."""
    peers, _ = all_peers()
    for sizes in ([784, 50, 10], [16, 32, 32, 4]):
        name = "-".join(map(str, sizes))
        net = bp.Network(sizes, seed=0)
        weights = [(net.params[f"W{n}"].copy(), net.params[f"b{n}"].copy()) for n in range(1, len(sizes))]
        for batch in (1, 8, 100):
            rng = np.random.default_rng(0)
            x, t = rng.random((batch, sizes[0]), dtype=np.float32), rng.integers(0, sizes[-1], batch)
            predictors = {}
            for peer in peers:
                predictors |= peer.predictors(weights, threads)
            expected = net.predict(x)
            contenders: dict[str, Callable[[], object]] = {"backprop predict": lambda: net.predict(x)}
            for who, predict in predictors.items():
                assert np.allclose(predict(x), expected, rtol=1e-4, atol=1e-4), who
                contenders[f"{who} forward"] = lambda predict=predict: predict(x)
            trained, sgd = bp.Network(sizes, seed=0), bp.SGD(0.001)
            contenders["backprop train_step"] = lambda: trained.train_step(x, t, sgd)
            for who, timing in interleaved(contenders, 3 if quick else 15).items():
                bound = BOUNDS.get((name, batch, who.split()[-1])) if who.startswith("backprop") else None
                required = f"<= {bound}" if bound and threads == 1 and not quick else ""
                yield Result(
                    "latency",
                    f"{name} ×{batch}: {who}",
                    1e6 * timing.best,
                    "µs",
                    required,
                    1e6 * timing.median,
                )
