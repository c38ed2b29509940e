"""Every activation and its backward on a million numbers, with `out=`, beside PyTorch's and beside copies and sums."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from backprop.layers.elementwise import activations
from bench.results import Result
from bench.timing import interleaved
from bpcore import kernels

N = 1_000_000
# PyTorch's names where they are not ours, and what it is given behind x; of the backward, behind dout and what is kept.
TORCH: dict[str, tuple[str, tuple[Any, ...], dict[str, Any]]] = {
    "gelu_tanh": ("gelu", (), {"approximate": "tanh"}),
    "leaky_relu": ("leaky_relu", (0.01,), {}),
    "selu": ("elu", (1.6732632423543772, 1.0507009873554805, 1.0), {}),
    "elu": ("elu", (1.0, 1.0, 1.0), {}),
    "softplus": ("softplus", (1.0, 20.0), {}),
    "hardtanh": ("hardtanh", (-1.0, 1.0), {}),
}
TORCH_BACKWARD: dict[str, tuple[Any, ...]] = {"leaky_relu": (0.01, True)}


def run(quick: bool) -> Iterator[Result]:
    """Give the times of each in those of PyTorch, and of np.copyto (forward) and np.add (backward)."""
    n, rounds = (10_000, 2) if quick else (N, 25)
    for dtype in (np.float32, np.float64):
        rng = np.random.default_rng(0)
        x, dout = (3 * rng.normal(size=n).astype(dtype) for _ in range(2))
        out, dx = np.empty_like(x), np.empty_like(x)
        for kind, cls in activations().items():
            numbers = cls().options().values()
            forward, backward = getattr(kernels, f"{kind}_forward"), getattr(kernels, f"{kind}_backward")
            mask = [np.empty(n, bool)] if cls.keeps == "mask" else []
            forward(x, *numbers, out, *mask)
            kept = mask[0] if mask else out.copy() if cls.keeps == "out" else x
            ours = (
                lambda f=forward, v=numbers, m=mask: f(x, *v, out, *m, threads=1),
                lambda f=backward, v=numbers, k=kept: f(dout, k, *v, dx, threads=1),
            )
            theirs = torchs(kind, x, dout, x if kept is x or mask else kept)
            streams = (lambda: np.copyto(out, x), lambda: np.add(dout, x, out=dx))
            for n_, what in enumerate(("forward", "backward")):
                contenders: dict[str, Callable[[], object]] = {"ours": ours[n_], "stream": streams[n_]}
                if theirs[n_] is not None:
                    contenders["torch"] = theirs[n_]
                timings = interleaved(contenders, rounds, sample_seconds=0.004, rest=False)
                name = f"{kind} {what} of {n} {np.dtype(dtype)}"
                mine = timings["ours"].median
                yield Result("activations", name, 1e6 * timings["ours"].best, "µs", median=1e6 * mine)
                ratio = timings["stream"].median / mine
                stream = "np.add" if n_ else "np.copyto"
                yield Result("activations", f"{name}: times {stream}", ratio, "")
                if "torch" in timings:
                    ratio = timings["torch"].median / mine
                    least = "" if quick else ">= 0.95"
                    yield Result("activations", f"{name}: times PyTorch", ratio, "", least)


def torchs(kind: str, x: Any, dout: Any, kept: Any) -> list[Any]:
    """PyTorch's forward and backward into arrays that are there, None where it has none or is not installed."""
    try:
        import torch
    except ImportError:
        return [None, None]
    torch.set_num_threads(1)
    aten = torch.ops.aten
    x, dout, kept = (torch.from_numpy(array) for array in (x, dout, kept))
    out, dx = torch.empty_like(x), torch.empty_like(x)
    name, more, options = TORCH.get(kind, (kind, (), {}))
    forward, backward = getattr(aten, name), getattr(aten, f"{name}_backward", None)
    found: list[Any] = [lambda: forward.out(x, *more, **options, out=out), None]
    if kind == "relu":
        found[1] = lambda: aten.threshold_backward.grad_input(dout, x, 0.0, grad_input=dx)
    elif name == "elu":
        found[1] = lambda: backward.grad_input(dout, *more, True, kept, grad_input=dx)
    elif backward is not None:
        given = TORCH_BACKWARD.get(kind, more)
        if hasattr(backward, "grad_input"):
            found[1] = lambda: backward.grad_input(dout, kept, *given, **options, grad_input=dx)
        else:
            found[1] = lambda: backward(dout, kept, *given, **options)
    return found
