"""One measured figure, and how a list of them is shown."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Result:
    """A figure that a case measured.

    `required` is what the project promises (`"<= 15"`), empty where it promises nothing.
    """

    case: str
    what: str
    value: float
    unit: str
    required: str = ""

    @property
    def met(self) -> bool:
        """Whether the figure keeps the promise; True without one."""
        if not self.required:
            return True
        relation, bound = self.required.split()
        return self.value <= float(bound) if relation == "<=" else self.value >= float(bound)

    def row(self) -> dict[str, object]:
        """The figure for a JSON file."""
        return asdict(self) | {"met": self.met}


def table(results: Iterable[Result]) -> str:
    """Lay the figures out in columns."""
    lines = [f"{'case':<20}{'what':<58}{'measured':>12} {'unit':<10}{'required':<12}"]
    for result in results:
        verdict = "" if not result.required else "met" if result.met else "NOT MET"
        lines.append(
            f"{result.case:<20}{result.what:<58}{result.value:>12.4g} {result.unit:<10}{result.required:<12}{verdict}"
        )
    return "\n".join(lines)
