"""Logs: the bytes that they write, what they go on with, and what becomes of them when a run fails."""

import copy
import fcntl
import json
import math
import os
import pickle
import subprocess
import sys
from pathlib import Path

import pytest

import backprop as bp
from backprop.callbacks import CSVLog, JSONLines, TensorBoard
from backprop.training.logs import event_files
from tests.training.runs import T, X, Y, bits, of_numbers, plain

VALIDATED = dict(batch_size=10, seed=0, validation=(X[:9], T[:9]))
KINDS = {"csv": CSVLog, "jsonl": JSONLines}
both = pytest.mark.parametrize("kind", KINDS)


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def without_seconds(path):
    """Names and rows of a log; the times, which differ, left out."""
    lines = Path(path).read_bytes().decode().split("\n")
    assert lines.pop() == ""
    if path.endswith("jsonl"):
        rows = [json.loads(line, parse_constant=pytest.fail) for line in lines]
        names, values = [*rows[0]], [[*map(json.dumps, row.values())] for row in rows]
    else:
        names, *values = (line.split(",") for line in lines)
    at = names.index("seconds")
    return names, [row[:at] + row[at + 1 :] for row in values]


def test_the_bytes_of_a_table():
    history = plain().fit(X, T, epochs=2, callbacks=[CSVLog("log.csv", every=4)], **VALIDATED)
    names, rows = without_seconds("log.csv")
    assert names == [
        *("epoch", "step", "learning_rate", "seconds", "loss"),
        *("train_accuracy", "validation_loss", "validation_accuracy"),
    ]
    table = history.to_dict()

    def evaluated(n):
        numbers = [table[name][n] for name in names[4:]]
        return [str(n + 1), str(6 * n + 6), "0.1", *map(repr, numbers)]

    def between(epoch, first, step):
        mean = math.fsum(history.loss[first:step]) / (step - first)
        return [str(epoch), str(step), "0.1", repr(mean), "", "", ""]

    assert rows == [between(0, 0, 4), evaluated(0), between(1, 6, 8), evaluated(1)]
    content = Path("log.csv").read_bytes()
    assert content.endswith(b"\n")
    assert b"\r" not in content


def test_the_bytes_of_lines_of_json():
    history = plain().fit(X, T, epochs=2, callbacks=[JSONLines("log.jsonl", every=4)], **VALIDATED)
    lines = Path("log.jsonl").read_text().splitlines()
    rows = [json.loads(line) for line in lines]
    assert [json.dumps(row) for row in rows] == lines
    assert [row["step"] for row in rows] == [4, 6, 8, 12]
    assert rows[0]["validation_loss"] is None
    table = history.to_dict()
    for n, row in enumerate((rows[1], rows[3])):
        assert {name: row[name] for name in table} == {name: values[n] for name, values in table.items()}
    seconds = [row["seconds"] for row in rows]
    assert seconds == sorted(seconds)
    assert 0 < seconds[0] <= seconds[-1] <= history.seconds


def test_numbers_that_are_not_finite():
    values = iter([math.nan, math.inf, -math.inf])
    options = dict(
        epochs=3, batch_size=10, validation=(X[:9], Y[:9]), metrics=lambda t, y: next(values), seed=0
    )
    of_numbers().fit(X, Y, callbacks=[CSVLog("log.csv"), JSONLines("log.jsonl")], **options)
    assert [row[-1] for row in without_seconds("log.csv")[1]] == ["nan", "inf", "-inf"]
    assert [row[-1] for row in without_seconds("log.jsonl")[1]] == ["null"] * 3


@both
@pytest.mark.parametrize("again", [True, False], ids=["one object", "two objects"])
def test_a_run_in_parts_has_the_rows_of_one(kind, again):
    def log(name):
        return KINDS[kind](f"{name}.{kind}", every=4)

    plain().fit(X, T, epochs=4, callbacks=[log("whole")], **VALIDATED)
    net, own = plain(), log("parts")
    history = net.fit(X, T, epochs=1, callbacks=[own], **VALIDATED)
    for _ in range(3):
        own = own if again else log("parts")
        history = net.fit(
            X, T, epochs=1, continue_from=history, validation=VALIDATED["validation"], callbacks=[own]
        )
    assert without_seconds(f"parts.{kind}") == without_seconds(f"whole.{kind}")


