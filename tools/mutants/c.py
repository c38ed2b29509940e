"""The parts of a C header that faults are planted in, and which statements can be left out."""

import re
from collections.abc import Iterator

from tools.mutants.operators import Edit, edits
from tools.mutants.tokens import C, Token, closing, scan

# Sizes of vectors, tiles and blocks, `#define BP_TILE_ROWS 9`, but for those that the order of a sum depends on.
SIZES = re.compile(
    r"#define BP_\w*(BYTES|ROWS|COLUMNS|VECTORS|FREE|FEW|WIDE|NARROW|UNROLL\w*|BLOCKS|SMALL\w*|KC)\b(?!\()"
    r"(?!.*bits contract)"
)
# Of use to the compiler or the cache alone.
HINTS = re.compile(r"__builtin_prefetch|__asm__|BP_KEEP_IN_REGISTER|_mm_sfence")
HEADS = ("for", "if", "while", "switch")


def faults(source: str) -> Iterator[tuple[Edit, bool]]:
    """Every fault of a file, and whether all it does is to tune."""
    for part in _parts(source):
        for edit in (*edits(source, part), *_left_out(source, part)):
            line = source[source.rfind("\n", 0, edit.start) + 1 : source.find("\n", edit.end)]
            yield edit, bool(SIZES.match(line) or HINTS.search(line))


def _parts(source: str) -> Iterator[list[Token]]:
    """Runs of code, the bodies of macros and the conditions of #if; each has its brackets closed."""
    code: list[Token] = []
    directive: list[Token] = []
    fresh = True
    for token in scan(source, C):
        if token.kind == "line":
            if directive:
                yield _of_directive(directive)
                directive = []
            fresh = True
        elif directive:
            directive.append(token)
        elif fresh and token.text == "#":
            # Code goes on behind the directive: statements end by themselves.
            directive = [token]
        else:
            fresh = False
            code.append(token)
    yield _without_types(code)


def _of_directive(tokens: list[Token]) -> list[Token]:
    name = tokens[1].text if len(tokens) > 1 else ""
    if name in ("if", "elif"):
        return tokens[2:]
    if name != "define" or len(tokens) < 4:
        return []
    if tokens[3].text == "(" and tokens[3].start == tokens[2].end:
        return tokens[closing(tokens, 3) + 1 :]
    return tokens[3:]


def _without_types(tokens: list[Token]) -> list[Token]:
    kept: list[Token] = []
    inside = False
    for token in tokens:
        inside = inside or token.text == "typedef"
        if not inside:
            kept.append(token)
        inside = inside and token.text != ";"
    return kept


def _left_out(source: str, tokens: list[Token]) -> Iterator[Edit]:
    """Each statement that is an assignment, a call or an early return, replaced by nothing."""
    first, depth, n = 0, 0, 0
    while n < len(tokens):
        token = tokens[n]
        if token.text in "([":
            depth += 1
        elif token.text in ")]":
            depth -= 1
        elif depth == 0 and token.text == "{":
            # (V){0} and = {0} are values.
            if source[token.start - 1].isspace() and tokens[n - 1].text != "=":
                first = n + 1
            else:
                n = closing(tokens, n)
        elif depth == 0 and token.text in ("}", ";"):
            body = _without_heads(tokens[first:n])
            if token.text == ";" and _can_go(body):
                start, end = body[0].start, body[-1].end
                lines = "".join(re.findall(r"\\?\n", source[start:end]))
                yield Edit(start, end, lines, "drop")
            first = n + 1
        n += 1


def _without_heads(tokens: list[Token]) -> list[Token]:
    """The statement behind `for (…)`, `else`, `case 1:` and the like."""
    while tokens:
        if tokens[0].text in HEADS and len(tokens) > 1:
            tokens = tokens[closing(tokens, 1) + 1 :]
        elif tokens[0].text in ("case", "default"):
            colons = [n for n, token in enumerate(tokens) if token.text == ":"]
            tokens = tokens[colons[0] + 1 :] if colons else []
        elif tokens[0].text in ("else", "do") or tokens[0].text.startswith("BP_UNROLL"):
            tokens = tokens[1:]
        else:
            break
    return tokens


def _can_go(tokens: list[Token]) -> bool:
    if not tokens or tokens[0].text in ("const", "static", "typedef", "goto"):
        return False
    if tokens[0].text == "return":
        return len(tokens) == 1
    if [token.text for token in tokens[:2]] == ["(", "void"]:
        return False
    if tokens[0].text == "*":
        return True
    behind = 1
    if tokens[0].kind == "name" and len(tokens) > 1 and tokens[1].text == "(":
        behind = closing(tokens, 1) + 1
    # `T name` and `T *name` declare, as BP(vector) name does.
    declares = len(tokens) > behind and (tokens[behind].kind == "name" or tokens[behind].text == "*")
    return tokens[0].kind == "name" and len(tokens) > 1 and not declares
