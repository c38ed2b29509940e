"""The training loop of sections 0092 and 0094, for anything that is a `Trainable`."""

from backprop.training.history import History

__all__ = ["History"]