@both
@pytest.mark.parametrize("when", ["begin", "step", "epoch"])
def test_an_error_closes_the_file_and_no_row_is_lost(kind, when):
    class Fails(bp.Callback):
        every, left = 5, 2

        def fails(self, run):
            self.left -= 1
            if not self.left:
                raise KeyboardInterrupt

    plain().fit(X, T, epochs=4, callbacks=[KINDS[kind](f"whole.{kind}", every=5)], **VALIDATED)
    fails = Fails()
    setattr(fails, when, fails.fails)
    fails.left -= when == "begin"
    net, log = plain(), KINDS[kind](f"parts.{kind}", every=5)
    before = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else None
    # The log is asked behind what fails, so that it is not told of that step or epoch.
    with pytest.raises(KeyboardInterrupt):
        net.fit(X, T, epochs=4, callbacks=[fails, log], **VALIDATED)
    assert "_file" not in vars(log)
    assert before is None or len(os.listdir("/proc/self/fd")) == before
    if when == "begin":
        net.fit(X, T, epochs=4, callbacks=[log], **VALIDATED)
    else:
        run = net.history._run
        options = dict(continue_from=net.history, validation=VALIDATED["validation"], callbacks=[log])
        net.fit(X, T, epochs=4 - run.epoch, **options)
    assert without_seconds(f"parts.{kind}") == without_seconds(f"whole.{kind}")


@both
def test_rows_that_a_killed_process_has_left(kind):
    """A whole row of steps that are taken again, and one in progress."""
    path = f"log.{kind}"
    net = plain()
    history = net.fit(X, T, epochs=2, callbacks=[KINDS[kind](path)], **VALIDATED)
    content = Path(path).read_bytes()
    last = content.splitlines(keepends=True)[-1]
    later = last.replace(b'"epoch": 2, "step": 12', b'"epoch": 3, "step": 18').replace(b"2,12,", b"3,18,")
    assert later != last
    with open(path, "ab") as file:
        file.write(later + later[:9])
    net.fit(
        X,
        T,
        epochs=2,
        continue_from=history,
        validation=VALIDATED["validation"],
        callbacks=[KINDS[kind](path)],
    )
    assert Path(path).read_bytes().startswith(content)
    assert [row[1] for row in without_seconds(path)[1]] == ["6", "12", "18", "24"]


@both
@pytest.mark.parametrize("size", [1, 8, 30])
def test_a_process_that_was_killed_in_the_first_line(kind, size):
    path, net = f"log.{kind}", plain()
    history = net.fit(X, T, epochs=1, callbacks=[KINDS[kind](path)], **VALIDATED)
    wanted, content = without_seconds(path), Path(path).read_bytes()
    Path(path).write_bytes(content[:size])
    options = dict(continue_from=history, validation=VALIDATED["validation"])
    net.fit(X, T, epochs=1, callbacks=[KINDS[kind](path)], **options)
    names, rows = without_seconds(path)
    assert (names, rows[:1]) == wanted
    assert len(rows) == 2


def refused(path, kind, words, net=None, **options):
    """That a run is refused, and the file stays as it is."""
    before = Path(path).read_bytes()
    net = net or plain()
    weights = bits(net)
    with pytest.raises(ValueError, match=words):
        net.fit(X, T, epochs=1, callbacks=[KINDS[kind](path)], **options)
    assert Path(path).read_bytes() == before
    assert bits(net) == weights


