"""CSV files as other programs write them, by every reader that there is."""

import csv
import io
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backprop.data import read_features, read_table, readers, rows

# Each reader of a package, where the package is installed; the last one gives up at once, so that Python reads.
READERS = ["with_numpy", "with_pandas", "with_pyarrow", "none"]


def needs(name):
    if name in ("with_pandas", "with_pyarrow"):
        pytest.importorskip(name.removeprefix("with_"))


def give_up(*_):
    raise ValueError


@pytest.fixture(params=READERS)
def reader(request, monkeypatch):
    needs(request.param)
    chosen = getattr(readers, request.param, give_up)
    monkeypatch.setattr(rows, "reader_for", lambda size: chosen)
    return chosen


@pytest.fixture
def write(tmp_path):
    def write_text(text):
        path = tmp_path / "data.csv"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write_text


# --- What is read -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cells", "number"),
    [
        (("1", "1.0", "+1", "01", " 1", "1 ", "1e0", "10E-1", "1."), 1.0),
        (("0.1", ".1", "1e-1", "0.1000000000000000055511151231257827"), 0.1),
        (("True", "TRUE", "true"), 1.0),
        (("False", "FALSE", "false", "0", "-0"), 0.0),
        (("9007199254740993", "9007199254740992.5"), 2.0**53),
        (("1e-400", "0e9"), 0.0),
    ],
)
def test_numbers(cells, number, reader, write):
    table = read_table(
        write("a,b,k\n" + "".join(f"{cell},7,{n % 2}\n" for n, cell in enumerate([*cells, "2"])))
    )
    assert table.x[:-1, 0].tolist() == [number] * len(cells)
    assert table.x[-1].tolist() == [2, 7]


@pytest.mark.parametrize(
    "cell", ["", " ", "nan", "-inf", "1e400", "x", "1_0", "0x10", "1d5", "1 2", "'1'", "Truer", "5\0"]
)
def test_no_numbers(cell, reader, write):
    path = write(f"a,b,k\n1,2,x\n3,{cell},y\n")
    with pytest.raises(ValueError, match="data.csv, row 3, column 'b': ") as caught:
        read_table(path)
    assert ("the value is missing" in str(caught.value)) is (not cell.strip())


# What is at the edges of numbers, rows and files.
CELLS = [
    "1",
    "2.5",
    "-0",
    "+4",
    ".5",
    "1e400",
    "nan",
    "",
    "abc",
    "True",
    "false",
    "1_0",
    "1,5",
    "1;2",
    "#",
    " 3 ",
    "5\0",
    "é",
]
ROWS = st.lists(st.sampled_from(CELLS), min_size=1, max_size=4)


@pytest.mark.parametrize("name", READERS[1:])
@given(
    table=st.lists(ROWS, min_size=1, max_size=4),
    header=st.sampled_from(
        ["a,b,c\n", "a;b\n", ",a,b,c\n", "a,b,c,\n", "a\tb\tc\n", "", "sep=;\n", "# no\n"]
    ),
    end=st.sampled_from(["\n", "\r\n", "\n\n"]),
)
def test_every_reader_gives_the_same_table_or_error(name, table, header, end, tmp_path_factory):
    needs(name)
    path = tmp_path_factory.mktemp("any") / "data.csv"
    delimiter = next((one for one in "\t;" if one in header), ",")
    path.write_bytes((header + end.join(delimiter.join(row) for row in table)).encode())
    results = []
    for one in (readers.with_numpy, getattr(readers, name, give_up)):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(rows, "reader_for", lambda size, one=one: one)
            try:
                read = read_table(path)
                results.append((read.x.tobytes(), read.t.tolist(), read.classes, read.features, read.notes))
            except ValueError as error:
                results.append(str(error))
    assert results[0] == results[1]


def test_a_table_of_many_chunks(reader, write, monkeypatch):
    monkeypatch.setattr(rows, "CHUNK", 100)
    x = np.random.default_rng(0).normal(size=(300, 5))
    text = "a,b,kind,c,d,e\r\n" + "".join(
        f"{row[0]!r},{row[1]!r},{'xyz'[n % 3]},{row[2]!r},{row[3]!r},{row[4]!r}\r\n"
        for n, row in enumerate(x.tolist())
    )
    table = read_table(write(text), "kind")
    assert np.array_equal(table.x, x)
    assert np.array_equal(table.t, np.arange(300) % 3)
    assert table.x.flags.writeable
    assert np.array_equal(read_features(write(text), ["d", "b"]), x[:, [3, 1]])
    with pytest.raises(ValueError, match="row 302: 5 cells, wanted 6"):
        read_table(write(text + "1,2,x,3,4\r\n"), "kind")


