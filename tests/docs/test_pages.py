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
from backprop.graph import drawing
from tests.blocks import blocks_of, cells_of
from tests.graph.geometry import Picture

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


# What the pictures of these sections show in the notes, and so in the tutorial: words of some of the drawings.
PICTURES = {
    "0085": [
        {"x", "y", "+", "**2", "z"},
        {"← ∂z/∂z", "← ∂z/∂z·2t", "← ∂z/∂t·1"},
        {
            "100",
            "2",
            "150",
            "3",
            "1.1",
            "200",
            "450",
            "650",
            "715",
            "← 2.2",
            "← 110",
            "← 3.3",
            "← 165",
            "← 650",
            "← 1.1",
        },
    ],
    "0086": [{"← ∂L/∂z·1", "← ∂L/∂z"}, {"10", "5", "15", "← 1.3"}],
    "0087": [{"← ∂L/∂z·y", "← ∂L/∂z·x"}, {"10", "5", "50", "← 6.5", "← 13"}],
    "0088": [{"relu", "2", "← 1.3"}, {"relu", "−2", "0", "← 0"}, {"← ∂L/∂y·(x>0)"}],
    "0089": [
        {"×", "exp", "+", "1÷", "x", "−1", "1", "y"},
        {"← ∂L/∂y·(−y²)", "← ∂L/∂c·1", "← ∂L/∂b·b", "← ∂L/∂a·(−1)"},
        {"sigmoid", "← ∂L/∂y·y(1−y)"},
    ],
    "0090": [{"(5, 2)", "(2, 3)", "(5, 3)", "dot", "+"}, {"← ∂L/∂P·Wᵀ", "← Xᵀ·∂L/∂P", "← Σ ∂L/∂Y·1"}],
    "0091": [
        {
            "a1",
            "a2",
            "a3",
            "t1",
            "t2",
            "t3",
            "exp",
            "÷",
            "log",
            "×",
            "L",
            "← 0.018211",
            "← −0.75481",
            "← 0.7366",
        },
        {"Softmax", "CrossEntropyError", "[0.3 0.2 0.5]", "[0 1 0]", "← [0.3 −0.8 0.5]", "1.6094"},
    ],
}

# What pages print, where their text speaks of it.
PRINTED = {
    "0084": ["3020 forward passes"],
    "0087": ["715", "2.2 110 3.3 165 650"],
    "0091": ["gradient -0.7548, y − t = -0.7548", "1.6094 [[ 0.3 -0.8  0.5]]", "1000.0 [[ 1. -1.]]"],
    "0095": ["factor of the batch size"],
}


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_a_script_of_the_tutorial(script, folder, capsys, monkeypatch):
    drawn = []

    class Kept(drawing.Drawing):
        def __init__(self, *arguments):
            super().__init__(*arguments)
            drawn.append(self)

    monkeypatch.setattr(drawing, "Drawing", Kept)
    code = compile(script.read_text(encoding="utf-8"), script, "exec")
    exec(code, {"__name__": "tutorial"})
    said = capsys.readouterr().out
    assert said
    for text in PRINTED.get(script.name[1:5], []):
        assert text in said
    pictures = [Picture(one.svg) for one in drawn]
    for picture in pictures:
        assert list(picture.faults()) == []
    words = [{text.words for text in picture.texts} for picture in pictures]
    for wanted in PICTURES.get(script.name[1:5], []):
        assert any(wanted <= shown for shown in words), wanted


def test_the_cells_of_the_notebook(folder, capsys):
    names = {}
    for cell in cells_of(DOCS / "quickstart.ipynb"):
        exec(compile(cell, "quickstart.ipynb", "exec"), names)
    (said,) = re.findall(r"([\d.]+)% of the test images are right", capsys.readouterr().out)
    assert float(said) > 94
    assert np.array_equal(names["loaded"].predict(names["x_test"]), names["net"].predict(names["x_test"]))


def run(page):
    """Run all blocks of a page, those in Python with the same names."""
    names = {"__name__": "page"}
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    for language, block in blocks_of(page, "python", "sh"):
        if language == "python":
            exec(compile(block, page.name, "exec"), names)
        else:
            subprocess.run(["sh", "-ec", block], env=environment, check=True, capture_output=True)


@pytest.mark.parametrize(
    "page", [page for page in PAGES if page.name not in BUILT], ids=lambda page: page.stem
)
def test_the_blocks_of_a_page(page, folder, capsys):
    if page.stem in NEEDS:
        pytest.importorskip(NEEDS[page.stem])
    run(page)
    said = capsys.readouterr().out.split()
    # Where a page says that two things are the same, True is printed, and so often:
    assert said.count("True") == TRUE.get(page.stem, 0)
    assert "False" not in said


NEEDS = {"train-on-sparse-features": "scipy.sparse"}
TRUE = {
    "bits-contract": 2,
    "resume-a-run": 2,
    "pick-threads": 2,
    "predict-numbers": 5,
    "regularise": 6,
    "stop-and-schedule": 5,
    "train-on-more-than-memory": 4,
    "train-on-your-csv": 2,
    "watch-a-run": 4,
    "weigh-samples": 3,
    "train-on-sparse-features": 2,
}


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
