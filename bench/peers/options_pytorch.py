"""PyTorch's step with an option of the case `options`, eager and with its fused SGD."""

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch import nn

F = nn.functional
ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {
    "identity": nn.Identity,
    "relu": nn.ReLU,
    "leaky_relu": nn.LeakyReLU,
    "elu": nn.ELU,
    "selu": nn.SELU,
    "softplus": nn.Softplus,
    "gelu": nn.GELU,
    "gelu_tanh": lambda: nn.GELU("tanh"),
    "silu": nn.SiLU,
    "mish": nn.Mish,
    "hardswish": nn.Hardswish,
    "sigmoid": nn.Sigmoid,
    "tanh": nn.Tanh,
    "hardtanh": nn.Hardtanh,
}
OUTPUTS = {"identity": [], "softmax": [nn.Softmax(dim=1)], "log_softmax": [nn.LogSoftmax(dim=1)]}
NORMALISATIONS: dict[str, Callable[[int], nn.Module]] = {
    "BatchNorm": nn.BatchNorm1d,
    "LayerNorm": nn.LayerNorm,
    "RMSNorm": nn.RMSNorm,
}


def gaussian_nll(y: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
    mean, s = y.chunk(2, dim=1)
    return F.gaussian_nll_loss(mean, t, torch.exp(s) + 1e-6, eps=0, reduction="sum") / len(y)


LOSSES: dict[str, Callable[[torch.Tensor, torch.Tensor], torch.Tensor]] = {
    "squared_error": lambda y, t: F.mse_loss(y, t, reduction="sum") / (2 * len(y)),
    "huber": lambda y, t: F.huber_loss(y, t, reduction="sum") / len(y),
    "absolute_error": lambda y, t: F.l1_loss(y, t, reduction="sum") / len(y),
    "log_cosh": lambda y, t: (torch.logaddexp(y - t, t - y) - np.log(2)).sum() / len(y),
    "quantile": lambda y, t: torch.maximum(0.5 * (t - y), 0.5 * (y - t)).sum() / len(y),
    "binary_cross_entropy": lambda y, t: F.binary_cross_entropy_with_logits(y, t, reduction="sum") / len(y),
    "poisson": lambda y, t: F.poisson_nll_loss(y, t, reduction="sum") / len(y),
    "gaussian_nll": gaussian_nll,
}


def network(sizes: list[int], option: Any) -> nn.Sequential:
    """Affine layers with what the option puts between them."""
    shares = (
        option.dropout if isinstance(option.dropout, list) else [0.0] + [option.dropout] * (len(sizes) - 2)
    )
    layers: list[nn.Module] = []
    for n, (inputs, outputs) in enumerate(pairwise(sizes)):
        layers += [nn.Dropout(shares[n])] * (shares[n] > 0) + [nn.Linear(inputs, outputs)]
        if n < len(sizes) - 2:
            if option.normalised:
                layers.append(NORMALISATIONS[option.normalised.__name__](outputs))
            layers.append(ACTIVATIONS[option.activation]())
    return nn.Sequential(*layers, *OUTPUTS[option.output])


def loss_function(option: Any, weights: np.ndarray) -> Callable[[torch.Tensor, torch.Tensor], torch.Tensor]:
    if option.loss in LOSSES:
        return LOSSES[option.loss]
    classes = (
        None if option.class_weights is None else torch.tensor(option.class_weights, dtype=torch.float32)
    )
    if option.weighted:
        shares = torch.from_numpy(weights / weights.sum()).float()
        return lambda y, t: (F.cross_entropy(y, t, reduction="none") * shares).sum()
    return lambda y, t: F.cross_entropy(y, t, classes, label_smoothing=option.label_smoothing)


def step(
    option: Any, sizes: list[int], x: np.ndarray, t: np.ndarray, weights: np.ndarray, lr: float
) -> Callable[[], Any]:
    """A step on one batch; the loss stays a tensor, as one that nobody prints."""
    net, limits = network(sizes, option), option.limits
    optimizer = torch.optim.SGD(
        net.parameters(), lr=lr, fused=True, weight_decay=limits.get("weight_decay", 0)
    )
    loss_of = loss_function(option, weights)
    rows, targets = torch.from_numpy(x), torch.from_numpy(t)
    matrices = [one for one in net.parameters() if one.ndim == 2]

    def call() -> torch.Tensor:
        optimizer.zero_grad(set_to_none=True)
        loss = loss_of(net(rows), targets)
        loss.backward()
        with torch.no_grad():
            if "l1" in limits:
                torch._foreach_add_(
                    [one.grad for one in matrices], torch._foreach_sign(matrices), alpha=limits["l1"]
                )
            if "clip_value" in limits:
                nn.utils.clip_grad_value_(net.parameters(), limits["clip_value"])
            if "clip_norm" in limits:
                nn.utils.clip_grad_norm_(net.parameters(), limits["clip_norm"])
        optimizer.step()
        if "max_norm" in limits:
            with torch.no_grad():
                for one in matrices:  # of a unit's weights, which are a row there
                    torch.renorm(one, 2, 0, limits["max_norm"], out=one)
        return loss

    return call
