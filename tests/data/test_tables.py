"""CSV and npz files of the user's own."""

import csv
import re
import string
import zipfile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from backprop.data import read_features, read_table

CSV = "length,width,kind\n1.5,2,cat\n3,4e0,dog\n-5,6,cat\n"


def write(tmp_path, text, name="data.csv", **arrays):
    path = tmp_path / name
    if arrays:
        np.savez(path, **arrays)
    else:
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


@pytest.mark.parametrize(
    "text",
    [
        CSV,
        CSV.replace(",", ";"),
        CSV.replace(",", "\t"),
        "\ufeff" + CSV,
        CSV.replace("\n", "\r\n"),
        ("\ufeff" + CSV.replace(",", "\t").replace("\n", "\r\n")).encode("utf-16-le"),
        ("\ufeff" + CSV).encode("utf-16-be"),
        "sep=;\n" + CSV.replace(",", ";"),
        "sep=|\n" + CSV.replace(",", "|"),
        '"sep=,"\r\n' + CSV.replace("\n", "\r\n"),
        CSV.replace(",", ";").replace(".", ","),
        CSV.replace("\n", "\n\n") + "\n  \n",
        CSV.replace("\n", "\r"),
        CSV.replace(",", " , ").replace("cat", '"cat"'),
    ],
)
def test_csv(text, tmp_path):
    table = read_table(write(tmp_path, text))
    assert np.array_equal(table.x, [[1.5, 2], [3, 4], [-5, 6]])
    assert np.array_equal(table.t, [0, 1, 0])
    assert (table.classes, table.features, table.target) == (("cat", "dog"), ("length", "width"), "kind")


def test_csv_without_a_header(tmp_path):
    table = read_table(write(tmp_path, "1,2,10\n3,4,9\n5,6,10\n"))
    assert (table.features, table.classes, table.target) == (("0", "1"), ("9", "10"), "2")
    assert table.t.tolist() == [1, 0, 1]
    for target in ("0", "-3"):
        assert np.array_equal(read_table(tmp_path / "data.csv", target).x, [[2, 10], [4, 9], [6, 10]])
    assert read_table(write(tmp_path, "1,2,cat\n3,4,dog\n5,6,cat\n")).classes == ("cat", "dog")


def test_the_target_by_name(tmp_path):
    table = read_table(write(tmp_path, "kind,a,b\nx,1,2\ny,3,4\n"), target="kind")
    assert (table.features, table.x.tolist()) == (("a", "b"), [[1, 2], [3, 4]])


def test_csv_in_quotes(tmp_path):
    table = read_table(write(tmp_path, '"a,1"; "b;2"; kind\n1;2;"x\ny"\n3;4;"z;\u2028."\n'))
    assert (table.features, table.classes) == (("a,1", "b;2"), ("x\ny", "z;\u2028."))
    assert np.array_equal(table.x, [[1, 2], [3, 4]])


def test_equal_numbers_are_one_class(tmp_path):
    table = read_table(write(tmp_path, "1,2,10\n1,2,2.0\n1,2,2\n1,2,1e1\n1,2,-1\n"))
    assert table.classes == ("-1", "2", "10")
    assert np.array_equal(table.t, [2, 1, 1, 2, 0])
    assert read_table(write(tmp_path, f"2,2,{2**53 + 1}\n1,2,{2**53}\n")).classes[1] == str(2**53 + 1)


def test_labels_that_stand_for_a_missing_value(tmp_path):
    for missing in ("NA", "n/a", "#N/A", "-", "?", "None", "NULL", "NaN"):
        with pytest.raises(ValueError, match=rf"row 3, column 'k': the label is '{re.escape(missing)}', w"):
            read_table(write(tmp_path, f"a,b,k\n1,2,x\n3,4,{missing}\n5,6,y\n"))
    assert read_table(write(tmp_path, "a,b,k\n1,2,+\n3,4,-\n")).classes == ("+", "-")


