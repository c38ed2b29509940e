"""A network, seen as a computational graph."""

from typing import TYPE_CHECKING, Any

from numpy.typing import ArrayLike

from backprop.graph.functions import affine, apply, constant, variable
from backprop.graph.node import Node
from backprop.layers.base import kind_of
from backprop.layers.parametric import Affine

if TYPE_CHECKING:
    from backprop.network import Network


def from_network(net: "Network", x: ArrayLike, t: ArrayLike | None = None) -> Node:
    """Show a network as a computational graph; the numbers are the network's, bit for bit.

    Parameters
    ----------
    net : Network
        Its parameters become leaves with copies of their values, under their names.
    x : array of shape (B, I)
        Shifted and scaled as the network does it, then the leaf `x`.
    t : labels (B,) or weights (B, K), optional
        With it the graph ends in the loss, else in the scores.

    Returns
    -------
    Node
        `loss` or `scores`.
    """
    node = variable(net._inputs(x), "x")
    leaves: dict[int, Node] = {id(array): variable(array, key) for key, array in net.params.items()}
    for layer in net.layers.values():
        if kind_of(layer) == Affine.kind:
            node = affine(node, leaves[id(layer.W)], leaves[id(layer.b)])
        else:
            node = apply(layer, node)
    if t is None:
        node.name = "scores"
        return node
    labels: Any = net.targets_for("from_network", t, len(node.value))
    return apply(net.lastLayer, node, constant(labels, "t"), name="loss")
