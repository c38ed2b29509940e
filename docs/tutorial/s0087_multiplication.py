"""
0087 · The multiplication node
==============================

For z = x·y the derivative by x is y, and the derivative by y is x. So a **multiplication node** (곱셈 노드)
multiplies what it is given by the inputs of the forward pass, *exchanged*. For that it has to keep them.
"""

from backprop import graph

x, y = graph.variable(10, "x"), graph.variable(5, "y")
z = x * y
z.name = "z"
z.backward(1.3)
z.draw(symbols="L")

# %%
# With numbers: 10 times 5 is 50. If 1.3 comes back, x gets 1.3·5 and y gets 1.3·10.

z.draw()

# %%
# Shopping with classes
# ---------------------
#
# What the graph of apples and oranges did can be written out with a node object for each operation. Forward:

import backprop as bp

apples, oranges, fruit, taxed = bp.Multiply(), bp.Multiply(), bp.Add(), bp.Multiply()

apple_price = apples.forward(100, 2)
orange_price = oranges.forward(150, 3)
all_price = fruit.forward(apple_price, orange_price)
price = taxed.forward(all_price, 1.1)
print(f"{price:.0f}")

# %%
# Backward, in the opposite order, each with what the one after it returned:

d_all_price, d_tax = taxed.backward(1)
d_apple_price, d_orange_price = fruit.backward(d_all_price)
d_orange, d_oranges = oranges.backward(d_orange_price)
d_apple, d_apples = apples.backward(d_apple_price)
print(f"{d_apple:.1f} {d_apples:.0f} {d_orange:.1f} {d_oranges:.0f} {d_tax:.0f}")

# %%
# The numbers are those below the edges of the drawing in :ref:`sphx_glr_generated_tutorial_s0085_chain_rule.py`.
