"""
0094 · Learning with backpropagation
====================================

The notes' training loop over this package's ``TwoLayerNet``, on the embedded digits. Their script runs on MNIST too,
once its typing errors are mended and its imports name this package. Here the numbers are those of a smaller data set,
and two traps, named below, are mended:
"""

import numpy as np

from backprop import TwoLayerNet, load_digits

(x_train, t_train), (x_test, t_test) = load_digits()
np.random.seed(0)
network = TwoLayerNet(input_size=64, hidden_size=50, output_size=10)

iters_num = 1500
train_size = x_train.shape[0]
batch_size = 100
learning_rate = 0.5

train_loss_list = []
iter_per_epoch = train_size // batch_size

for i in range(iters_num):
    batch_mask = np.random.choice(train_size, batch_size)
    x_batch, t_batch = x_train[batch_mask], t_train[batch_mask]

    grad = network.gradient(x_batch, t_batch)
    for key in ("W1", "b1", "W2", "b2"):
        network.params[key] -= learning_rate * grad[key]

    train_loss_list.append(network.lastLayer.loss)
    if i % (20 * iter_per_epoch) == 0:
        train_acc, test_acc = network.accuracy(x_train, t_train), network.accuracy(x_test, t_test)
        print(f"step {i}: {train_acc:.3f} of the training images right, {test_acc:.3f} of the others")

# %%
# The two traps: ``iter_per_epoch`` is a whole number; ``max(train_size / batch_size, 1)`` need not be one, and then
# ``i % iter_per_epoch == 0`` hardly ever happens. And the loss is the one that ``gradient`` has just computed, instead
# of a second forward pass; it is the loss *before* the update.
#
# In one call
# -----------
#
# ``fit`` is that loop in the compiled core. It draws the batches, goes forward and back, updates, and records.

import backprop as bp

net = bp.Network([64, 50, 10], seed=0)
history = net.fit(
    x_train, t_train, epochs=60, batch_size=32, optimizer=bp.SGD(0.3), validation=(x_test, t_test), seed=0
)
print(history)

# %%
# An **epoch** (에폭) is one pass over the training data. The curves of the training images and of those that the
# network never saw should stay together; where they part, it learns by heart, which is called **overfitting**
# (오버피팅).

history.plot()

# %%
# What the first layer looks for: the weights of twenty hidden units, as images.

from backprop import plots

plots.weight_images(net, units=20)

# %%
# Which digits it takes for which:

plots.confusion_matrix(net, x_test, t_test)

# %%
# Does the gradient reach every layer?
# ------------------------------------
#
# Here it does. With many sigmoids one behind the other it becomes smaller with every layer on its way back, since
# y(1 − y) is at most ¼: the **vanishing gradient** (기울기 소실).

deep = bp.Network([64, 50, 50, 50, 50, 10], activation="sigmoid", seed=0, weight_init=0.1)
plots.gradient_flow(deep, x_train[:100], t_train[:100])
