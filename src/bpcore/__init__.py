"""The compiled core of backprop: kernels for dense neural networks, built once per instruction-set level.

`bpcore.kernels` and `bpcore.plan` are the builds for the best level that both the processor and the operating system
allow. `$BACKPROP_ISA` (for instance `v3`) chooses another. They are imported when they are asked for: none of
`get_include`, `get_cmake_dir` and `level` needs NumPy.
"""

import importlib
import os
from importlib.util import find_spec
from typing import Any

from bpcore import _api, cpu
from bpcore.threads import get_num_threads, set_num_threads

__all__ = [
    "cpu_info",
    "get_cmake_dir",
    "get_include",
    "get_num_threads",
    "kernels",
    "level",
    "plan",
    "require_api",
    "set_num_threads",
]
__version__ = "0.1.0"

LEVELS = ("v4", "v3", "v2", "neon", "generic")


def _built_levels() -> tuple[str, ...]:
    return tuple(level for level in LEVELS if find_spec(f"bpcore._core_{level}") is not None)


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


def level() -> str:
    """The instruction-set level that was chosen: "v4", "v3", "v2", "neon" or "generic".

    Modules of one's own that are built once per level are chosen by it:
    `importlib.import_module(f"package._core_{bpcore.level()}")`.
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
    from bpcore.kernels import has_threads  # which imports NumPy

    return {
        "name": cpu.name(),
        "built": _built_levels(),
        "usable": cpu.usable_levels(),
        "chosen": _level,
        "build": cpu.build(),
        "threads": has_threads(),
    }


def get_include() -> str:
    """The folder of the C headers, for the include path of a module that cimports from bpcore."""
    return os.path.dirname(__file__)  # noqa: PTH120  # pathlib costs the import 4 ms


def get_cmake_dir() -> str:
    """The folder of `bpcore-config.cmake`: the `bpcore_DIR` of CMake's `find_package(bpcore CONFIG)`."""
    return os.path.join(get_include(), "cmake")


def require_api(version: int, module: str) -> None:
    """Raise unless a module was compiled against the version of bpcore's declarations that is installed.

    What a module cimports from bpcore is compiled into it, so a module works on its own, whatever is installed. Modules
    that hand structs to each other (a `Network`, an `Update`) have to be compiled against one version: where each
    begins with `bpcore.require_api(BPCORE_API_VERSION, __name__)`, they are.

    Parameters
    ----------
    version : int
        `BPCORE_API_VERSION`, cimported from bpcore: of the module.
    module : str
        Its `__name__`, for the error.

    Raises
    ------
    ImportError
        If another version is installed: the module has to be built again.
    """
    if version != _api.API_VERSION:
        raise ImportError(
            f"{module} was compiled against version 0x{version:07X} of bpcore's API; bpcore {__version__}, which is "
            f"installed, has version 0x{_api.API_VERSION:07X}: build {module} again, against this bpcore"
        )
