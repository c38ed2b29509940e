"""
0085 · The chain rule, drawn
============================

A function that is made of functions is a **composite function** (합성 함수). The **chain rule** (연쇄법칙) says how
its derivative is made: it is the *product* of the derivatives of the functions that it consists of.

The square of a sum, z = (x + y)², is two functions, one after the other:

* t = x + y, of which ∂t/∂x = 1,
* z = t², of which ∂z/∂t = 2t.

So ∂z/∂x = ∂z/∂t · ∂t/∂x = 2t · 1 = 2(x + y).

The same as a **computational graph** (계산 그래프): every operation is a node, what goes in comes from the left,
what comes out leaves to the right. Writing the arithmetic makes the graph.
"""

from backprop import graph

x, y = graph.variable(2, "x"), graph.variable(3, "y")
t = x + y
t.name = "t"
z = t**2
z.name = "z"
z.draw()

# %%
# Going from left to right is the **forward pass** (순전파): above each edge stands the value that flows along it.
#
# Now back
# --------
#
# The **backward pass** (역전파) goes from right to left. It begins with ∂z/∂z, which is 1. Each node takes what it
# is given from its right, multiplies it by its own *local* derivative, and passes the product on to its left.

z.backward()
z.draw()

# %%
# Below the edges stand the gradients. The same in symbols shows where each comes from:

z.draw(symbols=True)

# %%
# Nothing but the chain rule, read from right to left: ∂z/∂z, then ∂z/∂z·2t, and that times 1. Since t is 5, the
# gradient of x is 10, and so is that of y.

print(x.grad, y.grad, "and 2·(x + y) is", 2 * (x.value + y.value))

# %%
# Why a graph?
# ------------
#
# Because each node needs to know nothing but itself. Two apples at 100 each, three oranges at 150, and a tax of 10 %:

apple, apples = graph.variable(100, "apple"), graph.variable(2, "apples")
orange, oranges = graph.variable(150, "orange"), graph.variable(3, "oranges")
tax = graph.variable(1.1, "tax")
price = (apple * apples + orange * oranges) * tax
price.name = "price"
price.backward()
price.draw()

# %%
# One backward pass gives *all* derivatives at once. If an apple costs 1 more, the price rises by 2.2; one apple
# more costs 110; a tax higher by 1, which is 100 %, costs 650.
#
# Where a value is used twice
# ---------------------------
#
# Then two gradients come back to it, and the chain rule for several variables adds them. The dot is where the value
# branches: in front of it is the sum, behind it are the parts.

q = graph.variable(3, "x")
w = q * q + q
w.name = "w"
w.backward()
w.draw()

# %%
# Step by step
# ------------
#
# For a lecture, ``frames`` gives the same picture as it comes about, first forward, then backward, one node at a
# time. Here is the moment at which the addition passes its gradient on; ``price.frames("folder")`` writes all of
# them.

steps = price.frames()
print(len(steps), "frames")
steps[7]
