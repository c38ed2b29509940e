"""The count of circles of imports, on trees of a few files."""

import pytest

from tools import import_cycles
from tools.import_cycles import circles, conveniences, graph_of, imports, modules


@pytest.fixture
def tree(tmp_path):
    def made(**files):
        for name, text in files.items():
            path = tmp_path / "backprop" / name.replace("__", "/").removesuffix("/init")
            path = path / "__init__.py" if name.endswith("init") else path.with_suffix(".py")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return modules(tmp_path)

    return made


INSIDE = "def f():\n    from backprop import a"
FOR_TYPES = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from backprop.a import x"


@pytest.mark.parametrize("back", ["import backprop.a", "from backprop.a import x", INSIDE, FOR_TYPES])
def test_every_kind_of_import_counts(tree, back):
    known = tree(a="from backprop import b", b=back, c="import backprop.a, sys")
    graph = graph_of(known, set())
    assert circles(graph) == [["backprop.a", "backprop.b"]]
    assert circles(graph_of(known, {("backprop.b", "backprop.a")})) == []
    assert graph["backprop.c"] == {"backprop.a"}


def test_a_circle_of_many_and_two_circles(tree):
    known = tree(
        a="import backprop.b",
        b="import backprop.c",
        c="import backprop.a, backprop.d",
        d="import backprop.e",
        e="",
    )
    assert circles(graph_of(known, set())) == [["backprop.a", "backprop.b", "backprop.c"]]
    known = tree(d="import backprop.e", e="import backprop.d")
    assert sorted(map(len, circles(graph_of(known, set())))) == [2, 3]


def test_a_module_of_a_package_is_told_from_a_name_of_it(tree):
    known = tree(one__init="", one__two="", three="from backprop.one import two, name")
    assert set(imports("backprop.three", known["backprop.three"], known)) == {
        "backprop.one.two",
        "backprop.one",
    }


def test_relative_imports_are_refused(tree):
    known = tree(a="from . import b")
    with pytest.raises(ValueError, match="backprop.a has a relative import in line 1"):
        graph_of(known, set())


def test_the_package_has_no_circle_and_needs_its_conveniences(capsys):
    assert import_cycles.main() == 0
    assert capsys.readouterr().out == "0\n"
    assert all(one in modules() and other in modules() for one, other in conveniences())
    assert circles(graph_of(modules(), set())), "what the conveniences are for"
