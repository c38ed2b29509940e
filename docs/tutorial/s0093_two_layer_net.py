"""
0093 · A network of layers
==========================

Once there are layers, a network is little more than a list of them. The notes' class is ``TwoLayerNet``:

================  =======================================================================================
``params``        the parameters by name: ``W1`` and ``b1`` of the first layer, ``W2`` and ``b2`` of the second
``layers``        the layers in their order: ``Affine1``, ``Relu1``, ``Affine2``
``lastLayer``     the loss, ``SoftmaxWithLoss``
``predict(x)``    the scores
``loss(x, t)``    the loss of a batch
``accuracy``      the share of samples that are right
``gradient``      the gradient of every parameter, by backpropagation
================  =======================================================================================
"""

import numpy as np

import backprop as bp

np.random.seed(0)  # where the notes' initial weights come from
net = bp.TwoLayerNet(input_size=64, hidden_size=20, output_size=10)
print(net.params)
print(list(net.layers))

# %%
# Forward through the layers, back in the opposite order
# ------------------------------------------------------
#
# That is all that ``gradient`` does. By hand:

(x_train, t_train), _ = bp.load_digits()
x, t = x_train[:100], t_train[:100]

out = x
for layer in net.layers.values():
    out = layer.forward(out)
loss = net.lastLayer.forward(out, t)

dout = net.lastLayer.backward(1)
for layer in reversed(net.layers.values()):
    dout = layer.backward(dout)

by_hand = net.layers["Affine1"].dW
print(f"{loss:.4f}", np.array_equal(by_hand, net.gradient(x, t)["W1"]))

# %%
# As a graph
# ----------
#
# A network *is* a computational graph. Its nodes are layers, on the edges are the shapes of a batch of 100:

from backprop import graph

drawn = graph.from_network(net, x, t)
drawn.backward()
drawn.draw()

# %%
# Any number of layers
# --------------------
#
# ``TwoLayerNet`` is a ``Network`` of three sizes in float64. ``Network`` takes any number of them:

deep = bp.Network([64, 100, 50, 10], activation="sigmoid", dtype=np.float32, seed=0)
print(deep, deep.params)

# %%
# ``params`` is no copy: both ``net.params["W1"] -= step`` and ``net.params["W1"] = values`` change the array that
# the layer computes with. Nothing is lost.

net.params["b1"] = np.ones(20)
print(net.layers["Affine1"].b is net.params["b1"], net.layers["Affine1"].b[:3])
