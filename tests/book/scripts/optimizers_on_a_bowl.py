"""Chapter 6: the ways of four optimizers down x²/20 + y², of plain numbers."""

from collections import OrderedDict

from backprop.book import *


def f(x, y):
    return x**2 / 20.0 + y**2


def df(x, y):
    return x / 10.0, 2.0 * y


optimizers = OrderedDict()
optimizers["SGD"] = SGD(lr=0.95)
optimizers["Momentum"] = Momentum(lr=0.1)
optimizers["AdaGrad"] = AdaGrad(lr=1.5)
optimizers["Adam"] = Adam(lr=0.3)

histories = {}
for key, optimizer in optimizers.items():
    params, grads, history = {"x": -7.0, "y": 2.0}, {"x": 0, "y": 0}, []
    for _ in range(30):
        history.append((params["x"], params["y"]))
        grads["x"], grads["y"] = df(params["x"], params["y"])
        optimizer.update(params, grads)
    histories[key] = history
    print(key, f(*history[-1]))
