"""What is compared when a module is compiled and when it is imported; and what needs no NumPy."""

import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

import bpcore
from bpcore import _api
from tests.core.test_headers import CC

PACKAGE = Path(bpcore.get_include())
PUBLIC = sorted(path.stem for path in PACKAGE.glob("*.pxd"))


def reached(name):
    """A .pxd file of bpcore and those that it cimports, and so on: the texts by their names."""
    found, wanted = {}, [name]
    while wanted:
        name = wanted.pop()
        path = PACKAGE.joinpath(*name.split(".")[1:])
        path = path / "__init__.pxd" if path.is_dir() else path.with_suffix(".pxd")
        if name not in found:
            found[name] = path.read_text(encoding="utf-8")
            wanted += re.findall(r"^(?:from|cimport) (bpcore[\w.]*)", found[name], re.MULTILINE)
    return found


@pytest.mark.parametrize("name", PUBLIC)
def test_every_public_file_that_needs_a_header_compares_the_versions(name):
    texts = reached("bpcore" if name == "__init__" else f"bpcore.{name}")
    if any(re.search(r'cdef extern from "_\w+/', text) for text in texts.values()):
        assert "bpcore._api" in texts


@pytest.fixture(scope="module")
def generated(tmp_path_factory):
    """The C of a module that cimports from bpcore."""
    folder = tmp_path_factory.mktemp("module")
    (folder / "m.pyx").write_text("from bpcore.updates cimport sgd\n\nprint(sgd(0.1).lr)\n")
    command = [sys.executable, "-m", "cython", "-3", f"-I{PACKAGE.parent}", "m.pyx"]
    subprocess.run(command, cwd=folder, check=True)
    return folder / "m.c"


def test_headers_of_another_version_do_not_compile(generated, tmp_path):
    def compiled(include):
        flags = ["-fsyntax-only", f"-I{include}", f"-I{sysconfig.get_paths()['include']}"]
        return subprocess.run([*CC, *flags, generated], capture_output=True, text=True, check=False)

    done = compiled(PACKAGE)
    assert done.returncode == 0, done.stderr
    shutil.copytree(PACKAGE, tmp_path / "bpcore", ignore=shutil.ignore_patterns("*.so"))
    header = tmp_path / "bpcore" / "_api" / "version.h"
    text = header.read_text(encoding="utf-8")
    header.write_text(re.sub(r"(BPCORE_DECLARATIONS) \w+", r"\1 0x0000001", text), encoding="utf-8")
    done = compiled(tmp_path / "bpcore")
    assert done.returncode != 0
    assert "bpcore's .pxd files and C headers are of two versions" in done.stderr


def test_a_module_of_another_version_is_told_to_be_built_again(monkeypatch):
    bpcore.require_api(_api.API_VERSION, "controller")
    compiled_against = _api.API_VERSION
    monkeypatch.setattr(_api, "API_VERSION", 0x0ABCDEF)
    with pytest.raises(ImportError) as raised:
        bpcore.require_api(compiled_against, "controller")
    assert str(raised.value) == (
        f"controller was compiled against version 0x{compiled_against:07X} of bpcore's API; bpcore "
        f"{bpcore.__version__}, which is installed, has version 0x0ABCDEF: build controller again, against this bpcore"
    )


def test_what_a_build_asks_for_needs_no_numpy():
    code = (
        "import sys, bpcore; bpcore.get_include(), bpcore.get_cmake_dir(), bpcore.level(); "
        "print('numpy' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_the_folder_of_the_cmake_package():
    assert sorted(path.name for path in Path(bpcore.get_cmake_dir()).iterdir()) == [
        "bpcore-config.cmake",
        "bpcore-levels.cmake",
    ]
