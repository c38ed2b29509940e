"""IDX files: whatever numpy can hold comes back, whatever is wrong is said."""

import gzip
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from backprop.data import read_idx

CODES = {"u1": 0x08, "i1": 0x09, "i2": 0x0B, "i4": 0x0C, "f4": 0x0D, "f8": 0x0E}


def encode(array, code):
    header = struct.pack(f">BBBB{array.ndim}I", 0, 0, CODES[code], array.ndim, *array.shape)
    return header + array.astype(np.dtype(code).newbyteorder(">")).tobytes()


@st.composite
def files(draw):
    code = draw(st.sampled_from(sorted(CODES)))
    shape = draw(hnp.array_shapes(min_dims=1, max_dims=4, min_side=0, max_side=5))
    array = draw(hnp.arrays(code, shape))
    return array, encode(array, code)


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return tmp_path_factory.mktemp("idx") / "file"


@given(file=files(), zipped=st.booleans())
def test_round_trip(path, file, zipped):
    array, content = file
    path.write_bytes(gzip.compress(content) if zipped else content)
    back = read_idx(path)
    assert back.dtype == array.dtype
    assert back.dtype.isnative
    assert np.array_equal(back, array, equal_nan=array.dtype.kind == "f")
    assert back.flags.writeable


@given(file=files(), zipped=st.booleans(), data=st.data())
def test_any_truncation(path, file, zipped, data):
    content = gzip.compress(file[1]) if zipped else file[1]
    path.write_bytes(content[: data.draw(st.integers(0, len(content) - 1))])
    with pytest.raises(ValueError, match="the file ends after|gzip stream is damaged or truncated"):
        read_idx(path)


@given(file=files(), zipped=st.booleans(), more=st.binary(min_size=1, max_size=5))
def test_any_extension(path, file, zipped, more):
    path.write_bytes(gzip.compress(file[1] + more) if zipped else file[1] + more)
    with pytest.raises(ValueError, match="the file goes on after the"):
        read_idx(path)


@given(
    content=st.binary(max_size=64), prefix=st.sampled_from([b"", b"\0\0", b"\0\0\x08\x01", b"\x1f\x8b\x08"])
)
def test_bytes_of_any_kind_give_an_array_or_a_value_error(path, content, prefix):
    path.write_bytes(prefix + content)
    try:
        array = read_idx(path)
    except ValueError as error:
        assert str(path) in str(error)
    else:
        assert encode(array, array.dtype.str[1:]) == prefix + content


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "the file ends after 0 of the 4 bytes of the magic number"),
        (b"\x89PNG....", "the magic number is 0x89504e47, which is not that of an IDX file"),
        (b"\0\0\x0a\x01\0\0\0\x01\0", "the magic number is 0x00000a01"),
        (b"\0\0\x08\x00\x01", "the header says 0 dimensions, wanted 1 to 32"),
        (b"\0\0\x08\x21" + bytes(4 * 33), "the header says 33 dimensions"),
        (b"\0\0\x08\x02\0\0\0\x05", "the file ends after 4 of the 8 bytes of the header"),
        (b"\0\0\x08\x01\0\0\0\x05abc", r"the file ends after 3 of the 5 bytes of an array of \(5,\)"),
        (
            b"\0\0\x08\x01" + b"\xff" * 4 + b"abc",
            "(the file ends after 3 of the 4294967295 bytes|4294967295 bytes, of which the file has at most)",
        ),
        (b"\0\0\x0e\x02" + b"\xff" * 8, "more than any memory holds"),
        (b"\0\0\x08\x02\x80\0\0\0\x80\0\0\0", "more than any memory holds"),  # 2**62
        (b"\0\0\x08\x01\0\0\0\x01ab", "the file goes on after the 1 bytes of an array of"),
    ],
)
def test_faults(content, message, tmp_path):
    file = tmp_path / "faulty"
    for packed in (content, gzip.compress(content)):
        file.write_bytes(packed)
        with pytest.raises(ValueError, match=f"faulty: .*{message}"):
            read_idx(file)


def test_a_wrong_checksum_in_the_gzip_stream(tmp_path):
    content = bytearray(gzip.compress(encode(np.arange(100, dtype="u1"), "u1")))
    content[-5] ^= 1
    (tmp_path / "file").write_bytes(content)
    with pytest.raises(ValueError, match="gzip stream is damaged"):
        read_idx(tmp_path / "file")


def test_a_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_idx(tmp_path / "nothing")
