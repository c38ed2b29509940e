"""What a gradient check found, for people: text, HTML, and an error to raise."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from backprop.gradcheck.findings import Finding

if TYPE_CHECKING:
    from matplotlib.axes import Axes


class GradientError(AssertionError):
    """A gradient check did not pass; its message is the report."""


def told_apart(one: float, other: float, digits: int = 6) -> tuple[str, str]:
    """Both numbers with so many digits, or with as many as it takes to see that they differ."""
    while digits < 17 and one != other and f"{one:.{digits}g}" == f"{other:.{digits}g}":
        digits += 1
    return f"{one:.{digits}g}", f"{other:.{digits}g}"


@dataclass(frozen=True)
class Point:
    """One place where both gradients were taken.

    Attributes
    ----------
    where : str
        An index such as `W[3, 1]`, or a random direction.
    backpropagated, numerical : float
    error : float
        Their distance; at a kink that from the one-sided derivatives' interval.
    kink : bool
    allowed : float or None
        The largest error that passes here: what the numerical derivative may be off by, and `rtol` of it.
    """

    where: str
    backpropagated: float
    numerical: float
    error: float
    kink: bool = False
    allowed: float | None = None

    @property
    def passed(self) -> bool:
        """Whether the two agree; True where it is not known how far apart they may be."""
        return self.allowed is None or self.error <= self.allowed

    @property
    def relative(self) -> float:
        """The error over the larger of the two."""
        size = max(abs(self.backpropagated), abs(self.numerical))
        return self.error / size if size else 0.0


@dataclass
class ArrayReport:
    """What was found of one array.

    Attributes
    ----------
    name : str
    shape : tuple of int
    points : list of Point
        Elements and random directions that were compared.
    undecided : int
        How many more were left out: there rounding may change the numerical derivative by as much as the gradient.
    """

    name: str
    shape: tuple[int, ...]
    points: list[Point] = field(default_factory=list)
    undecided: int = 0

    @property
    def kinks(self) -> int:
        """How many points stood at a kink."""
        return sum(point.kink for point in self.points)

    @property
    def worst(self) -> Point | None:
        """The point with the largest error, of those that did not pass if there are any."""
        return max(self.points, key=lambda point: (not point.passed, point.error), default=None)

    @property
    def worst_relative(self) -> float:
        """The largest relative error."""
        return max((point.relative for point in self.points), default=0.0)


@dataclass
class GradientReport:
    """The outcome of `check_gradients`.

    Attributes
    ----------
    target : str
    seed : int
        Chose the sample of elements, the directions and dout; the same seed repeats the check.
    arrays : list of ArrayReport
    findings : list of Finding
        Every mistake by name; empty if all is well.
    rtol : float or None
        Relative distance that passes, beside the error of the numerical derivative.
    """

    target: str
    seed: int
    arrays: list[ArrayReport] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    rtol: float | None = None

    @property
    def passed(self) -> bool:
        """Whether nothing was found, and something was looked at."""
        return not self.findings and any(array.points for array in self.arrays)

    def raise_if_failed(self) -> None:
        """Raise GradientError with the whole report if the check did not pass."""
        if not self.passed:
            raise GradientError(str(self))

    def plot(self, ax: "Axes | None" = None) -> "Axes":
        """Draw every point's relative error; needs matplotlib (`pip install 'bpcore[plot]'`).

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw; by default new axes on a figure of their own.

        Returns
        -------
        matplotlib Axes
        """
        from backprop.plots import gradient_errors

        return gradient_errors(self, ax)

    def _rows(self) -> list[tuple[str, ...]]:
        rows: list[tuple[str, ...]] = []
        for array in self.arrays:
            worst = array.worst
            found = ("", "", "", "", "")
            if worst is not None:
                both = told_apart(worst.backpropagated, worst.numerical, 9)
                found = (f"{worst.error:.1e}", f"{worst.relative:.1e}", worst.where, *both)
            rows.append((array.name, str(array.shape), str(len(array.points)), str(array.kinks), *found))
        return rows

    def _notes(self) -> list[str]:
        """What was left out of arrays of which something was compared."""
        return [
            f"{array.name}: {array.undecided} of {array.undecided + len(array.points)} points left out: rounding of "
            "what forward returns hides so small a gradient."
            for array in self.arrays
            if array.undecided and array.points
        ]

    def __str__(self) -> str:
        rows = [HEADER, *self._rows()]
        widths = [max(len(row[n]) for row in rows) for n in range(len(HEADER))]
        lines = [f"gradients of {self.target}, seed {self.seed}: {'passed' if self.passed else 'FAILED'}"]
        lines += [
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
            for row in rows
        ]
        return "\n".join([*lines, *map(str, self.findings), *self._notes()])

    def _repr_html_(self) -> str:
        import html

        from backprop._util.html import table

        verdict = "passed" if self.passed else "<strong>failed</strong>"
        found = "".join(f"<li>{html.escape(str(one))}</li>" for one in (*self.findings, *self._notes()))
        return (
            f"<p>Gradients of {html.escape(self.target)}, seed {self.seed}: {verdict}</p>"
            + table(HEADER, self._rows())
            + (f"<ul>{found}</ul>" if found else "")
        )


HEADER = (
    "array",
    "shape",
    "points",
    "kinks",
    "largest error",
    "relative",
    "where",
    "backpropagated",
    "numerical",
)