def test_truth_values_in_several_spellings_are_two_classes(tmp_path):
    table = read_table(
        write(tmp_path, "a,b,k\n" + "".join(f"1,2,{k}\n" for k in ["TRUE", "True", "false", "FALSE"]))
    )
    assert (table.classes, table.t.tolist()) == (("False", "True"), [1, 1, 0, 0])
    assert read_table(write(tmp_path, "a,b,k\n1,2,TRUE\n1,2,FALSE\n")).classes == ("FALSE", "TRUE")


@pytest.mark.parametrize(("one", "other"), [("1", "1.0"), ("1", "01"), ("True", "1"), ("0", "false")])
def test_one_number_twice_among_texts(one, other, tmp_path):
    text = f"a,b,k\n1,2,x\n3,4,{one}\n5,6,{other}\n"
    message = f"row 4, column 'k': the label is '{other}', and '{one}' above is the same number, but others are text"
    with pytest.raises(ValueError, match=message):
        read_table(write(tmp_path, text))


def test_the_target_tells_a_header_from_a_sample(tmp_path):
    path = write(tmp_path, "0,1,kind\n5,6,cat\n7,8,dog\n")
    table = read_table(path, "kind")
    assert (table.features, table.classes, table.target) == (("0", "1"), ("cat", "dog"), "kind")
    table = read_table(path, "-1")
    assert (table.features, table.classes, table.target) == (("0", "1"), ("cat", "dog", "kind"), "2")
    assert np.array_equal(read_features(path, ["1", "0"], "kind"), [[6, 5], [8, 7]])


SHAPES = hnp.array_shapes(min_dims=2, max_dims=2, max_side=5)


@given(x=hnp.arrays(np.float64, SHAPES, elements=st.floats(-1e300, 1e300)), data=st.data())
def test_any_table_comes_back(tmp_path_factory, x, data):
    words = st.text(string.ascii_letters + " ,;\t\"'\n\u2028é", min_size=1).map(lambda text: f"k{text}k")
    names = data.draw(st.lists(words, min_size=2, max_size=4, unique=True))
    labels = names[:2] + data.draw(st.lists(st.sampled_from(names), min_size=len(x), max_size=len(x)))
    rows = [*x[[0, 0]].tolist(), *x.tolist()]
    path = tmp_path_factory.mktemp("any") / "data.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter=data.draw(st.sampled_from(",;\t")))
        writer.writerow([*(f"f{n}" for n in range(x.shape[1])), "kind"])
        writer.writerows([*row, label] for row, label in zip(rows, labels, strict=True))
    table = read_table(path)
    assert np.array_equal(table.x, rows)
    assert [table.classes[n] for n in table.t] == labels
    assert table.classes == tuple(sorted(set(labels)))


def test_npz(tmp_path):
    x = np.arange(24).reshape(4, 3, 2)
    for key in ("t", "y"):
        table = read_table(write(tmp_path, "", "data.npz", **{"x": x, key: np.array([3, 1, 3, 2])}))
        assert np.array_equal(table.x, x.reshape(4, 6))
        assert np.array_equal(table.t, [2, 0, 2, 1])
        assert (table.classes, table.target) == (("1", "2", "3"), key)
    path = write(tmp_path, "", "data.npz", x=x, kind=np.array(["b", "a", "b", "a"]))
    assert read_table(path, target="kind").classes == ("a", "b")


