"""`backprop train` and `backprop predict`, from raw files to predictions."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import backprop as bp
from backprop.cli import main

FAST = ["--epochs", "3"]


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def flowers(rows=200, seed=0):
    """Two classes that one column decides; the other is noise a million times as large."""
    rng = np.random.default_rng(seed)
    width = rng.normal(size=rows)
    noise = 1e6 * rng.normal(size=rows)
    return width, noise, np.where(width > 0, "rose", "tulip, wild")


def write_csv(path, width, noise, kind=None):
    with open(path, "w") as file:
        file.write("noise,width" + (",kind\n" if kind is not None else "\n"))
        for n in range(len(width)):
            label = f',"{kind[n]}"' if kind is not None else ""
            file.write(f"{noise[n]!r},{width[n]!r}{label}\n".replace("np.float64(", "").replace(")", ""))


def test_digits_by_default(capsys):
    assert main(["train"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert "train accuracy 0." in out or "train accuracy 1." in out
    accuracy = float(out.split("test accuracy")[1].split()[0])
    assert accuracy >= 0.95
    assert out.rstrip().endswith("saved to model.safetensors")
    net = bp.Network.load("model.safetensors")
    _, (x_test, t_test) = bp.load_digits(normalize=False)
    assert net.accuracy(x_test, t_test) == pytest.approx(accuracy, abs=5e-5)


def test_a_csv_file_from_raw_rows_to_names(capsys):
    write_csv("train.csv", *flowers())
    assert main(["train", "train.csv", "--hidden", "8,4", "--out", "net", "--epochs", "60"]) == 0
    assert float(capsys.readouterr().out.split("test accuracy")[1].split()[0]) >= 0.95
    width, noise, kind = flowers(seed=1)
    clear = np.abs(width) > 0.3
    write_csv("new.csv", width[clear], noise[clear])
    assert main(["predict", "net", "new.csv"]) == 0
    assert capsys.readouterr().out.splitlines() == kind[clear].tolist()
    assert main(["predict", "net", "new.csv", "--proba"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == 'rose,"tulip, wild"'
    assert np.allclose([sum(map(float, line.split(","))) for line in lines[1:]], 1, atol=1e-5)
    metadata = bp.Network.load("net").metadata
    assert json.loads(metadata["features"]) == ["noise", "width"]
    assert metadata["target"] == "kind"


def test_an_npz_file_and_a_target(capsys):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(60, 2, 2))
    np.savez("data.npz", x=x, side=(x[:, 0, 0] > 0).astype(int))
    assert main(["train", "data.npz", "--target", "side", *FAST, "--iterations", "5"]) == 2
    assert main(["train", "data.npz", "--target", "side", "--iterations", "300", "--batch-size", "10"]) == 0
    capsys.readouterr()
    assert main(["predict", "model.safetensors", "data.npz"]) == 0
    predicted = np.array(capsys.readouterr().out.split(), dtype=int)
    assert (predicted == (x[:, 0, 0] > 0)).mean() > 0.9


def test_a_column_that_differs_by_rounding_is_constant():
    """The mean of 800 times 14.62 is rounded, and 14.62 is not the sum of its two parts."""
    rng = np.random.default_rng(0)
    a = rng.normal(size=1000)
    lines = [
        f"{value:.4f},14.62,{7.31 + 7.31 if value > 1 else 14.62 + 2e-15!r},{int(value > 0)}" for value in a
    ]
    Path("t.csv").write_text("\n".join(["a,b,c,y", *lines]) + "\n")
    assert main(["train", "t.csv", *FAST]) == 0
    net = bp.Network.load("model.safetensors")
    assert net.input_scale.tolist()[1:] == [1, 1]
    assert net.input_mean[1] == 14.62
    assert (
        net.accuracy(
            [[-1, 14.62, 14.62], [1, 14.62, 14.62], [-1, 14.63, 14.63], [1, 14.63, 14.63]], [0, 1, 0, 1]
        )
        == 1
    )


def test_one_seed_one_file():
    arguments = ["train", "--seed", "4", *FAST]
    for name in ("a", "b"):
        assert main([*arguments, "--out", name]) == 0
    assert main(["train", "--seed", "5", *FAST, "--out", "c"]) == 0
    read = {name: Path(name).read_bytes() for name in "abc"}
    assert read["a"] == read["b"] != read["c"]


def test_the_options_reach_the_network(capsys):
    assert (
        main(["train", "--hidden", "7,6", "--dtype", "float64", "--threads", "1", "--lr", "0.2", *FAST]) == 0
    )
    expected = "Network([64, 7, 6, 10], activation='relu', loss='softmax', dtype=float64), 135 steps"
    assert expected in capsys.readouterr().out


def test_a_plot(capsys):
    assert main(["train", "--plot", "curve.png", *FAST]) == 0
    assert Path("curve.png").read_bytes().startswith(b"\x89PNG\r\n\x1a\n")
    assert capsys.readouterr().out.rstrip().endswith("learning curve in curve.png")


@pytest.mark.training
@pytest.mark.mnist
def test_mnist_with_the_notes_settings(capsys):
    assert main(["train", "mnist", "--iterations", "1200"]) == 0
    assert float(capsys.readouterr().out.split("test accuracy")[1].split()[0]) > 0.9


def run(*arguments, **options):
    return subprocess.run(
        [sys.executable, "-m", "backprop", *arguments], capture_output=True, text=True, **options
    )


def test_as_a_program():
    done = run("train", *FAST)
    assert done.returncode == 0
    assert done.stderr == "", "no progress bar where stderr is no terminal"
    write_csv("train.csv", *flowers())
    assert run("train", "train.csv", *FAST).returncode == 0
    shell = f"{sys.executable} -m backprop predict model.safetensors train.csv | head -n 1"
    done = subprocess.run(shell, shell=True, capture_output=True, text=True, env=os.environ)
    assert done.stdout.strip() in ("rose", "tulip, wild")
    assert done.stderr == ""