def test_thousands_of_columns(reader, write):
    x = np.arange(3 * 5000).reshape(3, 5000)
    text = ",".join([*(f"c{n}" for n in range(5000)), "k"]) + "\n"
    table = read_table(
        write(text + "".join(",".join(map(str, [*row, n])) + "\n" for n, row in enumerate(x.tolist())))
    )
    assert np.array_equal(table.x, x)


@pytest.mark.parametrize("installed", [("pandas", "pyarrow.csv"), ("pyarrow.csv",), ("pandas",), ()])
def test_the_reader_is_one_that_is_installed(installed, monkeypatch):
    for name in installed:
        pytest.importorskip(name)
    for name in readers.PACKAGES:
        if name not in installed:
            monkeypatch.setitem(sys.modules, name, None)
    chosen = readers.reader_for(readers.LARGE)
    assert chosen is (readers.PACKAGES[installed[0]] if installed else readers.with_numpy)
    assert readers.reader_for(readers.LARGE - 1) is readers.with_numpy


def test_what_older_versions_of_pandas_need():
    assert [readers._precision(v) for v in ("1.5.3", "2.2.0rc1", "3.0.2", "3.1.0.dev0", "4.0.0")] == [
        "round_trip", "round_trip", "round_trip", None, None,
    ]  # fmt: skip


# --- What is left out, and said -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["", "Unnamed: 0"])
def test_the_numbers_of_the_rows_are_no_feature(name, reader, write):
    path = write(f"{name},a,b,y\n" + "".join(f"{n},1.5,{n % 3},{n % 2}\n" for n in range(9)))
    table = read_table(path)
    assert table.features == ("a", "b")
    assert table.x[:, 1].tolist() == [n % 3 for n in range(9)]
    assert table.notes == ("column 1, which has no name, left out",)
    assert np.array_equal(read_features(path, table.features, "y"), table.x)
    assert read_table(path, "b").features == ("a", "y")


def test_columns_without_a_name_in_other_places(reader, write):
    table = read_table(write("a,,b,,k\n1,x,2,,0\n3,,4,7,1\n"))
    assert (table.features, table.x.tolist()) == (("a", "b"), [[1, 2], [3, 4]])
    assert table.notes == tuple(f"column {n}, which has no name, left out" for n in (2, 4))


def test_a_delimiter_behind_every_row(reader, write):
    table = read_table(write("a,b,k,\n1,2,x,\n3,4,y,\n"))
    assert (table.features, table.target, table.classes) == (("a", "b"), "k", ("x", "y"))
    assert table.notes == ("column 4, which is empty, left out",)
    assert read_table(write("1;2;x;\n3;4;y;\n5;6;x;\n")).features == ("0", "1")
    text = "a,k,\n" + "1,x,\n" * 60 + "2,y,\n3,y,5\n"
    with pytest.raises(ValueError, match="row 63: '5' in column 3, which has no name and was empty above"):
        read_table(write(text))


def test_a_header_of_0_1_2(reader, write):
    lines = "".join(f"{n},1,2,3,{n % 2}\n" for n in range(4))
    table = read_table(write("0,1,2,3,4\n" + lines))
    assert (len(table.x), table.features, table.target) == (4, ("0", "1", "2", "3"), "4")
    assert table.notes == ("row 1, 0,1,2,3,4, taken for the names of the columns",)
    assert np.array_equal(read_features(write("0,1,2,3,4\n" + lines), table.features, "4"), table.x)
    indexed = "".join(f"{n},{line}\n" for n, line in enumerate(lines.split()))
    table = read_table(write(",0,1,2,3,4\n" + indexed))
    assert (len(table.x), table.features) == (4, ("0", "1", "2", "3"))
    # With a target that is counted from the end it is a sample, as the message says.
    assert len(read_table(write("0,1,2,3,4\n" + lines), "-1").x) == 5
    assert len(read_table(write("0,1,0\n1,2,1\n")).x) == 2


def test_names_that_are_numbers_when_the_features_are_known(write):
    path = write("2020,2021\n5,6\n")
    assert read_features(path, ["2021", "2020"]).tolist() == [[6, 5]]
    assert read_features(path, ["0", "1"]).tolist() == [[2020, 2021], [5, 6]]


