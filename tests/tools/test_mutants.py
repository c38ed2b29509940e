"""The faults that `python -m tools.mutants` plants: found where they should be, and nowhere else."""

import re
from pathlib import Path

import pytest

from tools.mutants.enumeration import PARTS, Sample, all_mutants, mutants_of, quotas
from tools.mutants.environment import copy_tree
from tools.mutants.operators import constants
from tools.mutants.register import Register
from tools.mutants.testing import suite_of_python

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def mutants():
    """All mutants by their part of the source."""
    return {part: all_mutants(ROOT, part, tuning=True) for part in PARTS}


def mutated(source, file="x.pxd"):
    """The mutated lines of the only line of a source that has faults."""
    return [mutant.mutated for mutant in mutants_of(source, file)]


def in_function(statement):
    return mutated(f"cdef void f(floating* x, int n) noexcept nogil:\n    {statement}\n")


def test_arithmetic():
    assert in_function("a = b - c // d") == ["pass", "a = b + c // d", "a = b - c * d"]
    assert mutated("int f(void) { return a << b & ~c; }", "x.h") == [
        "int f(void) { return a >> b & ~c; }",
        "int f(void) { return a << b | ~c; }",
        "int f(void) { return a << b & c; }",
    ]


def test_comparisons_and_logic():
    assert in_function("if i < n and not done:") == [
        "if i <= n and not done:",
        "if i >= n and not done:",
        "if i < n or not done:",
        "if i < n and done:",
    ]
    assert in_function("if x is not NULL:") == ["if x is NULL:"]
    assert in_function("return min(a, b)") == ["return max(a, b)"]
    assert mutated("#if !defined(A) && B >= 2\n#endif\n", "x.h") == [
        "#if defined(A) && B >= 2",
        "#if !defined(A) || B >= 2",
        "#if !defined(A) && B < 2",
        "#if !defined(A) && B > 2",
        "#if !defined(A) && B >= 3",
    ]


def test_loops_and_indices():
    assert in_function("for i in range(first, n):") == [
        "for i in range(first + 1, n):",
        "for i in range(first, n - 1):",
    ]
    assert in_function('for i in prange(n, num_threads=threads, schedule="static"):') == [
        'for i in prange(n - 1, num_threads=threads, schedule="static"):'
    ]
    assert mutated("void f(void) { for (; i < n; i++) x[i] = 0; }", "x.h") == [
        "void f(void) { for (; i <= n; i++) x[i] = 0; }",
        "void f(void) { for (; i >= n; i++) x[i] = 0; }",
        "void f(void) { for (; i < n - 1; i++) x[i] = 0; }",
        "void f(void) { for (; i < n; i--) x[i] = 0; }",
        "void f(void) { for (; i < n; i++) ; }",
        "void f(void) { for (; i < n; i++) x[i + 1] = 0; }",
        "void f(void) { for (; i < n; i++) x[i] = 1; }",
    ]


@pytest.mark.parametrize(
    ("number", "others"),
    [
        ("0", ["1"]),
        ("1u", ["2u"]),
        ("0.5", ["0.25"]),
        ("0.0f", ["1.0f"]),
        ("8.0", ["4.0"]),
        ("0x007fffffu", ["0x00800000u"]),
        ("0xff", ["0x100"]),
        ("0x1.715476p+0f", ["0x1.715476p+1f", "0x1.715477p+0f"]),
        ("0x1p-126f", ["0x1p-125f"]),
    ],
)
def test_constants(number, others):
    assert list(constants(number)) == others


def test_left_out_statements():
    assert [mutant.original for mutant in mutants_of(STATEMENTS, "x.pxd") if mutant.kind == "drop"] == [
        "total = total + x",
        "call( a, b, )",
        "raise ValueError(a)",
        "return",
    ]
    source = "void f(void) {\n    V s;\n    T *const t = a;\n    if (b) s += t;\n    else g(s);\n}\n"
    assert [mutant.mutated for mutant in mutants_of(source, "x.h") if mutant.kind == "drop"] == [
        "if (b) ;",
        "else ;",
    ]


STATEMENTS = """
cdef int f(int x) except -1:
    cdef int total, y
    total = total + x
    call(
        a,
        b,
    )
    if a:
        raise ValueError(a)
    elif b:
        return
    return total
"""


