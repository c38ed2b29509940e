"""The compiled hot loops, read from the library: full-width fused multiply-adds and nothing kept on the stack."""

import importlib.util
import platform
import re
import shutil
import subprocess
from collections.abc import Iterator

import pytest

import bpcore

# Register, multiply-adds of the largest tiles, and by their broadcasts how many loops there are at least for each type:
# of a transposed `a` and of one that is not.
TILES = {"v3": ("ymm", 12, {6: 1, 4: 1}), "v4": ("zmm", 27, {9: 2})}
INSTRUCTION = re.compile(r"^\s+([0-9a-f]+):\s+(.*)$")
BACKWARD = re.compile(r"^j\w+\s+([0-9a-f]+)")


def inner_loops(path: str) -> Iterator[list[str]]:
    """Every loop without a jump inside, as its instructions."""
    text = subprocess.run(
        ["objdump", "-d", "--no-show-raw-insn", path], capture_output=True, text=True, check=True
    ).stdout
    lines = [(int(m[1], 16), m[2]) for m in map(INSTRUCTION.match, text.splitlines()) if m]
    places = {address: n for n, (address, _) in enumerate(lines)}
    for n, (address, instruction) in enumerate(lines):
        jump = BACKWARD.match(instruction)
        target = int(jump[1], 16) if jump else address
        if target < address and target in places:
            body = [text for _, text in lines[places[target] : n]]
            if not any(text.startswith(("j", "call", "ret")) for text in body):
                yield body


@pytest.mark.skipif(
    platform.machine() not in ("x86_64", "AMD64") or shutil.which("objdump") is None,
    reason="reads x86-64 machine code with objdump",
)
@pytest.mark.skipif(
    bpcore.cpu_info()["build"] != "Release", reason="only a release's loops are what is read here"
)
@pytest.mark.parametrize("level", TILES)
def test_the_tiles_fill_the_registers_and_spill_nothing(level):
    register, full, wanted = TILES[level]
    spec = importlib.util.find_spec(f"bpcore._core_{level}")
    found = {(kind, broadcasts): 0 for kind in ("ps", "pd") for broadcasts in wanted}
    for body in inner_loops(spec.origin):
        adds = [text for text in body if text.startswith("vfmadd")]
        # A wide tile may have as many multiply-adds, and the loop that measures the peak reads nothing. A loop that
        # transposes columns is no register tile.
        broadcasts = sum("broadcast" in text for text in body)
        if len(adds) != full or broadcasts not in wanted:
            continue
        if any("unpck" in text for text in body):
            continue
        found[adds[0].split()[0][-2:], broadcasts] += 1
        assert all(f"%{register}" in text for text in adds)
        assert not any(re.search(r"\(%r[sb]p", text) for text in body), body
    assert all(count >= wanted[broadcasts] for (_, broadcasts), count in found.items()), found
