"""A NumPy twin of the kernels of every activation, as in reference.py; those of ReLU stand there, with its mask."""

import math

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating]


def sigmoid_forward(x: Array, out: Array, threads: int | None = None) -> None:
    """out = 1 / (1 + exp(−x)), by the sign of x."""
    e = np.exp(-np.abs(x))
    out[...] = np.where(x < 0, e, 1) / (1 + e)


def sigmoid_backward(dout: Array, out: Array, dx: Array, threads: int | None = None) -> None:
    """dx = dout·y·(1 − y), y = out."""
    dx[...] = dout * out * (1 - out)


def tanh_forward(x: Array, out: Array, threads: int | None = None) -> None:
    """out = tanh(x)."""
    out[...] = np.tanh(x)


def tanh_backward(dout: Array, out: Array, dx: Array, threads: int | None = None) -> None:
    """dx = dout·(1 − y²), y = out."""
    dx[...] = dout * (1 - out * out)


def normal_cdf(x: Array) -> Array:
    """Φ(x) = erfc(−x / √2) / 2, the normal distribution function. Not a kernel."""
    cdf: Array = np.vectorize(math.erfc, otypes=[np.float64])(-x / np.sqrt(2)) / 2
    return cdf


def gelu_forward(x: Array, out: Array, threads: int | None = None) -> None:
    """out = x·Φ(x), Φ the normal distribution function; below −50 it is −0, as −∞ has none."""
    x = np.maximum(x, -50)
    out[...] = x * normal_cdf(x)


def gelu_backward(dout: Array, x: Array, dx: Array, threads: int | None = None) -> None:
    """dx = dout·(Φ(x) + x·φ(x)), φ(x) = exp(−x²/2) / √(2π)."""
    x = np.clip(x, -50, 50)
    dx[...] = dout * (normal_cdf(x) + x * np.exp(-x * x / 2) / np.sqrt(2 * np.pi))


def gelu_tanh_forward(x: Array, out: Array, threads: int | None = None) -> None:
    """out = x·(1 + tanh(u)) / 2, u = √(2/π)·(x + 0.044715·x³)."""
    x = np.maximum(x, -50)
    out[...] = x * ((1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3))) / 2)


def gelu_tanh_backward(dout: Array, x: Array, dx: Array, threads: int | None = None) -> None:
    """dx = dout·(1 + y + x·(1 − y²)·u′) / 2, y = tanh(u), u′ = √(2/π)·(1 + 3·0.044715·x²)."""
    x = np.clip(x, -50, 50)
    y = np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3))
    dx[...] = dout * (1 + y + x * (1 - y * y) * np.sqrt(2 / np.pi) * (1 + 3 * 0.044715 * x**2)) / 2


def leaky_relu_forward(x: Array, negative_slope: float, out: Array, threads: int | None = None) -> None:
    """out = x where x > 0 else negative_slope·x."""
    out[...] = np.where(x > 0, x, negative_slope * x)


def leaky_relu_backward(
    dout: Array, out: Array, negative_slope: float, dx: Array, threads: int | None = None
) -> None:
    """dx = dout where out > 0 else negative_slope·dout."""
    dx[...] = np.where(out <= 0, negative_slope * dout, dout)


def elu_forward(x: Array, alpha: float, out: Array, threads: int | None = None) -> None:
    """out = x where x > 0 else alpha·(exp(x) − 1)."""
    out[...] = np.where(x < 0, alpha * np.expm1(np.minimum(x, 0)), x)


def elu_backward(dout: Array, out: Array, alpha: float, dx: Array, threads: int | None = None) -> None:
    """dx = dout where out > 0 else dout·(out + alpha)."""
    dx[...] = dout * np.where(out > 0, 1, out + alpha)


# λ and λ·α.
SELU_SCALE, SELU_LIMIT = 1.0507009873554804934193349852946, 1.7580993408473768599402175208123


def selu_forward(x: Array, out: Array, threads: int | None = None) -> None:
    """out = λ·x where x > 0 else λ·α·(exp(x) − 1)."""
    out[...] = np.where(x < 0, SELU_LIMIT * np.expm1(np.minimum(x, 0)), SELU_SCALE * x)


def selu_backward(dout: Array, out: Array, dx: Array, threads: int | None = None) -> None:
    """dx = λ·dout where out > 0 else dout·(out + λ·α)."""
    dx[...] = dout * np.where(out > 0, SELU_SCALE, out + SELU_LIMIT)


def silu_forward(x: Array, out: Array, threads: int | None = None) -> None:
    """out = x·sigmoid(x); of −∞ it is 0."""
    sigmoid_forward(x, out)
    out *= np.maximum(x, -1000)


def silu_backward(dout: Array, x: Array, dx: Array, threads: int | None = None) -> None:
    """dx = dout·s·(1 + x·(1 − s)), s = sigmoid(x)."""
    x = np.clip(x, -1000, 1000)
    s, rest = np.empty_like(x), np.empty_like(x)
    sigmoid_forward(x, s)
    sigmoid_forward(-x, rest)
    dx[...] = dout * s * (1 + x * rest)


def mish_forward(x: Array, out: Array, threads: int | None = None) -> None:
    """out = x·tanh(log(1 + exp(x))); of −∞ it is 0."""
    out[...] = np.maximum(x, -1000) * np.tanh(np.logaddexp(0, x))


def mish_backward(dout: Array, x: Array, dx: Array, threads: int | None = None) -> None:
    """dx = dout·(T + x·(1 − T²)·sigmoid(x)), T = tanh(log(1 + exp(x)))."""
    x = np.clip(x, -1000, 1000)
    s, T = np.empty_like(x), np.tanh(np.logaddexp(0, x))
    sigmoid_forward(x, s)
    dx[...] = dout * (T + x * (1 - T) * (1 + T) * s)


def softplus_forward(x: Array, beta: float, out: Array, threads: int | None = None) -> None:
    """out = log(1 + exp(beta·x)) / beta."""
    out[...] = np.logaddexp(0, beta * x) / beta


def softplus_backward(dout: Array, x: Array, beta: float, dx: Array, threads: int | None = None) -> None:
    """dx = dout·sigmoid(beta·x)."""
    sigmoid_forward(beta * x, dx)
    dx *= dout


def hardtanh_forward(
    x: Array, min_val: float, max_val: float, out: Array, threads: int | None = None
) -> None:
    """out = max(min_val, min(x, max_val))."""
    out[...] = np.clip(x, min_val, max_val)


def hardtanh_backward(
    dout: Array, out: Array, min_val: float, max_val: float, dx: Array, threads: int | None = None
) -> None:
    """dx = 0 where out <= min_val or out >= max_val, else dout."""
    dx[...] = np.where((out <= min_val) | (out >= max_val), 0, dout)


def hardswish_forward(x: Array, out: Array, threads: int | None = None) -> None:
    """out = x·max(0, min(x + 3, 6)) / 6; of −∞ it is 0."""
    out[...] = np.where(x >= 3, x, np.maximum(x, -3) * np.clip(x + 3, 0, 6) / 6)


def hardswish_backward(dout: Array, x: Array, dx: Array, threads: int | None = None) -> None:
    """dx = 0 where x <= −3, dout where x >= 3, else dout·(x / 3 + 1/2)."""
    dx[...] = dout * np.where(x <= -3, 0, np.where(x >= 3, 1, x / 3 + 0.5))
