"""Write a saved network as a C header for forward.c: `python export.py policy.safetensors > weights.h`."""

import sys

import numpy as np

import backprop as bp


def numbers(name: str, array: np.ndarray, kind: str = "float") -> str:
    """An array of float or double in C, in hexadecimal, so that no bit is lost."""
    dtype, suffix = (np.float32, "f") if kind == "float" else (np.float64, "")
    values = ", ".join(f"{float(value).hex()}{suffix}" for value in np.asarray(array, dtype).reshape(-1))
    return f"static const {kind} {name}[] = {{{values}}};"


def affine_layers(net: bp.Network) -> list[tuple[np.ndarray, np.ndarray, str]]:
    """Weights, biases and activation of each affine layer; raises for a network that forward.c cannot run.

    A batch normalisation right behind an affine layer is folded into it, and nothing is dropped.
    """
    known = {(): "IDENTITY", ("relu",): "RELU", ("sigmoid",): "SIGMOID", ("tanh",): "TANH"}
    found: list[tuple[np.ndarray, np.ndarray, tuple[str, ...]]] = []
    before: tuple[str, ...] = ()
    for layer, spec in zip(net.layers.values(), net.spec.layers, strict=True):
        if spec.kind == "affine":
            found.append((layer.W, layer.b, ()))
        elif spec.kind == "batch_norm" and found and not found[-1][2]:
            # (x·W + b - mean)·scale + beta
            W, b, _ = found.pop()
            scale = layer.gamma / np.sqrt(layer.running_var.astype(np.float64) + layer.eps)
            found.append((W * scale, (b.astype(np.float64) - layer.running_mean) * scale + layer.beta, ()))
        elif spec.kind != "dropout":
            before += () if found else (spec.kind,)
            found[-1:] = [(W, b, (*kinds, spec.kind)) for W, b, kinds in found[-1:]]
    for kinds in (before, *(kinds for _, _, kinds in found)):
        if kinds not in known or (before and kinds is before):
            raise ValueError(
                f"the network has {' + '.join(kinds)}, wanted affine layers with {', '.join(known.values())}"
            )
    return [(W, b, known[kinds]) for W, b, kinds in found]


def header(net: bp.Network) -> str:
    """Everything that forward.c needs to know of a network."""
    inputs, *_, outputs = net.sizes
    widest, layers = max(net.sizes), affine_layers(net)
    mean, scale = (np.broadcast_to(part, inputs) for part in (net.input_mean, net.input_scale))
    lines = [
        f"enum {{ INPUTS = {inputs}, OUTPUTS = {outputs}, WIDEST = {widest}, DEPTH = {len(layers)} }};",
        numbers("input_mean", mean, "double"),
        numbers("input_scale", scale),
    ]
    table = []
    for n, (W, b, activation) in enumerate(layers, start=1):
        lines += [numbers(f"W{n}", W), numbers(f"b{n}", b)]
        table.append(f"{{{W.shape[0]}, {W.shape[1]}, W{n}, b{n}, {activation}}}")
    return "\n".join([*lines, f"static const struct layer layers[DEPTH] = {{{', '.join(table)}}};", ""])


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python export.py NETWORK.safetensors > weights.h")
    sys.stdout.write(header(bp.Network.load(sys.argv[1])))
