"""
0095 · The gradient check
=========================

Numerical differentiation is easy to write, so there is hardly a place in it where a mistake could hide.
Backpropagation is hard to write, and its mistakes are silent: a gradient that is a little wrong still trains a
little. So one compares the two. That is the **gradient check** (기울기 확인).

The notes compare the mean of the differences:
"""

import numpy as np

import backprop as bp

(x_train, t_train), _ = bp.load_digits()
np.random.seed(0)
net = bp.TwoLayerNet(input_size=64, hidden_size=20, output_size=10)
x, t = x_train[:10], t_train[:10]

backpropagated, numerical = net.gradient(x, t), net.numerical_gradient(x, t)
for key in net.params:
    print(f"{key}: {np.abs(backpropagated[key] - numerical[key]).mean():.0e}")

# %%
# How small is small enough? And what if all gradients are zero, and agree for that reason? ``check_gradients``
# answers both. It differentiates with steps and formulas whose own error it knows, in float64, by single elements
# and in random directions which see all elements at once.

print(bp.check_gradients(net, x, t))

# %%
# A mistake, found by its name
# ----------------------------
#
# This layer divides by the size of the batch, which the loss has done already. It trains, only more slowly.


class Twice:
    def forward(self, x):
        self.x = x
        return x**2

    def backward(self, dout):
        return 2 * self.x * dout / len(dout)


rng = np.random.default_rng(0)
report = bp.check_gradients(Twice(), rng.normal(size=(5, 3)))
print(report)

# %%
# Each of the two gradients at every point; what is wrong stands apart.

report.plot()

# %%
# Kinks
# -----
#
# At 0 a ReLU has no derivative: the slope from the left is 0, from the right it is 1. A check that does not know this
# either fails where nothing is wrong, or is made so lenient that it finds nothing. Here points whose two one-sided
# slopes differ are counted, any value between them is accepted, and a check that consists of kinks is refused.

at_kinks = np.array([[0.0, 1.5, -0.7, 2.0, 0.9]])
print(bp.check_gradients(bp.Relu(), at_kinks))

# %%
# A ReLU whose mask is taken at 0.1 instead of 0 still fails:


class Late(bp.Relu):
    def forward(self, x):
        out = super().forward(x)
        self.mask = x <= 0.1
        return out


print(bp.check_gradients(Late(), np.array([[0.05, 1.5, -0.7, 2.0, 0.9]])).findings)

# %%
# Graphs are checked in the same way, by all variables that lead to the node:

from backprop import graph

u, v = graph.variable(0.5, "u"), graph.variable(-1.2, "v")
print(bp.check_gradients(np.exp(u * v) / (1 + v**2)))

# %%
# In a test, ``bp.assert_gradients(layer, x)`` raises with that report. Whoever writes a layer should have that line.
