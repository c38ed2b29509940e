"""What `backprop train` and `predict` say: what was taken for what, and what went wrong."""

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import backprop as bp
from backprop.cli import main


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def run(*arguments, **environment):
    return subprocess.run(
        [sys.executable, "-m", "backprop", *arguments], capture_output=True, env={**os.environ, **environment}
    )


def write(name, header, rows, encoding="utf-8"):
    text = header + "\n" + "".join(",".join(map(str, row)) + "\n" for row in rows)
    Path(name).write_text(text, encoding=encoding)


def samples(rows=40, seed=0):
    rng = np.random.default_rng(seed)
    return [(round(float(a), 3), round(float(b), 3), int(a > 0)) for a, b in rng.normal(size=(rows, 2))]


def test_what_was_taken_for_what(capsys):
    write("t.csv", ",a,b,kind", [(n, *row) for n, row in enumerate(samples())])
    assert main(["train", "t.csv", "--epochs", "1"]) == 0
    assert capsys.readouterr().out.splitlines()[:3] == [
        "target: 'kind', 2 classes: 0, 1",
        "features: 2: a, b",
        "column 1, which has no name, left out",
    ]
    assert json.loads(bp.Network.load("model.safetensors").metadata["features"]) == ["a", "b"]
    assert main(["predict", "model.safetensors", "t.csv"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 40


def test_many_names_are_shortened(capsys):
    rows = [(*range(20), n % 2) for n in range(10)]
    write("t.csv", ",".join([*(f"c{n}" for n in range(20)), "k"]), rows)
    assert main(["train", "t.csv", "--epochs", "1"]) == 0
    names = ", ".join(f"c{n}" for n in range(11))
    assert f"features: 20: {names}, ..., c19\n" in capsys.readouterr().out


@pytest.mark.parametrize(("first", "said"), [(0, True), (1, True), (17, True), (None, False)])
def test_a_column_that_counts_the_rows(first, said, capsys):
    rows = [(n + first if first is not None else n % 30, *row) for n, row in enumerate(samples())]
    write("t.csv", "Id,a,b,kind", rows)
    assert main(["train", "t.csv", "--epochs", "1"]) == 0
    text = "column 'Id' counts the rows: if it is no feature, take it out of the file\n"
    assert (text in capsys.readouterr().out) is said


def test_the_split_is_the_same_rows_for_features_and_labels(capsys):
    # Wide enough for more than one block of columns; the label is the sum's sign.
    x = np.random.default_rng(1).normal(size=(300, 40))
    t = (x.sum(axis=1) > 0).astype(int)
    write(
        "t.csv",
        ",".join([*(f"c{n}" for n in range(40)), "k"]),
        [(*row, k) for row, k in zip(x, t, strict=True)],
    )
    assert main(["train", "t.csv", "--epochs", "30"]) == 0
    accuracy = float(capsys.readouterr().out.split("test accuracy")[1].split()[0])
    # Of 60 samples; by chance more than 45 are right once in 10,000 times.
    assert accuracy > 0.75


def test_a_training_that_diverges(capsys):
    write("t.csv", "a,b,kind", samples())
    assert main(["train", "t.csv", "--lr", "1e30", "--epochs", "3", "--out", "net"]) == 1
    out, err = capsys.readouterr()
    assert err.startswith("backprop: warning: the loss is ")
    assert " at step " in err
    assert "the weights are not finite; a lower --lr may help\n" in err
    assert err.count("\n") == 1
    assert "saved to net" in out
    assert Path("net").exists()


def test_it_is_said_before_it_is_saved(capsys, monkeypatch):
    write("t.csv", "a,b,kind", samples())
    said = []
    monkeypatch.setattr(bp.Network, "save", lambda *_: said.append(capsys.readouterr().err))
    assert main(["train", "t.csv", "--lr", "1e30", "--epochs", "3"]) == 1
    assert "warning: the loss is" in said[0]


def test_a_device_for_the_network_is_refused_before_training(tmp_path):
    device = tmp_path / "null"
    if os.geteuid() == 0:
        os.mknod(device, 0o666 | stat.S_IFCHR, os.makedev(1, 3))
    else:
        device.symlink_to("/dev/null")
    done = run("train", "--epochs", "1", "--out", str(device))
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr.decode() == (
        f"backprop: error: --out {device}: is a character device, wanted a regular file\n"
    )
    assert stat.S_ISCHR(os.stat(device).st_mode)


def test_a_plot_follows_a_link():
    Path("else").mkdir()
    Path("curve.png").symlink_to("else/curve.png")
    assert main(["train", "--epochs", "1", "--plot", "curve.png"]) == 0
    assert Path("curve.png").is_symlink()
    assert Path("else/curve.png").read_bytes().startswith(b"\x89PNG")


KOREAN = ["꽃", "잎"]


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_an_output_without_the_letters(encoding):
    write("t.csv", "a,b,종류", [(a, b, KOREAN[k]) for a, b, k in samples()])
    done = run("train", "t.csv", "--epochs", "1", PYTHONIOENCODING=encoding)
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"target: '\\uc885\\ub958', 2 classes: \\uaf43, \\uc78e" in done.stdout
    # Whatever reads predictions would take an escape for another name.
    for proba in ([], ["--proba"]):
        done = run("predict", "model.safetensors", "t.csv", *proba, PYTHONIOENCODING=encoding)
        assert (done.returncode, done.stdout) == (2, b"")
        assert done.stderr.startswith(b"backprop: error: the output's encoding ")
        assert b"has not all letters of the class" in done.stderr
        assert done.stderr.count(b"\n") == 1
    done = run("predict", "model.safetensors", "t.csv", PYTHONIOENCODING="utf-8")
    assert set(done.stdout.decode().split()) <= set(KOREAN)
    assert done.returncode == 0


@pytest.mark.parametrize("arguments", [["--help"], ["train", "--help"], ["check"], ["info"]])
def test_every_output_is_fit_for_ascii(arguments):
    done = run(*arguments, PYTHONIOENCODING="ascii")
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.isascii()