def in_python(statement, before="", argument="x"):
    """The mutated lines of a statement in a function of Python."""
    return mutated(f"{before}def f({argument}):\n    {statement}\n", "x.py")


def test_statements_of_python():
    assert in_python("y.total += x - 1") == [
        "pass",
        "y.total -= x - 1",
        "y.total += x + 1",
        "y.total += x - 2",
    ]
    assert in_python("if x in y and not z: return") == [
        "if x not in y and not z: return",
        "if x in y or not z: return",
        "if x in y and z: return",
    ]
    assert in_python("return a if x else b.c()") == ["return a if not x else b.c()"]
    assert in_python("return [a for a in x if a.b or a is None]") == [
        "return [a for a in x if not a.b or a is None]",
        "return [a for a in x if a.b and a is None]",
        "return [a for a in x if a.b or a is not None]",
    ]
    assert in_python("os.open(x, 0o600)") == ["pass", "os.open(x, 0o601)"]


def test_slices_of_python():
    assert in_python("return x[a : a + b]") == [
        "return x[a + 1 : a + b]",
        "return x[a : a - b]",
        "return x[a : a + b - 1]",
    ]
    assert in_python("return x[1:], x[-1], x[n]") == [
        "return x[2:], x[-1], x[n]",
        "return x[1:], x[1], x[n]",
        "return x[1:], x[-2], x[n]",
        "return x[1:], x[-1 + 1], x[n]",
        "return x[1:], x[-1], x[n + 1]",
    ]


def test_a_name_that_is_bound_once_is_not_left_out():
    assert in_python("y: int = x\n    return y") == []
    assert in_python("y, (z, *_) = x\n    return y") == []
    assert in_python("x = y\n    return x") == ["pass"]
    assert in_python("x.y = z = x\n    return z") == ["pass"]
    assert in_python("global y\n    y = x") == ["pass"]


def test_what_declares_and_what_is_said_of_errors_is_untouched():
    assert in_python('raise ValueError(f"{x - 1}", x - 1, "a" + "b")') == ["pass"]
    assert in_python("assert x == 1 and y[x + 1]") == []
    assert in_python("from a import b\n    import c", argument="x: int = 1 * n") == [
        "def f(x: int = 2 * n):",
        "def f(x: int = 1 + n):",
    ]
    assert in_python("pass", "@dataclass(frozen=True)\nclass A(B, n=1):\n    x: tuple[1, n] = 3\n\n") == [
        "pass",
        "x: tuple[1, n] = 4",
    ]
    assert in_python("pass", "if TYPE_CHECKING:\n    import a\nIndices = NDArray[np.int64]\n") == []


UNTOUCHED = '''
"""A docstring: 1 + 1 < 3, x[i] and range(n)."""

from a cimport b
cimport c as d

cdef extern from *:
    """
    #define ONE 1
    """
    int f(int a) except -1


cdef struct Shape:
    const floating* x    # 1 + 1
    int[4] y


@entry("x:BI -> out:B")
def affine(const floating[:, ::1] x not None, threads=None):
    """1 + 1"""
    cdef unsigned char[49] text    # and an array's size is a constant
    cdef floating* y = <floating*> x
    return f"{a - 1} of {b + 1}"
'''


def test_what_is_no_code_is_untouched():
    assert mutated(UNTOUCHED) == ["cdef unsigned char[50] text # and an array's size is a constant"]
    assert (
        mutated('/* 1 + 1 */\n#include "x1.h"\ntypedef T V __attribute__((vector_size(16)));\n', "x.h") == []
    )
    assert mutated('// 1 + 1\nstatic const char *f(const V *x) { return "1 + 1"; }\n', "x.h") == []


def test_pointers_and_casts_are_no_operators():
    assert in_function("return <floating*> x.at[0]") == ["return <floating*> x.at[1]"]
    assert mutated("V f(const T *x) { return *(const V *)(x + n); }", "x.h") == [
        "V f(const T *x) { return *(const V *)(x - n); }"
    ]


def test_sizes_only_tune_unless_they_are_part_of_the_bits_contract():
    enum = "cdef enum:\n    BLOCK = 240    # rows\n    TERMS = 1024    # part of the bits contract\n"
    assert [mutant.tuning for mutant in mutants_of(enum, "x.pxd")] == [True, False]
    assert [mutant.tuning for mutant in mutants_of("cdef enum Kind:\n    A = 0\n", "x.pxd")] == [False]
    defines = "#define BP_TILE_ROWS 9\n#define BP_EDGE_MR 8\n#define BP_SMALL_K 16\n#define BP_MAX_KC 512 /* terms */\n"
    defines += "#define BP_DOT_ROWS 3 /* part of the bits contract */\n"
    assert [mutant.tuning for mutant in mutants_of(defines, "x.h")] == [True, False, True, True, False]


