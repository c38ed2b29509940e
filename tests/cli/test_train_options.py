"""`backprop train` with the options of `fit`: the network is that of the same call in Python, and runs go on."""

import re
from pathlib import Path

import numpy as np
import pytest

import backprop as bp
from backprop.cli import main

# Early stopping where a loss has risen once, of a run that would be longer.
STOPPING = ["--early-stopping", "1", "--epochs", "60", "--lr", "1", "--hidden", "20"]


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def write_csv(rows=80, seed=0):
    """Two columns, and a class that the first decides; one class in four."""
    x = np.random.default_rng(seed).normal(size=(rows, 2)).round(3)
    kinds = np.where(x[:, 0] > 0.7, "rare", "usual")
    lines = [f"{a},{b},{kind}" for (a, b), kind in zip(x.tolist(), kinds, strict=True)]
    Path("t.csv").write_text("\n".join(["a,b,kind", *lines]) + "\n")


def digits():
    return bp.load_digits(normalize=False)[0]


def test_the_network_is_that_of_the_same_call_in_python():
    options = (
        "--hidden 8,6 --activation gelu,tanh --dropout 0,0.1,0.2 --optimizer adam --weight-decay 0.01 "
        "--schedule cosine --class-weight balanced --early-stopping 2 --validation-fraction 0.2 --epochs 3 --seed 5"
    )
    assert main(["train", *options.split()]) == 0
    net = bp.Network(
        [64, 8, 6, 10], activation=["gelu", "tanh"], dropout=[0, 0.1, 0.2], seed=5, input_scale=1 / 16
    )
    net.fit(
        *digits(), epochs=3, batch_size=32, optimizer=bp.Adam(weight_decay=0.01), schedule="cosine",
        class_weight="balanced", early_stopping=2, validation_fraction=0.2, seed=5,
    )  # fmt: skip
    saved = bp.Network.load("model.safetensors")
    assert saved.params.keys() == net.params.keys()
    assert all(np.array_equal(saved.params[key], net.params[key]) for key in net.params)


@pytest.mark.parametrize("name", ["adam", "adamw", "momentum", "rprop", "adadelta"])
def test_another_optimizer_has_its_own_rate(name):
    assert main(["train", "--optimizer", name, "--epochs", "1"]) == 0
    net = bp.Network([64, 50, 10], seed=0, input_scale=1 / 16)
    net.fit(*digits(), epochs=1, batch_size=32, optimizer=name, seed=0)
    saved = bp.Network.load("model.safetensors")
    assert all(np.array_equal(saved.params[key], net.params[key]) for key in net.params)


def test_early_stopping_takes_the_best_weights_and_no_test_data(capsys, monkeypatch):
    seen = []
    fit = bp.Network.fit
    monkeypatch.setattr(
        bp.Network, "fit", lambda net, *data, **given: seen.append(given) or fit(net, *data, **given)
    )
    assert main(["train", *STOPPING]) == 0
    assert (seen[0]["validation"], seen[0]["validation_fraction"]) == (None, 0.1)
    said = re.search(
        r"lowest loss (\S+) on 0.1 of the training data after step (\d+) of (\d+)\n", capsys.readouterr().out
    )
    net = bp.Network([64, 20, 10], seed=0, input_scale=1 / 16)
    history = net.fit(
        *digits(), epochs=60, batch_size=32, optimizer=bp.SGD(1.0), early_stopping=1, validation_fraction=0.1,
        seed=0,
    )  # fmt: skip
    best = int(np.argmin(history.validation_loss))
    assert said.groups() == (
        f"{history.validation_loss[best]:.4f}",
        str(history.evaluated_at[best]),
        str(len(history.loss)),
    )
    saved = bp.Network.load("model.safetensors")
    assert all(np.array_equal(saved.params[key], net.params[key]) for key in net.params)


def test_the_schedule_plateau_is_told_of_no_test_data(monkeypatch):
    seen = []
    fit = bp.Network.fit
    monkeypatch.setattr(
        bp.Network, "fit", lambda net, *data, **given: seen.append(given) or fit(net, *data, **given)
    )
    assert main(["train", "--schedule", "plateau", "--epochs", "1"]) == 0
    assert (seen[0]["validation"], seen[0]["validation_fraction"]) == (None, 0.1)
    assert main(["train", "--schedule", "cosine", "--epochs", "1"]) == 0
    assert seen[1]["validation_fraction"] is None


