"""A Sphinx extension that writes what every command's `--help` says to `generated/commands.rst`."""

import argparse
import os
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

from backprop.cli import PROGRAM, parser


def write(app: Sphinx) -> None:
    """Write the page, so that it is true whenever it is built."""
    os.environ["COLUMNS"] = "88"  # argparse wraps its help to the terminal's width
    described = parser()
    (commands,) = (action for action in described._actions if isinstance(action, argparse._SubParsersAction))
    parts = section(PROGRAM, described)
    for name, command in commands.choices.items():
        parts += section(f"{PROGRAM} {name}", command)
    path = Path(app.srcdir) / "generated" / "commands.rst"
    path.parent.mkdir(exist_ok=True)
    path.write_text("\n".join(parts), encoding="utf-8")


def section(name: str, command: argparse.ArgumentParser) -> list[str]:
    """A heading and the help, as the terminal shows it."""
    help_lines = [f"    {line}".rstrip() for line in command.format_help().splitlines()]
    return [name, "~" * len(name), "", ".. code-block:: text", "", *help_lines, ""]


def setup(app: Sphinx) -> dict[str, Any]:
    """Write before the sources are read."""
    app.connect("builder-inited", write)
    return {"parallel_read_safe": True}
