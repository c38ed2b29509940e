"""Reading from files a piece at a time: sizes are what a file claims, and a file may lie.

Nothing is allocated before its bytes are there.
"""

from typing import IO

CHUNK = 1 << 20


def read_up_to(file: IO[bytes], count: int) -> bytearray:
    """Read `count` bytes, or what there is."""
    content = bytearray()
    while len(content) < count:
        piece = file.read(min(CHUNK, count - len(content)))
        if not piece:
            break
        content += piece
    return content


def read_exactly(file: IO[bytes], count: int, what: str) -> bytearray:
    """Read `count` bytes; ValueError if the file ends before."""
    content = read_up_to(file, count)
    if len(content) < count:
        raise ValueError(f"the file ends after {len(content)} of the {count} bytes of {what}")
    return content
