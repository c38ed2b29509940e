"""
0090 · Affine layers for batches
================================

What a layer of a network does first is an **affine transformation** (Affine): a matrix product, then a bias added,
Y = X·W + B. Here values are arrays, and what stands on the edges is their *shape*. With a batch of N = 5 samples, two
features and three outputs:
"""

import numpy as np

from backprop import graph

rng = np.random.default_rng(0)
X = graph.variable(rng.normal(size=(5, 2)), "X")
W = graph.variable(rng.normal(size=(2, 3)), "W")
B = graph.variable(rng.normal(size=3), "B")
P = X @ W
Y = P + B
P.name, Y.name = "P", "Y"
Y.backward(np.ones((5, 3)))
Y.draw()

# %%
# The gradient of an array has the array's own shape. That alone nearly tells the formulas: ∂L/∂Y is (5, 3), and the
# only product that makes a (5, 2) of it is with Wᵀ, which is (3, 2).

Y.draw(symbols="L")

# %%
# * ∂L/∂X = ∂L/∂P · Wᵀ, shapes (5, 3)·(3, 2) = (5, 2),
# * ∂L/∂W = Xᵀ · ∂L/∂P, shapes (2, 5)·(5, 3) = (2, 3),
# * ∂L/∂B: the bias was added to every row, so it gets the *sum* of the rows' gradients. With ones that is the size
#   of the batch:

print(B.grad)

# %%
# The layer
# ---------
#
# ``Affine(W, b)`` is all of that in one. ``backward`` returns the gradient of x and leaves those of W and b in
# ``dW`` and ``db``.

import backprop as bp

layer = bp.Affine(W.value.copy(), B.value.copy())
out = layer.forward(X.value)
dx = layer.backward(np.ones((5, 3)))
print(out.shape, dx.shape, layer.dW.shape, layer.db)

# %%
# Images need no reshaping: what stands behind the first axis is flattened, and dx has the shape of the input again.

images = rng.normal(size=(5, 2, 2, 3))
layer = bp.Affine(rng.normal(size=(12, 4)), np.zeros(4))
print(layer.forward(images).shape, layer.backward(np.ones((5, 4))).shape)
