"""Variables, users, folders and limits of a process that are odd."""

import os
import shutil
import sys
import tempfile
from pathlib import Path

import pytest

import backprop as bp
import bpcore
from backprop.cli import main
from backprop.cli.numbers import MOST
from bpcore.threads import MOST_THREADS
from tests.cli.processes import on_a_terminal, run, run_code

LONG = pytest.param("9" * 5000, id="5000 digits")


@pytest.fixture(autouse=True)
def files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    rows = "".join(f"{n * n % 7},{n % 5},{'xy'[n % 2]}\n" for n in range(20))
    Path("t.csv").write_text(f"a,b,kind\n{rows}")
    net = bp.Network([2, 2], seed=0)
    net.metadata = {"features": '["a", "b"]', "classes": '["x", "y"]'}
    net.save("net")


@pytest.mark.parametrize("threads", ["abc", "0", "-1", "1025", "1" + "0" * 20, LONG, "١"])
def test_a_number_of_threads_that_is_none(threads):
    done = run("info", BACKPROP_NUM_THREADS=threads)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(
        f"backprop: error: BACKPROP_NUM_THREADS is {threads[:100]!r}, wanted a whole number"
    )
    assert done.stderr.endswith(f"of at least 1 and at most {MOST_THREADS}\n")
    assert done.stderr.count("\n") == 1


def test_a_level_that_cannot_be_used():
    usable = bpcore.cpu_info()["usable"]
    other = next(level for level in ("v4", "neon") if level not in usable)
    for command, level, wanted in (
        ("train", "abc", "wanted one of v4, v3"),
        ("--version", other, "; built here: "),
    ):
        done = run(command, BACKPROP_ISA=level)
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.startswith(f"backprop: error: BACKPROP_ISA is {level!r}")
        assert wanted in done.stderr
        assert done.stderr.count("\n") == 1


def test_the_help_needs_neither():
    done = run("--help", BACKPROP_ISA="abc", BACKPROP_NUM_THREADS="abc")
    assert (done.returncode, done.stderr) == (0, "")


ALL = """
import json, sys
from backprop.cli import main
print(json.dumps([main(command) for command in json.loads(sys.argv[1])]), file=sys.stderr)
"""


def test_without_assertions_and_docstrings():
    commands = [["train", "t.csv", "--epochs", "1"], ["predict", "model.safetensors", "t.csv"], ["check"], ["info"],
                ["demo", "net"], ["fly"], []]  # fmt: skip
    statuses, lines, out = run_code(ALL, commands, flags=["-OO"])
    assert statuses == [0, 0, 0, 0, 2, 2, 2]
    assert [line.partition(" (")[0].partition(",")[0] for line in lines] == [
        "backprop: error: net: the network has 2 inputs",
        "backprop: error: argument COMMAND: invalid choice: 'fly'",
        "backprop: error: COMMAND is missing",
    ]
    help_lines = out[out.index("positional arguments:") :]
    assert "train     Train a network and save it." in help_lines
    done = run("info", flags=["-OO"])
    assert (done.returncode, done.stderr) == (0, "")


def test_no_variables_at_all():
    assert run_code(ALL, [["info"], ["predict", "net", "t.csv"]], env={})[0] == [0, 0]


def test_a_progress_bar_that_is_told_nonsense():
    status, written = on_a_terminal("train", "--epochs", "1", NO_COLOR="1", TQDM_MININTERVAL="abc")
    assert status == 2
    assert written.startswith("backprop: error: a variable TQDM_… of the environment cannot be used: ")
    assert written.count("\n") == 1


