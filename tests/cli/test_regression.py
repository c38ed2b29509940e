"""`backprop train --regression`: a target of numbers, in its own units."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

import backprop as bp
from backprop.cli import main
from backprop.training.metrics import r2, root_mean_squared_error

FAST = ["--hidden", "20", "--epochs", "40"]


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    x = rng.normal(size=(200, 3)).round(3)
    # Far from 0, and wide: a network that had to learn that would need long.
    t = (50_000 + 8_000 * (x[:, 0] - x[:, 1] * x[:, 2]) + rng.normal(size=200)).round(2)
    rows = [",".join(map(str, row)) for row in np.column_stack([x, t]).tolist()]
    Path("t.csv").write_text("\n".join(["a,b,c,price", *rows]) + "\n")


def read():
    table = np.loadtxt("t.csv", delimiter=",", skiprows=1)
    return table[:, :3], table[:, 3:]


def lines(capsys, *arguments):
    assert main([*arguments]) == 0
    return capsys.readouterr().out.splitlines()


def test_from_raw_numbers_to_numbers(capsys):
    said = lines(capsys, "train", "t.csv", "--regression", *FAST, "--out", "net", "--test-fraction", "0.25")
    x, t = read()
    assert said[0] == f"target: 'price', numbers from {t.min():g} to {t.max():g}"
    pattern = r"(train|test) R2 {1,2}(\S+), RMSE (\S+) on (\d+) samples"
    train, test = (re.fullmatch(pattern, line) for line in said[-3:-1])
    assert (train[1], train[4], test[1], test[4]) == ("train", "150", "test", "50")
    assert float(test[2]) > 0.9
    net = bp.Network.load("net")
    y = net.predict(x)
    assert np.array_equal(np.array(lines(capsys, "predict", "net", "t.csv"), net.dtype)[:, None], y)
    # The errors of both parts together are those of all rows.
    squares = sum(float(one[3]) ** 2 * int(one[4]) for one in (train, test)) / 200
    assert squares == pytest.approx(
        root_mean_squared_error(t, y) ** 2, rel=1e-4
    )  # which are printed with six digits
    found = dict(line.rsplit(maxsplit=1) for line in lines(capsys, "evaluate", "net", "t.csv")[1:])
    assert float(found["R2"]) == pytest.approx(r2(t, y), rel=1e-5)
    assert float(found["RMSE"]) == pytest.approx(root_mean_squared_error(t, y), rel=1e-5)
    assert json.loads(net.metadata["features"]) == ["a", "b", "c"]
    assert "classes" not in net.metadata
    assert any(line.startswith("targets: ") for line in lines(capsys, "show", "net"))


@pytest.mark.parametrize("loss", ["huber", "absolute_error", "log_cosh"])
def test_other_losses(loss, capsys):
    said = lines(capsys, "train", "t.csv", "--regression", "--loss", loss, *FAST)
    assert bp.Network.load("model.safetensors").loss_name == loss
    assert float(said[-2].split()[2].rstrip(",")) > 0.8


def test_stopping_settings_and_checkpoints(capsys):
    run = ["train", "t.csv", "--regression", "--early-stopping", "3", "--optimizer", "adam", "--lr", "0.05"]
    run += ["--epochs", "30"]
    said = lines(capsys, *run, "--save-settings", "s.toml", "--out", "first")
    assert any(line.startswith("lowest loss ") for line in said)
    assert lines(capsys, "train", "--settings", "s.toml", "--out", "first") == said
    content = Path("first").read_bytes()
    assert main([*run[:-1], "2", "--checkpoint", "run", "--out", "parts"]) == 0
    assert main([*run, "--checkpoint", "run", "--resume", "--out", "parts"]) == 0
    assert Path("parts").read_bytes() == content


def test_archives_and_several_numbers(capsys):
    x, t = read()
    np.savez("t.npz", x=x, t=np.hstack([t, -2 * t]))
    said = lines(capsys, "train", "t.npz", "--regression", *FAST)
    assert said[0].startswith("target: 't', 2 numbers a sample from ")
    assert bp.Network.load("model.safetensors").sizes[-1] == 2
    assert all(len(line.split(",")) == 2 for line in lines(capsys, "predict", "model.safetensors", "t.npz"))
    assert lines(capsys, "evaluate", "model.safetensors", "t.npz")[0] == "t.npz: 200 samples"


def test_a_target_that_is_constant(capsys):
    Path("t.csv").write_text("a,t\n" + "".join(f"{n},2.5\n" for n in range(20)))
    assert main(["train", "t.csv", "--regression", "--epochs", "2"]) == 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("t.csv", "t.csv, row 2, column 'price': the label is "),
        ("t.csv", "this looks like a regression target, and classes are read; wanted --regression"),
        ("t.csv --loss huber", "--loss huber is for numbers, with --regression"),
        (
            "t.csv --regression --class-weight balanced",
            "--class-weight balanced is for classes, and --regression is",
        ),
        ("digits --regression", "--regression is for files, digits has classes"),
        ("t.csv --regression --loss softmax", "argument --loss: invalid choice: 'softmax'"),
        ("kinds.csv --regression", "kinds.csv, row 2, column 't': the target is 'x', wanted a finite number"),
    ],
)
def test_what_is_no_regression(options, message, capsys):
    Path("kinds.csv").write_text("a,t\n1,x\n2,y\n")
    assert main(["train", *options.split()]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert message in err
    assert err.count("\n") == 1


@pytest.mark.parametrize(("values", "said"), [(60, True), (15, False)])
def test_many_whole_numbers_are_not_taken_for_classes_in_silence(values, said, capsys):
    Path("t.csv").write_text("a,t\n" + "".join(f"{n},{n % values}\n" for n in range(120)))
    found = lines(capsys, "train", "t.csv", "--epochs", "1")
    note = "these classes are whole numbers: if they are numbers to predict, --regression takes them for that"
    assert (note in found) is said


def test_a_training_that_diverges(capsys):
    assert main(["train", "t.csv", "--regression", "--lr", "1e30", "--epochs", "2"]) == 1
    assert "test R2  nan, RMSE nan on 40 samples" in capsys.readouterr().out
