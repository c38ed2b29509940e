"""CSV and npz files of the user's own."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backprop.data import read_features, read_table

CSV = "length,width,kind\n1.5,2,cat\n3,4e0,dog\n-5,6,cat\n"


def write(tmp_path, text, name="data.csv", **arrays):
    path = tmp_path / name
    if arrays:
        np.savez(path, **arrays)
    elif isinstance(text, bytes):
        path.write_bytes(text)
    else:
        path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    "text", [CSV, CSV.replace(",", ";"), CSV.replace(",", "\t"), "\ufeff" + CSV, CSV.replace("\n", "\r\n")]
)
def test_csv(text, tmp_path):
    table = read_table(write(tmp_path, text))
    assert np.array_equal(table.x, [[1.5, 2], [3, 4], [-5, 6]])
    assert np.array_equal(table.t, [0, 1, 0])
    assert (table.classes, table.features, table.target) == (("cat", "dog"), ("length", "width"), "kind")


def test_csv_without_a_header(tmp_path):
    table = read_table(write(tmp_path, "1,2,10\n3,4,9\n5,6,10\n"))
    assert table.features == ("0", "1")
    assert table.target == "2"
    assert table.classes == ("9", "10")
    assert np.array_equal(table.t, [1, 0, 1])
    for target in ("0", "-3"):
        assert np.array_equal(read_table(tmp_path / "data.csv", target).x, [[2, 10], [4, 9], [6, 10]])
    assert read_table(write(tmp_path, "1,2,cat\n3,4,dog\n")).classes == ("cat", "dog")


def test_the_target_by_name(tmp_path):
    table = read_table(write(tmp_path, "kind,a,b\nx,1,2\ny,3,4\n"), target="kind")
    assert table.features == ("a", "b")
    assert np.array_equal(table.x, [[1, 2], [3, 4]])


def test_npz(tmp_path):
    x = np.arange(24).reshape(4, 3, 2)
    for key in ("t", "y"):
        table = read_table(write(tmp_path, "", "data.npz", **{"x": x, key: np.array([3, 1, 3, 2])}))
        assert np.array_equal(table.x, x.reshape(4, 6))
        assert np.array_equal(table.t, [2, 0, 2, 1])
        assert (table.classes, table.target) == (("1", "2", "3"), key)
    table = read_table(
        write(tmp_path, "", "data.npz", x=x, kind=np.array(["b", "a", "b", "a"])), target="kind"
    )
    assert table.classes == ("a", "b")


BAD_CSV = [
    ("", "data.csv: the file is empty"),
    ("a,b,kind\n", "there are no rows under the header"),
    ("a,b,kind\n1,2,x\n3,y\n", "data.csv, row 3: 2 cells, wanted 3"),
    ("a,b,kind\n1,2,x\n3,oops,y\n", "data.csv, row 3, column 'b': 'oops' is not a finite number"),
    ("a,b,kind\n1,nan,x\n3,1,y\n", "row 2, column 'b': 'nan' is not a finite number"),
    ("a,b,kind\n1,inf,x\n3,1,y\n", "row 2, column 'b': 'inf' is not a finite number"),
    ("a,b,kind\n1,,x\n3,1,y\n", "row 2, column 'b': the value is missing"),
    ("a,b,kind\n1,2,\n3,1,y\n", "row 2, column 'kind': the label is missing"),
    ("a,a,kind\n1,2,x\n3,4,y\n", "the column 'a' is there twice"),
    ("a,b,kind\n1,2,x\n3,4,x\n", "the target has 1 value, wanted 2 to 1000 classes"),
    ("1,2,0.5\n3,4,1.5\n", "this looks like a regression"),
    ("x\nkind\n", "there is no column of features"),
    (b"a,b\n\xff\xfe,1\n", "data.csv: not UTF-8 text"),
    ('a,b,kind\n1,"2,x\n', "data.csv: not a CSV file"),
]


@pytest.mark.parametrize(("text", "message"), BAD_CSV)
def test_bad_csv(text, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        read_table(write(tmp_path, text))


def test_too_many_classes(tmp_path):
    text = "\n".join(f"{n},{n}" for n in range(1001))
    with pytest.raises(ValueError, match="the target has 1001 values, wanted 2 to 1000 classes"):
        read_table(write(tmp_path, text))


def test_an_unknown_target_is_answered_with_the_nearest(tmp_path):
    with pytest.raises(
        ValueError, match="there is no 'widht' among length, width, kind; did you mean 'width'"
    ):
        read_table(write(tmp_path, CSV), target="widht")


X = np.ones((3, 2))
BAD_NPZ = [
    ({"x": X}, "there is no 't' among x"),
    ({"t": np.arange(3)}, "there is no 'x' among t"),
    ({"x": X, "t": np.arange(2)}, r"t has shape \(2,\), x has 3 samples"),
    ({"x": X, "t": np.zeros((3, 1), int)}, r"t has shape \(3, 1\), x has 3 samples"),
    ({"x": X[0], "t": np.arange(2)}, r"x is float64 \(2,\), wanted numbers of shape"),
    ({"x": X.astype(complex), "t": np.arange(3)}, "x is complex128"),
    ({"x": X.astype(object), "t": np.arange(3)}, "not an npz archive of plain arrays"),
    ({"x": X[:0], "t": np.arange(0)}, r"x has shape \(0, 2\), wanted at least one sample"),
    ({"x": np.full((3, 2), np.nan), "t": np.arange(3)}, r"x\[0, 0\] is nan, wanted finite numbers"),
    ({"x": X, "t": np.array([0.5, 1, 2])}, "this looks like a regression"),
]


@pytest.mark.parametrize(("arrays", "message"), BAD_NPZ)
def test_bad_npz(arrays, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        read_table(write(tmp_path, "", "data.npz", **arrays))


@given(content=st.binary(max_size=200), prefix=st.sampled_from([b"", b"PK\x03\x04", b"\x93NUMPY"]))
def test_bytes_of_any_kind(tmp_path_factory, content, prefix):
    path = write(tmp_path_factory.mktemp("any"), prefix + content, "data.npz")
    with pytest.raises(ValueError, match=r"data.npz: not an npz archive of plain arrays"):
        read_table(path)


def test_names_and_missing_files(tmp_path):
    with pytest.raises(ValueError, match=r"data.txt: the name ends in '.txt', wanted .csv or .npz"):
        read_table(tmp_path / "data.txt")
    for name in ("gone.csv", "gone.npz"):
        with pytest.raises(FileNotFoundError, match=name):
            read_table(tmp_path / name)


def test_features_by_name(tmp_path):
    path = write(tmp_path, "kind,width,more,length\ncat,2,7,1\ndog,4,7,3\n")
    assert np.array_equal(read_features(path, ["length", "width"]), [[1, 2], [3, 4]])
    with pytest.raises(ValueError, match="there is no 'height' among kind, width, more, length"):
        read_features(path, ["height"])


def test_features_by_place(tmp_path):
    path = write(tmp_path, "1,2,9\n3,4,9\n")
    assert np.array_equal(read_features(path, ["0", "1"]), [[1, 2], [3, 4]])
    assert np.array_equal(read_features(path, ["0", "1"], target="0"), [[2, 9], [4, 9]])
    assert np.array_equal(read_features(path, ["0", "1", "2"]), [[1, 2, 9], [3, 4, 9]])
    with pytest.raises(ValueError, match="3 columns, wanted the 5 features"):
        read_features(path, list("01234"))


def test_features_of_an_archive(tmp_path):
    path = write(tmp_path, "", "data.npz", x=np.ones((3, 2, 2)))
    assert np.array_equal(read_features(path, list("0123")), np.ones((3, 4)))
    with pytest.raises(ValueError, match="x has 4 features a sample, wanted 3"):
        read_features(path, list("012"))
