"""The command line in processes of its own."""

import json
import os
import subprocess
import sys

import pytest

COLOUR_VARIABLES = ("NO_COLOR", "FORCE_COLOR", "TERM")


def environment(**changed):
    """The variables of this process, but stdout is buffered, as it is for users: much of it is written at exit."""
    return {**os.environ, "PYTHONUNBUFFERED": "", **changed}


def run(*arguments, flags=(), shell="", **changed):
    """Run `python -m backprop`; `shell` is what stands behind it in a shell, such as `>&-`."""
    command = [sys.executable, *flags, "-m", "backprop", *arguments]
    if shell:
        command = ["/bin/sh", "-c", f'"$0" "$@" {shell}', *command]
    return subprocess.run(command, capture_output=True, text=True, env=environment(**changed), timeout=120)


def run_code(code, *arguments, flags=(), env=None):
    """Run a program that is given JSON for its argument; returns what it printed last on stderr, and the process."""
    done = subprocess.run(
        [sys.executable, *flags, "-c", code, *map(json.dumps, arguments)],
        capture_output=True,
        text=True,
        timeout=120,
        env=environment() if env is None else env,
    )
    assert "Traceback" not in done.stderr, done.stderr
    *lines, last = done.stderr.splitlines()
    return json.loads(last), lines, done.stdout


def on_a_terminal(*arguments, **variables):
    """What the command line writes to a real one."""
    pty = pytest.importorskip("pty")
    ours, theirs = pty.openpty()
    inherited = {key: value for key, value in os.environ.items() if key not in COLOUR_VARIABLES}
    process = subprocess.Popen(
        [sys.executable, "-m", "backprop", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        stderr=theirs,
        env=inherited | {"TERM": "xterm"} | variables,
    )
    os.close(theirs)
    written = b""
    while True:
        try:
            part = os.read(ours, 4096)
        except OSError:  # how Linux says that the other end is closed
            part = b""
        if not part:
            break
        written += part
    os.close(ours)
    return process.wait(), written.decode().replace("\r\n", "\n")
