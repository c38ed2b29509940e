"""What a measurement was taken on."""

import os
import platform
import sys

import numpy as np

import bpcore


def cpus() -> int:
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def description() -> dict[str, object]:
    """The machine and the versions, for tables and JSON files."""
    return {
        "processor": bpcore.cpu_info()["name"],
        "cpus": cpus(),
        "level": bpcore.cpu_info()["chosen"],
        "build": bpcore.cpu_info()["build"],
        "system": f"{platform.system()} {platform.machine()}",
        "python": sys.version.split()[0],
        "numpy": np.__version__,
        "bpcore": bpcore.__version__,
    }
