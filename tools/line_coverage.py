"""Line coverage of the compiled core, file by file: `python tools/line_coverage.py BUILD_FOLDER [--least 95]`.

A build with -DBPCORE_COVERAGE=ON counts lines of C, and Cython says which line of a .pyx, .pxi or .pxd file each line
of C was made from; gcov's JSON has both. Left out is what holds no code of ours: the lines of a signature, whose code
is Cython's own parsing of arguments, and docstrings.
"""

import argparse
import json
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

SOURCES = Path(__file__).parents[1] / "src" / "bpcore"
ENDINGS = (".pyx", ".pxi", ".pxd", ".h")
# The first line of a function, a class or an attribute, and the last line of a signature.
SIGNATURE = re.compile(
    r"\s*(@|(cdef|cpdef|def)\b.*[(:]$|(cdef|def) .*\) *(except|noexcept|:)|cdef (readonly )?(class|object)\b|\).*:$)"
)


def source_name(file: str) -> str | None:
    """The path below SOURCES of a file that gcov names, if it is one of ours."""
    _, _, name = file.rpartition(f"{SOURCES.name}/")
    return name if name.endswith(ENDINGS) and (SOURCES / name).is_file() else None


def counts(build: Path) -> dict[str, Counter[int]]:
    """How often each line ran, by the names of our files."""
    found: dict[str, Counter[int]] = {}
    for data in build.rglob("*.gcda"):
        done = subprocess.run(
            ["gcov", "--json-format", "--stdout", data.name], cwd=data.parent, capture_output=True, check=True
        )
        for text in done.stdout.splitlines():
            for file in json.loads(text)["files"]:
                name = source_name(file["file"])
                if name is not None:
                    lines = found.setdefault(name, Counter())
                    for line in file["lines"]:
                        lines[line["line_number"]] += line["count"]
    return found


def with_code(path: Path) -> set[int]:
    """The numbers of lines that are neither signature nor docstring."""
    text = path.read_text()
    documented = {
        number
        for match in re.finditer(r'"""(?:.|\n)*?"""', text)
        for number in range(text.count("\n", 0, match.start()) + 1, text.count("\n", 0, match.end()) + 2)
    }
    lines = enumerate(text.splitlines(), start=1)
    return {n for n, line in lines if path.suffix == ".h" or not SIGNATURE.match(line)} - (
        documented if path.suffix != ".h" else set()
    )


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("build", type=Path)
    parser.add_argument("--least", type=float, default=95.0, help="per cent of every file (default 95)")
    options = parser.parse_args()
    found = counts(options.build)
    below = []
    for name in sorted(found):
        code = with_code(SOURCES / name)
        lines = {n: count for n, count in found[name].items() if n in code}
        missed = sorted(n for n, count in lines.items() if not count)
        share = 100 * (1 - len(missed) / max(len(lines), 1))
        sys.stdout.write(f"{name:22}{len(lines):6}{share:8.1f} %  {' '.join(map(str, missed))}\n")
        below += [name] if share < options.least else []
    if below or not found:
        sys.stderr.write(f"below {options.least} %: {', '.join(below) or 'nothing was counted'}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
