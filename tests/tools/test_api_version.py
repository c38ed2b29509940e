"""The versions of the declarations: those that are installed, and what changes them, on a package of a few lines."""

from pathlib import Path

import pytest

import bpcore
from tools.api_version import files, versions

PXD = """# cython: boundscheck=False
\"\"\"What the file is of.\"\"\"

from package._private cimport Inner, helper

cdef enum:
    BLOCK = 240    # rows

cdef enum Kind:
    FIRST = 0

cdef struct Outer:
    # Made by `make`.
    Inner inner
    double option    # a number

cdef extern from "_private/inner.h" nogil:
    int bp_level(int x) noexcept

cdef inline double mean(const double* x, Py_ssize_t n) noexcept nogil:
    \"\"\"The mean.\"\"\"
    cdef Py_ssize_t i
    return x[0]
"""
PRIVATE = """
ctypedef const void* Address

cdef struct Inner:
    Address* at

cdef struct Unseen:
    int a

cdef inline int helper(int x) noexcept nogil:
    return x

cdef inline int exported(int x) noexcept nogil:
    return x
"""
INIT = """from package._private.inner cimport exported
from package.outer cimport Outer, mean
"""


@pytest.fixture
def package(tmp_path):
    """Makes a package, with some text of its files replaced, and returns its versions."""

    def made(old="", new=""):
        assert old in PXD + PRIVATE + INIT
        for name, text in (("outer", PXD), ("_private/inner", PRIVATE), ("__init__", INIT)):
            path = tmp_path / f"{name}.pxd"
            path.parent.mkdir(exist_ok=True)
            path.write_text(text.replace(old, new) if old else text)
        return versions(tmp_path)

    return made


@pytest.mark.parametrize("path", files(), ids=lambda path: path.name)
def test_the_installed_versions_are_those_of_the_declarations(path):
    installed = Path(bpcore.get_include()) / "_api" / path.name
    assert installed.read_text(encoding="utf-8") == files()[path], (
        "a declaration in a .pxd file has changed since bpcore was built: install it again"
    )


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("BLOCK = 240", "BLOCK = 241"),
        ("FIRST = 0", "FIRST = 0\n    SECOND = 1"),
        ("double option", "float option"),
        ("double option", "double other"),
        ("Inner inner\n    double option", "double option\n    Inner inner"),
        ("int bp_level(int x)", "int bp_level(long x)"),
        ("const double* x, Py_ssize_t n", "Py_ssize_t n, const double* x"),
        ("double mean", "float mean"),
        (') noexcept nogil:\n    """The mean', ') noexcept:\n    """The mean'),
        ("Address* at", "Address* of"),
        ("const void* Address", "void* Address"),
        ("int exported(int x)", "int exported(long x)"),
        ("cimport Outer, mean", "cimport Outer"),
    ],
    ids=str,
)
def test_what_changes_the_api(old, new, package):
    before, after = package(), package(old, new)
    assert after[0] != before[0]
    assert (after[1] == before[1]) == ("cimport" in old)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("# rows", "# rows that go through all layers"),
        ("# Made by `make`.\n    ", ""),
        ("The mean.", "The mean of n numbers."),
        ("return x[0]", "return x[0] / n"),
        ("const double* x, Py_ssize_t n", "\n    const double* x,    # IN\n    Py_ssize_t n,\n"),
        ("cimport Outer, mean", "cimport (\n    mean, Outer,\n)"),
        ("    FIRST = 0", "\n    FIRST = 0\n"),
    ],
    ids=str,
)
def test_what_changes_nothing(old, new, package):
    assert package(old, new) == package()


@pytest.mark.parametrize(("old", "new"), [("int helper(int", "int helper(long"), ("int a", "int b")], ids=str)
def test_a_private_declaration_changes_the_number_of_all_declarations_alone(old, new, package):
    before, after = package(), package(old, new)
    assert after[0] == before[0]
    assert after[1] != before[1]


def test_what_the_tool_does_not_know_is_an_error(package):
    with pytest.raises(ValueError, match=r"outer.pxd:6: 'class A :' is no declaration"):
        package("cdef enum:\n    BLOCK", "class A:\n    BLOCK")
