"""
0089 · Sigmoid
==============

The logistic function y = 1 / (1 + exp(−x)) can be taken apart into four nodes: × by −1, exp, + 1, and 1 divided by
what came. Written with NumPy's own names on a graph variable, the formula is its graph.
"""

import numpy as np

from backprop import graph

x = graph.variable(0.5, "x")
y = 1 / (1 + np.exp(-x))
y.name = "y"
y.draw()

# %%
# Backwards, node by node
# -----------------------
#
# To follow the symbols, we name what lies between:

a = -x
b = np.exp(a)
c = 1 + b
y = 1 / c
a.name, b.name, c.name, y.name = "a", "b", "c", "y"
y.backward()
y.draw(symbols="L")

# %%
# 1. The ÷ node, y = 1/c: its derivative is −1/c² = −y². It passes on ∂L/∂y·(−y²).
# 2. The + node passes that on unchanged.
# 3. The exp node, b = exp(a): its derivative is its own output, b = exp(−x).
# 4. The × node exchanges its inputs: times −1.
#
# The product of all of them is ∂L/∂y · y² · exp(−x). With numbers:

y.draw()

# %%
# One node
# --------
#
# y²·exp(−x) can be written with y alone: exp(−x) is (1 − y)/y, so y²·exp(−x) = y(1 − y). Everything in between can
# be left out, and the sigmoid becomes a single node that keeps nothing but its output:

x = graph.variable(0.5, "x")
y = graph.sigmoid(x)
y.name = "y"
y.backward()
y.draw(symbols="L")

# %%

y.draw()

# %%
# The layer
# ---------
#
# The class is ``Sigmoid``; ``SigmoidOfNodes`` computes it with the four nodes. They agree, until the exponential
# overflows:

import backprop as bp

one, four = bp.Sigmoid(), bp.SigmoidOfNodes()
for value in (0.5, -30.0, -1000.0):
    forward = one.forward(value), four.forward(value)
    backward = one.backward(1.0), four.backward(1.0)
    print(f"{value:7}: {forward[0]:.3g} {forward[1]:.3g}, gradient {backward[0]:.3g} {backward[1]:.3g}")

# %%
# At −1000 the four nodes have lost the gradient: exp(1000) is infinite, and 0·∞ is no number. The layer computes by
# the sign of x, so that no x overflows.
