"""Every block of code in the README, run."""

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import backprop as bp
import bpcore
from tests.blocks import blocks_of
from tests.bounds import gamma

README = Path(__file__).parents[2] / "README.md"
BLOCKS = blocks_of(README)
PYTHON = [text for language, text in BLOCKS if language == "python"]
BIN = Path(sys.executable).parent


@pytest.mark.parametrize("text", PYTHON)
def test_python(text, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    exec(compile(text, "README.md", "exec"), {"__name__": "readme"})
    assert capsys.readouterr().out.strip()


def test_what_the_examples_print(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    package, apples, check, own, pictures = PYTHON
    names: dict[str, object] = {}
    exec(package, names)
    assert names["policy"].accuracy(names["x"], names["t"]) > 0.95
    capsys.readouterr()
    exec(apples, {})
    assert capsys.readouterr().out == (
        "<price = 715, grad 1> <apple = 100, grad 2.2> <apples = 2, grad 110> <tax = 1.1, grad 650>\n"
    )
    # The README's picture is the one that its code draws.
    assert (tmp_path / "apples.svg").read_bytes() == (README.parent / "docs" / "apples.svg").read_bytes()
    exec(check, {})
    assert all(float(line.split()[1]) < 1e-9 for line in capsys.readouterr().out.splitlines())
    exec(own, {"__name__": "readme"})
    (said,) = re.findall(r"^# (.*) …$", own, re.MULTILINE)
    assert said in capsys.readouterr().out
    exec(pictures, {})
    counts = [list(map(int, re.findall(r"\d+", line))) for line in capsys.readouterr().out.splitlines()]
    assert sum(counts[k][k] for k in range(10)) > 0.8 * sum(map(sum, counts))
    drawn = {path.name: path.read_bytes()[:4] for path in tmp_path.glob("*.png")}
    assert drawn == dict.fromkeys(["curve.png", "weights.png", "confusion.png", "flow.png"], b"\x89PNG")


def test_the_two_commands_are_these():
    commands = [text.strip() for language, text in BLOCKS if language == "sh"]
    assert commands[:2] == ["pip install . && backprop train", "pip install '.[test]' && pytest -n 2"]


def test_the_cython_example(tmp_path):
    (source,) = (text for language, text in BLOCKS if language == "cython")
    (command,) = (text for language, text in BLOCKS if language == "sh" and "cythonize" in text)
    (tmp_path / "hidden.pyx").write_text(source, encoding="utf-8")
    environment = {**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}
    subprocess.run(["sh", "-ec", command], cwd=tmp_path, env=environment, check=True, capture_output=True)
    code = """
import numpy as np, hidden
rng = np.random.default_rng(0)
for dtype in (np.float32, np.float64):
    x, W, b = (rng.normal(size=s).astype(dtype) for s in ((7, 5), (5, 3), 3))
    out, mask, dx = np.empty((7, 3), dtype), np.empty(21, np.uint8), np.empty((7, 5), dtype)
    hidden.forward(x, W, b, out, mask, 3)
    hidden.backward(out, W, dx)
    np.savez(np.dtype(dtype).name, x=x, W=W, b=b, out=out, mask=mask, dx=dx)
"""
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True)
    for dtype in ("float32", "float64"):
        with np.load(tmp_path / f"{dtype}.npz") as made:
            affine, relu = bp.Affine(made["W"], made["b"]), bp.Relu()
            out = relu.forward(affine.forward(made["x"]))
            dx = affine.backward(out)
            if bpcore.cpu_info()["chosen"] in ("v3", "v4", "neon"):
                # The same source with a fused multiply-add gives the same bits, whoever compiled it.
                assert np.array_equal(made["out"], out)
                assert np.array_equal(made["dx"], dx)
                assert np.array_equal(made["mask"].reshape(7, 3).astype(bool), relu.mask)
            else:
                bound = 2 * gamma(6, dtype) * (np.abs(made["x"]) @ np.abs(made["W"]) + np.abs(made["b"]))
                assert (np.abs(made["out"] - out) <= bound).all()
