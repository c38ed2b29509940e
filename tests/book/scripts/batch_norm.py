"""Chapter 6: training without batch normalisation and with it, from weights of several standard deviations."""

import numpy as np

from backprop.book import SGD, Adam, MultiLayerNetExtend, load_mnist

assert Adam().lr == 0.001  # the book's script imports it and uses the other
(x_train, t_train), (x_test, t_test) = load_mnist(normalize=True)
x_train, t_train = x_train[:1000], t_train[:1000]


def train(weight_init_std):
    networks = [
        MultiLayerNetExtend(
            input_size=x_train.shape[1],
            hidden_size_list=[50, 50, 50, 50],
            output_size=10,
            weight_init_std=weight_init_std,
            use_batchnorm=use_batchnorm,
        )
        for use_batchnorm in (False, True)
    ]
    optimizer, accuracies = SGD(lr=0.01), ([], [])
    for i in range(150):
        batch_mask = np.random.choice(len(x_train), 100)
        x_batch, t_batch = x_train[batch_mask], t_train[batch_mask]
        for network in networks:
            grads = network.gradient(x_batch, t_batch)
            optimizer.update(network.params, grads)
        if i % 10 == 0:
            for network, accuracy in zip(networks, accuracies, strict=True):
                accuracy.append(network.accuracy(x_train, t_train))
    return accuracies


np.random.seed(0)
results = {scale: train(scale) for scale in (0.1, 0.01)}
print({scale: (plain[-1], normalised[-1]) for scale, (plain, normalised) in results.items()})
