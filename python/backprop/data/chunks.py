"""Reading from files a chunk at a time: sizes are what a file claims, and a file may lie.

Nothing is allocated before its bytes are there.
"""

from typing import IO

CHUNK = 1 << 20
# Bytes that one byte of deflate, in zip and gzip files, unpacks to at most.
MOST_DEFLATED = 1032


def read_up_to(file: IO[bytes], count: int, content: bytearray | None = None) -> bytearray:
    """Read until `content` (by default nothing) has `count` bytes, or what there is."""
    content = bytearray() if content is None else content
    while len(content) < count:
        chunk = file.read(min(CHUNK, count - len(content)))
        if not chunk:
            break
        content += chunk
    return content


def read_exactly(file: IO[bytes], count: int, what: str) -> bytearray:
    """Read `count` bytes; ValueError if the file ends before."""
    content = read_up_to(file, count)
    if len(content) < count:
        raise ValueError(f"the file ends after {len(content)} of the {count} bytes of {what}")
    return content
