"""Colours go to a terminal, and to nothing else."""

import io
import re
import sys

import numpy as np
import pytest

import backprop as bp
from backprop.cli import colour
from backprop.cli.check import table
from tests.cli.processes import COLOUR_VARIABLES, on_a_terminal

ESCAPE = "\x1b["


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize(
    ("stream", "variables", "wanted"),
    [
        (Terminal(), {}, True),
        (Terminal(), {"NO_COLOR": "1"}, False),
        (Terminal(), {"NO_COLOR": ""}, True),
        (Terminal(), {"TERM": "dumb"}, False),
        (io.StringIO(), {}, False),
        (None, {}, False),
        (io.StringIO(), {"FORCE_COLOR": "1"}, True),
        (io.StringIO(), {"FORCE_COLOR": ""}, False),
        (Terminal(), {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
    ],
)
def test_when(stream, variables, wanted, monkeypatch):
    for name in COLOUR_VARIABLES:
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert colour.wanted(stream) is wanted
    assert (ESCAPE in colour.painted("text", colour.RED, stream)) is wanted


def test_an_error_on_a_terminal():
    assert on_a_terminal("train", "gone.npz") == (
        2,
        "backprop: \x1b[1;31merror:\x1b[0m gone.npz: there is no such file\n",
    )
    assert on_a_terminal("train", "gone.npz", NO_COLOR="1") == (
        2,
        "backprop: error: gone.npz: there is no such file\n",
    )


def test_a_check_on_a_terminal():
    status, written = on_a_terminal("check")
    assert status == 0
    assert re.search(r"\x1b\[32mall \d+ gradients match\x1b\[0m\n$", written)
    assert written.count(ESCAPE) == 2
    assert ESCAPE not in on_a_terminal("check", NO_COLOR="1")[1]


class Wrong(bp.Sigmoid):
    def backward(self, dout):
        return 2 * super().backward(dout)


def test_what_fails_is_red(monkeypatch):
    for name in COLOUR_VARIABLES:
        monkeypatch.delenv(name, raising=False)
    report = bp.check_gradients(Wrong(), np.ones((2, 3)))
    right = bp.check_gradients(bp.Sigmoid(), np.ones((2, 3)))
    for stream, colours in ((Terminal(), True), (io.StringIO(), False)):
        monkeypatch.setattr(sys, "stdout", stream)
        assert table([("Right", right), ("Wrong", report)]) == 1
        header, first, second, *findings, verdict = stream.getvalue().splitlines()
        assert ESCAPE not in header + first
        assert second.startswith("\x1b[31mWrong" if colours else "Wrong")
        assert all(line.startswith("\x1b[31m") is colours for line in findings)
        assert verdict.startswith("\x1b[1;31mgradients of 1" if colours else "gradients of 1")
