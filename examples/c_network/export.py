"""Write a saved network as a C header for forward.c: `python export.py policy.safetensors > weights.h`."""

import sys

import numpy as np

import backprop as bp


def numbers(name: str, array: np.ndarray, kind: str = "float") -> str:
    """An array of float or double in C, in hexadecimal, so that no bit is lost."""
    dtype, suffix = (np.float32, "f") if kind == "float" else (np.float64, "")
    values = ", ".join(f"{float(value).hex()}{suffix}" for value in np.asarray(array, dtype).reshape(-1))
    return f"static const {kind} {name}[] = {{{values}}};"


def activations(net: bp.Network) -> list[str]:
    """What stands behind each affine layer; raises for a network that forward.c cannot run."""
    before, *behind = net.spec.gaps
    known = {(): "IDENTITY", ("relu",): "RELU", ("sigmoid",): "SIGMOID", ("tanh",): "TANH"}
    for kinds in (before, *behind):
        if kinds not in known or (before and kinds is before):
            raise ValueError(
                f"the network has {' + '.join(kinds)}, wanted affine layers with {', '.join(known.values())}"
            )
    return [known[kinds] for kinds in behind]


def header(net: bp.Network) -> str:
    """Everything that forward.c needs to know of a network."""
    inputs, *_, outputs = net.sizes
    widest = max(net.sizes)
    mean, scale = (np.broadcast_to(part, inputs) for part in (net.input_mean, net.input_scale))
    lines = [
        f"enum {{ INPUTS = {inputs}, OUTPUTS = {outputs}, WIDEST = {widest}, DEPTH = {len(net.sizes) - 1} }};",
        numbers("input_mean", mean, "double"),
        numbers("input_scale", scale),
        *(numbers(key, array) for key, array in net.params.items()),
    ]
    layers = [
        f"{{{net.sizes[n - 1]}, {net.sizes[n]}, W{n}, b{n}, {activation}}}"
        for n, activation in enumerate(activations(net), start=1)
    ]
    return "\n".join([*lines, f"static const struct layer layers[DEPTH] = {{{', '.join(layers)}}};", ""])


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python export.py NETWORK.safetensors > weights.h")
    sys.stdout.write(header(bp.Network.load(sys.argv[1])))
