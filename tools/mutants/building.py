"""A copy of the tree whose modules are built for one level, again and again with another fault.

a) Everything is built once and the build folder kept aside. For each mutant it is brought back as it was, times of
   files included, so that ninja rebuilds only what the changed file is part of, and nothing of the last mutant stays.
b) The compiler is told -O1 where a release has -O3: a mutant takes 17 s instead of 28, and its tests, which mostly end
   at an early failure, little longer. The bits are the same.
c) Python finds the modules in a virtual environment of its own, which falls back on the packages of the one that runs
   this. A search path would not do: tests start processes with search paths of their own.
"""

import hashlib
import json
import shlex
import shutil
import sys
import sysconfig
import venv
from pathlib import Path

import cython_cmake

from tools.mutants.enumeration import FOLDER, Mutant
from tools.mutants.processes import finished

TREE = ("CMakeLists.txt", "bench", "cmake", "pyproject.toml", "python", "src", "tests")
LONGEST = 600.0  # seconds of a compiler, several times what it takes; a constant may make it unroll for ever
SHOW = "import bpcore as b; print(b.kernels.__file__, b.plan.__file__, b.cpu_info()['build'], sep='\\n')"


class BuildError(Exception):
    """A command failed."""


class StillbornError(Exception):
    """The mutant does not compile."""


class SameCodeError(Exception):
    """The mutant's machine code is that of the source."""


class Build:
    """The tree and its build in a folder, and the interpreter that imports it."""

    def __init__(self, root: Path, folder: Path, level: str):
        self.tree, self.build, self.kept = folder / "tree", folder / "build", folder / "kept"
        self.level = level
        ignored = shutil.ignore_patterns("__pycache__", "*.so", ".hypothesis")
        self.tree.mkdir(parents=True)
        for name in TREE:
            if (root / name).is_dir():
                shutil.copytree(root / name, self.tree / name, ignore=ignored)
            else:
                shutil.copy2(root / name, self.tree / name)
        self._configure()
        self._run("ninja", "-j", "1", "-C", self.build)
        self.modules = self._modules()
        self.preprocessed = self._preprocessed()
        self.python = self._environment(folder / "environment")
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
        done = finished([str(part) for part in command], self.tree, LONGEST)
        if done.status != 0:
            raise BuildError(f"{command[0]}: {done.status}\n{done.output[-3000:]}")
        return done.output

    def _modules(self) -> dict[str, bytes]:
        paths = [*self.build.glob("kernels_*.so"), *self.build.glob("plan_*.so")]
        return {path.name: path.read_bytes() for path in paths}

    def _preprocessed(self) -> list[str]:
        """A hash of what the compiler sees of each module."""
        found = []
        for unit in json.loads((self.build / "compile_commands.json").read_text()):
            if Path(unit["file"]).name.startswith(("kernels_", "plan_")):
                command = shlex.split(unit["command"])
                # Up to where the names of its files and of the object come.
                text = self._run(*command[: command.index("-o")], "-E", "-P", unit["file"])
                found.append(hashlib.sha256(text.encode()).hexdigest())
        return found

    def _environment(self, folder: Path) -> Path:
        venv.create(folder, symlinks=True)
        python = folder / "bin" / "python"
        show = "import sysconfig; print(sysconfig.get_path('purelib'))"
        packages = Path(self._run(python, "-c", show).strip())
        (packages / "backprop").symlink_to(self.tree / "python" / "backprop")
        (packages / "bpcore").mkdir()
        for file in [*(self.tree / FOLDER).iterdir(), *self.build.glob("*.so")]:
            (packages / "bpcore" / file.name).symlink_to(file)
        outer = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
        (packages / "outer.pth").write_text("\n".join(sorted(outer)) + "\n")
        *paths, build = self._run(python, "-c", SHOW).split()
        if not all(path.startswith(str(packages)) for path in paths) or build != "Release":
            raise BuildError(f"{python} would test {paths}, a {build} build")
        return python

    def plant(self, mutant: Mutant) -> None:
        """Build a mutant; raises StillbornError or SameCodeError."""
        shutil.rmtree(self.build)
        shutil.copytree(self.kept / "build", self.build)
        shutil.copytree(self.kept / FOLDER, self.tree / FOLDER, dirs_exist_ok=True)
        file = self.tree / mutant.file
        file.write_text(mutant.applied(file.read_text()))
        try:
            # Code that this level leaves out is soon seen.
            if file.suffix == ".h" and self._preprocessed() == self.preprocessed:
                raise SameCodeError
            self._run("ninja", "-j", "1", "-C", self.build)
        except BuildError as error:
            raise StillbornError from error
        if self._modules() == self.modules:
            raise SameCodeError
