"""Optimizers: how parameters move against their gradients, in place.

a) `update(params, grads)` works on any two mappings of the same keys, a plain dict of arrays or a network's `params`.
b) Names, arguments and meaning are PyTorch's; the book's `Momentum`, `Nesterov` and `AdaGrad` are other names for them.
c) Every operation is rounded on its own in the type of w, so each rule gives the bits of its lines in NumPy, which the
   documentation of the kernels has, whether `update` ran it or a network's compiled plan. So does every setting, within
   its range: in float32 an `eps` below 1.2e-38 counts as that, a learning rate above 3.4e38 too, and no momentum
   becomes 1.
d) Penalties and limits (`weight_decay`, `l1`, `clip_value`, `clip_norm`, `max_norm`) are arguments of every rule. Where
   other libraries' weight decay acts on biases too, it does so here with `decay_biases=True`.
e) An optimizer's state belongs to it, by the parameters' names, and starts at 0. One call of `update`, or one step of
   `fit`, is one step.
"""

from backprop.optimizers.limits import Limits as Limits
from backprop.optimizers.rules import *
