"""Ctrl-C: a signal to a process that trains, and at chosen places of the program."""

import os
import pty
import re
import signal
import subprocess
import sys
import termios
from pathlib import Path

import pytest

import backprop as bp
from tests.cli.processes import WITH_CTRL_C, run_code


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_ctrl_c_saves_what_there_is():
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, 80))  # on a terminal without a size there is no bar
    command = [sys.executable, "-c", WITH_CTRL_C, "train", "--epochs", "1000000", "--out", "net"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=theirs, text=True)
    os.close(theirs)
    written = b""
    try:
        while not re.search(rb"\D[1-9][0-9]*/45000000 ", written):  # the bar has steps that are done
            written += os.read(ours, 4096)
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=60)
        while part := _read(ours):
            written += part
    finally:
        process.kill()
        os.close(ours)
    assert process.returncode == 130
    assert written.endswith(b"\r\nbackprop: interrupted\r\n")
    assert b"Traceback" not in written
    first, *_, last = out.splitlines()
    assert int(re.search(r"(\d+) steps", first)[1]) > 0
    assert last == "saved to net"
    assert bp.Network.load("net").sizes == (64, 50, 10)


def _read(handle):
    try:
        return os.read(handle, 4096)
    except OSError:  # how Linux says that the other end is closed
        return b""


# A signal arrives when a function is first called, whose name stands before the command.
AT_PLACES = """
import json, signal, sys
from backprop.cli import main
def interrupted_at(place, command):
    def look(frame, event, argument):
        if event == "call" and frame.f_code.co_qualname == place:
            sys.setprofile(None)
            signal.raise_signal(signal.SIGINT)
    sys.setprofile(look)
    try:
        return main(command)
    finally:
        sys.setprofile(None)
signal.signal(signal.SIGINT, signal.default_int_handler)
print(json.dumps([interrupted_at(*one) for one in json.loads(sys.argv[1])]), file=sys.stderr)
"""


def test_ctrl_c_anywhere():
    Path("net").write_text("what it was")
    bp.Network([64, 10], seed=0, input_scale=1 / 16).save("right")
    Path("t.csv").write_text("1,2\n3,4\n")
    interrupted = "backprop: interrupted"
    places = {
        ("train_batches", "train --out net --plot curve.png"): [
            "backprop: no step was done, so nothing is saved"
        ],
        ("load_digits", "train"): [],
        ("read_features", "predict right t.csv"): [],
        ("reports", "check"): [],
        ("cache_folder", "info"): [],
        ("Server.__init__", "demo right"): [],
        ("BaseServer.serve_forever", "demo right"): [],
    }
    commands = [(place, command.split()) for place, command in places]
    statuses, lines, _ = run_code(AT_PLACES, commands)
    assert statuses == [130] * len(commands)
    assert lines == [line for before in places.values() for line in (*before, interrupted)]
    assert Path("net").read_text() == "what it was"
    assert not Path("curve.png").exists()
    assert not Path("model.safetensors").exists()
