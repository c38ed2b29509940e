"""What the user gave and is wrong: one line on stderr, exit status 2."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import backprop as bp
from backprop.cli import main

CSV = "a,b,kind\n1,2,x\n3,4,y\n5,6,x\n7,8,y\n9,1,x\n"


@pytest.fixture(autouse=True)
def files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    Path("labels.csv").write_text("label,a,b\n0,1,2\n1,3,4\n")
    Path("read-only").write_text("")
    Path("read-only").chmod(0o444)
    os.mkfifo("fifo")
    Path("good.csv").write_text(CSV)
    Path("other.csv").write_text(CSV.replace("a,b", "a,c"))
    Path("strange.csv").write_text(CSV.replace("3,4,y", "3,4,z"))
    Path("bad.csv").write_text("a,b,kind\n1,zwei,x\n3,4,y\n")
    Path("text.txt").write_text("hello")
    np.savez("none.npz", y=np.arange(3))
    net = bp.Network([2, 2], seed=0)
    net.metadata = {"features": '["a", "b"]', "classes": '["x", "y"]'}
    net.save("net")
    for name, names in {"cls": {"classes": '{"x": 1, "y": 2}'}, "half": {"features": '["a", "\\ud800"]'},
                        "deep": {"classes": "[" * 100_000}}.items():  # fmt: skip
        net.metadata = names
        net.save(name)
    Path("cut").write_bytes(Path("net").read_bytes()[:50])
    bp.Network([3, 2], seed=0).save("three")
    (tmp_path / "folder").mkdir()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("train digitz", "'digitz' is none of digits, mnist, fashion-mnist and no .csv or .npz file; did you"),
        ("train gone.csv", "gone.csv"),
        ("train bad.csv", "bad.csv, row 2, column 'b': 'zwei' is not a finite number"),
        ("train none.npz", "there is no 'x' among y"),
        ("train good.csv --target kid", "there is no 'kid' among a, b, kind; did you mean 'kind'?"),
        ("train good.csv --test-fraction 0.01", "leaves 0 to test with and 5 to train with"),
        ("train good.csv --test-fraction 1.5", "--test-fraction is 1.5, wanted a number between 0 and 1"),
        ("train digits --target kind", "--target is for files, digits has its labels"),
        ("train --epochs 1 --iterations 1", "argument --iterations: not allowed with argument --epochs"),
        ("train --epochs 0", "--epochs is 0, wanted 1 to 1000000000"),
        ("train --batch-size -1", "--batch-size is -1, wanted 1 to 1000000000"),
        ("train --threads 0", "--threads is 0, wanted 1 to 1024"),
        ("train --seed -1", "--seed is -1, wanted 0 to 4294967295"),
        ("train --lr -0.1", "SGD: lr is -0.1, wanted a positive finite number"),
        ("train --lr fast", "argument --lr: invalid float value: 'fast'"),
        ("train --dtype float16", "argument --dtype: invalid choice: 'float16'"),
        ("train --hidden 5,0", "argument --hidden: invalid sizes value: '5,0'"),
        ("train --out gone/net", "--out gone/net: there is no folder"),
        ("train --out folder", "--out folder: is a folder, wanted a regular file"),
        ("train --out fifo", "--out fifo: is a FIFO, wanted a regular file"),
        ("train --out read-only", "--out read-only: cannot be written, the file is read-only"),
        ("train --out text.txt/net", "--out text.txt/net: Not a directory"),
        ("train --plot folder", "--plot folder: is a folder, wanted a regular file"),
        ("train --out curve.png --plot ./curve.png", "--plot curve.png: is --out, too"),
        ("train good.csv --out good.csv", "--out good.csv: is the file to train on, which would be replaced"),
        ("train good.csv --out ~/good.csv", "--out ~/good.csv: is the file to train on"),
        ("train gone.csv --lr 0", "SGD: lr is 0.0, wanted a positive finite number"),
        ("train labels.csv", "the labels may be in 'label' or in the last column, 'b'"),
        ("train --plot gone/curve.png", "--plot gone/curve.png: there is no folder"),
        ("train --plot curve.xyz", "--plot curve.xyz: the name ends in '.xyz', wanted .png"),
        ("train --activation gleu", "--activation is 'gleu', wanted one of relu, "),
        ("train --activation gleu", "; did you mean 'gelu'?"),
        ("train --activation relu,tanh", "--activation has 2 names, wanted one, or one for each of the 1 hidden"),
        ("train --dropout 0.1,0.2,0.3", "--dropout has 3 rates, wanted one, or 2: that of the inputs and one for each"),
        ("train --dropout 1", "dropout is 1.0, wanted a number from 0 to below 1"),
        ("train --dropout much", "argument --dropout: invalid float value: 'much'"),
        ("train --optimizer adma", "--optimizer is 'adma', wanted one of adam, "),
        ("train --schedule lambda", "--schedule is 'lambda', wanted one of "),
        ("train --weight-decay -1", "SGD: weight_decay is -1.0, wanted"),
        ("train --early-stopping 0", "--early-stopping is 0, wanted 1 to 1000000000"),
        ("train --validation-fraction 1", "--validation-fraction is 1, wanted a number between 0 and 1"),
        ("train --class-weight heavy", "argument --class-weight: invalid choice: 'heavy'"),
        ("train --optimizer lbfgs --epochs 3", "--epochs is not for --optimizer lbfgs"),
        ("train --resume", "--resume goes on from --checkpoint FILE, which is not given"),
        ("train --checkpoint read-only", "--checkpoint read-only: cannot be written, the file is read-only"),
        ("train --checkpoint text.txt", "--checkpoint text.txt: is there, and would be replaced; wanted another path"),
        ("train --checkpoint text.txt --resume", "text.txt: not a safetensors file"),
        ("train --checkpoint net --resume", "net: a network, and no checkpoint of fit"),
        ("train --out a --checkpoint ./a", "--checkpoint a: is --out, too"),
        ("train --out a.previous --checkpoint a", "--out a.previous: is the file before --checkpoint, too"),
        ("train good.csv --save-settings good.csv", "--save-settings good.csv: is the file to train on, which would"),
        ("train --settings gone.toml", "gone.toml: there is no such file"),
        ("train --settings text.txt", "text.txt: not TOML: "),
        ("evaluate gone good.csv", "gone: there is no such file"),
        ("evaluate net good.csv", "good.csv: it is not known which column has the labels; say it with the target"),
        ("evaluate net other.csv --target kind", "other.csv: there is no 'b' among a, c, kind"),
        ("evaluate net digits --target kind", "--target is for files, digits has its labels"),
        ("evaluate net good.csv --target a", "good.csv: the target is 'a', which is one of the features"),
        ("evaluate net strange.csv --target kind", "strange.csv, row 3, column 'kind': 'z' is none of the classes of"),
        ("show gone", "gone: there is no such file"),
        ("show cut", "cut: not a safetensors file"),
        ("show text.txt", "text.txt: not a safetensors file"),
        ("predict gone good.csv", "gone: there is no such file"),
        ("predict cut good.csv", "cut: not a safetensors file"),
        ("predict text.txt good.csv", "text.txt: not a safetensors file"),
        ("predict cls good.csv", "cls: the metadata's classes are {'x': 1, 'y': 2}, wanted a list of 2 names"),
        ("predict half good.csv", "half: the metadata's features are ['a', '\\ud800'], wanted a list of 2"),
        ("predict deep good.csv", "deep: the metadata's classes are damaged: it is nested too deeply"),
        ("predict net other.csv", "other.csv: there is no 'b' among a, c, kind"),
        ("predict three good.csv", "good.csv: there is no '0' among a, b, kind"),
        ("predict net text.txt", "text.txt: the name ends in '.txt', wanted .csv or .npz"),
        ("predict net", "the following arguments are required: DATA"),
        ("check --seed -1", "--seed is -1"),
        ("fly", "invalid choice: 'fly'"),
        ("train --speed 9", "unrecognized arguments: --speed"),
    ],
)  # fmt: skip
def test_one_line_and_status_2(arguments, message, capsys):
    assert main(arguments.split()) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("backprop: error: ")
    assert err.count("\n") == 1
    assert message in err
    assert not Path("model.safetensors").exists()


def test_without_matplotlib_nothing_is_trained(capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.backend_bases", None)
    assert main(["train", "--plot", "curve.png"]) == 2
    assert "--plot needs matplotlib: pip install 'bpcore[plot]'" in capsys.readouterr().err
    assert not Path("model.safetensors").exists()


def test_a_bug_of_ours_keeps_its_traceback(monkeypatch):
    def broken(*_, **__):
        raise ValueError("a bug")

    monkeypatch.setattr(bp.Network, "fit", broken)
    with pytest.raises(ValueError, match="a bug"):
        main(["train"])


def test_no_command_prints_the_help(capsys):
    assert main([]) == 2
    out, err = capsys.readouterr()
    assert "train" in out
    assert (
        err
        == "backprop: error: COMMAND is missing, wanted train, predict, evaluate, show, check, demo or info\n"
    )


def test_a_data_set_is_no_file_to_be_replaced():
    assert main(["train", "digits", "--epochs", "1", "--out", "digits"]) == 0
    assert bp.Network.load("digits").sizes == (64, 50, 10)


def test_version(capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"backprop {bp.__version__}\n"


def test_in_a_real_process():
    done = subprocess.run(
        [sys.executable, "-m", "backprop", "train", "gone.npz"], capture_output=True, text=True
    )
    assert done.returncode == 2
    assert done.stderr == "backprop: error: gone.npz: there is no such file\n"
