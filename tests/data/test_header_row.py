"""Whether a first row names the columns: names are found, samples are not lost, and neither is guessed."""

import numpy as np
import pytest

from backprop.data import read_features, read_table

ABOVE = "0.1,0.2,0.3,apple\n0.4,0.5,0.6,pear\n0.7,0.8,0.9,apple\n"
COUNTS = "1,5,2,0\n4,4,6,1\n9,9,9,0\n"


@pytest.fixture
def write(tmp_path):
    def write_text(text):
        path = tmp_path / "data.csv"
        path.write_text(text)
        return path

    return write_text


# --- To learn from ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "target", "sample"),
    [
        ("400,402,404,class\n" + ABOVE, "'class' (a header)", "'-1'"),
        ("400,label\n1,a\n2,b\n3,a\n", "'label' (a header)", "'-1'"),
        ("1,2,3,label\n" + ABOVE, "'label' (a header)", "'-1'"),
        ("400.5,402.5,404.5,fruit,\n" + ABOVE.replace("\n", ",\n"), "'fruit' (a header)", "'-1'"),
        ("2019,2020,2021,2022\n" + COUNTS, "'2022' (a header)", "'-1'"),
        ("2010,2015,2021,2022\n" + COUNTS, "'2022' (a header)", "'-1'"),
        # In equal steps, whatever labels there are.
        ("400,402,404,406\n" + COUNTS.replace(",1\n", ",406\n"), "'406' (a header)", "'-1'"),
        ("9,7,5,3\n" + COUNTS.replace(",1\n", ",3\n"), "write names there", "'-1'"),
        ("9,7,1\n1,2,0\n5,4,0\n", "write names there", "'-1'"),
    ],
)
def test_names_that_may_be_a_sample(text, target, sample, write):
    path = write(text)
    with pytest.raises(ValueError, match=r"data.csv, row 1: .* may be a header or a sample; ") as caught:
        read_table(path)
    assert target in str(caught.value)
    assert f"{sample} " in str(caught.value)
    if "(a header)" in target:
        name = target.split("'")[1]
        table = read_table(path, name)
        assert (len(table.x), table.target, table.has_header) == (text.count("\n") - 1, name, True)
    table = read_table(path, sample.strip("'"))
    assert (len(table.x), table.has_header) == (text.count("\n"), False)


def test_a_label_in_the_first_row_of_numbered_columns(write):
    path = write("label,400,402\ncat,3,4\ndog,5,6\ncat,7,8\n")
    with pytest.raises(
        ValueError, match=r"say which with the target 'label' \(a header\) or '-3' \(a sample\)"
    ):
        read_table(path, "0")
    assert read_table(path, "label").x.tolist() == [[3, 4], [5, 6], [7, 8]]
    assert len(read_table(path, "-3").x) == 4


@pytest.mark.parametrize(
    "text",
    [
        "1,2,3,apple\n" + ABOVE,
        ABOVE,
        "7,3,0\n1,2,0\n5,4,1\n",
        "7,7,5\n1,2,0\n5,4,1\n",  # names differ
        "0,1,0\n1,2,1\n",
        "7,3,5\n1,2,0\n5,4,5.0\n",
        "1,2,3,4\n3,4,5,6\n2,2,2,6\n1,1,1,4\n",
        "0,1\n1,0\n0,1\n",
        "1.5,2.5,3\n2,3,1\n4,5,1\n",
    ],
)
def test_a_sample_is_one(text, write):
    table = read_table(write(text))
    assert (len(table.x), table.has_header) == (text.count("\n"), False)


@pytest.mark.parametrize("missing", ["N/A", "-", "#N/A", "NULL", "?", ".", "<NA>"])
def test_a_missing_value_is_no_name(missing, write):
    with pytest.raises(ValueError, match=r"row 1, column '1': '.*' is not a finite number"):
        read_table(write(f"1,{missing},x\n3,4,y\n5,6,x\n"))
    with pytest.raises(ValueError, match="row 1, column '0': '.*' is not a finite number"):
        read_features(write(f"{missing},2\n3,4\n"), ["a", "b"])


