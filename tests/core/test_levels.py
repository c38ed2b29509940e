"""Which build is chosen, and what is said when none can be."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import bpcore
from bpcore import _core

BUILT = [level for level in bpcore.LEVELS if level in bpcore.cpu_info()["built"]]


def run(code, **environment):
    return subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, **environment}, capture_output=True, text=True
    )


def test_cpu_info():
    info = bpcore.cpu_info()
    assert info["chosen"] in info["built"]
    assert info["chosen"] in info["usable"]
    assert info["build"] in ("Release", "Debug", "Sanitized")
    if "BACKPROP_ISA" not in os.environ:
        assert info["chosen"] == next(level for level in info["usable"] if level in info["built"])


@pytest.mark.parametrize("level", BUILT)
def test_the_environment_chooses(level):
    done = run("from bpcore import _core, level; print(_core.__name__, level())", BACKPROP_ISA=level)
    if level in bpcore.cpu_info()["usable"]:
        assert done.stdout.split() == [f"bpcore._core_{level}", level]
    else:
        assert f"BACKPROP_ISA is '{level}'; built here" in done.stderr


def test_releases_have_no_checks_of_networks():
    checked = b"the network has no workspace" in Path(_core.__file__).read_bytes()
    assert checked == (bpcore.cpu_info()["build"] != "Release")


def test_an_unknown_level_raises():
    done = run("import bpcore", BACKPROP_ISA="avx9000")
    assert done.returncode != 0
    assert "BACKPROP_ISA is 'avx9000', wanted one of v4, v3, v2, neon, generic" in done.stderr


def test_the_best_level_that_is_both_built_and_usable():
    assert bpcore._choose(("v4", "v3", "v2"), ("v3", "v2", "generic"), "") == "v3"
    with pytest.raises(ImportError, match="BACKPROP_ISA is 'v4'; built here: v4, v2; usable"):
        bpcore._choose(("v4", "v2"), ("v3", "v2", "generic"), "v4")
    with pytest.raises(ImportError, match="bpcore is built for v4, this processor runs v2, generic"):
        bpcore._choose(("v4",), ("v2", "generic"), "")


def test_the_include_folder_has_the_header():
    assert os.path.exists(os.path.join(bpcore.get_include(), "_simd", "simd.h"))
    assert os.path.exists(os.path.join(bpcore.get_include(), "affine.pxd"))


@pytest.mark.parametrize("threads", [1, 2])
def test_multiply_adds_are_counted(threads):
    one = bpcore.kernels.multiply_adds("float64", 1, threads)
    assert one > 0
    assert one % (2 * threads) == 0
    assert bpcore.kernels.multiply_adds("float64", 7, threads) == 7 * one
    # Twice as many numbers of half the size fill a vector.
    assert bpcore.kernels.multiply_adds("float32", 7, threads) == 14 * one