def test_the_copied_tree_has_what_the_build_reads(tmp_path):
    copy_tree(ROOT, tmp_path / "tree")
    named = re.findall(
        r"(?:cmake|src|tools)/[\w/.-]+\.(?:cmake|py|pyx)", (ROOT / "CMakeLists.txt").read_text()
    )
    assert any(path.startswith("tools/") for path in named)
    assert [path for path in named if not (tmp_path / "tree" / path).is_file()] == []


def test_a_mutant_knows_its_place():
    source = "cdef int f(int a) noexcept:\n    # why\n    return a * 2\n"
    times, two = mutants_of(source, "x.pxd")
    assert (times.name, two.name) == ("x.pxd:3:14:+", "x.pxd:3:16:3")
    assert times.applied(source) == source.replace("*", "+")


@pytest.mark.parametrize(("part", "least"), [("kernels", 4000), ("python", 3000)])
def test_all_mutants_have_names_of_their_own(mutants, part, least):
    found = mutants[part]
    assert len({mutant.name for mutant in found}) == len(found) > least
    sources = {file: (ROOT / file).read_text() for file in {mutant.file for mutant in found}}
    for mutant in found:
        source = sources[mutant.file]
        # What is put in the place of several lines has as many, so that later mutants are where they were.
        assert mutant.applied(source).count("\n") == source.count("\n")
        assert mutant.applied(source) != source


@pytest.mark.parametrize(("part", "count"), [("kernels", 80), ("python", 120)])  # as .ci/deep draws them
def test_a_sample_has_some_of_every_file_and_is_the_same_again(mutants, part, count):
    found = [mutant for mutant in mutants[part] if not mutant.tuning]
    files = {mutant.file for mutant in found}
    first, again, other = (Sample(found, count, seed) for seed in (0, 0, 1))
    assert set(first.quotas) == files
    assert sum(first.quotas.values()) == count
    assert min(first.quotas.values()) == 1
    drawn = [first.draw(file, 2) for file in files]
    assert drawn == [again.draw(file, 2) for file in files]
    assert drawn != [other.draw(file, 2) for file in files]


def test_a_python_file_is_tested_by_its_own_tests_first(mutants):
    for file in {mutant.file for mutant in mutants["python"]}:
        paths = suite_of_python(ROOT, file).paths
        assert len(set(paths)) == len(paths) > 0
        assert all((ROOT / path).is_file() for path in paths)
    assert (
        suite_of_python(ROOT, "python/backprop/network/scaling.py").paths[0]
        == "tests/network/test_scaling.py"
    )
    assert suite_of_python(ROOT, "python/backprop/data/idx.py").paths[0] == "tests/data/test_idx.py"


def test_quotas():
    assert quotas({"a": 100, "b": 1, "c": 10}, 12, seed=0) == {"a": 10, "b": 1, "c": 1}
    assert quotas({"a": 2, "b": 1}, 100, seed=0) == {"a": 2, "b": 1}
    assert len(quotas(dict.fromkeys("abc", 5), 2, seed=0)) == 2


def test_every_argument_is_about_a_mutant_that_exists(mutants):
    assert Register.of(ROOT).unused([mutant for found in mutants.values() for mutant in found]) == []


def test_an_argument_holds_for_a_line_or_for_one_mutant_of_it():
    times, two = mutants_of("cdef int f(int a) noexcept:\n    return a * 2\n", "x.pxd")
    entry = '[[equivalent]]\nfile = "x.pxd"\noriginal = "return a * 2"\nwhy = "because"\n'
    assert [Register(entry).argument(mutant) for mutant in (times, two)] == ["because", "because"]
    one = Register(entry + 'mutated = "return a * 3"\n')
    assert [one.argument(mutant) for mutant in (times, two)] == [None, "because"]
    assert len(Register(entry.replace("a * 2", "a * 4")).unused([times, two])) == 1
    with pytest.raises(ValueError, match="other keys"):
        Register('[[equivalent]]\nfile = "x.pxd"\n')
