"""The mutants that were argued to be equivalent: tests/mutants.toml."""

import tomllib
from pathlib import Path

from tools.mutants.enumeration import Mutant

FILE = "tests/mutants.toml"
KEYS = {"file", "original", "mutated", "why"}


class Register:
    """What was argued, matched by the text of the lines, so that it holds wherever they move to."""

    def __init__(self, text: str):
        self.entries: list[dict[str, str]] = tomllib.loads(text).get("equivalent", [])
        for entry in self.entries:
            if not {"file", "original", "why"} <= entry.keys() <= KEYS:
                raise ValueError(f"{FILE}: {entry} has other keys than file, original, mutated and why")

    @classmethod
    def of(cls, root: Path) -> "Register":
        """The one of a source tree."""
        return cls((root / FILE).read_text())

    def argument(self, mutant: Mutant) -> str | None:
        """Why a mutant cannot be told from the source; None if nobody has argued so."""
        return next((entry["why"] for entry in self.entries if _speaks_for(entry, mutant)), None)

    def unused(self, mutants: list[Mutant]) -> list[dict[str, str]]:
        """Entries that speak for no mutant: the source has moved on."""
        return [entry for entry in self.entries if not any(_speaks_for(entry, mutant) for mutant in mutants)]


def _speaks_for(entry: dict[str, str], mutant: Mutant) -> bool:
    same_line = entry["file"] == mutant.file and entry["original"] == mutant.original
    return same_line and entry.get("mutated", mutant.mutated) == mutant.mutated
