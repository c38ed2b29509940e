"""`backprop predict`: columns are those of the training, and a network that knows nothing says nothing."""

from pathlib import Path

import numpy as np
import pytest

import backprop as bp
from backprop.cli import main


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def samples(rows=300, seed=0):
    """Four features and the class of each row, the sign of their alternating sum."""
    x = np.random.default_rng(seed).normal(size=(rows, 4)).round(3)
    return x, (x @ [1, -1, 1, -1] > 0).astype(int)


def write(name, *columns, header=None):
    rows = [",".join(map(str, row)) for row in zip(*columns, strict=True)]
    Path(name).write_text("\n".join(([] if header is None else [header]) + rows) + "\n")


def predicted(capsys, *arguments):
    assert main(["predict", "model.safetensors", *arguments]) == 0
    return np.array(capsys.readouterr().out.split(), int)


def error(capsys, *arguments):
    assert main(["predict", "model.safetensors", *arguments]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    return err


@pytest.mark.parametrize("place", [0, 2, 4])
def test_the_column_of_the_labels_is_remembered(place, capsys):
    x, t = samples()
    columns = [*x.T]
    columns.insert(place, t)
    write("t.csv", *columns)
    assert main(["train", "t.csv", "--target", str(place), "--epochs", "30"]) == 0
    assert bp.Network.load("model.safetensors").metadata["header"] == "false"
    capsys.readouterr()
    wanted = predicted(capsys, "t.csv", "--target", str(place))
    assert (wanted == t).mean() > 0.95
    assert np.array_equal(predicted(capsys, "t.csv"), wanted)
    write("alone.csv", *x.T)
    assert np.array_equal(predicted(capsys, "alone.csv"), wanted)
    write("indexed.csv", range(10, len(x) + 10), *x.T)
    message = "is none of the classes, so this may not be the column of the labels"
    assert message in error(capsys, "indexed.csv")


def test_a_table_with_names_says_nothing_of_one_without(capsys):
    x, t = samples()
    write("t.csv", t, *x.T, header="kind,a,b,c,d")
    assert main(["train", "t.csv", "--target", "kind", "--epochs", "30"]) == 0
    assert bp.Network.load("model.safetensors").metadata["header"] == "true"
    capsys.readouterr()
    wanted = predicted(capsys, "t.csv")
    write("new.csv", t, *x.T)
    assert "5 columns without names, wanted the 4 features; say with the target which" in error(
        capsys, "new.csv"
    )
    assert np.array_equal(predicted(capsys, "new.csv", "--target", "0"), wanted)


def test_no_sample_is_lost_and_no_column_moved(capsys):
    x = np.random.default_rng(0).integers(1, 5, size=(300, 4))
    t = (x[:, 0] > 2).astype(int)
    write("t.csv", t, *x.T)
    assert main(["train", "t.csv", "--target", "0", "--epochs", "30"]) == 0
    capsys.readouterr()
    x = np.vstack([[4, 3, 2, 1], x])
    write("new.csv", *x.T)
    assert np.array_equal(predicted(capsys, "new.csv"), x[:, 0] > 2)


def test_weights_that_are_not_finite(capsys):
    x, t = samples()
    write("t.csv", *x.T, t, header="a,b,c,d,kind")
    assert main(["train", "t.csv", "--lr", "1e30"]) == 1
    assert "test accuracy  nan on 60 samples" in capsys.readouterr().out
    for proba in ([], ["--proba"]):
        assert "W1 is not finite, as after a training that diverged; train it again" in error(
            capsys, "t.csv", *proba
        )
    assert main(["demo", "model.safetensors"]) == 2
    assert "is not finite" in capsys.readouterr().err


def test_scores_that_are_not_finite(capsys):
    bp.Network([2, 2], seed=0).save("model.safetensors")
    Path("t.csv").write_text("1,2\n3,1e39\n")
    for proba in ([], ["--proba"]):
        said = error(capsys, "t.csv", *proba)
        assert "t.csv: the network's outputs of sample 2 are " in said
        assert "wanted finite numbers; the sample's values reach 1e+39\n" in said


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("outputs", [1, 3])
def test_a_network_of_numbers(dtype, outputs, capsys):
    net = bp.Network([4, outputs], loss="squared_error", dtype=dtype, seed=0)
    net.params["W1"][3] = 10
    net.save("model.safetensors")
    x, _ = samples()
    write("t.csv", *x.T)
    assert main(["predict", "model.safetensors", "t.csv"]) == 0
    printed = [line.split(",") for line in capsys.readouterr().out.splitlines()]
    assert np.array_equal(np.array(printed, dtype), net.predict(x))
    assert (
        "--proba is for classes, model.safetensors: the network's outputs are numbers (loss='squared_error')"
        in (error(capsys, "t.csv", "--proba"))
    )
    large = f"{np.finfo(dtype).max:g}"
    Path("t.csv").write_text(f"1,2,3,4\n5,6,7,{large}\n")
    assert (
        f"t.csv: the network's outputs of sample 2 are {', '.join(['inf'] * outputs)}, wanted finite numbers"
        in (error(capsys, "t.csv"))
    )


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_probabilities_have_all_their_digits(dtype, capsys):
    net = bp.Network([4, 3], dtype=dtype, seed=0)
    net.save("model.safetensors")
    x, _ = samples()
    write("t.csv", *(10 * x.T))
    assert main(["predict", "model.safetensors", "t.csv", "--proba"]) == 0
    header, *printed = (line.split(",") for line in capsys.readouterr().out.splitlines())
    assert header == ["0", "1", "2"]
    assert np.array_equal(np.array(printed, dtype), net.predict_proba(10 * x))


@pytest.mark.parametrize("metadata", [{"target": "\ud800"}, {"target": 3}, {"header": "yes"}])
def test_metadata_of_another_kind(metadata, capsys):
    net = bp.Network([2, 2], seed=0)
    net.metadata = metadata
    net.save("model.safetensors")
    Path("t.csv").write_text("1,2\n3,4\n")
    key = next(iter(metadata))
    assert f"model.safetensors: the metadata's {key} is " in error(capsys, "t.csv")
