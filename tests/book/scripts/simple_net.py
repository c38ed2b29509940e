"""Chapter 4: the numerical gradient of a network of one matrix, and a way down it."""

import numpy as np

from backprop.book import cross_entropy_error, numerical_gradient, softmax


class SimpleNet:
    def __init__(self):
        self.W = np.random.randn(2, 3)

    def predict(self, x):
        return np.dot(x, self.W)

    def loss(self, x, t):
        return cross_entropy_error(softmax(self.predict(x)), t)


np.random.seed(0)
x, t = np.array([0.6, 0.9]), np.array([0, 0, 1])
net = SimpleNet()


def f(W):
    return net.loss(x, t)


losses = [f(net.W)]
dW = numerical_gradient(f, net.W)
for _ in range(20):
    net.W -= 0.5 * numerical_gradient(f, net.W)
    losses.append(f(net.W))
print(dW, losses[-1])