BAD_CSV = [
    ("", "data.csv: the file is empty"),
    ("a,b,k\n", "there are no rows under the header"),
    ("a,b,k\n1,2,x\n3,y\n", "data.csv, row 3: 2 cells, wanted 3"),
    ("a,b,k\n1,2,x\n3,oops,y\n", "data.csv, row 3, column 'b': 'oops' is not a finite number"),
    ("a,b,k\n1,nan,x\n3,1,y\n", "row 2, column 'b': 'nan' is not a finite number"),
    ("a,b,k\n1,inf,x\n3,1,y\n", "row 2, column 'b': 'inf' is not a finite number"),
    ("a,b,k\n1,,x\n3,1,y\n", "row 2, column 'b': the value is missing"),
    ("a,b,k\n1,2,\n3,1,y\n", "row 2, column 'k': the label is missing"),
    ("a,a,kind\n1,2,x\n3,4,y\n", "the column 'a' is there twice"),
    ("a,b,k\n1,2,x\n3,4,x\n", "the target has 1 value, wanted 2 to 1000 classes"),
    (
        "1,2,1\n3,4,1.5\n",
        "row 2, column '2': the label is 1.5, with a fraction: this looks like a regression",
    ),
    ("x\nkind\n", "there is no column of features"),
    (b"a,b\n\xff\xfe,1\n", "data.csv: not UTF-8 text"),
    ("1,2,x\n\n3,oops,y\n", "data.csv, row 3, column '1': 'oops' is not a finite number"),
    ('a,b,k\n1,2,"x\ny"\n3,oops,z\n', "data.csv, row 4, column 'b': 'oops' is not a finite number"),
    ("1,,x\n3,4,y\n", "row 1, column '1': the value is missing"),
    ("a,b,k\n2020_01,2,x\n3,4,y\n", "row 2, column 'a': '2020_01' is not a finite number"),
    (
        "a;b;k\n1,5;2;x\n3;4.5;y\n",
        "row 3, column 'b': '4.5' where numbers above have a decimal comma; write all",
    ),
    ("a;b;k\n1.5;2;x\n3;4,5;y\n", "row 3, column 'b': '4,5' where numbers above have a decimal point"),
    (
        "a\tb\tk\n1,5\t2\tx\n3\t4\ty\n",
        "column 'a': '1,5' is not a finite number; write a point for a decimal comma",
    ),
    ("a;b;k\n1.234,5;2;x\n3;4;y\n", "row 2, column 'a': '1.234,5' is not a finite number"),
    ("sep=x\naxk\n1x2\n", "row 1: 'sep=x' names no delimiter"),
    ("a,b,k\n1,2,x,\n3,4,y,\n", "row 2: 4 cells, wanted 3; the row ends in a delimiter"),
    (
        "a,b,k\n1,2,x\n# no more\n3,4,y\n",
        "row 3: 1 cell, wanted 3; lines with '#' are left out above the table only",
    ),
    ("# nothing\n# at all\n", "the file is empty but for 2 lines with '#'"),
    (
        "0,1,2\n1,2,0\n3,4,1\n",
        "row 1: 0,1,2 may be a header or a sample; write names there, or say with the target '-1'",
    ),
    (
        "label,a,b\n1,2,3\n0,3,4\n",
        "the labels may be in 'label' or in the last column, 'b'; say which with the target",
    ),
    ("a,Target,b\n1,2,3\n0,3,4\n", "the labels may be in 'Target' or in the last column, 'b'"),
    ("y,a,b\n1,2,3\n0,3,4\n", "the labels may be in 'y' or in the last column, 'b'"),
    (CSV.encode("utf-16-le"), "not UTF-8 text but UTF-16 without its mark"),
    ("kind,größe\nx,1\n".encode("latin-1"), "data.csv: not UTF-8 text: .* at byte 7; save it as UTF-8"),
    ("\ufeffa,b\n1,2\n".encode("utf-16-le") + b"\0", "data.csv: not UTF-16 text: truncated data at byte"),
    ("a,b,k\n1,2,0\n3,4,nan\n", "row 3, column 'k': the label is 'nan', wanted a class"),
    ("0,1,k\n5,6,cat\n7,8,dog\n", "row 1: 0,1,k may be a header or a sample; say which with the target 'k'"),
    ("2020,2021,kind\n5,6,0\n7,8,1\n", "row 1: 2020,2021,kind may be a header or a sample"),
    ('a,b,k\n1,"2,x\n', "data.csv, row 2: not a CSV file"),
]


