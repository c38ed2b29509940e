"""What tests loop over: the activations, losses and update rules of the package, by their kinds."""

from backprop.layers import base
from backprop.layers.activations import activations
from backprop.optimizers import base as optimizers

ACTIVATIONS = dict(activations())
LOSSES = dict(base.LOSSES)
# What makes each optimizer, called with a learning rate or nothing.
RULES = dict(optimizers.RULES)


def targets(loss, rng, rows, outputs):
    """Targets that a loss takes."""
    return rng.integers(0, outputs, rows) if LOSSES[loss].classifies else rng.normal(size=(rows, outputs))
