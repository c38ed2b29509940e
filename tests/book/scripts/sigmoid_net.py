"""Chapter 4: a network of two layers written out with functions of arrays, and its training."""

import numpy as np

from backprop.book import *


class TwoLayerNet:
    def __init__(self, input_size, hidden_size, output_size, weight_init_std=0.01):
        self.params = {
            "W1": weight_init_std * np.random.randn(input_size, hidden_size),
            "b1": np.zeros(hidden_size),
            "W2": weight_init_std * np.random.randn(hidden_size, output_size),
            "b2": np.zeros(output_size),
        }

    def _passed(self, x):
        z1 = np.dot(x, self.params["W1"]) + self.params["b1"]
        out1 = sigmoid(z1)
        return z1, out1, softmax(np.dot(out1, self.params["W2"]) + self.params["b2"])

    def predict(self, x):
        return self._passed(x)[2]

    def loss(self, x, t):
        return cross_entropy_error(self.predict(x), t)

    def accuracy(self, x, t):
        return np.mean(np.argmax(self.predict(x), axis=1) == np.argmax(t, axis=1))

    def numerical_gradient(self, x, t):
        return {key: numerical_gradient(lambda W: self.loss(x, t), W) for key, W in self.params.items()}

    def gradient(self, x, t):
        z1, out1, y = self._passed(x)
        dy = (y - t) / len(x)
        dz1 = sigmoid_grad(z1) * np.dot(dy, self.params["W2"].T)
        return {
            "W1": np.dot(x.T, dz1),
            "b1": dz1.sum(axis=0),
            "W2": np.dot(out1.T, dy),
            "b2": dy.sum(axis=0),
        }


np.random.seed(0)
(x_train, t_train), (x_test, t_test) = load_mnist(normalize=True, one_hot_label=True)
small = TwoLayerNet(x_train.shape[1], 4, 10, 1.0)
slow, quick = (
    small.numerical_gradient(x_train[:5], t_train[:5]),
    small.gradient(x_train[:5], t_train[:5]),
)
differences = {key: np.abs(slow[key] - quick[key]).max() for key in slow}

network = TwoLayerNet(x_train.shape[1], 50, 10)
train_loss_list, test_acc_list = [], []
for i in range(1000):
    batch_mask = np.random.choice(len(x_train), 100)
    x_batch, t_batch = x_train[batch_mask], t_train[batch_mask]
    grad = network.gradient(x_batch, t_batch)
    for key in ("W1", "b1", "W2", "b2"):
        network.params[key] -= 0.5 * grad[key]
    train_loss_list.append(network.loss(x_batch, t_batch))
    if i % 100 == 0:
        test_acc_list.append(network.accuracy(x_test, t_test))
test_acc_list.append(network.accuracy(x_test, t_test))
print("test acc:", test_acc_list[-1])
