"""What reading costs: no more than what is wanted of a file, whatever the file is or claims."""

import gzip
import io
import os
import re
import struct
import tracemalloc
import zipfile
from contextlib import contextmanager

import numpy as np
import pytest

import backprop as bp
from backprop.data import read_features, read_idx, read_table

# Zeros, of which deflate makes a thousandth.
MANY = 1 << 26
# Pieces that are read, and what Python needs for an archive or a message.
SOME = 6 << 20


@contextmanager
def at_most(nbytes):
    """Python and NumPy allocate no more than so many bytes at a time."""
    tracemalloc.start()
    try:
        yield
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < nbytes


def zeros(path, header, count=MANY):
    """A gzip file of a header and zeros."""
    with gzip.open(path, "wb") as file:
        file.write(header)
        for _ in range(count >> 20):
            file.write(bytes(1 << 20))


def npy(array):
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


@pytest.fixture(scope="module")
def unused(tmp_path_factory):
    """An archive with more than is asked for."""
    path = tmp_path_factory.mktemp("unused") / "data.npz"
    np.savez_compressed(path, x=np.ones((3, 2)), t=np.arange(3), more=np.zeros(MANY, np.uint8))
    return path


def test_an_array_that_is_not_wanted_is_not_read(unused):
    with at_most(SOME):
        assert read_table(unused).x.shape == (3, 2)
        assert read_features(unused, ["0", "1"]).shape == (3, 2)
        with pytest.raises(ValueError, match="there is no 'kind' among x, t, more$"):
            read_table(unused, "kind")


def test_an_array_that_is_wanted_is_there_once(unused):
    with (
        at_most(MANY + SOME),
        pytest.raises(ValueError, match=r"more has shape \(67108864,\), x has 3 samples"),
    ):
        read_table(unused, "more")


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((3, 2), "x.npy has more than 48 bytes of numbers, wanted 48 for float64"),
        ((1 << 40, 2), "x.npy has 67108864 bytes of numbers, wanted 17592186044416 for float64"),
    ],
)
def test_an_array_of_another_size_than_its_header_says_is_not_unpacked(shape, message, tmp_path):
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "<f8", "fortran_order": False, "shape": shape})
    path = tmp_path / "data.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("t.npy", npy(np.arange(3)))
        with archive.open("x.npy", "w") as file:
            file.write(header.getvalue())
            for _ in range(MANY >> 20):
                file.write(bytes(1 << 20))
    with at_most(SOME), pytest.raises(ValueError, match=f"data.npz: .*{message}"):
        read_table(path)


@pytest.mark.parametrize(
    ("packed", "message"),
    [
        # Newer versions of zipfile see that it would reach into the directory.
        (8 * 10**6 + 128, r"(EOFError|Overlapped entries: .*)"),
        (136, r"x\.npy cannot be 8000128 bytes, which 136 unpack to"),
    ],
)
def test_an_archive_that_says_a_member_is_larger_than_it_can_be(packed, message, tmp_path):
    path = tmp_path / "data.npz"
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        header, {"descr": "<f8", "fortran_order": False, "shape": (10**6, 1)}
    )
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("t.npy", npy(np.arange(3)))
        archive.writestr("x.npy", header.getvalue() + bytes(8))
    content = path.read_bytes()
    directory = content.rindex(b"PK\x01\x02")
    # Its sizes, packed and unpacked, in the directory at the end.
    claims = content[:directory] + content[directory:].replace(
        struct.pack("<II", 136, 136), struct.pack("<II", packed, 8 * 10**6 + 128)
    )
    path.write_bytes(claims)
    message = f"^{re.escape(str(path))}: not an npz archive of plain arrays: {message}$"
    with at_most(SOME), pytest.raises(ValueError, match=message):
        read_table(path)


def test_names_of_members_are_shortened(tmp_path):
    path = tmp_path / "data.npz"
    with zipfile.ZipFile(path, "w") as archive:
        for n in range(1000):
            archive.writestr(f"{'a' * 10_000}{n}.npy", b"")
        archive.writestr("x.npy", b"nothing")
    for target in ("a" * 10_000 + "7", "a" * 10_000):
        with pytest.raises(ValueError, match=r"data.npz: ") as caught:
            read_table(path, target)
        assert len(str(caught.value)) < 1000


