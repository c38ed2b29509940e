"""The statements of a Cython file that faults are planted in, and which of them can be left out."""

import re
from collections.abc import Iterator

from tools.mutants.operators import Edit, edits
from tools.mutants.tokens import BRACKETS, CYTHON, Token, scan

# Blocks and lines that say what there is, not what to do.
DECLARATIONS = re.compile(r"cdef extern|(cdef )?struct|cdef struct|cdef class .*;|ctypedef")
SIGNATURES = re.compile(r"(cdef|cpdef|def|class|@)")
IMPORTS = frozenset(["import", "from", "cimport", "include"])
# `cdef enum:` holds sizes; an enum with a name holds the names of choices.
ENUM = "cdef enum"
CONTRACT = "bits contract"
STATEMENTS = frozenset(["raise", "return", "continue", "break"])


def statements(source: str) -> Iterator[list[Token]]:
    """The tokens of each logical line."""
    line: list[Token] = []
    depth = 0
    for token in scan(source, CYTHON):
        depth += (token.text in BRACKETS) - (token.text in BRACKETS.values())
        if token.kind != "line":
            line.append(token)
        elif depth == 0 and line:
            yield line
            line = []
    if line:
        yield line


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
            if indent and enum is None and _can_go(line):
                empty = "pass" + "\n" * source.count("\n", line[0].start, line[-1].end)
                yield Edit(line[0].start, line[-1].end, empty, "drop"), False


def _can_go(line: list[Token]) -> bool:
    """Whether the function still compiles without the statement: an assignment, a call, or what leaves early."""
    first = line[0].text
    if first in STATEMENTS:
        return first == "raise" or len(line) == 1
    if line[0].kind != "name" and first != "(":
        return False
    depth = 0
    for token in line:
        depth += (token.text in BRACKETS) - (token.text in BRACKETS.values())
        if depth == 0 and token.text.endswith("=") and token.text not in ("==", "<=", ">=", "!="):
            return first not in ("cdef", "if", "elif", "while", "return")
    return line[-1].text == ")" and line[0].ends_operand and line[1].text in ("(", ".")
