"""Print what Valgrind's memcheck found in our modules, from its XML file: `python tools/memcheck.py memcheck.xml`.

The interpreter reads memory that it was not given on purpose; an error counts where one of our modules made the access,
itself or through the C library.
"""

import sys
import xml.etree.ElementTree as ET
from pathlib import Path

OURS = "/bpcore/"
# Who stands above whoever called memcpy, malloc or free.
BETWEEN = ("/libc.so", "/libc-", "/libm.so", "/libgomp", "/vgpreload_")


def accessed_by(error: ET.Element) -> str:
    """The file that made the access."""
    files = [frame.findtext("obj") or "" for frame in error.findall("stack[1]/frame")]
    return next((file for file in files if not any(name in file for name in BETWEEN)), "")


def main(path: Path) -> int:
    errors = ET.parse(path).getroot().findall("error")
    ours = [error for error in errors if OURS in accessed_by(error)]
    for error in ours:
        what = error.findtext("what") or error.findtext("xwhat/text") or error.findtext("kind")
        sys.stdout.write(f"{what}\n")
        for frame in error.iter("frame"):
            sys.stdout.write(f"    {frame.findtext('fn') or '?'} in {frame.findtext('obj')}\n")
    sys.stdout.write(f"{len(ours)} errors in our modules, {len(errors)} in all\n")
    return 1 if ours else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
