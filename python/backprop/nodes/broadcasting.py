"""What nodes with several inputs share: shapes that broadcast, and gradients summed back to the shape of an input."""

from collections.abc import Callable

import numpy as np

from backprop._util.arrays import Array
from bpcore import kernels


def common_shape(owner: str, x: Array, y: Array) -> tuple[int, ...]:
    """Return the shape of an elementwise result."""
    try:
        return np.broadcast_shapes(x.shape, y.shape)
    except ValueError:
        raise ValueError(f"{owner}: x has shape {x.shape}, y has {y.shape}; they do not broadcast") from None


def _rows(array: Array, shape: tuple[int, ...]) -> Array:
    """`array` broadcast to `shape`, seen as a matrix, without a copy where strides allow."""
    return np.broadcast_to(array, shape).reshape(-1, shape[-1] if shape else 1)


def combined(kernel: Callable[..., None], x: Array, y: Array, shape: tuple[int, ...]) -> Array:
    """Return what an elementwise kernel makes of two arrays, broadcast to `shape`."""
    out = np.empty(shape, dtype=x.dtype)
    if out.size:
        kernel(_rows(x, shape), _rows(y, shape), out.reshape(-1, shape[-1] if shape else 1))
    return out[()]


def sum_to(dout: Array, shape: tuple[int, ...]) -> Array:
    """Sum `dout` over the axes along which an input of `shape` was broadcast."""
    new = dout.ndim - len(shape)
    summed = [axis for axis in range(dout.ndim) if axis < new or shape[axis - new] != dout.shape[axis]]
    if not summed:
        return dout.copy()[()]
    moved = np.moveaxis(dout, summed, range(len(summed)))
    terms = int(np.prod(moved.shape[: len(summed)]))
    out = np.empty(int(np.prod(shape)), dtype=dout.dtype)
    kernels.sum_rows(np.ascontiguousarray(moved).reshape(terms, out.size), out)
    return out.reshape(shape)[()]
