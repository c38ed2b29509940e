"""The nodes of a computational graph, sections 0085 to 0087 and 0089: scalars or arrays, with broadcasting.

`forward` takes values, `backward` the gradient of the output and gives the gradient of each input in its shape:
where an input was broadcast, the gradients that meet in it are summed. Scalars in, scalars out.
"""

from backprop.nodes.arithmetic import Add, Divide, Maximum, Multiply, Subtract
from backprop.nodes.functions import Exp, Log, Power, Reciprocal, SigmoidOfNodes
from backprop.nodes.products import Dot
from backprop.nodes.reductions import Max, Sum

__all__ = [
    "Add",
    "Divide",
    "Dot",
    "Exp",
    "Log",
    "Max",
    "Maximum",
    "Multiply",
    "Power",
    "Reciprocal",
    "SigmoidOfNodes",
    "Subtract",
    "Sum",
]
