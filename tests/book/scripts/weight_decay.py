"""Chapter 6: a deep network and few images, without weight decay and with it."""

import numpy as np

from backprop.book import SGD, MultiLayerNet, load_mnist

(x_train, t_train), (x_test, t_test) = load_mnist(normalize=True)
x_train, t_train = x_train[:200], t_train[:200]
train_acc_list, test_acc_list, weights = {}, {}, {}
for weight_decay_lambda in (0, 0.1):
    np.random.seed(0)
    network = MultiLayerNet(
        input_size=x_train.shape[1],
        hidden_size_list=[50, 50, 50, 50],
        output_size=10,
        weight_decay_lambda=weight_decay_lambda,
    )
    optimizer = SGD(lr=0.1)
    train, test = [], []
    for i in range(600):
        batch_mask = np.random.choice(len(x_train), 100)
        grads = network.gradient(x_train[batch_mask], t_train[batch_mask])
        optimizer.update(network.params, grads)
        if i % 30 == 0:
            train.append(network.accuracy(x_train, t_train))
            test.append(network.accuracy(x_test, t_test))
    train_acc_list[weight_decay_lambda], test_acc_list[weight_decay_lambda] = train, test
    weights[weight_decay_lambda] = sum((network.params[f"W{n}"] ** 2).sum() for n in range(1, 6))
    print(weight_decay_lambda, train[-1], test[-1], weights[weight_decay_lambda])
