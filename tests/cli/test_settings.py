"""The settings of a run: written, read, replayed."""

import tomllib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import backprop as bp
from backprop.cli import main
from backprop.cli.settings import toml

FAST = ["--epochs", "2"]


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    x = np.random.default_rng(0).normal(size=(60, 2)).round(3).tolist()
    rows = "".join(f"{a},{b},{'xy'[a > 0]}\n" for a, b in x)
    Path("t.csv").write_text(f"a,b,kind\n{rows}")


def read(name):
    return tomllib.loads(Path(name).read_text())


def error(capsys, *arguments):
    capsys.readouterr()
    assert main(["train", *arguments]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    return err.removeprefix("backprop: error: ")


TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
VALUES = st.one_of(TEXTS, st.booleans(), st.integers(-(2**63), 2**63 - 1), st.floats(allow_nan=False))


@given(st.one_of(VALUES, st.lists(VALUES)))
def test_what_is_written_is_read(value):
    found = tomllib.loads(f"key = {toml(value)}")["key"]
    assert (found, type(found)) == (value, type(value))


def test_all_settings_are_written_the_defaults_too():
    assert main(["train", "t.csv", *FAST, "--save-settings", "s.toml"]) == 0
    assert read("s.toml") == {
        "data": "t.csv", "hidden": 50, "activation": "relu", "dropout": 0.0, "dtype": "float32",
        "optimizer": "sgd", "lr": 0.1, "weight-decay": 0.0, "batch-size": 32, "epochs": 2, "seed": 0,
        "out": "model.safetensors", "test-fraction": 0.2, "regression": False,
    }  # fmt: skip
    assert Path("s.toml").read_text().startswith(f"# Settings of `backprop train`, version {bp.__version__};")
    assert main(
        ["train", "mnist", "--iterations", "2", "--optimizer", "adam", "--save-settings", "s.toml"]
    ) in (0, 2)


@pytest.mark.parametrize(
    "options",
    [
        FAST,
        ["--iterations", "9", "--target", "kind", "--dtype", "float64", "--lr", "0.3"],
        ["--hidden", "5,4", "--activation", "gelu,tanh", "--dropout", "0.1,0,0.5", "--optimizer", "adamw",
         "--schedule", "one_cycle", "--early-stopping", "2", "--class-weight", "balanced", "--seed", "7", *FAST],
    ],
)  # fmt: skip
def test_the_replay_has_the_same_bytes(options, capsys):
    assert main(["train", "t.csv", *options, "--out", "first", "--save-settings", "s.toml"]) == 0
    first = capsys.readouterr().out
    content = Path("first").read_bytes()
    Path("first").unlink()
    assert main(["train", "--settings", "s.toml", "--save-settings", "again.toml"]) == 0
    assert capsys.readouterr().out == first
    assert Path("first").read_bytes() == content
    assert Path("again.toml").read_text() == Path("s.toml").read_text()


def test_the_command_line_wins(capsys):
    assert main(["train", "t.csv", *FAST, "--lr", "0.3", "--save-settings", "s.toml"]) == 0
    assert (
        main(["train", "--settings", "s.toml", "--seed", "3", "--out", "b", "--save-settings", "b.toml"]) == 0
    )
    assert read("b.toml") == {**read("s.toml"), "seed": 3, "out": "b"}
    assert main(["train", "--settings", "s.toml", "--iterations", "5", "--save-settings", "b.toml"]) == 0
    assert (read("b.toml")["iterations"], read("b.toml").get("epochs")) == (5, None)
    # The rate was that of another optimizer.
    assert main(["train", "--settings", "s.toml", "--optimizer", "adam", "--save-settings", "b.toml"]) == 0
    assert read("b.toml")["lr"] == 0.001
    assert main(["train", "--settings", "s.toml", "--optimizer", "sgd", "--save-settings", "b.toml"]) == 0
    assert read("b.toml")["lr"] == 0.3
    assert (
        main(["train", "digits", "--settings", "s.toml", "--epochs", "1", "--save-settings", "b.toml"]) == 0
    )
    assert read("b.toml")["data"] == "digits"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("epoch = 3", "s.toml: 'epoch' is no setting of train; did you mean 'epochs'?"),
        ("batch_size = 3", "; did you mean 'batch-size'?"),
        ("settings = 's.toml'", "s.toml: 'settings' is no setting of train"),
        ("zzz = 3", "s.toml: 'zzz' is no setting of train; wanted some of data, target, "),
        ("epochs = 'many'", "s.toml: argument --epochs: invalid int value: 'many'"),
        ("epochs = 2.5", "s.toml: argument --epochs: invalid int value: '2.5'"),
        ("epochs = true", "s.toml: epochs is True, wanted a text, a number or a list of these"),
        ("epochs = 1979-05-27", "s.toml: epochs is datetime.date(1979, 5, 27), wanted a text"),
        ("[hidden]\na = 3", "s.toml: hidden is {'a': 3}, wanted a text, a number or a list"),
        ("hidden = [5, 0]", "s.toml: argument --hidden: invalid sizes value: '5,0'"),
        ("epochs = 1\niterations = 1", "s.toml: argument --iterations: not allowed with argument --epochs"),
        ("dtype = 'float16'", "s.toml: argument --dtype: invalid choice: 'float16'"),
        ("overwrite = 1", "s.toml: overwrite is 1, wanted true or false"),
        ("epochs 3", "s.toml: not TOML: "),
        ("a = " + "[" * 10_000, "s.toml: not TOML: "),
        ("lr = nan", "SGD: lr is nan, wanted a positive finite number"),
        ("data = 'gone.csv'", "gone.csv: there is no such file"),
        ("#" * (1 << 20) + "\n", "s.toml: more than 1048576 bytes, wanted settings of a run"),
    ],
)  # fmt: skip
def test_files_that_are_none(text, message, capsys):
    Path("s.toml").write_text(text)
    assert message in error(capsys, "--settings", "s.toml")
    assert not Path("model.safetensors").exists()


def test_bytes_that_are_no_text(capsys):
    Path("s.toml").write_bytes(b"data = '\xff'")
    assert "s.toml: not TOML: " in error(capsys, "--settings", "s.toml")
    assert "--save-settings: out is 'a\\udcff', which is no text that a file could have" in error(
        capsys, "--out", "a\udcff", "--save-settings", "new.toml"
    )
    assert not Path("new.toml").exists()


def test_flags_and_dashes_in_front():
    Path("s.toml").write_text(
        'data = "t.csv"\ntarget = "kind"\noverwrite = true\nresume = false\nepochs = 1\nout = "-a"\n'
    )
    assert main(["train", "--settings", "s.toml"]) == 0
    assert Path("-a").exists()
