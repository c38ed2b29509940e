"""All mutants of a part of the source, in a fixed order, and the sample that a seed draws of them."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tools.mutants import c, cython, python

FOLDER = "src/bpcore"
# What the sources of each part are called, by their folders.
PARTS = {
    "kernels": {FOLDER: ("**/*.pxd", "**/*.pxi", "**/*.h")},
    "python": {
        FOLDER: ("errors.py", "threads.py"),
        "python/backprop/_util": ("a*.py", "files.py", "json.py"),
        "python/backprop/data": ("[a-z]*.py",),
        "python/backprop/gradcheck": ("[a-z]*.py",),
        "python/backprop/io": ("[a-z]*.py", "_[dmvw]*.py"),
        "python/backprop/layers": ("[a-z]*.py",),
        "python/backprop/network": ("[a-z]*.py",),
        "python/backprop/optimizers": ("[a-z]*.py",),
        "python/backprop/training": ("[a-z]*.py",),
    },
}
LANGUAGES = {".h": c.faults, ".py": python.faults}


@dataclass(frozen=True)
class Mutant:
    """One fault: a part of a file's text and what is written in its place."""

    file: str
    line: int
    column: int
    start: int
    end: int
    replacement: str
    kind: str
    original: str
    mutated: str
    tuning: bool

    @property
    def name(self) -> str:
        """file:line:column:replacement."""
        return f"{self.file}:{self.line}:{self.column}:{self.replacement.strip() or self.kind}"

    def applied(self, source: str) -> str:
        """The file's text with the fault."""
        return source[: self.start] + self.replacement + source[self.end :]


def mutants_of(source: str, file: str) -> list[Mutant]:
    """The mutants of one file's text, by their place."""
    faults = LANGUAGES.get(Path(file).suffix, cython.faults)
    found = []
    for edit, tuning in faults(source):
        begin = source.rfind("\n", 0, edit.start) + 1
        stop = source.find("\n", edit.end)
        rest = source[edit.end : stop if stop >= 0 else None]
        found.append(
            Mutant(
                file,
                source.count("\n", 0, edit.start) + 1,
                edit.start - begin + 1,
                edit.start,
                edit.end,
                edit.replacement,
                edit.kind,
                _on_one_line(source[begin : edit.end] + rest),
                _on_one_line(source[begin : edit.start] + edit.replacement + rest),
                tuning,
            )
        )
    return sorted(found, key=lambda mutant: (mutant.start, mutant.end, mutant.replacement))


def _on_one_line(text: str) -> str:
    return " ".join(text.replace("\\\n", "\n").split())


def all_mutants(root: Path, part: str, tuning: bool = False) -> list[Mutant]:
    """Every mutant of a part; those that only tune if they are asked for."""
    folders = PARTS[part].items()
    paths = sorted({path for name, patterns in folders for p in patterns for path in (root / name).glob(p)})
    found = [
        mutant for path in paths for mutant in mutants_of(path.read_text(), path.relative_to(root).as_posix())
    ]
    return [mutant for mutant in found if tuning or not mutant.tuning]


class Sample:
    """So many mutants, some of every file; `draw` gives those that take the place of what cannot be counted."""

    def __init__(self, mutants: list[Mutant], count: int, seed: int):
        self.queues: dict[str, Iterator[Mutant]] = {}
        sizes: dict[str, int] = {}
        for file in sorted({mutant.file for mutant in mutants}):
            # A generator for each file: what happens in one moves nothing in another.
            queue = [mutant for mutant in mutants if mutant.file == file]
            random.Random(f"{seed} {file}").shuffle(queue)
            self.queues[file], sizes[file] = iter(queue), len(queue)
        self.quotas = quotas(sizes, count, seed)

    def draw(self, file: str, count: int) -> list[Mutant]:
        """The next of a file's mutants, fewer where it has no more."""
        return [mutant for mutant, _ in zip(self.queues[file], range(count), strict=False)]


def quotas(sizes: dict[str, int], count: int, seed: int) -> dict[str, int]:
    """How many of each file: one at least if there are enough, the rest in proportion to what the files have."""
    files = sorted(sizes)
    if count < len(files):
        return dict.fromkeys(sorted(random.Random(seed).sample(files, count)), 1)
    count = min(count, sum(sizes.values()))
    taken = dict.fromkeys(files, 1)
    for _ in range(count - len(files)):
        # The one that has the fewest for its size (Sainte-Laguë).
        left = [file for file in files if taken[file] < sizes[file]]
        taken[max(left, key=lambda file: sizes[file] / (2 * taken[file] + 1))] += 1
    return taken
