"""The tokens of Cython, Python and C, as far as planting faults needs them: comments and white space are left out."""

import re
from dataclasses import dataclass

NUMBER = (
    r"0[oO][0-7]+|0[xX][0-9a-fA-F]+(?:\.[0-9a-fA-F]*)?(?:[pP][+-]?\d+)?[uUlLfF]*"
    r"|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?[uUlLfF]*"
)
OPERATOR = r"<<=|>>=|//=|\*\*=|\.\.\.|::|->|\+\+|--|<<|>>|<=|>=|==|!=|&&|\|\||//|\*\*|[-+*/%&|^]=|[^\w\s]"
CYTHON = re.compile(
    rf"""(?P<comment>\#[^\n]*)
    |(?P<string>(?i:[rbufc]{{0,2}})(?:\"\"\"[\s\S]*?\"\"\"|'''[\s\S]*?'''|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'))
    |(?P<number>{NUMBER})|(?P<name>[A-Za-z_]\w*)|(?P<line>\n)|(?P<op>{OPERATOR})|(?P<space>\s|\\\n)""",
    re.VERBOSE,
)
C = re.compile(
    rf"""(?P<comment>/\*[\s\S]*?\*/|//[^\n]*)|(?P<space>\\\n)
    |(?P<string>"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*')
    |(?P<number>{NUMBER})|(?P<name>[A-Za-z_]\w*)|(?P<line>\n)|(?P<op>{OPERATOR})|(?P<blank>\s)""",
    re.VERBOSE,
)
WORDS = """
and as break case cdef cimport class const continue cpdef ctypedef def default do elif else except finally for from if
import in include is not or pass raise return static struct switch try typedef while with
"""
KEYWORDS = frozenset(WORDS.split())
BRACKETS = {"(": ")", "[": "]", "{": "}"}


@dataclass(frozen=True)
class Token:
    """A piece of source: what it is, its text, and where it begins."""

    kind: str
    text: str
    start: int

    @property
    def end(self) -> int:
        """The place behind it."""
        return self.start + len(self.text)

    @property
    def ends_operand(self) -> bool:
        """Whether what comes next is a binary operator, if it is an operator at all."""
        if self.kind == "name":
            return self.text not in KEYWORDS
        return self.kind in ("number", "string") or self.text in (")", "]", "}")


def scan(text: str, language: re.Pattern[str]) -> list[Token]:
    """All tokens, ends of lines among them. Outside of brackets they end a statement of Cython, or a directive of C."""
    found = []
    for match in language.finditer(text):
        kind = match.lastgroup or ""
        if kind not in ("comment", "space", "blank"):
            found.append(Token(kind, match[0], match.start()))
    return found


def closing(tokens: list[Token], opening: int) -> int:
    """The index of the bracket that closes the one at `opening`; the end of the tokens where there is none."""
    depth = 0
    for n in range(opening, len(tokens)):
        if tokens[n].text in BRACKETS:
            depth += 1
        elif tokens[n].text in BRACKETS.values():
            depth -= 1
            if depth == 0:
                return n
    return len(tokens)


def split(tokens: list[Token], separator: str) -> list[list[Token]]:
    """The tokens between separators outside of brackets, without what is empty."""
    parts: list[list[Token]] = [[]]
    depth = 0
    for token in tokens:
        depth += (token.text in BRACKETS) - (token.text in BRACKETS.values())
        if depth == 0 and token.text == separator:
            parts.append([])
        else:
            parts[-1].append(token)
    return [part for part in parts if part]
