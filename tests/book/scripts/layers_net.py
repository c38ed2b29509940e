"""Chapter 5: a network made of layers, whose gradient is checked, and its training."""

from collections import OrderedDict

import numpy as np

from backprop.book import *


class TwoLayerNet:
    def __init__(self, input_size, hidden_size, output_size, weight_init_std=0.01):
        sizes = [(input_size, hidden_size), (hidden_size, output_size)]
        self.params = {}
        for n, (rows, columns) in enumerate(sizes, start=1):
            self.params[f"W{n}"] = weight_init_std * np.random.randn(rows, columns)
            self.params[f"b{n}"] = np.zeros(columns)
        self.layers = OrderedDict()
        self.layers["Affine1"] = Affine(self.params["W1"], self.params["b1"])
        self.layers["Relu1"] = Relu()
        self.layers["Affine2"] = Affine(self.params["W2"], self.params["b2"])
        self.lastLayer = SoftmaxWithLoss()

    def predict(self, x):
        for layer in self.layers.values():
            x = layer.forward(x)
        return x

    def loss(self, x, t):
        return self.lastLayer.forward(self.predict(x), t)

    def accuracy(self, x, t):
        y = np.argmax(self.predict(x), axis=1)
        return np.mean(y == (np.argmax(t, axis=1) if t.ndim != 1 else t))

    def numerical_gradient(self, x, t):
        return {key: numerical_gradient(lambda W: self.loss(x, t), W) for key, W in self.params.items()}

    def gradient(self, x, t):
        self.loss(x, t)
        dout = self.lastLayer.backward(1)
        for layer in reversed(self.layers.values()):
            dout = layer.backward(dout)
        affine1, affine2 = self.layers["Affine1"], self.layers["Affine2"]
        return {"W1": affine1.dW, "b1": affine1.db, "W2": affine2.dW, "b2": affine2.db}


np.random.seed(0)
(x_train, t_train), (x_test, t_test) = load_mnist(normalize=True, one_hot_label=True)
network = TwoLayerNet(input_size=x_train.shape[1], hidden_size=50, output_size=10)

# gradient check
x_batch, t_batch = x_train[:3], t_train[:3]
grad_numerical = network.numerical_gradient(x_batch, t_batch)
grad_backprop = network.gradient(x_batch, t_batch)
differences = {key: np.average(np.abs(grad_backprop[key] - grad_numerical[key])) for key in grad_numerical}

# training
train_loss_list, train_acc_list, test_acc_list = [], [], []
iter_per_epoch = max(len(x_train) // 100, 1)
for i in range(600):
    batch_mask = np.random.choice(len(x_train), 100)
    x_batch, t_batch = x_train[batch_mask], t_train[batch_mask]
    grad = network.gradient(x_batch, t_batch)
    for key in ("W1", "b1", "W2", "b2"):
        network.params[key] -= 0.3 * grad[key]
    train_loss_list.append(network.loss(x_batch, t_batch))
    if i % iter_per_epoch == 0:
        train_acc_list.append(network.accuracy(x_train, t_train))
        test_acc_list.append(network.accuracy(x_test, t_test))
print("test acc:", test_acc_list[-1])