@both
def test_files_that_are_none_of_the_run(kind):
    path, net = f"log.{kind}", plain()
    history = net.fit(X, T, epochs=1, batch_size=10, seed=0)
    plain().fit(X, T, epochs=1, batch_size=10, seed=5, callbacks=[KINDS[kind](path)])
    refused(path, kind, f"^{path}: has rows already, and the run begins; .* or overwrite=True")
    refused(
        path, kind, f"^{path}: has the loss .* of step 6, and the history has", net, continue_from=history
    )
    history = net.fit(X, T, epochs=1, batch_size=10, seed=0)
    for text in ("a,b\n1,2\n", "words", '{"a": 1}\n', "3\n", "{" * 2000 + "\n", "\xff\n"):
        Path(path).write_text(text, encoding="latin-1")
        with pytest.raises(ValueError, match=f"^{path}: has rows already"):
            plain().fit(X, T, epochs=1, callbacks=[KINDS[kind](path)])
        words = f"^{path}: (begins with|row 1 is none of a log)"
        refused(path, kind, words, net, continue_from=history)
        history = net.history


@both
def test_rows_that_nothing_tells_whose_they_are(kind):
    """A run that has evaluated nothing yet, and a file that is ahead of it."""

    class Ends(bp.Callback):
        every = 3

        def step(self, run):
            return True

    path, net = f"log.{kind}", plain()
    plain().fit(X, T, epochs=2, batch_size=10, callbacks=[KINDS[kind](path)])
    history = net.fit(X, T, epochs=2, batch_size=10, callbacks=[Ends()])
    refused(path, kind, f"^{path}: has step 6, and nothing of the 3 that", net, continue_from=history)
    net.fit(X, T, epochs=1, callbacks=[KINDS[kind](path, overwrite=True)], continue_from=net.history)
    assert [row[1] for row in without_seconds(path)[1]] == ["6"]


@both
def test_overwriting(kind):
    path = f"log.{kind}"
    Path(path).write_text("anything\nat all")
    net = plain()
    history = net.fit(X, T, epochs=2, batch_size=10, callbacks=[KINDS[kind](path, overwrite=True)])
    assert len(without_seconds(path)[1]) == 2
    net.fit(X, T, epochs=1, callbacks=[KINDS[kind](path, overwrite=True)], continue_from=history)
    assert len(without_seconds(path)[1]) == 3


