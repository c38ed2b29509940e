"""A copy of the tree whose modules are built for one level, again and again with another fault in the kernels.

a) Everything is built once and the build folder kept aside. For each mutant it is brought back as it was, times of
   files included, so that ninja rebuilds only what the changed file is part of, and nothing of the last mutant stays.
b) The compiler is told -O1 where a release has -O3: a mutant takes 17 s instead of 28, and its tests, which mostly end
   at an early failure, little longer. The bits are the same.
"""

import hashlib
import json
import shlex
import shutil
import sys
from pathlib import Path

import cython_cmake

from tools.mutants.enumeration import FOLDER, Mutant
from tools.mutants.environment import CommandError, copy_tree, interpreter, run
from tools.mutants.testing import SameCodeError, StillbornError, Suite, level, suite_of_kernels

SHOW = "import bpcore as b; print(b.cpu_info()['build'])"


class Build:
    """The tree and its build in a folder, and the interpreter that imports it."""

    def __init__(self, root: Path, folder: Path):
        self.tree, self.build, self.kept = folder / "tree", folder / "build", folder / "kept"
        self.level = level()
        copy_tree(root, self.tree)
        self._configure()
        self._run("ninja", "-j", "1", "-C", self.build)
        self.modules = self._modules()
        self.preprocessed = self._preprocessed()
        self.python = interpreter(folder / "environment", self.tree, self.build.glob("*.so"))
        if (kind := self._run(self.python, "-c", SHOW).strip()) != "Release":
            raise CommandError(f"{self.python} would test a {kind} build")
        shutil.copytree(self.build, self.kept / "build")
        shutil.copytree(self.tree / FOLDER, self.kept / FOLDER)

    def _configure(self) -> None:
        self._run(
            "cmake", "-G", "Ninja", "-S", self.tree, "-B", self.build,
            "-DCMAKE_BUILD_TYPE=Release",
            "-DCMAKE_EXPORT_COMPILE_COMMANDS=ON",
            f"-DCMAKE_MODULE_PATH={Path(cython_cmake.__file__).parent / 'cmake'}",
            f"-DPython_EXECUTABLE={sys.executable}",
            f"-DBPCORE_ONLY={self.level}",
        )  # fmt: skip
        for name in ("build.ninja", "compile_commands.json"):
            file = self.build / name
            file.write_text(file.read_text().replace("-O3", "-O1"))

    def _run(self, *command: str | Path) -> str:
        return run(self.tree, *command)

    def _modules(self) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in self.build.glob("_core_*.so")}

    def _preprocessed(self) -> list[str]:
        """A hash of what the compiler sees of each module."""
        found = []
        for unit in json.loads((self.build / "compile_commands.json").read_text()):
            if Path(unit["file"]).name.startswith("_core_"):
                command = shlex.split(unit["command"])
                # Up to where the names of its files and of the object come.
                text = self._run(*command[: command.index("-o")], "-E", "-P", unit["file"])
                found.append(hashlib.sha256(text.encode()).hexdigest())
        return found

    def suite(self, file: str) -> Suite:
        """What tests the kernels."""
        return suite_of_kernels(self.level)

    def restore(self) -> None:
        """Have the source without a fault."""
        shutil.rmtree(self.build)
        shutil.copytree(self.kept / "build", self.build)
        shutil.copytree(self.kept / FOLDER, self.tree / FOLDER, dirs_exist_ok=True)

    def plant(self, mutant: Mutant) -> None:
        """Build a mutant; raises StillbornError or SameCodeError."""
        self.restore()
        file = self.tree / mutant.file
        file.write_text(mutant.applied(file.read_text()))
        try:
            # Code that this level leaves out is soon seen.
            if file.suffix == ".h" and self._preprocessed() == self.preprocessed:
                raise SameCodeError
            self._run("ninja", "-j", "1", "-C", self.build)
        except CommandError as error:
            raise StillbornError from error
        if self._modules() == self.modules:
            raise SameCodeError
