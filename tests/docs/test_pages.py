"""What the documentation tells to run, run: the tutorial's scripts, the pages' blocks, the docstrings' examples."""

import doctest
import importlib
import os
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import backprop
import bpcore

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
SCRIPTS = sorted((DOCS / "tutorial").glob("s*.py"))
PAGES = sorted(page for folder in ("how-to", "explanation") for page in (DOCS / folder).glob("*.md"))
# Whose code needs what it builds, and is run by tests/examples.
BUILT = {"use-from-cython.md"}
SECTIONS = [f"00{number}" for number in range(84, 96)]


def test_the_tutorial_has_a_page_for_every_section_of_the_notes():
    assert [script.name[1:5] for script in SCRIPTS] == SECTIONS
    for script in SCRIPTS:
        assert f"\n{script.name[1:5]} · " in script.read_text(encoding="utf-8")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty folder to run in, with the examples beside; global seeds and threads are put back."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    state = np.random.get_state()
    yield tmp_path
    np.random.set_state(state)
    bpcore.set_num_threads(None)


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_a_script_of_the_tutorial(script, folder, capsys):
    code = compile(script.read_text(encoding="utf-8"), script, "exec")
    exec(code, {"__name__": "tutorial"})
    assert capsys.readouterr().out


def run(page):
    """Run all blocks of a page, those in Python with the same names."""
    names = {"__name__": "page"}
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    text = page.read_text(encoding="utf-8")
    for language, block in re.findall(r"^```(python|sh)\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
        if language == "python":
            exec(compile(block, page.name, "exec"), names)
        else:
            subprocess.run(["sh", "-ec", block], env=environment, check=True, capture_output=True)


@pytest.mark.parametrize(
    "page", [page for page in PAGES if page.name not in BUILT], ids=lambda page: page.stem
)
def test_the_blocks_of_a_page(page, folder, capsys):
    run(page)
    said = capsys.readouterr().out.split()
    # Where a page says that two things are the same, True is printed, and so often:
    assert said.count("True") == TRUE.get(page.stem, 0)
    assert "False" not in said


TRUE = {"bits-contract": 2, "resume-a-run": 1, "pick-threads": 2}


def modules():
    for package in (backprop, bpcore):
        yield package.__name__
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not found.name.endswith("__main__"):
                yield found.name


@pytest.mark.parametrize("name", [name for name in modules() if not re.search(r"_(v\d|neon)$", name)])
def test_the_examples_of_docstrings(name, folder):
    module = importlib.import_module(name)
    finder = doctest.DocTestFinder(exclude_empty=True)
    for example in finder.find(module, name, extraglobs={"bp": backprop, "np": np}):
        failed, _ = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE).run(example)
        assert failed == 0, example.name


WITH_EXAMPLES = [
    *("Network", "TwoLayerNet", "Affine", "Relu", "SoftmaxWithLoss", "SGD", "Adam", "History"),
    *("check_gradients", "numerical_gradient", "load_digits", "Multiply"),
]


@pytest.mark.parametrize("name", WITH_EXAMPLES)
def test_the_main_names_have_an_example(name):
    assert ">>> " in getattr(backprop, name).__doc__
