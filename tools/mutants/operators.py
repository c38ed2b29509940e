"""The faults that are planted: edits of a statement's tokens, for all languages."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from tools.mutants.tokens import KEYWORDS, Token, closing, split

# Written with a space on either side; a pointer's star, a cast's bracket and an address are not.
BINARY = {
    "+": ("-",), "-": ("+",), "*": ("+",), "/": ("*",), "//": ("*",), "%": ("+",), "<<": (">>",), ">>": ("<<",),
    "&": ("|",), "|": ("&",), "+=": ("-=",), "-=": ("+=",), "*=": ("+=",), "/=": ("*=",),
    "<": ("<=", ">="), "<=": ("<", ">"), ">": (">=", "<="), ">=": (">", "<"), "==": ("!=",), "!=": ("==",),
    "&&": ("||",), "||": ("&&",),
}  # fmt: skip
WORDS = {"and": "or", "or": "and", "min": "max", "max": "min", "True": "False", "False": "True"}
# What binds weaker than an addition that is put behind an expression.
WEAK = frozenset("if and or not in is ? < <= > >= == != && || & | << >>".split())  # noqa: SIM905  # it is a line


@dataclass(frozen=True)
class Edit:
    """Text from `start` to `end` becomes `replacement`."""

    start: int
    end: int
    replacement: str
    kind: str


def edits(source: str, tokens: list[Token]) -> Iterator[Edit]:
    """Every fault of these tokens, which are a statement or several."""
    for n, token in enumerate(tokens):
        before = tokens[n - 1] if n else None
        after = tokens[n + 1] if n + 1 < len(tokens) else None
        if token.kind == "number":
            if before is None or before.text != "::":
                for other in constants(token.text):
                    yield Edit(token.start, token.end, other, "constant")
        elif token.kind == "name":
            yield from _word(token, before, after)
            if token.text in ("range", "prange"):
                yield from _range(tokens, n)
            elif token.text == "for" and after is not None and after.text == "(":
                yield from _for(tokens, n + 1)
        elif token.kind == "op":
            yield from _operator(source, token, before, after)
            if token.text == "[" and before is not None and before.end == token.start and before.ends_operand:
                yield from _index(tokens, n)


def _operator(source: str, token: Token, before: Token | None, after: Token | None) -> Iterator[Edit]:
    operand = before is not None and before.ends_operand
    spaced = source[token.start - 1].isspace() and source[token.end : token.end + 1].isspace()
    if operand and spaced:
        yield from (Edit(token.start, token.end, other, "operator") for other in BINARY.get(token.text, ()))
    elif token.text in ("++", "--"):
        yield Edit(token.start, token.end, {"++": "--", "--": "++"}[token.text], "operator")
    elif token.text in ("-", "~", "!") and not operand and after is not None and after.start == token.end:
        yield Edit(token.start, token.end, "", "sign")


def _word(token: Token, before: Token | None, after: Token | None) -> Iterator[Edit]:
    previous, following = before.text if before else "", after.text if after else ""
    if token.text in ("min", "max"):
        if following == "(" and previous != ".":
            yield Edit(token.start, token.end, WORDS[token.text], "operator")
    elif token.text in WORDS:
        yield Edit(token.start, token.end, WORDS[token.text], "logic")
    elif token.text == "is":
        if after is not None and following == "not":
            yield Edit(token.start, after.end, "is", "logic")
        else:
            yield Edit(token.start, token.end, "is not", "logic")
    elif token.text == "not" and previous != "is" and following != "None" and after is not None:
        yield Edit(token.start, after.start, "", "logic")


def _range(tokens: list[Token], n: int) -> Iterator[Edit]:
    """range(n) to range(n - 1), range(a, b) to range(a + 1, b) and range(a, b - 1)."""
    if n + 1 == len(tokens) or tokens[n + 1].text != "(":
        return
    arguments = split(tokens[n + 2 : closing(tokens, n + 1)], ",")
    places = [argument for argument in arguments if "=" not in [token.text for token in argument]]
    if not places:
        return
    yield from addition_behind(places[min(1, len(places) - 1)], " - 1", "bound")
    if len(places) > 1 and places[0][0].kind != "number":
        yield from addition_behind(places[0], " + 1", "bound")


def _for(tokens: list[Token], opening: int) -> Iterator[Edit]:
    """for (…; i < n; …) to for (…; i < n - 1; …)."""
    inside = tokens[opening + 1 : closing(tokens, opening)]
    ends = [n for n, token in enumerate(inside) if token.text == ";"]
    if len(ends) == 2:
        condition = inside[ends[0] + 1 : ends[1]]
        comparison = [n for n, token in enumerate(condition) if token.text in ("<", "<=")]
        if len(comparison) == 1:
            yield from addition_behind(condition[comparison[0] + 1 :], " - 1", "bound")


def _index(tokens: list[Token], opening: int) -> Iterator[Edit]:
    """x[i] to x[i + 1], but not in the type or the size of an array."""
    end = closing(tokens, opening)
    inside = tokens[opening + 1 : end]
    if any(token.text in (":", "::", "floating") for token in inside) or _declares(tokens, opening, end):
        return
    for part in split(inside, ","):
        if len(part) > 1 or part[0].kind == "name":
            yield from addition_behind(part, " + 1", "index")


def _declares(tokens: list[Token], opening: int, end: int) -> bool:
    """Whether an array is declared: `type[size] name` in Cython, `type name[size]` in C."""
    if end + 1 < len(tokens) and tokens[end + 1].kind == "name" and tokens[end + 1].text not in KEYWORDS:
        return True
    name = opening - 1
    while tokens[name].text == "]" and name > 0:
        depth = 0
        while name > 0:
            depth += (tokens[name].text == "]") - (tokens[name].text == "[")
            name -= 1
            if depth == 0:
                break
    if name < 1 or tokens[name].kind != "name":
        return False
    kind = tokens[name - 1]
    if kind.text == ")":
        # BP(type) name[size], where for (…) name[index] is a statement.
        depth, n = 0, name - 1
        while n > 0:
            depth += (tokens[n].text == ")") - (tokens[n].text == "(")
            if depth == 0:
                break
            n -= 1
        return n > 0 and tokens[n - 1].text.startswith("BP") and tokens[name].start > kind.end
    return kind.kind == "name" and kind.text not in KEYWORDS and not kind.text.startswith("BP_UNROLL")


def addition_behind(expression: list[Token], addition: str, kind: str) -> Iterator[Edit]:
    if expression and not any(token.text in WEAK for token in expression):
        yield Edit(expression[-1].end, expression[-1].end, addition, kind)


def constants(text: str) -> Iterator[str]:
    """Other numbers in place of one.

    The next integer, half of a decimal fraction; of a hexadecimal one, the double of it, and another last digit.
    """
    if text[:2].lower() == "0o":
        yield f"{int(text, 8) + 1:#o}"
        return
    hexadecimal = text[:2].lower() == "0x"
    # Without an exponent, an f at the end of a hexadecimal number is a digit.
    number = text.rstrip("uUlL") if hexadecimal and "p" not in text.lower() else text.rstrip("uUlLfF")
    suffix = text[len(number) :]
    if hexadecimal and "p" in number.lower():
        mantissa, exponent = re.split("[pP]", number)
        yield f"{mantissa}p{int(exponent) + 1:+d}{suffix}"
        if "." in mantissa:
            yield f"{mantissa[:-1]}{int(mantissa[-1], 16) ^ 1:x}{number[len(mantissa) :]}{suffix}"
    elif hexadecimal:
        yield f"0x{int(number, 16) + 1:0{len(number) - 2}x}{suffix}"
    elif re.search("[.eE]", number):
        yield f"{float(number) / 2 or 1.0!r}{suffix}"
    else:
        yield f"{int(number) + 1}{suffix}"
