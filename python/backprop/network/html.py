"""What notebooks show of a network."""

import html
import math

from backprop._util.html import table
from backprop.network.protocol import NetworkLike


def of_network(net: NetworkLike) -> str:
    """A row a layer: what goes out of it, its parameters, and how many numbers they are."""
    spec, rows, total, width = net.spec, [], 0, str(net.sizes[0])
    scaling = [] if _plain(net) else [("(x - input_mean) * input_scale", f"(B, {width})", _scaling(net), "")]
    for layer in spec.layers:
        numbers = sum(math.prod(one.shape) for one in layer.parameters)
        # What is not known of a layer is as it is behind the one before.
        width = width if layer.outputs is None else str(layer.outputs)
        shapes = ", ".join(f"{one.name} {one.shape}" for one in layer.parameters)
        rows.append((layer.name, f"(B, {width})", shapes, f"{numbers:,}" if numbers else ""))
        total += numbers
    rows.append((type(net.lastLayer).__name__, "a number", "", ""))
    runs = "by a compiled plan" if net.is_planned else "layer by layer"
    return f"<p>{html.escape(type(net).__name__)}, {net.dtype}, runs {runs}</p>" + table(
        ("layer", "output", "parameters", "count"), [*scaling, *rows], ("total", "", "", f"{total:,}")
    )


def _plain(net: NetworkLike) -> bool:
    """Whether inputs are taken as they are."""
    return not net.input_mean.any() and bool((net.input_scale == 1).all())


def _scaling(net: NetworkLike) -> str:
    """The input scaling: the number, or that there is one an input."""
    said = [
        f"{name} {value:.4g}" if value.ndim == 0 else f"{name} {value.shape}"
        for name, value in (("mean", net.input_mean), ("scale", net.input_scale))
    ]
    return ", ".join(said)
