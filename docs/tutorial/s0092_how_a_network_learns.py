"""
0092 · How a network learns, in four steps
==========================================

A network has **weights** (가중치) and **biases** (편향) that can be adapted. To adapt them to training data is what
is called **learning** (학습). It goes in four steps:

1. **Mini-batch** (미니배치). Take some of the training data at random. The aim is to make the loss on it smaller.
2. **Gradient** (기울기 산출). Compute the gradient of the loss with respect to every weight. It points to where the
   loss grows most; the opposite direction is where it falls.
3. **Update** (매개변수 갱신). Move every weight by a very small step in that direction.
4. **Repeat** (반복) 1 to 3.

Here is each of them once, on handwritten digits of 8 by 8 pixels.
"""

import numpy as np

import backprop as bp

(x_train, t_train), (x_test, t_test) = bp.load_digits()
net = bp.Network([64, 50, 10], seed=0)
print(x_train.shape, t_train.shape, net)

# %%
# 1. A mini-batch of 100 images:

np.random.seed(0)
chosen = np.random.choice(len(x_train), 100)
x, t = x_train[chosen], t_train[chosen]
before = net.loss(x, t)
print(f"loss {before:.3f}")

# %%
# 2. The gradient. It has the shapes of the parameters:

grads = net.gradient(x, t)
print({key: grad.shape for key, grad in grads.items()})

# %%
# 3. The update, with a **learning rate** (학습률) of 0.1:

for key in net.params:
    net.params[key] -= 0.1 * grads[key]

print(f"loss {before:.3f} before, {net.loss(x, t):.3f} after")

# %%
# 4. Again, three hundred times. ``train_step`` does steps 2 and 3 in one call of the compiled core.

optimizer, record = bp.SGD(0.1), bp.History()
for _ in range(300):
    chosen = np.random.choice(len(x_train), 100)
    record.loss.append(net.train_step(x_train[chosen], t_train[chosen], optimizer))

print(f"loss {record.loss[-1]:.3f}, {net.accuracy(x_test, t_test):.1%} of images right that it never saw")

# %%
# The loss of every step goes up and down with its mini-batch, and falls:

record.plot()

# %%
# Because batches are drawn at random this is called *stochastic* gradient descent (확률적 경사 하강법), which is
# what the letters ``SGD`` stand for.
