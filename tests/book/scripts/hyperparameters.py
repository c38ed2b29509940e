"""Chapter 6: a search for a learning rate and a weight decay, by accuracies on images that are held back."""

import numpy as np

from backprop.book import MultiLayerNet, Trainer, load_mnist, shuffle_dataset

np.random.seed(0)
(x_train, t_train), (x_test, t_test) = load_mnist(normalize=True)
x_train, t_train = x_train[:500], t_train[:500]
x_train, t_train = shuffle_dataset(x_train, t_train)
validation_num = int(len(x_train) * 0.20)
x_val, t_val = x_train[:validation_num], t_train[:validation_num]
x_train, t_train = x_train[validation_num:], t_train[validation_num:]


def train(lr, weight_decay, epochs=20):
    network = MultiLayerNet(
        input_size=x_train.shape[1],
        hidden_size_list=[30, 30, 30],
        output_size=10,
        weight_decay_lambda=weight_decay,
    )
    trainer = Trainer(
        network,
        x_train,
        t_train,
        x_val,
        t_val,
        epochs=epochs,
        mini_batch_size=100,
        optimizer="sgd",
        optimizer_param={"lr": lr},
        verbose=False,
    )
    trainer.train()
    return trainer.test_acc_list, trainer.train_acc_list


results_val, results_train = {}, {}
for _ in range(20):
    weight_decay = 10 ** np.random.uniform(-8, -4)
    lr = 10 ** np.random.uniform(-6, -0.5)
    val_acc_list, train_acc_list = train(lr, weight_decay)
    results_val[lr, weight_decay], results_train[lr, weight_decay] = val_acc_list, train_acc_list
best = sorted(results_val, key=lambda key: results_val[key][-1], reverse=True)
for lr, weight_decay in best[:5]:
    print(f"{results_val[lr, weight_decay][-1]}: lr {lr}, weight decay {weight_decay}")
