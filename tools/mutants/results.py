"""What became of each mutant: kept in a file as it comes, and counted."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from tools.mutants.enumeration import Mutant
from tools.mutants.register import Register

CAUGHT, SURVIVED, STILLBORN, SAME_CODE = "caught", "survived", "stillborn", "same code"
COUNTED = (CAUGHT, SURVIVED)


@dataclass(frozen=True)
class Result:
    """One mutant's outcome, what noticed it, and the seconds to build and to test it."""

    name: str
    original: str
    mutated: str
    outcome: str
    by: str = ""
    build: float = 0.0
    tests: float = 0.0

    def of(self, mutant: Mutant) -> bool:
        """Whether it is about this mutant of the source as it is now."""
        return (self.original, self.mutated) == (mutant.original, mutant.mutated)


class Results:
    """The results by the names of the mutants, in a file if there is one."""

    def __init__(self, file: Path | None):
        self.file = file
        self.found: dict[str, Result] = {}
        if file is not None and file.exists():
            self.found = {row["name"]: Result(**row) for row in json.loads(file.read_text())}

    def get(self, mutant: Mutant) -> Result | None:
        """The result of a mutant, if its line is still what it was."""
        result = self.found.get(mutant.name)
        return result if result is not None and result.of(mutant) else None

    def put(self, result: Result) -> None:
        """Keep a result; the file is whole at any time."""
        self.found[result.name] = result
        if self.file is not None:
            part = self.file.with_name(self.file.name + ".part")
            part.write_text(json.dumps([asdict(row) for row in self.found.values()], indent=1) + "\n")
            part.replace(self.file)

    def forget_survivors(self) -> None:
        """So that they are tried again."""
        self.found = {name: row for name, row in self.found.items() if row.outcome != SURVIVED}


def report(done: list[tuple[Mutant, Result]], register: Register) -> str:
    """The share that was caught, by file, and who survived."""
    counted = [(mutant, result) for mutant, result in done if result.outcome in COUNTED]
    argued = [(mutant, result) for mutant, result in counted if register.argument(mutant) is not None]
    open_ones = [(mutant, result) for mutant, result in counted if register.argument(mutant) is None]
    caught = sum(result.outcome == CAUGHT for _, result in open_ones)
    lines = [f"{'file':34}caught  of"]
    for file in sorted({mutant.file for mutant, _ in open_ones}):
        rows = [result for mutant, result in open_ones if mutant.file == file]
        lines.append(f"{file:34}{sum(row.outcome == CAUGHT for row in rows):6}{len(rows):4}")
    share = f", {caught / len(open_ones):.1%}" if open_ones else ""
    lines += ["", f"caught {caught} of {len(open_ones)}{share}"]
    for name in (STILLBORN, SAME_CODE):
        lines.append(f"not counted, {name}: {sum(result.outcome == name for _, result in done)}")
    if counted:
        seconds = [
            sum(getattr(row, part) for _, row in counted) / len(counted) for part in ("build", "tests")
        ]
        lines.append(f"a mutant took {seconds[0]:.0f} s to build and {seconds[1]:.0f} s to test")
    lines += _listed("survived", [pair for pair in open_ones if pair[1].outcome == SURVIVED])
    held = [pair for pair in argued if pair[1].outcome == SURVIVED]
    lines += _listed("argued to be equivalent, and survived", held, register)
    lines += _listed(
        "argued to be equivalent, but caught: the argument is wrong",
        [pair for pair in argued if pair not in held],
    )
    return "\n".join(lines)


def _listed(title: str, pairs: list[tuple[Mutant, Result]], register: Register | None = None) -> list[str]:
    lines = ["", f"{title}: {len(pairs)}"] if pairs else []
    for mutant, result in pairs:
        lines += [f"  {mutant.file}:{mutant.line}", f"    - {mutant.original}", f"    + {mutant.mutated}"]
        if result.by:
            lines.append(f"    by {result.by}")
        if register is not None:
            lines.append(f"    {register.argument(mutant)}")
    return lines