# --- To predict from ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("header", [None, False])
def test_a_sample_that_has_the_columns_numbers(header, write):
    """Trained with target 0 the features are 1, 2, 3 and 4."""
    path = write("4,3,2,1\n5,1,1,2\n1,1,1,5\n")
    assert read_features(path, list("1234"), "0", header=header).tolist() == [
        [4, 3, 2, 1],
        [5, 1, 1, 2],
        [1, 1, 1, 5],
    ]


@pytest.mark.parametrize("first", ["1,2,3,4", "0,1,2,3,4", "label,1,2,3,4"])
def test_a_row_of_all_column_numbers_in_order_may_be_either(first, write):
    rows = "".join("7,5,1,1,2\n"[-2 * first.count(",") - 2 :] for _ in range(2))
    path = write(f"{first}\n{rows}")
    with pytest.raises(ValueError, match="row 1: .*1,2,3,4 may be a header or a sample"):
        read_features(path, list("1234"), "0", header=False)
    if "label" not in first:
        assert len(read_features(path, list("1234"), f"-{first.count(',') + 1}", header=False)) == 3


def test_names_that_are_numbers(write):
    path = write("404,402,fruit,400\n3,2,x,1\n")
    for header in (None, True):
        assert read_features(path, ["400", "402", "404"], "fruit", header=header).tolist() == [[1, 2, 3]]
    path = write("2,1,3\n6,5,7\n")
    assert read_features(path, ["1", "2"], "label", header=True).tolist() == [[5, 6]]
    with pytest.raises(ValueError, match="row 1: 2020 may be a header or a sample"):
        read_features(write("2020\n5\n"), ["2020"], "class", header=True)


def test_which_column_is_left_out_is_not_guessed(write):
    path = write("1,5,6\n0,7,8\n")
    for target in (None, "kind", "t", "3", "-4"):
        message = "data.csv: 3 columns without names, wanted the 2 features; say with the target which column"
        with pytest.raises(ValueError, match=message):
            read_features(path, ["a", "b"], target)
    assert read_features(path, ["1", "2"], "0", header=False).tolist() == [[5, 6], [7, 8]]
    assert read_features(path, ["a", "b"], "-1").tolist() == [[1, 5], [0, 7]]


def test_a_column_that_is_left_out_has_labels(write):
    path = write("1,0.5,0.25\n2,0.5,0.75\n")
    with pytest.raises(ValueError, match="row 1, column '2': '0.25' is none of the classes"):
        read_features(path, ["0", "1"], "2", header=False, classes=("0", "1"))
    for labels in ("1.0 0", "TRUE False", "? 1", "N/A true"):
        one, other = labels.split()
        found = read_features(
            write(f"5,7,{one}\n6,8,{other}\n"), ["0", "1"], "2", classes=("0", "1", "True", "False")
        )
        assert found.tolist() == [[5, 7], [6, 8]]
    assert np.array_equal(
        read_features(write("5;7;1,0\n6;8;0\n"), ["0", "1"], "2", classes=("0", "1")), [[5, 7], [6, 8]]
    )


def test_names_where_there_were_none(write):
    path = write("width,height,kind\n1,2,x\n")
    with pytest.raises(
        ValueError, match="called width, height, kind, those of the table for training had no"
    ):
        read_features(path, ["0", "1"], "2", header=False)


def test_names_in_a_comment_leave_the_first_row_a_sample(write):
    path = write("# 5,6,7\n5,6,7\n1,2,7\n3,4,8\n")
    table = read_table(path)
    assert table.x.tolist() == [[5, 6], [1, 2], [3, 4]]
    assert np.array_equal(read_features(path, table.features, "7", header=True), table.x)
