"""What a gradient's wrong numbers look like: each common mistake leaves a pattern of its own."""

from dataclasses import dataclass

import numpy as np

from backprop._util.arrays import Array
from backprop.gradcheck.findings import Finding
from backprop.gradcheck.report import told_apart

# A number is one that is looked for if it is this near: far above the error of a derivative, far below any factor.
NEAR = 1e-3
# Ratios are those of one factor if they differ by no more than this part of the factor, and of what it differs from 1.
ALIKE = 1e-2
# Of n terms that cancel, rounding leaves about n·2⁻⁵² of them: a ratio below this is a sum of fewer than 2²⁶ terms that
# should not have cancelled, and no factor.
NOTHING = 2.0**-26

# Index, backpropagated and numerical.
Wrong = tuple[tuple[int, ...], float, float]


@dataclass(frozen=True)
class Seen:
    """What stands behind an array's wrong elements.

    Attributes
    ----------
    checked : int
        Elements that were compared.
    telling : int
        Those of them that are wrong, or right and not 0: where a ReLU is off, any factor of 0 is right.
    all_wrong_ones : bool
        Whether there are no other wrong elements.
    """

    checked: int
    telling: int
    all_wrong_ones: bool


def pattern(name: str, wrong: list[Wrong], back: Array, batch: int, seen: Seen) -> Finding:
    """Name the mistake behind the wrong points.

    Parameters
    ----------
    name : str
        The array.
    wrong : list of (index, backpropagated, numerical)
    back : ndarray
        The whole backpropagated gradient.
    batch : int
        Rows of the input.
    seen : Seen
    """
    detail = detail_of(wrong)
    if len(wrong) == 1 and (seen.telling > 1 or not seen.all_wrong_ones):
        if seen.all_wrong_ones:
            return Finding("single wrong element", name, detail)
        return Finding("some wrong elements", name, f"{detail}; at least one more of {back.size}")
    if back.ndim == 2 and back.shape[0] == back.shape[1] > 1:
        there = np.array([back.T[index] for index, _, _ in wrong])
        wanted = np.array([numerical for _, _, numerical in wrong])
        if np.abs(there - wanted).max() <= NEAR * np.abs(wanted).max():
            return Finding("transposed", name, detail)
    if all(abs(other) <= NOTHING * abs(numerical) for _, other, numerical in wrong):
        share = f"{len(wrong)} of {seen.checked} elements"
        return Finding("wrong gradient", name, f"{share}, zero but for rounding; {detail}")
    ratios = [other / numerical for _, other, numerical in wrong if numerical]
    ratio = ratios[0] if ratios else 0.0
    if len(ratios) == len(wrong) and max(ratios) - min(ratios) <= ALIKE * min(abs(ratio - 1), abs(ratio)):
        if batch > 1 and min(abs(ratio - batch) / batch, abs(ratio * batch - 1)) <= NEAR:
            return Finding(
                "factor of the batch size", name, f"{ratio:.6g} times the numerical one, {batch} rows"
            )
        if abs(ratio + 1) <= NEAR:
            return Finding("wrong sign", name, detail)
        if len(wrong) > 1:  # one number is some factor of any other
            return Finding("constant factor", name, f"{ratio:.9g} times the numerical one")
    return Finding("wrong gradient", name, f"{len(wrong)} of {seen.checked} elements; {detail}")


def detail_of(wrong: list[Wrong]) -> str:
    """The worst of the wrong points in numbers."""
    index, other, numerical = max(wrong, key=lambda point: abs(point[1] - point[2]))
    shown, wanted = told_apart(other, numerical)
    where = f"at {list(index)} " if index else ""
    return f"{where}backpropagated {shown}, numerical {wanted}"
