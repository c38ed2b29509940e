"""README's module, the how-to page's and one of one's own, in C and C++: no warning, right numbers, no GIL in a region.

README's and the how-to's are built by pip and cythonize in test_readme.py and test_cython_network.py.
"""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import bpcore
from tests.examples.builds import COMPILERS, PYTHON, build, functions_of, regions_of, run, translate

EXAMPLES = ["hidden", "controller", "own"]
USE = "from tests.examples.uses import {0}; {0}()"
pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="modules are linked as on Linux"),
    pytest.mark.skipif(bpcore.cpu_info()["build"] != "Release", reason="a .pxd is the same in every build"),
]
has_clang = pytest.mark.skipif(shutil.which("clang") is None, reason="needs clang")


@pytest.fixture(scope="module")
def translated(tmp_path_factory):
    """The C or C++ of an example, made once."""
    made = {}

    def get(example, language):
        if (example, language) not in made:
            made[example, language] = translate(example, language, tmp_path_factory.mktemp(example))
        return made[example, language]

    return get


@pytest.mark.parametrize("language", ["C", "C++"])
@pytest.mark.parametrize("example", EXAMPLES)
def test_no_function_of_ours_and_no_region_takes_the_gil(example, language, translated):
    generated = translated(example, language)
    functions, regions = functions_of(generated), regions_of(generated)
    assert len(functions) > 40
    assert len(regions) > 3
    assert [name for name, body in functions.items() if PYTHON.search(body) and "update_of" not in name] == []
    assert [region for region in regions if PYTHON.search(region)] == []


# The one that uses most by all of them; between them the others have each compiler and each language.
BUILT = [("own", *key) for key in COMPILERS] + [("hidden", "clang", "C"), ("controller", "gcc", "C++")]


@pytest.mark.compilers
@pytest.mark.parametrize(
    ("example", "compiler", "language"),
    [pytest.param(*one, marks=[has_clang] if one[1] == "clang" else [], id="-".join(one)) for one in BUILT],
)
def test_compilers(compiler, language, example, translated, tmp_path):
    generated = Path(shutil.copy(translated(example, language), tmp_path))
    build(COMPILERS[compiler, language], generated, "-fopenmp")
    run(USE.format(example), tmp_path)
    if example == "own":
        assert run(USE.format("held"), tmp_path) == "computed\n"


@pytest.mark.compilers
def test_under_the_address_sanitizer(translated, tmp_path):
    generated = Path(shutil.copy(translated("own", "C"), tmp_path))
    build("gcc", generated, "-fopenmp", "-O1", "-g1", "-fsanitize=address")
    library = subprocess.run(
        ["gcc", "-print-file-name=libasan.so"], capture_output=True, text=True, check=True
    )
    # The interpreter keeps memory until it ends.
    variables = {
        "ASAN_OPTIONS": "detect_leaks=0",
        "PYTHONMALLOC": "malloc",
        "LD_PRELOAD": library.stdout.strip(),
    }
    run(USE.format("own"), tmp_path, **variables)


def test_checks_that_a_project_asks_for_do_not_reach_the_kernels(tmp_path):
    checks = ["boundscheck", "wraparound", "initializedcheck", "overflowcheck", "nonecheck", "profile"]
    asked = ",".join([*(f"{check}=True" for check in checks), "cdivision=False"])
    generated = translate("hidden", "C", tmp_path, "-X", asked)
    assert [name for name, body in functions_of(generated).items() if PYTHON.search(body)] == []
