"""The training loop of sections 0092 and 0094, for anything that is a `Trainable`."""
