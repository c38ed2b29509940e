"""The statements of Cython and of Python, and which of them can be left out."""

from collections.abc import Iterator

from tools.mutants.tokens import BRACKETS, CYTHON, Token, scan

LEAVE = frozenset(["raise", "return", "continue", "break"])


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


def can_go(line: list[Token]) -> bool:
    """Whether the function still compiles without the statement: an assignment, a call, or what leaves early."""
    first = line[0].text
    if first in LEAVE:
        return first == "raise" or len(line) == 1
    if line[0].kind != "name" and first != "(":
        return False
    depth = 0
    for token in line:
        depth += (token.text in BRACKETS) - (token.text in BRACKETS.values())
        if depth == 0 and token.text.endswith("=") and token.text not in ("==", "<=", ">=", "!="):
            return first not in ("cdef", "if", "elif", "while", "return")
    return line[-1].text == ")" and line[0].ends_operand and line[1].text in ("(", ".")


def empty(source: str, line: list[Token]) -> str:
    """What stands in the place of a statement that is left out, on as many lines."""
    return "pass" + "\n" * source.count("\n", line[0].start, line[-1].end)