@pytest.mark.parametrize(("text", "message"), BAD_CSV)
def test_bad_csv(text, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        read_table(write(tmp_path, text))


def test_too_many_classes(tmp_path):
    text = "\n".join(f"{n},{n}" for n in range(1001))
    with pytest.raises(ValueError, match="has 1001 values, wanted 2 to 1000 classes; this looks like a regr"):
        read_table(write(tmp_path, text))


def test_an_unknown_target_is_answered_with_the_nearest(tmp_path):
    with pytest.raises(ValueError, match="no 'widht' among length, width, kind; did you mean 'width'"):
        read_table(write(tmp_path, CSV), target="widht")


X = np.ones((3, 2))
BAD_NPZ = [
    ({"x": X}, "there is no 't' among x"),
    ({"t": np.arange(3)}, "there is no 'x' among t"),
    ({"x": X, "t": np.arange(2)}, r"t has shape \(2,\), x has 3 samples"),
    ({"x": X, "t": np.zeros((3, 1), int)}, r"t has shape \(3, 1\), x has 3 samples"),
    ({"x": X[0], "t": np.arange(2)}, r"x is float64 \(2,\), wanted numbers of shape"),
    ({"x": X.astype(complex), "t": np.arange(3)}, "x is complex128"),
    (
        {"x": X.astype(object), "t": np.arange(3)},
        r"not an npz archive of plain .*; save it as .astype\(float\) or",
    ),
    ({"x": X[:0], "t": np.arange(0)}, r"x has shape \(0, 2\), wanted at least one sample"),
    ({"x": np.full((3, 2), np.nan), "t": np.arange(3)}, r"x\[0, 0\] is nan, wanted finite numbers"),
    ({"x": X, "t": np.array([0.5, 1, 2])}, r"t\[0\]: the label is 0.5, with a fraction: this looks like"),
    ({"x": X, "t": np.array([0, np.nan, 1])}, r"t\[1\]: the label is 'nan', wanted a class"),
    ({"x": X, "t": np.array(["a", "", "b"])}, r"t\[1\]: the label is missing"),
    ({"x": X, "t": np.arange(3) + 1j}, "t is complex128, wanted whole numbers or text"),
    ({"x": X, "t": np.array(["a", "\ud800", "b"])}, r"t\[1\] is not text: code point in surrogate"),
    (
        {"x": X, "t": np.array([65, 2**31, 66], np.uint32).view("U1")},
        r"t\[1\] is not text: code point not in",
    ),
    (
        {"x": np.full((3, 2), 0x7FA00000, np.uint32).view(np.float32), "t": np.arange(3)},
        r"x\[0, 0\] is nan, wanted finite",
    ),
    ({"x": X, "t": np.array([b"a", b"b", b"a"])}, r"t is \|S1, wanted whole numbers or text"),
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


# What numpy's reader answers with errors of many types, or with no array.
HEADERS = [
    ("{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000, 1000000)}", "not an npz archive"),
    ("{'descr': '<f8', 'fortran_order': False, 'shape': (2, 2)", "not an npz archive"),
    ("{'descr': '<f8', 'fortran_order': False, 'shape': (2, 2)}", "not an npz archive"),
    (
        "{'descr': '<f8', 'fortran_order': False, 'shape': (12345678, 1)}",
        "not an npz archive of plain arrays: x.npy has 8 bytes of numbers, wanted 98765424 for float64",
    ),
    (
        "{'descr': '|u1', 'fortran_order': False, 'shape': (2, 2)}",
        "not an npz archive of plain arrays: x.npy has more than 4 bytes of numbers, wanted 4 for uint8",
    ),
    (
        "{'descr': '<f8', 'fortran_order': False, 'shape': (-1, -1)}",
        r"not .*: x.npy is float64 \(-1, -1\), wanted",
    ),
    ("{'descr': '<f8', 'shape': (1, 1)}", "not .*: the header of x.npy is damaged: "),
    # Spellings of Python 2 and of old NumPy are read without a warning.
    ("{'descr': '<f8', 'fortran_order': False, 'shape': (1L, 1L)}", "t has shape .2,., x has 1 sample"),
    ("{'descr': '|a1', 'fortran_order': False, 'shape': (2, 4)}", "x is .S1 .2, 4., wanted numbers"),
    (None, "there is no 'x' among t"),
]


@pytest.mark.parametrize(("header", "message"), HEADERS)
def test_damaged_members(header, message, tmp_path):
    path = write(tmp_path, "", "data.npz", t=np.arange(2))
    content = b"no array"
    if header is not None:
        text = header.encode() + b"\n"
        content = b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + bytes(8)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("x" if header is None else "x.npy", content)
    with pytest.raises(ValueError, match=f"data.npz: {message}"):
        read_table(path)


def test_a_member_that_numpy_would_not_have_packed(tmp_path):
    path = write(tmp_path, "", "data.npz", t=np.arange(2))
    with zipfile.ZipFile(path, "a", zipfile.ZIP_BZIP2) as archive:
        archive.writestr("x.npy", bytes(10))
    with pytest.raises(ValueError, match="data.npz: .* x.npy is packed in a way that NumPy does not pack"):
        read_table(path)


def test_a_name_among_many(tmp_path):
    names = [f"c{n}" for n in range(100_000)]  # would take minutes if each were looked for among all
    with pytest.raises(ValueError, match="the column 'c0' is there twice"):
        read_table(write(tmp_path, ",".join([*names, "c0"])))


@given(place=st.integers(0), value=st.integers(1, 255))
def test_any_changed_byte_of_an_archive(tmp_path_factory, place, value):
    path = write(tmp_path_factory.mktemp("any"), "", "data.npz", x=X, t=np.arange(3))
    content = bytearray(path.read_bytes())
    content[place % len(content)] ^= value
    path.write_bytes(content)
    try:
        table = read_table(path)
    except ValueError as error:
        assert str(path) in str(error)
    else:  # bytes that nobody reads, as times
        assert np.array_equal(table.x, X)
        assert np.array_equal(table.t, np.arange(3))


def test_names_and_missing_files(tmp_path):
    with pytest.raises(ValueError, match=r"data.txt: the name ends in '.txt', wanted .csv or .npz"):
        read_table(tmp_path / "data.txt")
    for name in ("gone.csv", "gone.npz"):
        with pytest.raises(FileNotFoundError, match=name):
            read_table(tmp_path / name)


def test_features_by_name(tmp_path):
    path = write(tmp_path, "kind,width,more,length\ncat,2,7,1\ndog,4,7,3\n")
    assert np.array_equal(read_features(path, ["length", "width"]), [[1, 2], [3, 4]])
    assert np.array_equal(read_features(write(tmp_path, "length\n5\n6\n", "one.csv"), ["length"]), [[5], [6]])
    with pytest.raises(ValueError, match="there is no 'height' among kind, width, more, length"):
        read_features(path, ["height"])


def test_features_by_place(tmp_path):
    path = write(tmp_path, "1,2,9\n3,4,9\n")
    assert np.array_equal(read_features(path, ["0", "1"], target="2"), [[1, 2], [3, 4]])
    assert np.array_equal(read_features(path, ["0", "1"], target="0"), [[2, 9], [4, 9]])
    assert np.array_equal(read_features(path, ["0", "1", "2"]), [[1, 2, 9], [3, 4, 9]])
    with pytest.raises(ValueError, match="3 columns, wanted the 5 features"):
        read_features(path, list("01234"))


def test_features_of_an_archive(tmp_path):
    path = write(tmp_path, "", "data.npz", x=np.ones((3, 2, 2)))
    assert np.array_equal(read_features(path, list("0123")), np.ones((3, 4)))
    with pytest.raises(ValueError, match="x has 4 features a sample, wanted 3"):
        read_features(path, list("012"))