@pytest.mark.parametrize("columns", ["0", "1", "-5", "many"])
def test_odd_widths_of_a_terminal(columns, monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", columns)
    monkeypatch.delenv("TERM", raising=False)
    for command in ([], ["train"], ["predict"], ["check"], ["demo"], ["info"]):
        with pytest.raises(SystemExit, match="0"):
            main([*command, "--help"])
    assert capsys.readouterr().err == ""


# Everything is imported before: another user need not be able to read it.
UNKNOWN = 61_234
AS_ANOTHER = f"""
import json, os, sys
import backprop.demo.server
from backprop.cli import main
commands = json.loads(sys.argv[1])
for command in (["train", "t.csv", "--epochs", "1", "--out", "warm"], ["predict", "warm", "t.csv"], ["info"]):
    assert main(command) == 0
os.setgid({UNKNOWN})
os.setuid({UNKNOWN})
for name in ("HOME", "BACKPROP_DATA", "XDG_CACHE_HOME", "MPLCONFIGDIR"):
    os.environ.pop(name, None)
print("now")
print(json.dumps([main(command) for command in commands]), file=sys.stderr)
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become a user that the system does not know")
def test_a_user_without_a_home_and_a_name(monkeypatch):
    # pytest's folders are their owner's alone.
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(".", folder, dirs_exist_ok=True)
        monkeypatch.chdir(folder)
        Path(folder).chmod(0o755)
        for name in ("secret", "secret.csv"):
            Path(name).write_text("1,2")
            Path(name).chmod(0o600)
        Path("closed").mkdir(mode=0o700)
        Path("theirs").mkdir()
        os.chown("theirs", UNKNOWN, UNKNOWN)
        commands = [["info"], ["train", "t.csv", "--epochs", "1", "--out", "theirs/net"],
                    ["train", "mnist", "--out", "theirs/net"], ["predict", "secret", "t.csv"],
                    ["predict", "closed/net", "t.csv"], ["predict", "net", "secret.csv"],
                    ["train", "secret.csv", "--out", "theirs/net"], ["demo", "secret"], ["train", "--out", "~/net"],
                    ["train", "--out", "net"], ["train", "--out", "new"]]  # fmt: skip
        statuses, lines, out = run_code(AS_ANOTHER, commands)
        monkeypatch.undo()
    assert statuses == [0, 0, *[2] * (len(commands) - 2)]
    assert "\ncache         none, for there is no home folder\n" in out[out.index("now") :]
    errors = [line.removeprefix("backprop: error: ") for line in lines]
    assert errors[0].startswith(
        "mnist was not found in $BACKPROP_DATA, which is not set, and there is no home folder"
    )
    assert errors[1:6] == [
        "secret: Permission denied",
        "closed/net: Permission denied",
        "secret.csv: Permission denied",
        "secret.csv: Permission denied",
        "secret: Permission denied",
    ]
    assert errors[6].startswith("--out ~/net: there is no folder ")
    assert errors[7] == "--out net: cannot be written, the file is read-only"
    assert errors[8].startswith("--out new: cannot be written, the folder ")


def test_a_working_directory_that_was_removed(tmp_path):
    code = f"import os; os.mkdir('gone'); os.chdir('gone'); os.rmdir({str(tmp_path / 'gone')!r}){ALL}"
    net, table = str(tmp_path / "net"), str(tmp_path / "t.csv")
    new = str(tmp_path / "new")
    commands = [["info"], ["predict", net, table], ["train", "--epochs", "1", "--out", new],
                ["train", "--epochs", "1"], ["train", "t.csv", "--out", new], ["predict", "net", table],
                ["train", table, "--out", "new"]]  # fmt: skip
    statuses, lines, _ = run_code(code, commands)
    assert statuses == [0, 0, 0, 2, 2, 2, 2]
    assert lines == [
        "backprop: error: --out the working directory does not exist any more",
        "backprop: error: the working directory does not exist any more",
        "backprop: error: net: there is no such file",
        "backprop: error: --out the working directory does not exist any more",
    ]
    assert bp.Network.load("new").sizes == (64, 50, 10)


MEMORY = f"""
import resource
import backprop.cli.train, backprop.cli.sources, backprop.network
pages = int(open("/proc/self/statm").read().split()[0])
limit = pages * resource.getpagesize() + (1 << 28)
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
{ALL}
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads the size of a process from /proc")
def test_memory_that_there_is_not():
    # The first is more than a machine has, the second more than this process may have.
    commands = [["train", "--hidden", "9999999999,5"], ["train", "--hidden", "1000000", "--epochs", "1"]]
    statuses, lines, _ = run_code(MEMORY, commands)
    assert statuses == [2, 2]
    assert lines[0].startswith("backprop: error: --hidden 9999999999,5 makes 699999999995 parameters, ")
    assert " GiB of float32; this machine has " in lines[0]
    assert lines[1].startswith("backprop: error: there is not enough memory: Unable to allocate ")
    assert not Path("model.safetensors").exists()


ABSURD = [
    "",
    "x",
    "1e3",
    "nan",
    "inf",
    "-inf",
    "1e400",
    "-1",
    "1_000",
    "١",
    "1" + "0" * 20,
    LONG,
    "0x10",
    "½",
]


@pytest.mark.parametrize("text", ABSURD)
def test_absurd_numbers(text, capsys):
    options = {"train": ["--hidden", "--lr", "--batch-size", "--epochs", "--iterations", "--seed", "--threads",
                         "--test-fraction"], "check": ["--seed"], "demo net": ["--port", "--full"]}  # fmt: skip
    right = {"1e3": {"--lr", "--full"}, "1" + "0" * 20: {"--lr", "--full"}}
    for command, names in options.items():
        for option in names:
            if option in right.get(text, ()):
                continue
            assert main([*command.split(), f"{option}={text}"]) == 2, option
            out, err = capsys.readouterr()
            assert out == ""
            assert err.count("\n") == 1
            assert option in err or (option == "--lr" and err.startswith("backprop: error: SGD: lr is ")), err
            assert ", wanted " in err or err.startswith("backprop: error: --hidden 1000"), err
    assert not Path("model.safetensors").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("train --threads 1025", f"--threads is 1025, wanted 1 to {MOST_THREADS}"),
        (f"train --epochs {MOST + 1}", f"--epochs is {MOST + 1}, wanted 1 to {MOST}"),
        ("train --epochs ١", "argument --epochs: invalid int value: '١', wanted a whole number"),
        ("train --lr 1_0", "argument --lr: invalid float value: '1_0', wanted a number"),
        (
            "train --hidden 5,٣",
            "argument --hidden: invalid sizes value: '5,٣', wanted whole numbers of at least 1",
        ),
        ("train u.csv --target ١", "u.csv: there is no '١' among 0, 1"),
        pytest.param(f"train u.csv --target {'9' * 5000}", "u.csv: there is no '9999", id="5000 digits"),
        ("train --lr 1e400", "SGD: lr is inf, wanted a positive finite number"),
    ],
)
def test_an_error_says_what_was_wanted(arguments, message, capsys):
    Path("u.csv").write_text("1.5,2\n3.5,4\n5.5,2\n7,4\n")
    assert main(arguments.split()) == 2
    assert capsys.readouterr().err.startswith(f"backprop: error: {message}")
