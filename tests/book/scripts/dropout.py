"""Chapter 6: a network and few images, without dropout and with it."""

import numpy as np

from backprop.book import MultiLayerNetExtend, Trainer, load_mnist

(x_train, t_train), (x_test, t_test) = load_mnist(normalize=True)
x_train, t_train = x_train[:200], t_train[:200]
trainers = {}
for use_dropout in (False, True):
    np.random.seed(0)
    network = MultiLayerNetExtend(
        input_size=x_train.shape[1],
        hidden_size_list=[50, 50, 50],
        output_size=10,
        use_dropout=use_dropout,
        dropout_ration=0.2,
    )
    trainers[use_dropout] = Trainer(
        network,
        x_train,
        t_train,
        x_test,
        t_test,
        epochs=151,
        mini_batch_size=100,
        optimizer="sgd",
        optimizer_param={"lr": 0.05},
        verbose=True,
    )
    trainers[use_dropout].train()
train_acc_list = {key: trainer.train_acc_list for key, trainer in trainers.items()}
test_acc_list = {key: trainer.test_acc_list for key, trainer in trainers.items()}
