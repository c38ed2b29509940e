"""Chapter 6: the losses of networks that begin at weights of three standard deviations."""

import numpy as np

from backprop.book import SGD, MultiLayerNet, load_mnist, smooth_curve

np.random.seed(0)
(x_train, t_train), (x_test, t_test) = load_mnist(normalize=True)
weight_init_types = {"std=0.01": 0.01, "Xavier": "sigmoid", "He": "relu"}
optimizer, networks, train_loss = SGD(lr=0.05), {}, {}
for key, weight_type in weight_init_types.items():
    networks[key] = MultiLayerNet(x_train.shape[1], [50, 50, 50, 50], 10, weight_init_std=weight_type)
    train_loss[key] = []
for _ in range(300):
    batch_mask = np.random.choice(len(x_train), 128)
    x_batch, t_batch = x_train[batch_mask], t_train[batch_mask]
    for key, network in networks.items():
        optimizer.update(network.params, network.gradient(x_batch, t_batch))
        train_loss[key].append(network.loss(x_batch, t_batch))
curves = {key: smooth_curve(losses) for key, losses in train_loss.items()}
print({key: curve[-1] for key, curve in curves.items()})
