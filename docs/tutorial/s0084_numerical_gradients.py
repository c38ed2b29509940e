"""
0084 · Numerical gradients are simple, and slow
===============================================

A network learns by knowing in which direction each of its weights should move: the *gradient* (기울기) of the loss.
There is a way to find it that cannot go wrong. **Numerical differentiation** (수치 미분) moves one number a little
up, then a little down, and looks how the loss changes. This page counts what that costs. The rest of the tutorial
is about the way that costs almost nothing: **backpropagation** (오차역전파법).
"""

import numpy as np

import backprop as bp

(x_train, t_train), _ = bp.load_digits()
x, t = x_train[:20], t_train[:20]
net = bp.Network([64, 20, 10], dtype=np.float64, seed=0)

# %%
# The network has two weight matrices and two bias vectors. Together they hold this many numbers, each of which
# wants its derivative:

parameters = sum(array.size for array in net.params.values())
print(parameters)

# %%
# To see what numerical differentiation does, we let the loss count how often it is asked for.

calls = 0


def counted_loss(_):
    global calls
    calls += 1
    return net.loss(x, t)


numerical = {key: bp.numerical_gradient(counted_loss, array) for key, array in net.params.items()}
print(f"{calls} forward passes")

# %%
# Two for each number. A network for MNIST with fifty hidden units has 39,760 parameters, and would need 79,520
# forward passes for a single step of learning. Backpropagation goes forward once and back once, whatever the size:

backpropagated = net.gradient(x, t)

for key in net.params:
    print(key, f"largest difference {np.abs(numerical[key] - backpropagated[key]).max():.0e}")

# %%
# The two agree as far as numerical differentiation can see. So it keeps a use: it is slow, but there is no place in
# it for a mistake to hide, so it is how one proves that a backpropagated gradient is right. That is the subject of
# the last page, :ref:`sphx_glr_generated_tutorial_s0095_gradient_check.py`.

# %%
# How large a step?
# -----------------
#
# How far it sees depends on the step h. The slope of the line from x − h to x + h is not quite that of the function,
# which bends in between; the larger h, the more. With a small h the two values are nearly equal, and their difference
# has lost its digits. For exp at 1, whose derivative is known, the error is smallest between the two, and never 0:

from matplotlib.figure import Figure

steps = 10.0 ** -np.arange(1, 15)
errors = [abs(bp.numerical_gradient(lambda v: np.exp(v[0]), np.array([1.0]), h)[0] - np.e) for h in steps]

axes = Figure(figsize=(6, 3.2), layout="constrained").add_subplot()
axes.loglog(steps, errors, "o-")
axes.set_xlabel("step h")
axes.set_ylabel("error of the derivative")
axes
