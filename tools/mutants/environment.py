"""A copy of the tree, and an interpreter that imports the packages from it.

Python finds the packages in a virtual environment of its own, which falls back on the packages of the one that runs
this. A search path would not do: tests start processes with search paths of their own.
"""

import shutil
import sys
import venv
from collections.abc import Iterable
from pathlib import Path

from tools.mutants.enumeration import FOLDER
from tools.mutants.processes import finished

TREE = ("CMakeLists.txt", "bench", "cmake", "pyproject.toml", "python", "src", "tests", "tools")
LONGEST = 600.0  # seconds of a compiler, several times what it takes; a constant may make it unroll for ever


class CommandError(Exception):
    """A command failed."""


def copy_tree(root: Path, tree: Path) -> None:
    """Copy what is built and what is run, without what was made of it."""
    ignored = shutil.ignore_patterns("__pycache__", "*.so", ".hypothesis")
    tree.mkdir(parents=True)
    for name in TREE:
        if (root / name).is_dir():
            shutil.copytree(root / name, tree / name, ignore=ignored)
        else:
            shutil.copy2(root / name, tree / name)


def run(folder: Path, *command: str | Path) -> str:
    """What a command writes, which has to succeed."""
    done = finished([str(part) for part in command], folder, LONGEST)
    if done.status != 0:
        raise CommandError(f"{command[0]}: {done.status}\n{done.output[-3000:]}")
    return done.output


def interpreter(folder: Path, tree: Path, modules: Iterable[Path]) -> Path:
    """Make an interpreter in `folder` for the Python files of a tree and these compiled modules."""
    venv.create(folder, symlinks=True)
    python = folder / "bin" / "python"
    show = "import sysconfig; print(sysconfig.get_path('purelib'))"
    packages = Path(run(tree, python, "-c", show).strip())
    (packages / "backprop").symlink_to(tree / "python" / "backprop")
    (packages / "bpcore").mkdir()
    for file in [*(tree / FOLDER).iterdir(), *modules]:
        (packages / "bpcore" / file.name).symlink_to(file)
    outer = [path for path in sys.path if path.endswith("-packages")]
    (packages / "outer.pth").write_text("\n".join(outer) + "\n")
    show = "import backprop as b; from bpcore import _core as c; print(b.__file__, c.__file__, sep='\\n')"
    paths = run(tree, python, "-c", show).split()
    if not all(path.startswith(str(packages)) for path in paths):
        raise CommandError(f"{python} would test {paths}")
    return python