def test_one_log_for_each_file_and_run():
    log = CSVLog("log.csv")
    with pytest.raises(ValueError, match=r"fit: CSVLog\('log.csv'\) is given twice"):
        plain().fit(X, T, epochs=1, callbacks=[log, log])

    def again(net, history):
        with pytest.raises(ValueError, match=r"fit: CSVLog\('log.csv'\) is in use by another run"):
            plain().fit(X, T, epochs=1, callbacks=[log])

    plain().fit(X, T, epochs=2, batch_size=10, callbacks=[again, log])
    assert len(without_seconds("log.csv")[1]) == 2
    with open("log.csv", "a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with pytest.raises(ValueError, match=r"^log.csv: another run writes to it"):
            plain().fit(X, T, epochs=1, callbacks=[CSVLog("log.csv", overwrite=True)])
    assert len(without_seconds("log.csv")[1]) == 2


@both
def test_a_process_that_is_killed_leaves_whole_rows(kind):
    code = f"""
import os, signal
import backprop as bp
from tests.training.runs import X, T, plain
def die(net, history):
    if len(history.evaluated_at) == 3:
        os.kill(os.getpid(), signal.SIGKILL)
plain().fit(X, T, epochs=9, batch_size=10, callbacks=[bp.callbacks.{KINDS[kind].__name__}("log.{kind}"), die])
"""
    root = str(Path(__file__).parents[2])
    path = os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH")]))
    done = subprocess.run([sys.executable, "-c", code], env=os.environ | {"PYTHONPATH": path}, check=False)
    assert done.returncode == -9
    assert [row[1] for row in without_seconds(f"log.{kind}")[1]] == ["6", "12", "18"]


@pytest.mark.parametrize("made", [*KINDS.values(), TensorBoard])
def test_arguments(made, tmp_path):
    with pytest.raises(TypeError, match=f"{made.__name__}: path is 3, wanted a path"):
        made(3)
    with pytest.raises(
        TypeError, match=f"{made.__name__}: every is 1.5, wanted a whole number of steps or None"
    ):
        made("log", every=1.5)
    with pytest.raises(ValueError, match=f"{made.__name__}: every is 0, wanted at least 1 step"):
        made("log", every=0)
    if made is not TensorBoard:
        with pytest.raises(ValueError, match="overwrite is 'yes', wanted True or False"):
            made("log", overwrite="yes")
        with pytest.raises(OSError, match="nowhere/log: there is no folder"):
            plain().fit(X, T, epochs=1, callbacks=[made("nowhere/log")])
        with pytest.raises(OSError, match="is a folder, wanted a regular file"):
            plain().fit(X, T, epochs=1, callbacks=[made(tmp_path)])
    assert repr(made("log")) == f"{made.__name__}('log')"
    assert repr(made("log", every=3)) == f"{made.__name__}('log', every=3)"


def test_a_copy_of_a_log_is_in_no_run():
    log = CSVLog("log.csv")
    copies = []

    def copied(net, history):
        copies.extend([copy.copy(log), pickle.loads(pickle.dumps(log))])

    plain().fit(X, T, epochs=1, callbacks=[log, copied])
    for one in copies:
        assert one._of is None
        assert "_file" not in vars(one)


def test_a_full_disk_leaves_whole_rows(monkeypatch):
    write, calls = os.write, []

    def fails(handle, data):
        calls.append(bytes(data))
        if len(calls) == 4:
            raise OSError(28, "No space left on device")
        return write(handle, data[:7] if len(calls) == 3 else data)

    monkeypatch.setattr("os.write", fails)
    with pytest.raises(OSError, match="No space left on device: 'log.csv'"):
        plain().fit(X, T, epochs=3, batch_size=10, callbacks=[CSVLog("log.csv")])
    assert [row[1] for row in without_seconds("log.csv")[1]] == ["6"]


def test_checksums_of_event_files():
    # RFC 3720, appendix B.4, and the usual check.
    assert event_files.crc32c(bytes(32)) == 0x8A9136AA
    assert event_files.crc32c(b"\xff" * 32) == 0x62A8AB43
    assert event_files.crc32c(bytes(range(32))) == 0x46DD794E
    assert event_files.crc32c(b"123456789") == 0xE3069283


def test_what_tensorboard_reads():
    protocol = pytest.importorskip("tensorboardX.proto.event_pb2")
    net = plain()
    history = net.fit(X, T, epochs=1, callbacks=[TensorBoard("runs/a", every=4)], **VALIDATED)
    net.fit(
        X, T, epochs=1, continue_from=history, validation=VALIDATED["validation"],
        callbacks=[TensorBoard("runs/a", every=4)],
    )  # fmt: skip
    found = []
    names = os.listdir("runs/a")
    assert len(names) == 2
    for name in names:
        content = Path(f"runs/a/{name}").read_bytes()
        assert name.startswith("events.out.tfevents.")
        while content:
            size = int.from_bytes(content[:8], "little")
            assert content[8:12] == event_files._masked(content[:8])
            message, content = content[12 : 12 + size], content[12 + size :]
            assert content[:4] == event_files._masked(message)
            content = content[4:]
            found.append(protocol.Event.FromString(message))
    curves = [(one.step, {v.tag: v.simple_value for v in one.summary.value}) for one in found]
    curves = sorted((step, curve) for step, curve in curves if curve)
    assert [step for step, _ in curves] == [4, 6, 8, 12]
    table = net.history.to_dict()
    float32 = lambda value: float(X.dtype.type(value))  # noqa: E731  # of which a point is
    for n, (_, curve) in enumerate(curves[1::2]):
        assert curve == {name: float32(values[n]) for name, values in table.items() if name != "step"}
    assert sorted(one.file_version for one in found if one.file_version) == ["brain.Event:2"] * 2
    (again,) = [one for one in found if one.session_log.status]
    assert (again.step, again.session_log.status) == (7, protocol.SessionLog.START)


def test_logs_change_no_bit():
    nets = plain(), plain()
    nets[0].fit(X, T, epochs=3, **VALIDATED)
    nets[1].fit(
        X, T, epochs=3, callbacks=[CSVLog("a", every=1), JSONLines("b", every=1), TensorBoard("c", every=1)],
        progress=True, **VALIDATED,
    )  # fmt: skip
    assert bits(nets[0]) == bits(nets[1])
