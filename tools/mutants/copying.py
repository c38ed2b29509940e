"""A copy of the tree whose Python files have one fault after another, with the modules that are installed."""

from pathlib import Path

from bpcore import cpu
from tools.mutants.enumeration import Mutant
from tools.mutants.environment import copy_tree, interpreter
from tools.mutants.testing import StillbornError, Suite, suite_of_python


class Copy:
    """The tree in a folder, and the interpreter that imports it."""

    def __init__(self, root: Path, folder: Path):
        self.tree = folder / "tree"
        copy_tree(root, self.tree)
        modules = [Path(file).resolve() for file in Path(cpu.__file__).parent.glob("*.so")]
        self.python = interpreter(folder / "environment", self.tree, modules)
        self.kept: tuple[Path, str] | None = None  # the file that has a fault, and its text without

    def suite(self, file: str) -> Suite:
        """What tests a file."""
        return suite_of_python(self.tree, file)

    def restore(self) -> None:
        """Have the source without a fault."""
        if self.kept is not None:
            _write(*self.kept)
            self.kept = None

    def plant(self, mutant: Mutant) -> None:
        """Write a mutant; raises StillbornError."""
        self.restore()
        file = self.tree / mutant.file
        text = file.read_text()
        mutated = mutant.applied(text)
        try:
            compile(mutated, mutant.file, "exec")
        except SyntaxError as error:
            raise StillbornError from error
        self.kept = file, text
        _write(file, mutated)


def _write(file: Path, text: str) -> None:
    file.write_text(text)
    # What was compiled is told from its source by size and second: neither need have changed.
    for compiled in (file.parent / "__pycache__").glob(f"{file.stem}.*.pyc"):
        compiled.unlink()
