"""Initial weights: the test loss that each leads to, over that of a constant prediction, on fifteen data sets.

a) Networks of one hidden layer of 100 units, and of four layers (three hidden ones of 64), ReLU, tanh or sigmoid,
   trained for 100 epochs in batches of 32 by Adam(0.001), and by SGD(0.1) (numbers: Momentum(0.01), raw ones
   SGD(0.001)). The largest data set has batches of 128 for 10 epochs.
b) A seed stands for a split, an order of the samples and a state of the generator of weights; every contender gets the
   same. A loss above twice that of the constant prediction, or one that is not finite, counts as twice.
c) A data set's figure for a seed is the mean over depth, activation and optimizer, since these share the split; its
   standard error comes from the seeds. The mean over data sets has the root of the sum of their squared standard
   errors, divided by their number.
d) Differences are a contender's figure minus the default's: above 0 the default is better.
"""

from collections.abc import Iterator
from itertools import product

import numpy as np

import backprop as bp
from backprop.layers.elementwise import activations
from backprop.optimizers.base import UpdateRule
from bench.results import Result

HIDDEN = ([100], [64, 64, 64])
ACTIVATIONS = tuple(activations())
OPTIMIZERS = ("adam", "sgd")
CONTENDERS = ("default", "PyTorch", "Keras", "scikit-learn", "He")
PEERS = ("PyTorch", "Keras", "scikit-learn")  # none of which may be significantly better
SEEDS = range(300, 308)  # the default was chosen by other ones


def run(quick: bool) -> Iterator[Result]:
    """Give the figures of each data set, then how far each contender is behind the default."""
    try:
        from bench.tabular import CLASSES, NUMBERS
    except ImportError:  # scikit-learn is not installed, as the first lines say
        return
    names, seeds, epochs = [*NUMBERS, *CLASSES], SEEDS, 100
    if quick:
        names, seeds, epochs = ["diabetes", "iris"], SEEDS[:2], 2
    # (data sets, seeds, contenders)
    figures = np.array([[figures_of(name, seed, epochs) for seed in seeds] for name in names])
    differences = figures - figures[:, :, :1]
    means = differences.mean(axis=1)
    errors = differences.std(axis=1, ddof=1) / np.sqrt(len(seeds))
    for name, figure, mean, error in zip(names, figures.mean(axis=1), means, errors, strict=True):
        yield Result("weights", f"{name}: {CONTENDERS[0]}", figure[0], "")
        for n, contender in enumerate(CONTENDERS[1:], start=1):
            yield Result("weights", f"{name}: {contender}", figure[n], "")
            yield Result("weights", f"{name}: {contender} - default", mean[n], f"± {error[n]:.1g}")
    for n, contender in enumerate(CONTENDERS[1:], start=1):
        mean, error = means[:, n].mean(), np.sqrt((errors[:, n] ** 2).sum()) / len(names)
        promised = contender in PEERS and not quick
        what = f"all: {contender} - default"
        yield Result("weights", what, mean, f"± {error:.1g}")
        yield Result("weights", f"{what}, in standard errors", mean / error, "", ">= -2" if promised else "")
        better = int((means[:, n] < -2 * errors[:, n]).sum())
        what = f"data sets on which {contender} is better by 2 standard errors"
        yield Result("weights", what, better, "", "<= 2" if promised else "")


def figures_of(name: str, seed: int, epochs: int) -> list[float]:
    """Each contender's mean over depth, activation and optimizer on one split."""
    from bench.tabular import NUMBERS, split

    data = split(name, seed)
    loss = "squared_error" if name in NUMBERS else "softmax"
    inputs, rows = data.train[0].shape[1], len(data.train[0])
    length = (
        dict(epochs=epochs, batch_size=32) if rows < 10_000 else dict(epochs=epochs // 10, batch_size=128)
    )
    figures = []
    for contender in CONTENDERS:
        ratios = []
        for hidden, activation, optimizer in product(HIDDEN, ACTIVATIONS, OPTIMIZERS):
            net = network(contender, [inputs, *hidden, data.outputs], activation, loss, seed)
            rule = optimizer_for(optimizer, name, loss)
            with np.errstate(all="ignore"):  # SGD may diverge, which counts
                net.fit(*data.train, **length, optimizer=rule, seed=seed, threads=1, track_accuracy=False)
                ratio = net.loss(*data.test) / data.constant_loss
            ratios.append(min(ratio, 2.0) if np.isfinite(ratio) else 2.0)
        figures.append(float(np.mean(ratios)))
    return figures


def optimizer_for(optimizer: str, name: str, loss: str) -> UpdateRule:
    """The rule with the rate that it usually has for such targets."""
    if optimizer == "adam":
        return bp.Adam(0.001)
    if name.endswith("raw targets"):
        return bp.SGD(0.001)
    return bp.SGD(0.1) if loss == "softmax" else bp.Momentum(0.01)


def network(contender: str, sizes: list[int], activation: str, loss: str, seed: int) -> bp.Network:
    """A network with a contender's initial weights."""
    name = {"PyTorch": "pytorch", "Keras": "glorot_uniform", "He": "he_normal"}.get(contender)
    net = bp.Network(sizes, activation, loss, seed=seed, weight_init=name)
    if contender == "scikit-learn":  # Glorot's, smaller for its "logistic", and for the biases as well
        rng = np.random.RandomState(seed)
        for W, b in zip(list(net.params.values())[::2], list(net.params.values())[1::2], strict=True):
            bound = np.sqrt((2 if activation == "sigmoid" else 6) / sum(W.shape))
            W[...], b[...] = rng.uniform(-bound, bound, W.shape), rng.uniform(-bound, bound, b.shape)
    return net
