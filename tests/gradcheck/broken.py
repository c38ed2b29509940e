"""Layers with one mistake each, as people make them."""

from typing import Any

import numpy as np


class Square:
    """out = x², right: what the others are wrong beside."""

    def __init__(self) -> None:
        self.x: Any = None

    def forward(self, x):
        self.x = x
        return x * x

    def backward(self, dout):
        return 2 * self.x * dout


class IgnoresDout(Square):
    def backward(self, dout):
        return 2 * self.x


class SquaresDout(Square):
    def backward(self, dout):
        return 2 * self.x * dout * dout


class DividesByTheBatch(Square):
    def backward(self, dout):
        return 2 * self.x * dout / len(self.x)


class WrongSign(Square):
    def backward(self, dout):
        return -2 * self.x * dout


class Half(Square):
    def backward(self, dout):
        return self.x * dout


class OffByOneTenThousandth(Square):
    def backward(self, dout):
        return 2 * self.x * dout * (1 + 1e-4 * (self.x > 0))


class Noisy(Square):
    """A derivation that is wrong by another amount everywhere."""

    def backward(self, dout):
        return (2 * self.x + 0.1 * self.x**2) * dout


class Transposed(Square):
    def backward(self, dout):
        return (2 * self.x * dout).T


class OverwritesInput(Square):
    def forward(self, x):
        self.x = x.copy()
        x *= x
        return x


class OverwritesInputGoingBack(Square):
    def backward(self, dout):
        x = self.x.copy()
        self.x *= 2
        dx = self.x * dout
        self.other = x
        return dx


class OverwritesDout(Square):
    def backward(self, dout):
        dout *= 2 * self.x
        return dout


class UsesUpItsMemory(Square):
    def forward(self, x):
        self.x = x.copy()
        return x * x

    def backward(self, dout):
        dx = 2 * self.x * dout
        self.x *= 0.5
        return dx


class CountsCalls(Square):
    def __init__(self) -> None:
        super().__init__()
        self.calls = 0

    def forward(self, x):
        self.calls += 1
        self.x = x
        return x * x + self.calls


class Dropout(Square):
    def forward(self, x):
        self.mask = np.random.random(x.shape) < 0.5
        self.x = x
        return np.where(self.mask, 0, x * x)

    def backward(self, dout):
        return np.where(self.mask, 0, 2 * self.x * dout)


class InFloat32(Square):
    def backward(self, dout):
        return (2 * self.x * dout).astype(np.float32)


class FlatGradient(Square):
    def backward(self, dout):
        return (2 * self.x * dout).reshape(-1)


class SumsNothing(Square):
    """A batch's mean of what does not depend on its input: as normalisation of a batch of one."""

    def forward(self, x):
        self.x = x
        return x - x

    def backward(self, dout):
        return np.zeros_like(self.x)


class Logarithm(Square):
    def forward(self, x):
        self.x = x
        with np.errstate(all="ignore"):
            return np.log(x)

    def backward(self, dout):
        with np.errstate(all="ignore"):
            return dout / self.x


class ReturnsNothing(Square):
    def backward(self, dout):
        self.dx = 2 * self.x * dout


class OneWrongElement(Square):
    """The end of a loop that is one short."""

    def backward(self, dout):
        dx = 2 * self.x * dout
        dx.reshape(-1)[-1] = 0
        return dx


class TwoWrongElements(Square):
    def backward(self, dout):
        dx = 2 * self.x * dout
        dx.reshape(-1)[[0, -1]] = 0
        return dx


class BesideALargeNumber(Square):
    def forward(self, x):
        return super().forward(x) + 1e14


class MaskAtATenth:
    """A ReLU that goes back by a mask taken at 0.1."""

    def forward(self, x):
        self.mask = x <= 0.1
        return np.where(x <= 0, 0, x)

    def backward(self, dout):
        return np.where(self.mask, 0, dout)


class CutsAtATenth:
    """A ReLU that goes forward, too, by a mask taken at 0.1: it jumps there."""

    def forward(self, x):
        self.mask = x <= 0.1
        return np.where(self.mask, 0, x)

    def backward(self, dout):
        return np.where(self.mask, 0, dout)


class Dense:
    """out = x·W + b, right."""

    def __init__(self, W, b) -> None:
        self.W, self.b = W, b
        self.x = self.dW = self.db = None

    def forward(self, x):
        self.x = x
        return x @ self.W + self.b

    def backward(self, dout):
        self.dW, self.db = self.x.T @ dout, dout.sum(axis=0)
        return dout @ self.W.T


class TransposedWeights(Dense):
    def backward(self, dout):
        dx = super().backward(dout)
        self.dW = self.dW.T.copy()
        return dx


class BiasNotSummed(Dense):
    def backward(self, dout):
        dx = super().backward(dout)
        self.db = dout
        return dx


class BiasSummedOverColumns(Dense):
    def backward(self, dout):
        dx = super().backward(dout)
        self.db = dout.sum(axis=1)
        return dx


class Accumulates(Dense):
    def __init__(self, W, b) -> None:
        super().__init__(W, b)
        self.dW, self.db = np.zeros_like(W), np.zeros_like(b)

    def backward(self, dout):
        self.dW += self.x.T @ dout
        self.db += dout.sum(axis=0)
        return dout @ self.W.T


class AveragesBias(Dense):
    def backward(self, dout):
        dx = super().backward(dout)
        self.db = dout.mean(axis=0)
        return dx


class ForgetsItsInput(Square):
    def __init__(self):
        self.first = None

    def forward(self, x):
        if self.first is None:
            self.first = x.copy()
        self.x = x
        return self.first**2


class AlmostNothing(Square):
    """What rounding leaves of a gradient that cancels."""

    def backward(self, dout):
        return 1e-17 * np.cos(np.arange(dout.size)).reshape(dout.shape)
