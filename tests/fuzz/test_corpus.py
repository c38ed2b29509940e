"""The readers of foreign files on what fuzzing has found, and on damaged copies of whole files."""

import zlib
from itertools import chain

import pytest

from tests.fuzz.readers import CORPUS, TARGETS, judge

FILES = {f"{path.parent.name}/{path.name}": path for path in sorted(CORPUS.glob("*/*"))}
VALID = [name for name, path in FILES.items() if path.name.startswith("valid")]
# Of each whole file so many truncations and as many changed bytes, evenly spread.
DAMAGED = 12


def test_every_target_has_a_whole_file_and_every_file_a_target():
    assert {name.partition("/")[0] for name in VALID} == set(TARGETS)
    assert {name.partition("/")[0] for name in FILES} == set(TARGETS)
    assert max(path.stat().st_size for path in FILES.values()) < 2048


@pytest.mark.parametrize("name", FILES)
def test_whole_files_are_read_and_others_refused(name, tmp_path):
    assert judge(FILES[name].parent.name, FILES[name].read_bytes(), tmp_path) == (name in VALID)


@pytest.mark.parametrize("name", VALID)
def test_a_damaged_file_is_read_or_refused(name, tmp_path):
    whole = FILES[name].read_bytes()
    places = range(0, len(whole), max(1, len(whole) // DAMAGED))
    # Another bit at every place, the same in every run.
    flipped = (
        whole[:n] + bytes([whole[n] ^ 1 << zlib.crc32(whole[: n + 1]) % 8]) + whole[n + 1 :] for n in places
    )
    taken = [
        judge(FILES[name].parent.name, damaged, tmp_path)
        for damaged in chain((whole[:n] for n in places), flipped)
    ]
    assert not taken[0], "an empty file"
