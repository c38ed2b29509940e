"""One measured figure, and how a list of them is shown."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Result:
    """A figure that a case measured.

    `required` is what the project promises (`"<= 15"`), empty where it promises nothing. Of a time, `value` is the best
    of several samples and `median` the one in the middle.
    """

    case: str
    what: str
    value: float
    unit: str
    required: str = ""
    median: float | None = None
    threads: int = 1

    @property
    def met(self) -> bool:
        """Whether the figure keeps the promise; True without one."""
        if not self.required:
            return True
        relation, bound = self.required.split()
        return self.value <= float(bound) if relation == "<=" else self.value >= float(bound)

    def row(self) -> dict[str, object]:
        """The figure for a JSON file."""
        return asdict(self)


def table(results: Iterable[Result]) -> str:
    """Lay the figures out in columns."""
    lines = [f"{'case':<12}{'threads':<8}{'what':<72}{'best':>10}{'median':>10} {'unit':<8}{'required':<10}"]
    for result in results:
        verdict = "" if not result.required else "met" if result.met else "NOT MET"
        median = "" if result.median is None else f"{result.median:.4g}"
        lines.append(
            f"{result.case:<12}{result.threads:<8}{result.what:<72}{result.value:>10.4g}{median:>10} "
            f"{result.unit:<8}{result.required:<10}{verdict}"
        )
    return "\n".join(lines)
