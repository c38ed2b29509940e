"""Show versions, the processor and where data is looked for."""

import argparse
import os
import platform

from backprop.cli import output

SUMMARY = "Show versions, the processor and where data is looked for."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe `backprop info`, which takes no arguments."""


def run(arguments: argparse.Namespace) -> int:
    """Print what a report of a problem should have in it."""
    import numpy as np

    import bpcore
    from backprop.data.files import cache_folder

    rows = {"bpcore": bpcore.__version__, "numpy": np.__version__, "python": platform.python_version()}
    rows["system"] = f"{platform.system()} {platform.machine()}"
    for name, value in bpcore.cpu_info().items():
        key = {"name": "processor", "threads": "OpenMP"}.get(name, name)
        rows[key] = ", ".join(value) if isinstance(value, tuple) else str(value)
    rows["threads"] = str(bpcore.get_num_threads())
    rows["BACKPROP_DATA"] = os.environ.get("BACKPROP_DATA", "not set")
    cache = cache_folder("mnist")
    rows["cache"] = "none, for there is no home folder" if cache is None else str(cache.parent)
    for key, text in rows.items():
        output.line(f"{key:<14}{text}")
    return 0