def test_comments_above_the_table(reader, write):
    table = read_table(write("# made by hand\n#\na,b,k\n1,2,x\n3,4,y\n"))
    assert (table.features, table.notes) == (("a", "b"), ("2 lines above the table with '#' left out",))
    file = io.StringIO()
    np.savetxt(file, [[1.5, 2, 0], [3, 4, 1]], delimiter=",", header="a,b,k")
    table = read_table(write(file.getvalue()))
    assert (table.features, table.target, table.x.tolist()) == (("a", "b"), "k", [[1.5, 2], [3, 4]])
    assert table.notes == (
        "1 line above the table with '#' left out, the last one taken for the names of the columns",
    )
    # Behind the first row a line with # is a row: it may be a colour.
    assert read_table(write("colour,a\n#ff0000,1\n#00ff00,2\n"), "colour").classes == ("#00ff00", "#ff0000")


@pytest.mark.parametrize(
    "text", ["1,5;2,5;1,0\n3;4,5;2,0\n", "a;b;k\n1,5;2,5;1,0\n3;4,5;2,0\n", "sep=;\n1,5;2,5;1\n3;4,5;2\n"]
)
def test_decimal_commas(text, reader, write):
    table = read_table(write(text))
    assert (table.x.tolist(), table.classes) == ([[1.5, 2.5], [3, 4.5]], ("1", "2"))
    assert read_table(write("a;b;k\n1,5;2;x,1\n3;4;y\n")).classes == ("x,1", "y")


def test_labels_that_are_true_and_false_are_classes_of_that_name(reader, write):
    table = read_table(write("a,b,k\n1,True,True\n3,False,False\n5,True,True\n"))
    assert (table.classes, table.t.tolist()) == (("False", "True"), [1, 0, 1])
    assert table.x.tolist() == [[1, 1], [3, 0], [5, 1]]


@pytest.mark.parametrize("quoting", [csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC])
def test_quotes_around_whole_cells_need_no_second_reading(quoting, write, monkeypatch):
    monkeypatch.setattr(rows, "_careful", lambda *_: pytest.fail("it reads cell by cell"))
    monkeypatch.setattr(rows, "CHUNK", 50)
    file = io.StringIO()
    writer = csv.writer(file, quoting=quoting)
    writer.writerows([["a", "b", "kind"], *([n, n / 4, "cat dog"[4 * (n % 2) :][:3]] for n in range(30))])
    table = read_table(write(file.getvalue()))
    assert table.x.tolist() == [[n, n / 4] for n in range(30)]
    assert (table.classes, table.t.tolist()) == (("cat", "dog"), [0, 1] * 15)


def test_any_place_of_the_labels(reader, write):
    for place in range(4):
        names, row = ["a", "b", "c"], ["1", "2", "3"]
        names.insert(place, "kind")
        lines = []
        for label in "xy":
            row_of_label = [*row]
            row_of_label.insert(place, label)
            lines.append(",".join(row_of_label))
        table = read_table(write("\n".join([",".join(names), *lines])), "kind")
        assert (table.x.tolist(), table.classes) == ([[1, 2, 3]] * 2, ("x", "y"))


# --- What is found before the file is read --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("header", "target", "message"),
    [
        ("a,b,kind", "kid", "there is no 'kid' among a, b, kind; did you mean 'kind'"),
        ("label,a,b", None, "the labels may be in 'label' or in the last column"),
        ("a,a,kind", None, "the column 'a' is there twice"),
    ],
)
def test_a_wrong_argument_is_found_before_the_file_is_read(header, target, message, write, monkeypatch):
    monkeypatch.setattr("backprop.data.tables.read_rows", lambda *_: pytest.fail("it reads"))
    with pytest.raises(ValueError, match=message):
        read_table(write(header + "\n1,2,3\n4,5,oops\n"), target)


def test_home(write, monkeypatch):
    path = write("a,k\n1,x\n2,y\n")
    monkeypatch.setenv("HOME", str(path.parent))
    assert read_table("~/data.csv").x.tolist() == [[1], [2]]


def test_what_pandas_writes_comes_back(tmp_path, reader):
    pandas = pytest.importorskip("pandas")
    frame = pandas.get_dummies(
        pandas.DataFrame({"size": [1.5, 2, 3], "colour": ["red", "blue", "red"], "kind": ["x", "y", "x"]}),
        columns=["colour"],
    )
    for options in ({}, {"index": False}, {"sep": ";", "decimal": ","}, {"encoding": "utf-16", "sep": "\t"},
                    {"quoting": csv.QUOTE_ALL}, {"lineterminator": "\r\n"}):  # fmt: skip
        frame.to_csv(tmp_path / "t.csv", **options)
        table = read_table(tmp_path / "t.csv", "kind")
        assert table.features == ("size", "colour_blue", "colour_red")
        assert table.x.tolist() == [[1.5, 0, 1], [2, 1, 0], [3, 0, 1]]
