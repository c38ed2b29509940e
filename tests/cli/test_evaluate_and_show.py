"""`backprop evaluate` and `backprop show`."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest

import backprop as bp
from backprop.cli import main
from backprop.io import _checkpoint


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def samples(rows=60, seed=0):
    x = np.random.default_rng(seed).normal(size=(rows, 2)).round(3)
    return x, np.where(x[:, 0] > 0, "rose", "tulip")


def write(name, *columns, header=None, delimiter=","):
    rows = [delimiter.join(map(str, row)) for row in zip(*columns, strict=True)]
    Path(name).write_text("\n".join(([] if header is None else [header]) + rows) + "\n")


def lines(capsys, *arguments):
    assert main([*arguments]) == 0
    return capsys.readouterr().out.splitlines()


def trained(capsys, *options):
    x, kinds = samples()
    write("t.csv", *x.T, kinds, header="a,b,kind")
    lines(capsys, "train", "t.csv", "--epochs", "3", "--out", "net", *options)
    return bp.Network.load("net")


def test_what_a_file_says_is_compared(capsys):
    net = trained(capsys)
    x, kinds = samples(50, seed=1)
    t = (kinds == "tulip").astype(int)
    # Columns in another order, and others beside them.
    write("new.csv", kinds, x[:, 1], range(5, 55), x[:, 0], header="kind,b,n,a")
    found = lines(capsys, "evaluate", "net", "new.csv")
    right = net.predict(x).argmax(axis=1) == t
    recalls = [right[t == k].mean() for k in range(2)]
    assert found == [
        "new.csv: 50 samples",
        f"loss (softmax)     {net.loss(x, t):.6g}",
        f"accuracy           {right.mean():.6g}",
        f"balanced accuracy  {np.mean(recalls):.6g}",
        "class  samples  recall",
        f"rose   {(t == 0).sum():>7}  {recalls[0]:.4f}",
        f"tulip  {(t == 1).sum():>7}  {recalls[1]:.4f}",
    ]


def test_a_file_need_not_have_all_classes(capsys):
    trained(capsys)
    x, _ = samples(10)
    write("new.csv", *x.T, ["tulip"] * 10, header="a,b,kind")
    assert lines(capsys, "evaluate", "net", "new.csv")[5] == "rose         0    none"


def test_labels_that_are_numbers(capsys):
    x, kinds = samples()
    t = np.where(kinds == "rose", 7, 30)
    write("t.csv", *x.T, t)
    lines(capsys, "train", "t.csv", "--epochs", "3", "--out", "net")
    wanted = lines(capsys, "evaluate", "net", "t.csv")[1:]
    write("same.csv", *x.T, [f"{label}.0" for label in t])
    assert lines(capsys, "evaluate", "net", "same.csv")[1:] == wanted
    write("first.csv", t, *x.T)
    assert lines(capsys, "evaluate", "net", "first.csv", "--target", "0")[1:] == wanted
    np.savez("t.npz", x=x, y=t)
    assert lines(capsys, "evaluate", "net", "t.npz", "--target", "y")[1:] == wanted
    write("t2.csv", *x.T)
    assert main(["evaluate", "net", "t2.csv"]) == 2
    assert "t2.csv: 2 columns, wanted the 2 features and the labels" in capsys.readouterr().err


def test_decimal_commas(capsys):
    trained(capsys)
    x, kinds = samples()
    wanted = lines(capsys, "evaluate", "net", "t.csv")[1:]
    write(
        "k.csv",
        *([str(v).replace(".", ",") for v in c] for c in x.T),
        kinds,
        header="a;b;kind",
        delimiter=";",
    )
    assert lines(capsys, "evaluate", "net", "k.csv")[1:] == wanted


def test_data_sets_are_evaluated_on_their_test_data(capsys):
    said = lines(capsys, "train", "--epochs", "2")
    found = lines(capsys, "evaluate", "model.safetensors", "digits")
    assert found[0] == "digits: 360 samples"
    assert f"test accuracy  {float(found[2].split()[1]):.4f} on 360 samples" in said
    assert len(found) == 5 + 10


@pytest.mark.parametrize("loss", ["squared_error", "huber"])
def test_a_network_of_numbers(loss, capsys):
    x, _ = samples()
    t = x @ [2, -1] + 3
    net = bp.Network([2, 8, 1], loss=loss, dtype="float64", seed=0)
    net.fit(x, t[:, None], epochs=30, batch_size=20, optimizer=bp.SGD(0.05), seed=0)
    net.metadata = {"features": json.dumps(["a", "b"]), "target": "t"}
    net.save("net")
    write("t.csv", *x.T, t.tolist(), header="a,b,t")
    error = net.predict(x)[:, 0] - t
    assert lines(capsys, "evaluate", "net", "t.csv") == [
        "t.csv: 60 samples",
        f"loss ({loss})  {net.loss(x, t[:, None]):.6g}",
        f"{'R2':<{len(loss) + 7}}  {1 - (error**2).sum() / ((t - t.mean()) ** 2).sum():.6g}",
        f"{'MAE':<{len(loss) + 7}}  {np.abs(error).mean():.6g}",
        f"{'RMSE':<{len(loss) + 7}}  {np.sqrt((error**2).mean()):.6g}",
    ]  # fmt: skip
    np.savez("t.npz", x=x, t=t)
    assert lines(capsys, "evaluate", "net", "t.npz", "--target", "t")[1].startswith(f"loss ({loss})")
    Path("t.csv").write_text("a,b,t\n1,2,three\n")
    assert main(["evaluate", "net", "t.csv"]) == 2
    assert (
        "t.csv, row 2, column 't': the target is 'three', wanted a finite number" in capsys.readouterr().err
    )


def test_outputs_that_are_no_predictions_have_a_loss(capsys):
    x, _ = samples()
    net = bp.Network([2, 1], loss="poisson", seed=0)
    net.metadata = {"features": json.dumps(["a", "b"]), "target": "t"}
    net.save("net")
    write("t.csv", *x.T, range(60), header="a,b,t")
    assert [line.split()[0] for line in lines(capsys, "evaluate", "net", "t.csv")] == ["t.csv:", "loss"]


def test_one_output_that_says_yes_or_no(capsys):
    x, kinds = samples()
    net = bp.Network([2, 1], loss="binary_cross_entropy", seed=0)
    net.metadata = {"features": '["a", "b"]', "classes": '["tulip", "rose"]', "target": "kind"}
    net.save("net")
    write("t.csv", *x.T, kinds, header="a,b,kind")
    t = (kinds == "rose").astype(float)[:, None]
    assert f"accuracy                     {net.accuracy(x, t):.6g}" in "\n".join(
        lines(capsys, "evaluate", "net", "t.csv")
    ).replace("loss (binary_cross_entropy)", "")


def test_classes_that_are_whole_numbers(capsys):
    """As `Network(classes=…)` takes them."""
    x, kinds = samples()
    net = bp.Network([2, 2], classes=[30, 7], seed=0)
    net.metadata |= {"features": ["a", "b"], "target": "kind"}
    net.save("net")
    write("t.csv", *x.T, np.where(kinds == "rose", 7, 30), header="a,b,kind")
    t = (kinds == "rose").astype(int)
    assert lines(capsys, "evaluate", "net", "t.csv")[2] == f"accuracy           {net.accuracy(x, t):.6g}"
    assert lines(capsys, "predict", "net", "t.csv") == [str(one) for one in net.predict_classes(x)]


def test_a_network_is_shown(capsys):
    net = trained(capsys)
    found = lines(capsys, "show", "net")
    size = Path("net").stat().st_size
    table = str(net.summary()).splitlines()
    assert found[: 1 + len(table)] == [f"net: backprop network 2, {size:,} bytes", *table]
    scaling = [f"{a.min():.6g} to {a.max():.6g}" for a in (net.input_mean, net.input_scale)]
    assert found[1 + len(table) :] == [
        "loss: softmax",
        f"inputs: 2, minus {scaling[0]}, times {scaling[1]}",
        "metadata:",
        "  data: t.csv",
        "  classes: 2: rose, tulip",
        "  features: 2: a, b",
        "  target: kind",
        "  header: true",
    ]


def test_metadata_of_any_kind_is_shown(capsys):
    net = bp.Network([2, 2], seed=0)
    net.metadata = {
        "a\n": "\x1b[2J",
        "deep": "[" * 10_000,
        "n": 3,
        "many": list(range(100)),
        "d": {"x": None},
    }
    net.params["W1"][0, 0] = np.inf
    net.save("net")
    found = lines(capsys, "show", "net")
    assert "not finite, as after a training that diverged: W1" in found
    assert found[-5] == "  a\\n: \\x1b[2J"
    assert found[-4].startswith("  deep: [[[")
    assert found[-3:] == ["  n: 3", "  many: 100: 0, 1, 2, 3, 4, 5, 6, 7, ...", "  d: {'x': None}"]
    assert all(len(line) < 200 for line in found)


def test_the_run_of_a_checkpoint_is_shown(capsys):
    trained(
        capsys, "--checkpoint", "run", "--optimizer", "adam", "--schedule", "cosine", "--early-stopping", "5"
    )
    found = lines(capsys, "show", "run")
    assert found[0].endswith(" bytes, a checkpoint")
    said = dict(line.strip().split(": ", 1) for line in found[found.index("  header: true") + 1 :])
    assert said["run"] == "step 6 of 6, by epochs, ended"
    assert said["optimizer"].startswith("adam (lr=0.001, ")
    assert said["schedule"].startswith("cosine (")
    assert said["early_stopping"].startswith("patience=5, ")
    assert said["last"].startswith("loss ")
    assert "validation accuracy" in said["last"]
    assert " after step " in said["best"]
    assert said["file"] == "whole; the one before, run.previous, too: step 4"
    Path("run.previous").write_text("damaged")
    assert lines(capsys, "show", "run")[-1].startswith("  file: whole; the one before: run.previous: not a ")
    Path("run.previous").unlink()
    assert lines(capsys, "show", "run")[-1] == "  file: whole, none before it"
    # The network of a checkpoint is one as any other.
    assert lines(capsys, "evaluate", "run", "t.csv")[0] == "t.csv: 60 samples"


def test_a_checkpoint_that_is_nested_too_deeply(capsys):
    net, deep = bp.Network([2, 2], seed=0), 1
    for _ in range(900):
        deep = {"a": deep}
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(10_000)  # which a writer may have
    try:
        _checkpoint.write("run", net, dict(net.params), {"arguments": deep}, {}, False)
    finally:
        sys.setrecursionlimit(limit)
    assert main(["show", "run"]) == 2
    assert capsys.readouterr().err == "backprop: error: run: the state is nested too deeply\n"
    assert main(["train", "--checkpoint", "run", "--resume"]) == 2
    assert capsys.readouterr().err == "backprop: error: run: the state is nested too deeply\n"
