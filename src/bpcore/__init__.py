"""The compiled core of backprop: kernels for dense neural networks, built once per instruction-set level.

`bpcore.kernels` and `bpcore.plan` are the builds for the best level that both the processor and the operating system
allow. `$BACKPROP_ISA` (for instance `v3`) chooses another. They are imported when they are asked for: neither
`get_include` nor `level` needs NumPy.
"""

import importlib
import os
from importlib.util import find_spec
from types import ModuleType
from typing import Any

from bpcore import cpu
from bpcore.threads import get_num_threads, set_num_threads

__all__ = ["cpu_info", "get_include", "get_num_threads", "kernels", "level", "plan", "set_num_threads"]
__version__ = "0.1.0"

LEVELS = ("v4", "v3", "v2", "neon", "generic")


def _built_levels() -> tuple[str, ...]:
    return tuple(level for level in LEVELS if find_spec(f"bpcore.kernels_{level}") is not None)


def _choose(built: tuple[str, ...], usable: tuple[str, ...], wanted: str) -> str:
    """The level to run: `wanted` ($BACKPROP_ISA) or, when that is empty, the best one built and usable."""
    allowed = [level for level in usable if level in built]
    if not wanted:
        if not allowed:
            raise ImportError(
                f"bpcore is built for {', '.join(built) or 'no level'}, this processor runs {', '.join(usable)}; "
                "build it on this machine: pip install --no-binary bpcore bpcore"
            )
        return allowed[0]
    if wanted not in LEVELS:
        raise ImportError(f"BACKPROP_ISA is {wanted!r}, wanted one of {', '.join(LEVELS)}")
    if wanted not in allowed:
        raise ImportError(
            f"BACKPROP_ISA is {wanted!r}; built here: {', '.join(built)}; "
            f"usable on this processor: {', '.join(usable)}"
        )
    return wanted


_level = _choose(_built_levels(), cpu.usable_levels(), os.environ.get("BACKPROP_ISA", "").strip())


def __getattr__(name: str) -> Any:
    """Import the compiled modules when they are first asked for."""
    if name in ("kernels", "plan"):
        return importlib.import_module(f"bpcore.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def _compiled(name: str) -> ModuleType:
    """A module of the chosen level."""
    return importlib.import_module(f"bpcore.{name}_{_level}")


def level() -> str:
    """The instruction-set level that was chosen: "v4", "v3", "v2", "neon" or "generic".

    Modules of one's own that are built once per level are chosen by it.
    """
    return _level


def cpu_info() -> dict[str, object]:
    """What was built, what this machine can run, and what was chosen.

    Returns
    -------
    dict
        `name` of the processor, levels `built` and `usable` (best first), the level `chosen`, `build`
        ("Release" or "Debug") and whether OpenMP `threads` are compiled in.
    """
    return {
        "name": cpu.name(),
        "built": _built_levels(),
        "usable": cpu.usable_levels(),
        "chosen": _level,
        "build": cpu.build(),
        "threads": _compiled("kernels").has_threads(),
    }


def get_include() -> str:
    """The folder of `simd.h`, for the include path of a module that cimports from bpcore."""
    return os.path.dirname(__file__)  # noqa: PTH120  # pathlib costs the import 4 ms
