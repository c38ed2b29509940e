"""Write src/bpcore/kernels.pyi from the table of entries: `python -m tools.kernel_stubs` after a kernel was added."""

from pathlib import Path

from bpcore import kernels

STUBS = Path(__file__).parents[1] / "src" / "bpcore" / "kernels.pyi"
HEAD = '''"""The kernels of the chosen instruction-set level. Written by tools/kernel_stubs.py."""

import inspect
from typing import Any, TypeAlias

from numpy import bool_, floating, int32, int64, uint8
from numpy.typing import NDArray

from bpcore.errors import ArgumentSpec

# float32 or float64, one type a call: NumPy's stubs have no way to say "the same one" for both at once.
_Floats: TypeAlias = NDArray[floating[Any]]
_Mask: TypeAlias = NDArray[bool_] | NDArray[uint8]
_Indices: TypeAlias = NDArray[int32] | NDArray[int64]
_Targets: TypeAlias = NDArray[int64] | _Floats

class Entry:
    arguments: list[list[ArgumentSpec]]
    returns: bool
    __name__: str
    __signature__: inspect.Signature

'''
TAIL = """def has_threads() -> bool: ...
def multiply_adds(dtype: str, rounds: int, threads: int = 1) -> int: ...
"""


def type_of(entry: kernels.Entry, name: str) -> str:
    """The type of an argument in the stub."""
    specs = next((specs for specs in entry.arguments if specs[0].name == name), None)
    if specs is None:
        return "int" if name == "step" else "int | None" if name == "threads" else "float"
    if len(specs) == 2:
        return "_Targets"
    return {"bool": "_Mask", "int32": "_Indices"}.get(specs[0].dtypes[0], "_Floats")


def stub(entry: kernels.Entry) -> str:
    """The line of one entry, broken as the formatter does it where it is too long."""
    arguments = [
        f"{name}: {type_of(entry, name)}{' = None' if name == 'threads' else ''}"
        for name in entry.__signature__.parameters
    ]
    begin, end = f"def {entry.__name__}(", f") -> {'float' if entry.returns else 'None'}: ..."
    line = f"{begin}{', '.join(arguments)}{end}"
    if len(line) <= 110:
        return f"{line}\n"
    body = f"    {', '.join(arguments)}"
    return (
        f"{begin}\n{body}\n{end}\n"
        if len(body) <= 110
        else f"{begin}\n" + "".join(f"    {argument},\n" for argument in arguments) + f"{end}\n"
    )


def stubs() -> str:
    """The whole file."""
    entries = [value for value in vars(kernels).values() if isinstance(value, kernels.Entry)]
    return HEAD + "".join(map(stub, entries)) + TAIL


if __name__ == "__main__":
    STUBS.write_text(stubs(), encoding="utf-8")
