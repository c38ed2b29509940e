"""`backprop train` that is interrupted or diverges: what stands at --out stays, unless it is to be overwritten."""

import os
import pty
import re
import signal
import subprocess
import sys
import termios
from pathlib import Path

import numpy as np
import pytest

import backprop as bp
from backprop.cli import main

# Minutes, if nobody presses Ctrl-C.
LONG = ["--epochs", "2000", "--hidden", "500,500", "--threads", "1"]


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    rows = [f"{a},{b},{int(a > 0)}\n" for a, b in rng.normal(size=(40, 2)).tolist()]
    Path("t.csv").write_text("a,b,kind\n" + "".join(rows))


def interrupted(*arguments):
    """Train until the progress bar shows a step, then press Ctrl-C; output, errors behind the bar, exit status."""
    terminal, side = pty.openpty()
    termios.tcsetwinsize(side, (24, 80))
    command = [sys.executable, "-m", "backprop", "train", *LONG, *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=side) as process:
        os.close(side)
        shown = b""
        while not re.search(rb" [1-9]\d*/", shown):
            shown += os.read(terminal, 1 << 16)
        process.send_signal(signal.SIGINT)
        while True:
            try:
                shown += os.read(terminal, 1 << 16)
            except OSError:  # the other side is closed
                break
        out = process.stdout.read().decode()
    os.close(terminal)
    return out, shown.decode().replace("\r\n", "\n"), process.returncode


def test_ctrl_c_saves_what_there_is():
    out, err, status = interrupted("--out", "net")
    steps = int(re.search(r", (\d+) steps\n", out)[1])
    assert steps > 0
    assert out.endswith("saved to net\n")
    assert err.endswith("\nbackprop: interrupted\n")
    assert "Traceback" not in err
    assert status == 130
    assert bp.Network.load("net").sizes == (64, 500, 500, 10)


def test_ctrl_c_replaces_no_network():
    bp.Network([2, 2], seed=0).save("net")
    before = Path("net").read_bytes()
    names = ["net-interrupted", "net-interrupted-2"]
    for name in names:
        out, _, status = interrupted("--out", "net")
        assert out.endswith(f"net stays as it was; --overwrite replaces it all the same\nsaved to {name}\n")
        assert status == 130
        assert Path("net").read_bytes() == before
        assert bp.Network.load(name).sizes == (64, 500, 500, 10)
    assert sorted(os.listdir()) == sorted([*names, "net", "t.csv"])
    out, _, status = interrupted("--out", "net", "--overwrite")
    assert out.endswith("samples\nsaved to net\n")
    assert bp.Network.load("net").sizes == (64, 500, 500, 10)


def test_a_training_that_diverges_replaces_no_network(capsys):
    pytest.importorskip("matplotlib")
    diverging = ["train", "t.csv", "--lr", "1e30", "--epochs", "3", "--out", "a.net", "--plot", "curve.png"]
    for name in ("a.net", "curve.png"):
        Path(name).write_text("better")
    assert main(diverging) == 1
    out, err = capsys.readouterr()
    assert "backprop: warning: the loss is " in err
    assert out.endswith(
        "a.net stays as it was; --overwrite replaces it all the same\n"
        "saved to a-diverged.net\nlearning curve in curve-diverged.png\n"
    )
    assert Path("a.net").read_text() == Path("curve.png").read_text() == "better"
    assert not np.isfinite(bp.Network.load("a-diverged.net").params["W1"]).all()
    assert main([*diverging, "--overwrite"]) == 1
    assert capsys.readouterr().out.endswith("saved to a.net\nlearning curve in curve.png\n")
    assert bp.Network.load("a.net").sizes == (2, 50, 2)


def test_a_training_that_ends_replaces_what_is_there(capsys):
    Path("net").write_text("of another training")
    assert main(["train", "t.csv", "--epochs", "3", "--out", "net"]) == 0
    assert capsys.readouterr().out.endswith("saved to net\n")
    assert bp.Network.load("net").sizes == (2, 50, 2)
