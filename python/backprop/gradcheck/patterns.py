"""What a gradient's wrong numbers look like: each common mistake leaves a pattern of its own."""

import numpy as np

from backprop._arrays import Array
from backprop.gradcheck.findings import Finding
from backprop.gradcheck.report import told_apart

# A number is one that is looked for if it is this near: far above the error of a derivative, far below any factor.
NEAR = 1e-3
# Ratios are those of one factor if they differ by no more than this part of the factor, and of what it differs from 1.
ALIKE = 1e-2


def pattern(
    name: str,
    wrong: list[tuple[tuple[int, ...], float, float]],
    shape: tuple[int, ...],
    back: Array,
    batch: int,
    checked: int,
) -> Finding:
    """Name the mistake behind the wrong points.

    Parameters
    ----------
    name : str
        The array.
    wrong : list of (index, backpropagated, numerical)
    shape : tuple of int
    back : ndarray
        The whole backpropagated gradient.
    batch : int
        Rows of the input.
    checked : int
        How many elements were looked at.
    """
    index, first, numerical = max(wrong, key=lambda point: abs(point[1] - point[2]))
    shown, wanted_there = told_apart(first, numerical)
    detail = f"at {list(index)} backpropagated {shown}, numerical {wanted_there}"
    if len(wrong) == checked and not any(numerical for _, _, numerical in wrong):
        return Finding("function ignores its argument", name, detail)
    if len(wrong) == 1 and checked > 2:
        return Finding("single wrong element", name, detail)
    if len(shape) == 2 and shape[0] == shape[1] > 1:
        there = np.array([back.T[index] for index, _, _ in wrong])
        wanted = np.array([numerical for _, _, numerical in wrong])
        if np.abs(there - wanted).max() <= NEAR * np.abs(wanted).max():
            return Finding("transposed", name, detail)
    ratios = [back / numerical for _, back, numerical in wrong if numerical]
    ratio = ratios[0] if ratios else 0.0
    if (
        len(ratios) == len(wrong) > 1
        and max(ratios) - min(ratios) <= ALIKE * min(abs(ratio - 1), abs(ratio))
        and ratio
    ):
        if batch > 1 and min(abs(ratio - batch) / batch, abs(ratio * batch - 1)) <= NEAR:
            return Finding(
                "factor of the batch size", name, f"{ratio:.6g} times the numerical one, {batch} rows"
            )
        if abs(ratio + 1) <= NEAR:
            return Finding("wrong sign", name, detail)
        return Finding("constant factor", name, f"{ratio:.9g} times the numerical one")
    return Finding("wrong gradient", name, f"{len(wrong)} of {checked} elements; {detail}")
