"""stdout and stderr that are closed, full or read by nobody, and names that are no line."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import backprop as bp
from backprop.cli import main
from backprop.cli.output import LONGEST, escaped
from tests.cli.processes import environment, run, run_code

FULL = "/dev/full"
needs_full = pytest.mark.skipif(not Path(FULL).exists(), reason="this system has no /dev/full")
COMMANDS = [
    [], ["--version"], ["--help"], ["train", "--help"], ["train", "--epochs", "1"], ["train", "t.csv", "--out", "new"],
    ["predict", "net", "t.csv"], ["predict", "net", "t.csv", "--proba"], ["check"], ["info"], ["demo"],
]  # fmt: skip


@pytest.fixture(autouse=True)
def files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rows = "".join(f"{n * n % 7},{n % 5},{'xy'[n % 2]}\n" for n in range(20))
    Path("t.csv").write_text(f"a,b,kind\n{rows}")
    net = bp.Network([2, 2], seed=0)
    net.metadata = {"features": '["a", "b"]', "classes": '["x", "y"]'}
    net.save("net")


# Each command meets a stdout that is what `kind` says; a status each on the last line of stderr.
PROGRAM = f"""
import json, os, sys
from backprop.cli import main
commands, kind = map(json.loads, sys.argv[1:])
statuses = []
for command in commands:
    if kind == "full":
        os.dup2(os.open({FULL!r}, os.O_WRONLY), 1)
    elif kind == "gone":
        reader, writer = os.pipe()
        os.close(reader)
        os.dup2(writer, 1)
    try:
        statuses.append(main(command))
    except SystemExit as left:
        statuses.append(left.code)
print(json.dumps(statuses), file=sys.stderr)
"""


def test_stdout_is_closed():
    done = subprocess.run(
        [
            "/bin/sh",
            "-c",
            '"$0" "$@" >&- <&-',
            sys.executable,
            "-c",
            PROGRAM,
            json.dumps(COMMANDS),
            '"closed"',
        ],
        stderr=subprocess.PIPE,
        text=True,
        timeout=120,
        env=environment(),
    )
    *lines, statuses = done.stderr.splitlines()
    assert json.loads(statuses) == [2] * len(COMMANDS)
    assert lines == ["backprop: error: stdout is closed"] * len(COMMANDS)
    assert not Path("model.safetensors").exists(), "it is said before anything is done"


@needs_full
def test_stdout_is_full():
    statuses, lines, _ = run_code(PROGRAM, COMMANDS, "full")
    assert statuses == [2] * len(COMMANDS)
    assert lines == ["backprop: error: stdout: No space left on device"] * len(COMMANDS)
    assert not Path("new").exists(), "what was taken for what could not be said"


def test_nobody_reads_stdout():
    statuses, lines, _ = run_code(PROGRAM, COMMANDS, "gone")
    assert statuses == [141] * len(COMMANDS)
    assert lines == [], "as a program that SIGPIPE ends"
    assert not Path("new").exists(), "what was taken for what could not be said"


def test_nothing_is_said_at_exit():
    """What Python cannot write at exit would be a traceback and status 120."""
    line = "backprop: error: stdout: No space left on device\n"
    if Path(FULL).exists():
        for arguments in (["info"], ["train", "--help"]):
            done = run(*arguments, shell=f">{FULL}", flags=["-X", "dev"])
            assert (done.returncode, done.stderr) == (2, line)
        done = run("--help", shell=f">{FULL}", PYTHONUNBUFFERED="1")
        assert (done.returncode, done.stderr) == (2, line)
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-X", "dev", "-m", "backprop", "info"]
    done = subprocess.run(command, stdout=writer, stderr=subprocess.PIPE, timeout=120, env=environment())
    os.close(writer)
    assert (done.returncode, done.stderr) == (141, b"")


@pytest.mark.parametrize("shell", ["2>&-", "2>&- <&-", pytest.param(f"2>{FULL}", marks=needs_full)])
def test_stderr_takes_nothing(shell):
    done = run("fly", shell=shell)
    assert done.returncode == 2
    assert done.stdout == "", "what is wrong is no output"
    done = run("train", "t.csv", "--epochs", "3", "--lr", "1e30", "--out", "new", shell=shell)
    assert (done.returncode, done.stdout.splitlines()[-1]) == (1, "saved to new")
    assert bp.Network.load("new").sizes == (2, 50, 2), "nothing meant for stderr went into the file"


NAMES = ["a\nb", "a\r", "\x1b[2J", "a\tb", "a\u2028b", "\x85", "\x9b0m"]


@pytest.mark.parametrize("name", NAMES)
def test_a_class_that_is_no_line_is_refused(name, capsys):
    net = bp.Network([2, 2], seed=0)
    net.metadata = {"features": '["a", "b"]', "classes": json.dumps(["x", name])}
    net.save("net")
    for proba in ([], ["--proba"]):
        assert main(["predict", "net", "t.csv", *proba]) == 2
        out, err = capsys.readouterr()
        assert out == ""
        assert err.startswith(
            f"backprop: error: net: the class {name!r} has a line end, a tab or another control"
        )
        assert err.count("\n") == 1


def test_a_class_that_is_no_line_is_not_trained(capsys):
    text = Path("t.csv").read_text()
    Path("t.csv").write_text(text.replace("x", '"x\nz"'))
    assert main(["train", "t.csv", "--epochs", "1"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("backprop: error: t.csv: the class 'x\\nz' has a line end")
    assert not Path("model.safetensors").exists()


def test_other_names_are_escaped(capsys, monkeypatch):
    text = Path("t.csv").read_text()
    Path("t.csv").write_text(text.replace("a,b,kind", '"\x1b[31ma","b\nc",kind'))
    assert main(["train", "t.csv", "--epochs", "1", "--out", "new\n  net"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[1] == "features: 2: \\x1b[31ma, b\\nc"
    assert lines[-1] == "saved to new\\n  net"
    assert main(["predict", "no\n  \x1b[31mnet", "t.csv"]) == 2
    assert capsys.readouterr().err == "backprop: error: no\\n  \\x1b[31mnet: there is no such file\n"
    monkeypatch.setenv("BACKPROP_DATA", "\x1b[31m")
    assert main(["info"]) == 0
    assert "\nBACKPROP_DATA \\x1b[31m\n" in capsys.readouterr().out


def test_an_error_is_short(capsys):
    for arguments in (["train", "a" * 100_000], ["train", "--epochs", "9" * 100_000], ["b" * 100_000]):
        assert main(arguments) == 2
        err = capsys.readouterr().err
        assert err.count("\n") == 1
        assert len(err) < LONGEST + 100


def test_text_stays_as_it_is():
    text = "a, é, 꽃, \u200d, \xa0, 'b'"
    assert escaped(text) == text


def test_a_locale_without_letters():
    surroundings = {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}
    assert run("train", "--help", **surroundings).returncode == 0
    net = bp.Network.load("net")
    net.metadata = {**net.metadata, "classes": '["é", "x"]'}
    net.save("net")
    done = run("predict", "net", "t.csv", **surroundings)
    assert (done.returncode, done.stdout) == (2, "")
    assert "the output's encoding" in done.stderr
    assert "has not all letters of the class '\\xe9'" in done.stderr
