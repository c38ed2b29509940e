"""Chapter 6: the gradients of a network with batch normalisation against numerical ones."""

import numpy as np

from backprop.book import MultiLayerNetExtend, load_mnist

np.random.seed(0)
(x_train, t_train), (x_test, t_test) = load_mnist(normalize=True, one_hot_label=True)
network = MultiLayerNetExtend(
    input_size=x_train.shape[1], hidden_size_list=[10, 10], output_size=10, use_batchnorm=True
)
# At 0, where beta begins, ReLU has a kink, and all that a single sample has behind the normalisation is beta.
for key in ("beta1", "beta2"):
    network.params[key] += np.random.choice([-0.5, 0.5], 10)
differences = {}
for rows in (1, 5):  # a single sample is its own mean
    x_batch, t_batch = x_train[:rows], t_train[:rows]
    grad_backprop = network.gradient(x_batch, t_batch)
    grad_numerical = network.numerical_gradient(x_batch, t_batch)
    for key in grad_numerical:
        differences[rows, key] = np.average(np.abs(grad_backprop[key] - grad_numerical[key]))
        print(rows, key + ":" + str(differences[rows, key]))
