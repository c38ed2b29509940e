"""Write the versions of the .pxd files' declarations into src/bpcore/_api; each build runs it.

Two numbers, each the first bits of a hash over declarations: functions with their arguments, structs with their fields,
enumerations with their values; not bodies, comments, docstrings or the way in which lines are broken.

- BPCORE_API_VERSION is of what is public: the .pxd files outside private folders, and what they name of private ones.
  Modules that exchange structs are compiled against one such version.
- BPCORE_DECLARATIONS is of every .pxd file. The C headers and the .pxd files that a module is compiled from have to
  have the same.
"""

import hashlib
import io
import sys
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PACKAGE = Path(__file__).parents[1] / "src" / "bpcore"
WRITTEN = "Written by tools/api_version.py."

HEADER = f"""/* {WRITTEN} */
#ifndef BPCORE_API_VERSION
#define BPCORE_API_VERSION {{api}}
#define BPCORE_DECLARATIONS {{declarations}}
#endif
"""
PXD = f'''# Private: the version of the declarations. {WRITTEN}

cdef extern from *:
    """
    #include "_api/version.h"
    #if BPCORE_DECLARATIONS != {{declarations}}
    #error "bpcore's .pxd files and C headers are of two versions: compile with -I of the bpcore that Cython has read."
    #endif
    """
    const int BPCORE_API_VERSION
'''
PYTHON = f'''"""The version of the declarations in the public .pxd files. {WRITTEN}"""

API_VERSION = {{api}}
'''


@dataclass(frozen=True)
class Declaration:
    """A function, a type, or a line of an extern block, with the names that it makes known."""

    names: frozenset[str]
    words: tuple[str, ...]
    is_type: bool = False


def statements(text: str) -> Iterator[tuple[int, list[str], int]]:
    """Each logical line: how deep it is indented, its words, and its number."""
    depth, words, line = 0, [], 0
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.INDENT:
            depth += 1
        elif token.type == tokenize.DEDENT:
            depth -= 1
        elif token.type == tokenize.NEWLINE:
            yield depth, words, line
            words = []
        elif token.type not in (tokenize.COMMENT, tokenize.NL, tokenize.ENDMARKER):
            line = line if words else token.start[0]
            if words and words[-1] == "," and token.string in ")]}":
                words.pop()
            words.append(token.string)


def declared(words: list[str], body: list[list[str]]) -> list[Declaration]:
    """What a statement that begins with cdef, cpdef or ctypedef declares."""
    lines = [line for line in body if line[0][-1] not in "\"'"]  # without docstrings and C in an extern block
    if "extern" in words[:2]:
        return [Declaration(name_of(line), (*words, *line)) for line in lines]
    if "(" in words:
        return [Declaration(name_of(words), tuple(words))]
    names = name_of(words[:-1] if words[-1] == ":" else words)
    if "enum" in words[:3]:
        names = names - {"enum"} | {line[0] for line in lines}
    return [Declaration(names, (*words, *(word for line in lines for word in (*line, ";"))), is_type=True)]


def name_of(words: list[str]) -> frozenset[str]:
    """The name of a function, else the last word."""
    return frozenset([words[words.index("(") - 1] if "(" in words else words[-1]])


def read(text: str, path: str) -> tuple[list[Declaration], set[str]]:
    """What a .pxd file declares, and the names that it cimports."""
    found: list[tuple[list[str], list[list[str]]]] = []
    cimports: set[str] = set()
    for depth, words, line in statements(text):
        if depth > 0:
            found[-1][1].append(words)
        elif words[0] in ("cdef", "cpdef", "ctypedef"):
            found.append((words, []))
        elif words[0] in ("from", "cimport"):
            cimports.update(word for word in words[words.index("cimport") + 1 :] if word.isidentifier())
        elif words[0][-1] not in "\"'":
            raise ValueError(
                f"{path}:{line}: {' '.join(words)!r} is no declaration that tools/api_version.py knows"
            )
    return [declaration for words, body in found for declaration in declared(words, body)], cimports


def digest(lines: list[str]) -> int:
    """28 bits of a hash, which fit into an int of C."""
    return int(hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()[:7], 16)


def versions(package: Path = PACKAGE) -> tuple[int, int]:
    """The version of what is public, and that of all declarations."""
    public: list[str] = []
    every: list[str] = []
    private: set[Declaration] = set()
    for path in sorted(package.rglob("*.pxd")):
        file = path.relative_to(package).as_posix()
        found, cimports = read(path.read_text(encoding="utf-8"), file)
        if file == "_api/__init__.pxd":
            continue
        lines = [f"{file}: {' '.join(one.words)}" for one in found]
        every += lines
        if file == "__init__.pxd":
            exported = cimports
        if file.startswith("_") and "/" in file:
            private.update(found)
        else:
            public += lines
    # What __init__.pxd cimports of private files, private types that public declarations name, and what these name.
    named = exported | {word for line in public for word in line.split()}
    while more := {one for one in private if one.names & (named if one.is_type else exported)}:
        private -= more
        public += [" ".join(one.words) for one in more]
        named |= {word for one in more for word in one.words}
    return digest([*public, *(f"cimport {name}" for name in exported)]), digest(every)


def files(package: Path = PACKAGE) -> dict[Path, str]:
    """What src/bpcore/_api holds."""
    api, declarations = (f"0x{number:07X}" for number in versions(package))
    texts = {"version.h": HEADER, "__init__.pxd": PXD, "__init__.py": PYTHON}
    return {
        package / "_api" / name: text.format(api=api, declarations=declarations)
        for name, text in texts.items()
    }


if __name__ == "__main__":
    for path, text in files().items():
        path.parent.mkdir(exist_ok=True)
        # What has not changed is not written: it would be compiled once more.
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
    sys.stdout.write(f"API version 0x{versions()[0]:07X}\n")
