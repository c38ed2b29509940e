"""The numbers of one array, by elements and by random directions; of a direction that is wrong, the element."""

import numpy as np

from backprop._arrays import Array
from backprop.gradcheck.differences import Line, Slope
from backprop.gradcheck.findings import Finding
from backprop.gradcheck.patterns import pattern
from backprop.gradcheck.probe import Probe, unit
from backprop.gradcheck.report import ArrayReport, Point

# A check in which more than this share of an array's points are kinks is refused.
MOST_KINKS = 0.25


def compare(
    probe: Probe,
    report: ArrayReport,
    back: Array,
    points: int | None,
    directions: int,
    rtol: float,
    rng: np.random.Generator,
    findings: list[Finding],
) -> None:
    """Fill one array's report, and add what is wrong with its gradient to the findings."""
    array, name = probe.subject.arrays[report.name], report.name
    if not array.size:
        return
    wrong: list[tuple[tuple[int, ...], float, float]] = []

    def judge(line: Line, other: float, where: str) -> Slope | None:
        """Add a point; the numerical slope if it disagrees."""
        agrees, slope = line.judge(other, rtol)
        outside = max(slope.low - other, other - slope.high, 0.0)
        error = abs(other - slope.derivative) if slope.kind == "smooth" else outside
        # A jump passes at no distance; elsewhere roundoff of the subtraction above must not undo the verdict.
        limit = (
            max(slope.allowed(rtol), error) if agrees else min(slope.allowed(rtol), np.nextafter(error, 0.0))
        )
        kink = agrees and slope.kind == "kink"
        report.points.append(Point(where, other, slope.derivative, error, kink, float(limit)))
        return None if agrees else slope

    def judge_element(index: tuple[int, ...]) -> bool:
        where = f"{name}[{', '.join(map(str, index))}]" if index else name
        slope = judge(probe.element(array, index), float(back[index]), where)
        if slope is not None and slope.kind == "jump":
            findings.append(Finding("jump", name, f"at {where}"))
        elif slope is not None:
            wrong.append((index, float(back[index]), slope.derivative))
        return slope is None

    whole = points is None or array.size <= points
    chosen = np.arange(array.size) if whole else np.sort(rng.choice(array.size, points, replace=False))
    for flat in chosen:
        judge_element(tuple(int(i) for i in np.unravel_index(flat, array.shape)))
    for n in range(0 if whole else directions):
        u = unit(rng, array.shape)
        slope = judge(probe.direction(array, u), float((back * u).sum()), f"{name}, direction {n + 1}")
        if slope is not None and not wrong:
            index = halve(probe, array, back, u, rtol)
            if judge_element(index):
                findings.append(Finding("wrong gradient", name, f"in direction {n + 1}"))
    if wrong:
        findings.append(pattern(name, wrong, array.shape, back, probe.subject.batch, len(chosen)))
    if report.kinks > MOST_KINKS * len(report.points):
        findings.append(Finding("mostly kinks", name, f"{report.kinks} of {len(report.points)} points"))
    if not wrong and not any(point.backpropagated or point.numerical for point in report.points):
        findings.append(Finding("all gradients are zero", name))


def halve(probe: Probe, array: Array, back: Array, u: Array, rtol: float) -> tuple[int, ...]:
    """The index of an element that is wrong, of a direction that is."""
    low, high = 0, array.size
    flat_u, flat_back = u.reshape(-1), back.reshape(-1)
    while high - low > 1:
        middle = (low + high) // 2
        part = np.zeros(array.size)
        part[low:middle] = flat_u[low:middle] * np.sqrt(array.size / (middle - low))
        line = probe.direction(array, part.reshape(array.shape))
        agrees, _ = line.judge(float(part @ flat_back), rtol)
        low, high = (middle, high) if agrees else (low, middle)
    return tuple(int(i) for i in np.unravel_index(low, array.shape))
