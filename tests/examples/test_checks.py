"""A module compiled with -DBPCORE_CHECKS stops at a wrong call and says why; without it no check is compiled in."""

import math
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import bpcore
from tests.examples.builds import build, run, translate

pytestmark = [
    pytest.mark.compilers,
    pytest.mark.skipif(sys.platform != "linux", reason="modules are linked as on Linux"),
    pytest.mark.skipif(bpcore.cpu_info()["build"] != "Release", reason="a .pxd is the same in every build"),
]
# What stops the module, and what it says.
STOPPED = {
    "batch": "batch has no rows or more than the workspace",
    "empty batch": "batch has no rows",
    "label": "label is not within 0 to outputs - 1",
    "label below 0": "label is not within 0 to outputs - 1",
    "rule": "no rule of updates.pxd",
    "step": "step below 1",
    "state": "keeps more of a parameter than its state1, state2 and state3",
    "weight": "weight or bias is NULL",
    "bias": "weight or bias is NULL",
    "itemsize": "another type than the arrays",
    "activation": "none of activations.pxd",
    "transform": "not made by dense",
    "stride": "stride is less than the layer's outputs",
    "sizes": "other inputs than outputs come in",
    "workspace": "no workspace: call place",
    "depth": "no layers",
    "loss": "takes numbers, not labels",
    "no targets": "either labels or targets",
    "two targets": "either labels or targets",
    "rows forward": "rows are not within the batch, or the workspace",
    "rows backward": "rows are not within the batch, or the workspace",
    "batch norm, statistics": "running_mean or running_var is NULL",
    "batch norm, rows forward": "a layer takes whole batches, from row 0",
    "batch norm, rows backward": "a layer takes whole batches, of B rows",
    "parameters": "batch has no rows or more than the workspace",
}
MESSAGES = {
    message.encode()
    for file in Path(bpcore.get_include()).glob("*.pxd")
    for message in re.findall(r'bp_require\([^"]*"([^"]+)"', file.read_text(encoding="utf-8"))
}


@pytest.fixture(scope="module")
def modules(tmp_path_factory):
    """The folders of the module with checks and of the one without."""
    generated = translate("checked", "C", tmp_path_factory.mktemp("translated"))
    folders = {}
    for name, flags in (("checked", ["-DBPCORE_CHECKS"]), ("unchecked", [])):
        folders[name] = tmp_path_factory.mktemp(name)
        build("gcc", Path(shutil.copy(generated, folders[name])), *flags, "-O1")
    return folders


@pytest.mark.parametrize("wrong", STOPPED)
def test_what_is_wrong_stops_the_process(wrong, modules):
    done = subprocess.run(
        [sys.executable, "-c", f"import checked; checked.run({wrong!r})"],
        cwd=modules["checked"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == -signal.SIGABRT, done.stderr
    assert done.stderr.startswith("bpcore: ")
    assert STOPPED[wrong] in done.stderr.splitlines()[0]


def test_what_is_right_runs_in_both(modules):
    said = [run('import checked; print(checked.run("nothing"))', folder) for folder in modules.values()]
    assert said[0] == said[1]
    # All weights are 0, so each of the three classes is as probable as the others.
    assert abs(float(said[0]) - math.log(3)) <= 8 * 2**-24 * math.log(3)


def test_without_it_no_check_is_in_the_machine_code(modules):
    with_checks, without = (next(folder.glob("checked.*.so")).read_bytes() for folder in modules.values())
    assert len([message for message in MESSAGES if message in with_checks]) > 10
    assert [message for message in MESSAGES if message in without] == []
