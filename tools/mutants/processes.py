"""Processes that may hang, crash or ask for all the memory there is."""

import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

MEMORY = 6 * 2**30  # bytes of addresses: the suite itself takes 3 GB of them, mostly stacks of threads
FILE_SIZE = 2**30
# The limits are set by the process itself: this one has threads, between whose fork and exec no Python may run.
LIMITED = f"""
import os, resource, sys
for name, limit in ("RLIMIT_AS", {MEMORY}), ("RLIMIT_FSIZE", {FILE_SIZE}), ("RLIMIT_CORE", 0):
    try:
        resource.setrlimit(getattr(resource, name), (limit, limit))
    except (OSError, ValueError):
        pass  # macOS knows no limit of addresses
os.execvp(sys.argv[1], sys.argv[1:])
"""
# What would choose other modules or numbers of threads than those that are to be tested.
UNSET = ("BACKPROP_ISA", "BACKPROP_NUM_THREADS", "OMP_NUM_THREADS", "PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV")


@dataclass(frozen=True)
class Done:
    """How a process ended: its exit status, negative for a signal, None if it took too long; and what it wrote."""

    status: int | None
    output: str


def finished(command: list[str], folder: Path, seconds: float) -> Done:
    """Run a command, with limited memory, and end whatever it has started when the time is over."""
    environment = {key: value for key, value in os.environ.items() if key not in UNSET}
    # Threads that wait by spinning would take the processors from the tests beside them.
    environment["OMP_WAIT_POLICY"] = "passive"
    with subprocess.Popen(
        [sys.executable, "-c", LIMITED, *command],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,
    ) as process:
        try:
            output, _ = process.communicate(timeout=seconds)
            return Done(process.returncode, output)
        except BaseException as error:
            os.killpg(process.pid, signal.SIGKILL)
            if not isinstance(error, subprocess.TimeoutExpired):
                raise
            return Done(None, process.communicate()[0])
