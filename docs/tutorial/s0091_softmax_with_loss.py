"""
0091 · Softmax with the cross-entropy loss
==========================================

The last layer turns scores (a₁, a₂, a₃) into probabilities (y₁, y₂, y₃), and these together with the labels
(정답 레이블) (t₁, t₂, t₃) into one number, the **loss** (손실) L:

* softmax: yₖ = exp(aₖ) / Σ exp(aᵢ),
* cross-entropy error (교차 엔트로피 오차): L = −Σ tₖ·log(yₖ).

All of it from single nodes is a large graph, but there is nothing in it that the pages before have not shown:
"""

import numpy as np

from backprop import graph

a = [graph.variable(value, f"a{k}") for k, value in enumerate((0.3, 2.9, 4.0), start=1)]
t = [graph.constant(value, f"t{k}") for k, value in enumerate((0, 1, 0), start=1)]

exponentials = [graph.exp(score) for score in a]
S = exponentials[0] + exponentials[1] + exponentials[2]
y = [exponential / S for exponential in exponentials]
terms = [label * graph.log(probability) for label, probability in zip(t, y, strict=True)]
L = -(terms[0] + terms[1] + terms[2])
L.name = "L"
L.backward()
L.draw()

# %%
# So much work, and the outcome is as simple as can be. The gradients of the scores are the *differences* (차분)
# between the probabilities and the labels, (y₁ − t₁, y₂ − t₂, y₃ − t₃):

for score, probability, label in zip(a, y, t, strict=True):
    print(f"{score.name}: gradient {score.grad:+.4f}, y − t = {probability.value - label.value:+.4f}")

# %%
# That is no accident: the cross-entropy error was made so that it would come out like this. A network that is far
# off gets a large gradient, one that is right gets none.
#
# In two boxes
# ------------
#
# Put together into two layers, the graph is easier to read. Any object with ``forward`` and ``backward`` can be a
# node.


class Softmax:
    def forward(self, a):
        powers = np.exp(a - a.max())
        self.y = powers / powers.sum()
        return self.y

    def backward(self, dout):
        return self.y * (dout - (dout * self.y).sum())


class CrossEntropyError:
    def forward(self, y, t):
        self.y, self.t = y, t
        return -(t * np.log(y)).sum()

    def backward(self, dout):
        return -dout * self.t / self.y


scores = graph.variable(np.log([0.3, 0.2, 0.5]), "a")
labels = graph.constant(np.array([0.0, 1.0, 0.0]), "t")
probabilities = graph.apply(Softmax(), scores, name="y")
loss = graph.apply(CrossEntropyError(), probabilities, labels, name="L")
loss.backward()
loss.draw()

# %%
# With probabilities (0.3, 0.2, 0.5) and the second class right, the gradient is (0.3, −0.8, 0.5).
#
# In one
# ------
#
# The two belong together. Alone, cross-entropy divides by y, which may be 0, and takes a logarithm that may be −∞;
# the notes add a small number so that this does not happen, and get a loss that is a little wrong.
# ``SoftmaxWithLoss`` computes both at once, from the scores, and needs no such number. For a batch the loss is the
# mean, so the gradient is divided by B, the number of rows.

x = graph.variable(np.log([[0.3, 0.2, 0.5]]), "x")
loss = graph.softmax_cross_entropy(x, graph.constant([1], "t"))
loss.name = "L"
loss.backward()
loss.draw(symbols=True)

# %%

import backprop as bp

layer = bp.SoftmaxWithLoss()
print(f"{layer.forward(np.log([[0.3, 0.2, 0.5]]), [1]):.4f}", layer.backward().round(4))

# %%
# A confident and wrong network, with a score of 1000 for the wrong class, has a loss of 1000, and a gradient:

print(layer.forward([[1000.0, 0.0]], [1]), layer.backward())
