"""Files that are read in several chunks: what a later chunk has counts as what the first has."""

import gzip
import io
import zipfile

import numpy as np
import pytest

from backprop.data import archives, chunks, read_features, read_idx, read_table, rows

# Members of an archive whose numbers go on behind what is read for the header, and behind a chunk.
SIZES = [archives.HEADER // 8 + 10, 2 * chunks.CHUNK // 8 + 10]


def member(array, more=b""):
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue() + more


def archive(tmp_path, **members):
    path = tmp_path / "data.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in members.items():
            file.writestr(f"{name}.npy", content)
    return path


@pytest.mark.parametrize("rows", SIZES)
@pytest.mark.parametrize("order", ["C", "F"])
def test_a_large_member_comes_back(rows, order, tmp_path):
    x = np.random.default_rng(0).normal(size=(rows, 2))
    t = np.arange(rows) % 3
    path = archive(tmp_path, x=member(np.asarray(x, order=order)), t=member(t))
    table = read_table(path)
    assert np.array_equal(table.x, x)
    assert np.array_equal(table.t, t)
    assert np.array_equal(read_features(path, ["0", "1"]), x)


@pytest.mark.parametrize("rows", [3, *SIZES])
@pytest.mark.parametrize("more", [1, 8, 2 * chunks.CHUNK])
@pytest.mark.parametrize("name", ["x", "t"])
def test_bytes_behind_a_member_are_refused(name, more, rows, tmp_path):
    parts = {"x": np.ones((rows, 2)), "t": np.arange(rows) % 3}
    content = {key: member(array, bytes(more) if key == name else b"") for key, array in parts.items()}
    size = parts[name].nbytes
    message = f"{name}.npy has more than {size} bytes of numbers, wanted {size} for "
    with pytest.raises(ValueError, match=message):
        read_table(archive(tmp_path, **content))


@pytest.mark.parametrize("rows", SIZES)
@pytest.mark.parametrize("missing", [1, 16])
def test_a_member_that_ends_before_its_numbers_is_refused(missing, rows, tmp_path):
    x = np.ones((rows, 2))
    path = archive(tmp_path, x=member(x)[:-missing], t=member(np.arange(rows) % 3))
    with pytest.raises(
        ValueError, match=f"x.npy has {x.nbytes - missing} bytes of numbers, wanted {x.nbytes} for "
    ):
        read_table(path)


IDX = bytes([0, 0, 8, 1]) + (2 * chunks.CHUNK + 10).to_bytes(4, "big")
NUMBERS = np.random.default_rng(0).integers(0, 256, 2 * chunks.CHUNK + 10).astype(np.uint8)


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_idx_files_of_several_chunks(pack, tmp_path):
    path = tmp_path / "file"
    path.write_bytes(pack(IDX + NUMBERS.tobytes()))
    assert np.array_equal(read_idx(path), NUMBERS)
    path.write_bytes(pack(IDX + NUMBERS.tobytes() + b"0"))
    with pytest.raises(ValueError, match=f"the file goes on after the {NUMBERS.size} bytes of an array"):
        read_idx(path)
    path.write_bytes(pack(IDX + NUMBERS.tobytes()[:-1]))
    with pytest.raises(
        ValueError, match=f"the file ends after {NUMBERS.size - 1} of the {NUMBERS.size} bytes of"
    ):
        read_idx(path)


def test_a_gzip_file_of_several_members(tmp_path):
    path, whole = tmp_path / "file", IDX + NUMBERS.tobytes()
    path.write_bytes(gzip.compress(whole[:100]) + gzip.compress(whole[100:]))
    assert np.array_equal(read_idx(path), NUMBERS)
    path.write_bytes(gzip.compress(whole) + gzip.compress(b"0"))
    with pytest.raises(ValueError, match="the file goes on after the"):
        read_idx(path)


@pytest.mark.parametrize(
    ("row", "at", "cells", "before"),
    [
        ("1,2\r,x", 0, 2, 0),
        ("1\r,2,x", 0, 1, 0),
        ("1,2,x\ry", 1, 1, 0),
        ("1,2,x\ry", 1, 1, rows.CHUNK // 6 + 10),  # behind the first chunk
    ],
)
def test_a_carriage_return_alone_ends_a_row(row, at, cells, before, tmp_path):
    path = tmp_path / "data.csv"
    path.write_bytes(f"a,b,k\n{before * '5,6,z;'}{row}\n3,4,y\n".replace(";", "\n").encode())
    with pytest.raises(ValueError, match=f"row {before + 2 + at}: {cells} cells?, wanted 3"):
        read_table(path)
