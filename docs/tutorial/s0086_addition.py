"""
0086 · The addition node
========================

For z = x + y both derivatives are 1. So backwards an **addition node** (덧셈 노드) passes on what it is given,
unchanged, to both of its inputs.

L stands for whatever is computed from z later; all that the node is told about it is ∂L/∂z.
"""

from backprop import graph

x, y = graph.variable(10, "x"), graph.variable(5, "y")
z = x + y
z.name = "z"
z.backward(1.3)
z.draw(symbols="L")

# %%
# With numbers: 10 and 5 make 15. If 1.3 comes back from the right, 1.3 goes on to each of the two.

z.draw()

# %%
# The class behind the node is ``Add``. Every layer of this package has this shape: ``forward`` computes and
# keeps what will be needed, ``backward`` takes the gradient of the output and returns that of the inputs.

import backprop as bp

node = bp.Add()
print(node.forward(10, 5))
print(node.backward(1.3))

# %%
# Arrays broadcast as in NumPy. Whatever was stretched on the way forward is summed on the way back: a bias that is
# added to every row of a batch gets the sum of the rows' gradients.

import numpy as np

rows, bias = np.ones((4, 3)), np.array([1.0, 2.0, 3.0])
print(node.forward(rows, bias).shape)
d_rows, d_bias = node.backward(np.ones((4, 3)))
print(d_rows.shape, d_bias)
