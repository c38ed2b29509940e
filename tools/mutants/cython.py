"""The statements of a Cython file that faults are planted in, and which of them can be left out."""

import re
from collections.abc import Iterator

from tools.mutants.operators import Edit, edits
from tools.mutants.statements import can_go, empty, statements

# Blocks and lines that say what there is, not what to do.
DECLARATIONS = re.compile(r"cdef extern|(cdef )?struct|cdef struct|cdef class .*;|ctypedef")
SIGNATURES = re.compile(r"(cdef|cpdef|def|class|@)")
IMPORTS = frozenset(["import", "from", "cimport", "include"])
# `cdef enum:` holds sizes; an enum with a name holds the names of choices.
ENUM = "cdef enum"
CONTRACT = "bits contract"


def faults(source: str) -> Iterator[tuple[Edit, bool]]:
    """Every fault of a file, and whether all it does is to tune."""
    skipped: int | None = None  # the indentation of the block that is left out
    enum: int | None = None
    sizes = False
    for line in statements(source):
        begin = source.rfind("\n", 0, line[0].start) + 1
        indent = line[0].start - begin
        text = " ".join(source[line[0].start : line[-1].end].split())
        if skipped is not None and indent > skipped:
            continue
        skipped = indent if DECLARATIONS.match(text) else None
        if skipped is not None or line[0].text in IMPORTS:
            continue
        if enum is not None and indent <= enum:
            enum = None
        if text.startswith(ENUM):
            enum, sizes = indent, text == ENUM + ":"
        elif not (SIGNATURES.match(text) and text.endswith(":")) and line[0].text != "@":
            end = source.find("\n", line[-1].end)
            tuning = enum is not None and sizes and CONTRACT not in source[begin:end]
            yield from ((edit, tuning) for edit in edits(source, line))
            if indent and enum is None and can_go(line):
                yield Edit(line[0].start, line[-1].end, empty(source, line), "drop"), False
