"""Modules over the .pxd files, translated and compiled with the flags that the documentation says."""

import os
import re
import subprocess
import sys
import sysconfig
from pathlib import Path

import bpcore
from tests.blocks import blocks_of

ROOT = Path(__file__).parents[2]
COMPILERS = {("gcc", "C"): "gcc", ("gcc", "C++"): "g++", ("clang", "C"): "clang", ("clang", "C++"): "clang++"}
WARNINGS = ["-Wall", "-Wextra", "-Werror"]
# What takes the GIL, makes or keeps an exception, reports one that nobody can see, or traces.
PYTHON = re.compile(
    r"GILState_Ensure|Ensure_GIL|ErrFetch|ErrRestore|WriteUnraisable|Raise|PyErr_|AddTraceback|__Pyx_Trace"
)


def source_of(example: str) -> str:
    """The .pyx of an example: "hidden" is README's, "controller" the how-to page's, the others of these tests."""
    if example == "hidden":
        ((_, text),) = blocks_of(ROOT / "README.md", "cython")
        return text
    folder = ROOT / "examples" / "cython_network" if example == "controller" else Path(__file__).parent
    return (folder / f"{example}.pyx").read_text(encoding="utf-8")


def documented_flags() -> list[str]:
    """The flags of README's command, without the include path."""
    ((_, command),) = [block for block in blocks_of(ROOT / "README.md", "sh") if "cythonize" in block[1]]
    return re.findall(r"(-[Of]\S+|-march=\S+)", command.partition("-I$(")[0])


def translate(example: str, language: str, folder: Path, *options: str) -> Path:
    """The C or C++ of an example; Cython has nothing to say about our files."""
    (folder / f"{example}.pyx").write_text(source_of(example), encoding="utf-8")
    generated = folder / f"{example}.{'c' if language == 'C' else 'cpp'}"
    cython = [sys.executable, "-m", "cython", "-3", *(["--cplus"] if language == "C++" else [])]
    # Cython looks into its own environment first, and another bpcore may be there.
    package = f"-I{Path(bpcore.get_include()).parent}"
    command = [*cython, package, *options, f"{example}.pyx", "-o", generated.name]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    assert "bpcore" not in said, said
    return generated


def build(compiler: str, generated: Path, *flags: str) -> None:
    """Compile it to a module beside its source, every warning an error."""
    module = generated.with_name(generated.stem + sysconfig.get_config_var("EXT_SUFFIX"))
    include = [f"-I{bpcore.get_include()}", f"-I{sysconfig.get_paths()['include']}"]
    command = [compiler, "-shared", "-fPIC", *documented_flags(), *WARNINGS, *include, *flags]
    done = subprocess.run(
        [*command, generated.name, "-o", module.name],
        cwd=generated.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stderr


def functions_of(generated: Path) -> dict[str, str]:
    """The functions that a generated file has of bpcore's .pxd files, by name."""
    text = generated.read_text(encoding="utf-8")
    pattern = re.compile(
        r"^static[^;{}()]*?(\w*__pyx_f_6bpcore_\w+)\([^;{}]*?\) \{\n(.*?)^\}$", re.MULTILINE | re.DOTALL
    )
    return dict(pattern.findall(text))


def regions_of(generated: Path) -> list[str]:
    """What stands in the OpenMP regions of a generated file."""
    text = re.sub(r"/\*.*?\*/", "", generated.read_text(encoding="utf-8"), flags=re.DOTALL)
    regions = []
    for found in re.finditer(r"#pragma omp parallel", text):
        start = text.index("{", found.end())
        depth, end = 1, start + 1
        while depth > 0:
            brace = re.compile(r"[{}]").search(text, end)
            depth, end = depth + (1 if brace[0] == "{" else -1), brace.end()
        regions.append(text[start:end])
    return regions


def run(code: str, folder: Path, **variables: str) -> str:
    """Run Python code beside the modules; a module that waits for the GIL for ever is an error."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(folder), str(ROOT)]), **variables}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, env=environment, capture_output=True, text=True, check=False,
        timeout=300,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return done.stdout
