"""Derivatives by the inputs: a Jacobian beside PyTorch's vmap(jacrev), a gradient of the loss beside its autograd."""

from collections.abc import Callable, Iterator
from contextlib import suppress

import numpy as np

import backprop as bp
from bench.results import Result
from bench.timing import interleaved

THREADED = True
JOBS = (
    ([16, 32, 32, 4], 1),
    ([16, 32, 32, 4], 256),
    ([784, 50, 10], 1),
    ([784, 50, 10], 100),
    ([784, 512, 256, 10], 64),
)
Pair = tuple[Callable[[], np.ndarray], Callable[[], np.ndarray]]


def run(quick: bool, threads: int) -> Iterator[Result]:
    """Check the numbers against each other, then time both, interleaved."""
    for sizes, batch in JOBS[:4] if quick else JOBS:
        net, rng = bp.Network(sizes, seed=0), np.random.default_rng(0)
        x, t = rng.random((batch, sizes[0]), dtype=np.float32), rng.integers(0, sizes[-1], batch)
        calls = {"backprop": (lambda: net.jacobian(x), lambda: net.input_gradient(x, t))}
        with suppress(ImportError):  # without PyTorch ours is measured alone
            calls["PyTorch"] = pytorchs(net, x, t, threads)
        for n, what in enumerate(("jacobian", "input_gradient")):
            contenders = {who: pair[n] for who, pair in calls.items()}
            for who, call in contenders.items():
                assert np.allclose(call(), calls["backprop"][n](), rtol=1e-4, atol=1e-6), who
            for who, timing in interleaved(contenders, 3 if quick else 15).items():
                name = f"{'-'.join(map(str, sizes))} ×{batch}: {who} {what}"
                yield Result("jacobian", name, 1e6 * timing.best, "µs", median=1e6 * timing.median)


def pytorchs(net: bp.Network, x: np.ndarray, t: np.ndarray, threads: int) -> Pair:
    """The Jacobian and the gradient, of a model of the same weights."""
    import torch

    from bench.peers.pytorch import model_of

    torch.set_num_threads(threads)
    weights = [*net.params.values()]
    model = model_of(list(zip(weights[::2], weights[1::2], strict=True)))
    rows, labels = torch.from_numpy(x), torch.from_numpy(t)
    derivatives = torch.func.vmap(torch.func.jacrev(model))

    def gradient() -> np.ndarray:
        moved = rows.clone().requires_grad_()
        loss = torch.nn.functional.cross_entropy(model(moved), labels)
        return torch.autograd.grad(loss, moved)[0].numpy()

    return lambda: derivatives(rows).detach().numpy(), gradient
