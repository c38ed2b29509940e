"""The C headers in somebody else's program: they leave its macros alone, and refuse flags that break their numbers."""

import os
import platform
import re
import shlex
import shutil
import string
import subprocess
from pathlib import Path

import numpy as np
import pytest

import bpcore
from bpcore import kernels

HEADERS = sorted(Path(bpcore.get_include()).rglob("*.h"))
CC = shlex.split(os.environ.get("CC", "cc"))
# Capital letters are what programs most often define as macros: sizes, counts, types.
LETTERS = "".join(f'#define {letter} "a letter of mine"\n' for letter in string.ascii_uppercase)
OPENMP = pytest.mark.skipif(not bpcore.cpu_info()["threads"], reason="the package is built without OpenMP")
INCLUDES = "".join(
    f'#include "{name}"\n' for name in ("_simd/simd.h", "_parallel/team.h", "_parallel/scratch.h")
)
# What is compiled for each level of this architecture.
X86 = platform.machine().lower() in ("x86_64", "amd64")
LEVELS = [[f"-march=x86-64-{level}"] for level in ("v2", "v3", "v4")] if X86 else [[]]
PROGRAM = "{defined}" + INCLUDES + "int main(void) {{ return {result}; }}\n"


def compiled(folder, text, *flags):
    """What the compiler says of a program over the headers."""
    (folder / "m.c").write_text(text)
    command = [*CC, *flags, f"-I{bpcore.get_include()}", "-fsyntax-only", "m.c"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def exp_of_1(dtype):
    """What the package gives, as C writes it."""
    one = np.ones(1, dtype)
    kernels.exp(one, one)
    return float(one[0]).hex()


@pytest.mark.parametrize("header", HEADERS, ids=[header.name for header in HEADERS])
def test_macros_have_a_prefix(header):
    names = re.findall(r"^\s*#\s*(?:define|undef)\s+(\w+)", header.read_text(encoding="utf-8"), re.MULTILINE)
    assert [name for name in names if not name.startswith(("BP_", "bp_", "BPCORE_"))] == []


@pytest.mark.parametrize(
    "openmp", [[], pytest.param(["-fopenmp"], marks=OPENMP)], ids=["one thread", "OpenMP"]
)
@pytest.mark.parametrize("level", LEVELS)
def test_a_program_keeps_its_macros(openmp, level, tmp_path):
    names = ["NAME", "SELECT", "LANES", "FMA", "KIND", "BP", *string.ascii_uppercase]
    defined = LETTERS + "".join(f"#define {name} 1\n" for name in names if len(name) > 1)
    kept = "".join(f"#if !defined({name})\n#error {name} is gone\n#endif\n" for name in names)
    done = compiled(
        tmp_path,
        PROGRAM.format(defined=defined, result="0") + kept,
        *openmp,
        *level,
        "-Wall",
        "-Wextra",
        "-Werror",
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("flag", ["-ffast-math", "-Ofast", "-ffinite-math-only"])
def test_flags_that_break_the_numbers_are_refused(flag, tmp_path):
    done = compiled(tmp_path, PROGRAM.format(defined="", result="bp_exp(1.0) != 0x1.5bf0a8b145769p1"), flag)
    assert done.returncode != 0
    assert "wrong numbers with -ffast-math" in done.stderr


@pytest.mark.compilers
@pytest.mark.skipif(shutil.which("clang") is None, reason="needs clang")
@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize(
    "flags", [["-funsafe-math-optimizations"], ["-fassociative-math", "-fno-signed-zeros"]], ids=" ".join
)
def test_flags_of_which_clang_does_not_tell_do_not_break_the_numbers(flags, level, tmp_path):
    # Of a volatile number, which no compiler computes beforehand.
    wrong = f"bp_exp(one) != {exp_of_1('float64')} || bp_expf((float)one) != {exp_of_1('float32')}"
    program = PROGRAM.format(defined="", result=wrong).replace(
        "{ return", "{ volatile double one = 1; return"
    )
    (tmp_path / "m.c").write_text(program)
    command = ["clang", "-O2", *flags, *level, f"-I{bpcore.get_include()}", "m.c", "-o", "m"]
    subprocess.run(command, cwd=tmp_path, check=True)
    supported = not level or level[0].removeprefix("-march=x86-64-") in bpcore.cpu_info()["usable"]
    if supported:
        assert subprocess.run([tmp_path / "m"], check=False).returncode == 0
