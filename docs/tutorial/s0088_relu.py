"""
0088 · ReLU
===========

The **rectified linear unit** is an activation function (활성화 함수): y = x where x > 0, else 0. Its derivative is
1 where x > 0, else 0. As a node it is a switch: if the signal came through, the gradient passes unchanged; if it
was stopped, the gradient is stopped too.
"""

from backprop import graph

x = graph.variable(2.0, "x")
y = graph.relu(x)
y.name = "y"
y.backward(1.3)
y.draw()

# %%

x.value = -2.0
y.backward(1.3)
y.draw()

# %%
# In symbols; (x>0) is 1 or 0:

y.draw(symbols="L")

# %%
# The layer
# ---------
#
# ``forward`` keeps where the input was at most 0, in ``mask``; ``backward`` puts zeros there.

import numpy as np

import backprop as bp

relu = bp.Relu()
print(relu.forward(np.array([[1.0, -0.5], [-2.0, 3.0]])))
print(relu.mask)

# %%

dout = np.array([[10.0, 20.0], [30.0, 40.0]])
print(relu.backward(dout))

# %%
# The notes' own ``backward`` writes its zeros into the array that it is given, ``dout[self.mask] = 0``. Whoever uses
# that array afterwards finds it changed. This layer leaves it alone:

print(dout)

# %%
# At exactly 0 there is no derivative: from the left the slope is 0, from the right 1. Any value between them is
# right; this package takes 0, as the notes do. A gradient check has to know that such *kinks* exist:
# :ref:`sphx_glr_generated_tutorial_s0095_gradient_check.py`.
