"""Files of networks: one module a format, which says its suffixes in SUFFIXES, and has `save` and `load`.

A new format is a new module in this folder; those whose names begin with an underscore are no formats.
"""

import os
import pkgutil
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

# The format of names with another suffix, or none.
DEFAULT = ".safetensors"


class Format(Protocol):
    """A module of this package that reads and writes files of networks."""

    SUFFIXES: tuple[str, ...]

    def save(self, net: Any, path: str | os.PathLike[str]) -> None:
        """Write a network, whole or not at all; TypeError for one that the format could not hold."""

    def load(self, path: str | os.PathLike[str]) -> Any:
        """Read a network; ValueError, with the path, for a file that is wrong."""


@cache
def formats() -> dict[str, Format]:
    """The formats by their suffixes."""
    names = [module.name for module in pkgutil.iter_modules(__path__) if not module.name.startswith("_")]
    found: list[Any] = [import_module(f"{__name__}.{name}") for name in names]
    return {suffix: one for one in found for suffix in one.SUFFIXES}


def format_of(path: str | os.PathLike[str]) -> Format:
    """The format that a path's suffix says."""
    return formats().get(Path(os.fspath(path)).suffix.lower(), formats()[DEFAULT])
