"""Images and labels in the form that was asked for."""

import math

import numpy as np

from backprop._util.arrays import Array

Part = tuple[Array, Array]
CLASSES = 10


def shaped(
    images: Array, labels: Array, largest: int, *, normalize: bool, flatten: bool, one_hot_label: bool
) -> Part:
    """Images (N, height, width) of uint8 and labels as the loaders' options say.

    Parameters
    ----------
    largest : int
        The value of a full pixel.
    """
    x = images.reshape(len(images), math.prod(images.shape[1:])) if flatten else images[:, np.newaxis]
    if normalize:
        x = x.astype(np.float32) / np.float32(largest)
    elif not x.flags.writeable:  # kept for the next call
        x = x.copy()
    t: Array = labels.astype(np.int64)
    if one_hot_label:
        one_hot = np.zeros((len(t), CLASSES), dtype=np.float32)
        one_hot[np.arange(len(t)), t] = 1
        t = one_hot
    return x, t