def test_lbfgs(capsys):
    pytest.importorskip("scipy")
    write_csv()
    assert main(["train", "t.csv", "--optimizer", "lbfgs", "--iterations", "5"]) == 0
    assert re.search(r", [1-5] steps\n", capsys.readouterr().out)
    # What `fit` itself refuses is a line, too.
    assert main(["train", "t.csv", "--optimizer", "lbfgs", "--dropout", "0.5"]) == 2
    err = capsys.readouterr().err
    assert err.startswith("backprop: error: fit: ")
    assert err.count("\n") == 1


def test_a_run_goes_on_from_its_checkpoint(capsys):
    write_csv()
    run = ["train", "t.csv", "--optimizer", "adam", "--class-weight", "balanced", "--dropout", "0.2"]
    assert main([*run, "--epochs", "6", "--out", "whole"]) == 0
    parts = [*run, "--checkpoint", "run", "--resume", "--out", "parts"]
    assert main([*parts, "--epochs", "2"]) == 0
    assert capsys.readouterr().out.endswith("saved to parts\nthe run is in run\n")
    assert Path("parts").read_bytes() != Path("whole").read_bytes()
    assert main([*parts, "--epochs", "6"]) == 0
    assert "goes on from run, after step 4 of 4\n" in capsys.readouterr().out
    assert Path("parts").read_bytes() == Path("whole").read_bytes()
    assert main([*parts, "--epochs", "6"]) == 0, "a run that has ended"
    assert Path("parts").read_bytes() == Path("whole").read_bytes()


def test_another_run_does_not_go_on(capsys):
    write_csv()
    run = ["train", "t.csv", "--checkpoint", "run", "--epochs", "2", "--early-stopping", "1"]
    assert main(run) == 0
    before = Path("run").read_bytes()
    others = {
        "": "--resume: the run of run has --early-stopping 1, wanted it as it was",
        "--validation-fraction 0.1": "--resume: the run of run has --early-stopping 1, wanted it as it was",
        "--early-stopping 2": "fit: early_stopping is 2, and the run of run has ",
        "--early-stopping 1 --lr 0.5": "fit: optimizer is SGD(lr=0.5), and the run of run has ",
        "--early-stopping 1 --hidden 3": "fit: the network is ",
        "--early-stopping 1 --test-fraction 0.3": "fit: x is not that of the run of run",
        "--early-stopping 1 --iterations 4": "fit: iterations is given, and the run of run goes by",
    }
    for options, message in others.items():
        length = [] if "--iterations" in options else ["--epochs", "2"]
        assert main(["train", "t.csv", "--checkpoint", "run", "--resume", *length, *options.split()]) == 2
        err = capsys.readouterr().err
        assert f"backprop: error: {message}" in err
        assert err.count("\n") == 1
    assert Path("run").read_bytes() == before
    assert main(run) == 2
    assert "--checkpoint run: is there, and would be replaced; wanted another path, or --resume" in (
        capsys.readouterr().err
    )


def test_a_damaged_checkpoint_offers_the_one_before(capsys):
    write_csv()
    run = ["train", "t.csv", "--checkpoint", "run", "--epochs", "2"]
    assert main(run) == 0
    content = bytearray(Path("run").read_bytes())
    content[-1] ^= 1
    Path("run").write_bytes(content)
    for command in ([*run, "--resume"], ["show", "run"]):
        capsys.readouterr()
        assert main(command) == 2
        out, err = capsys.readouterr()
        assert out == ""
        assert "run: not what was saved: the file is damaged" in err
        assert err.endswith("; the one before, run.previous, is whole\n")


def test_a_share_that_leaves_nothing(capsys):
    Path("t.csv").write_text("a,kind\n1,p\n2,q\n3,r\n4,s\n")
    assert main(["train", "t.csv", "--early-stopping", "3"]) == 2
    err = capsys.readouterr().err
    assert err.startswith("backprop: error: fit: validation_fraction is 0.1, and no class has two samples")
    assert err.count("\n") == 1
