"""The numbers of one array, by elements and by random directions; of a direction that is wrong, the element."""

import numpy as np

from backprop._util.arrays import Array
from backprop.gradcheck.differences import Line, Slope, vanishes
from backprop.gradcheck.findings import Finding
from backprop.gradcheck.patterns import Seen, Wrong, detail_of, pattern
from backprop.gradcheck.probe import Probe, unit
from backprop.gradcheck.report import ArrayReport, Point, told_apart

# A check in which more than this share of an array's points are kinks is refused.
MOST_KINKS = 0.25


class Comparison:
    """A gradient beside numerical derivatives.

    Parameters
    ----------
    probe : Probe
    report : ArrayReport
        Gets the points.
    back : ndarray
        The backpropagated gradient.
    largest : float
        The largest number of all arrays' gradients.
    rtol : float
    rng : Generator
    """

    def __init__(
        self,
        probe: Probe,
        report: ArrayReport,
        back: Array,
        largest: float,
        rtol: float,
        rng: np.random.Generator,
    ) -> None:
        self.probe, self.report, self.back = probe, report, back
        self.largest, self.rtol, self.rng = largest, rtol, rng
        self.name, self.array = report.name, probe.subject.arrays[report.name]
        self.findings: list[Finding] = []
        self._wrong: list[Wrong] = []
        self._directions: list[tuple[Line, Array]] = []
        self._lost = ""
        self._checked = self._telling = 0

    def run(self, points: int | None, directions: int) -> list[Finding]:
        """Compare so many elements, all if there are no more, and if not in so many directions; what is wrong."""
        size = self.array.size
        if not size:
            return []
        whole = points is None or size <= points
        chosen = np.arange(size) if whole else np.sort(self.rng.choice(size, points, replace=False))
        for flat in chosen:
            self._element(self._index(int(flat)))
        for n in range(0 if whole else directions):
            u = unit(self.rng, self.array.shape)
            line = self.probe.direction(self.array, u)
            self._directions.append((line, u))
            agrees, _ = self._judge(line, float((self.back * u).sum()), f"{self.name}, direction {n + 1}")
            if agrees is False and not self._wrong and self._element(self._halve(u)) is not False:
                self.findings.append(Finding("wrong gradient", self.name, f"in direction {n + 1}"))
        self._conclude(whole)
        return self.findings

    def _index(self, flat: int) -> tuple[int, ...]:
        return tuple(int(i) for i in np.unravel_index(flat, self.array.shape))

    def _judge(self, line: Line, other: float, where: str) -> tuple[bool | None, Slope]:
        """Whether they agree, None if that cannot be told; a point of the report if it can."""
        agrees, slope = line.judge(other, self.rtol, self.largest)
        allowed = slope.allowed(self.rtol)
        if agrees is None:
            self.report.undecided += 1
            shown, numerical = told_apart(other, slope.derivative)
            lost = f"{where}: backpropagated {shown}, numerical {numerical}, give or take {allowed:.2g}"
            self._lost = self._lost or lost
            return None, slope
        outside = max(slope.low - other, other - slope.high, 0.0)
        error = abs(other - slope.derivative) if slope.kind == "smooth" else outside
        # A jump passes at no distance; elsewhere roundoff of the subtraction above must not undo the verdict.
        limit = max(allowed, error) if agrees else min(allowed, np.nextafter(error, 0.0))
        kink = agrees and slope.kind == "kink"
        self.report.points.append(Point(where, other, slope.derivative, error, kink, float(limit)))
        return agrees, slope

    def _element(self, index: tuple[int, ...]) -> bool | None:
        where = f"{self.name}[{', '.join(map(str, index))}]" if index else self.name
        other = float(self.back[index])
        agrees, slope = self._judge(self.probe.element(self.array, index), other, where)
        self._checked += agrees is not None
        self._telling += agrees is False or (agrees is True and not vanishes(other, self.largest))
        if agrees is False and slope.kind == "jump":
            self.findings.append(Finding("jump", self.name, f"at {where}"))
        elif agrees is False:
            self._wrong.append((index, other, slope.derivative))
        return agrees

    def _halve(self, u: Array) -> tuple[int, ...]:
        """The index of an element that is wrong, of a direction that is."""
        low, high = 0, self.array.size
        flat_u, flat_back = u.reshape(-1), self.back.reshape(-1)
        while high - low > 1:
            middle = (low + high) // 2
            part = np.zeros(self.array.size)
            part[low:middle] = flat_u[low:middle] * np.sqrt(self.array.size / (middle - low))
            line = self.probe.direction(self.array, part.reshape(self.array.shape))
            agrees, _ = line.judge(float(part @ flat_back), self.rtol, self.largest)
            low, high = (low, middle) if agrees is False else (middle, high)
        return self._index(low)

    def _conclude(self, whole: bool) -> None:
        """Name what the points show."""
        report, points = self.report, self.report.points
        if (
            self._wrong
            and not any(point.numerical for point in points)
            and self.probe.ignores(self.array, self.rng)
        ):
            self.findings.append(Finding("function ignores its argument", self.name, detail_of(self._wrong)))
        elif self._wrong:
            seen = Seen(self._checked, self._telling, whole or self._right_but_for_the_wrong())
            self.findings.append(pattern(self.name, self._wrong, self.back, self.probe.subject.batch, seen))
        elif points and not any(point.backpropagated or point.numerical for point in points):
            self.findings.append(Finding("all gradients are zero", self.name))
        elif not points:
            self.findings.append(Finding("lost in rounding", self.name, self._lost))
        if report.kinks > MOST_KINKS * len(points):
            self.findings.append(
                Finding("mostly kinks", self.name, f"{report.kinks} of {len(points)} points")
            )

    def _right_but_for_the_wrong(self) -> bool:
        """Whether the directions agree once the wrong elements are put right: then there are no others."""
        right = self.back.copy()
        for index, _, numerical in self._wrong:
            right[index] = numerical
        return bool(self._directions) and all(
            line.judge(float((right * u).sum()), self.rtol, self.largest)[0] for line, u in self._directions
        )
