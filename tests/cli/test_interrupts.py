"""Ctrl-C at chosen places of the program."""

from pathlib import Path

import pytest

import backprop as bp
from tests.cli.processes import run_code


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


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