def test_numbers_of_a_gzip_file_are_not_read_before_its_header_is_right(tmp_path):
    for part in ("train", "t10k"):
        zeros(tmp_path / f"{part}-images-idx3-ubyte.gz", struct.pack(">II", 0x0801, MANY))
        zeros(tmp_path / f"{part}-labels-idx1-ubyte.gz", struct.pack(">II", 0x0801, MANY))
    with at_most(SOME), pytest.raises(ValueError, match=r"images.*: holds uint8 \(67108864,\), wanted uint8"):
        bp.load_mnist(root=tmp_path)
    with gzip.open(tmp_path / "train-images-idx3-ubyte.gz", "wb") as file:
        file.write(struct.pack(">IIII", 0x0803, 1, 28, 28) + bytes(784))
    with at_most(SOME), pytest.raises(ValueError, match=r"has 67108864 labels, .* has 1 images"):
        bp.load_mnist(root=tmp_path)


def test_a_gzip_file_cannot_hold_what_its_header_says(tmp_path):
    path = tmp_path / "file"
    zeros(path, struct.pack(">II", 0x0801, 2**32 - 1), MANY)
    size = path.stat().st_size
    message = (
        rf"the header says \(4294967295,\), 4294967295 bytes, of which the file has at most {1032 * size}$"
    )
    with at_most(SOME), pytest.raises(ValueError, match=message):
        read_idx(path)


@pytest.mark.parametrize("name", ["data.csv", "data.npz", "train-labels-idx1-ubyte"])
def test_a_link_to_an_endless_file_is_refused(name, tmp_path):
    path = tmp_path / name
    path.symlink_to("/dev/zero")
    read = read_idx if name.startswith("train") else read_table
    with pytest.raises(OSError, match=f"^{path}: is a character device, wanted a regular file$"):
        read(path)


@pytest.mark.parametrize("before", ["1,2,", "a,b,kind\n1,2,x\n", "# no table", '"a,b'])
def test_a_line_without_an_end(before, tmp_path):
    path = tmp_path / "data.csv"
    path.write_text(before)
    os.truncate(path, 1 << 40)  # has no blocks on the disk
    # A line of the most characters, twice while it is put together.
    with (
        at_most(2 * (1 << 26) + SOME),
        pytest.raises(
            ValueError, match=r"data.csv, row \d: (the line has 67108864 characters or more|not a CSV file)"
        ),
    ):
        read_table(path)


@pytest.mark.parametrize("rows", [0, 300])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_where_a_large_file_is_no_text(rows, mark, tmp_path):
    path = tmp_path / "data.csv"
    content = mark + (b"1.5" + b" " * 10_000 + b",2.5,x\n") * rows + b"1"
    path.write_bytes(content + b"\xff,2,x\n")
    os.truncate(path, 1 << 28)
    with (
        at_most(2 * (1 << 26)),
        pytest.raises(
            ValueError, match=f"data.csv: not UTF-8 text: .* at byte {len(content)}; save it as UTF-8"
        ),
    ):
        read_table(path)


def test_lines_without_cells_are_no_rows(tmp_path):
    path = tmp_path / "data.csv"
    row = ",".join(["1"] * 1000)
    path.write_text(f"{','.join(f'c{n}' for n in range(1000))},k\n{row},a\n{row},b\n" + "\n" * (1 << 17))
    size = path.stat().st_size
    with at_most(64 * size):
        assert read_table(path).x.shape == (2, 1000)


def test_cells_and_names_in_messages_are_shortened(tmp_path):
    path, long = tmp_path / "data.csv", "a" * 100_000
    names = ",".join(f"{long[:1000]}{n}" for n in range(1000))
    for text, target in (
        (f"a,b,k\n1,{long},x\n2,3,y\n", None),
        (f"a,{long},k\n1,,x\n2,3,y\n", None),
        (f"{names},k\n" + ",".join(["1"] * 1001), "kind"),
        (f"{names},{long[:1000]}1", None),
        (f"label,a,{long}\n1,2,3\n", None),
        (f"1,2,{long}\n3,4,x\n5,6,y\n", None),
        (f"{'1' * 50_000},2,3\n" * 2, None),
        (f"a,b,k\n1,2,{'9' * 50_000}\n3,4,5\n", None),
        (f"1,2,3\n{long}", None),
    ):
        path.write_text(text)
        with pytest.raises(ValueError, match="^") as caught:
            read_table(path, target)
        assert len(str(caught.value)) < 700, text[:20]
