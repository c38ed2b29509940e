"""Tables whose target is numbers to predict, and tables that are compared with a network."""

from pathlib import Path

import numpy as np
import pytest

from backprop.data import read_table
from backprop.data.labelled import read_labelled


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def written(text, name="t.csv"):
    Path(name).write_text(text)
    return name


@pytest.mark.parametrize(
    "text",
    [
        "a,b,t\n1,2,0.5\n3,4,-1e3\n",
        "a;b;t\n1;2;0,5\n3;4;-1000\n",
        "1,2,0.5\n3,4,-1000\n",
        "a,b,t\n1,2,0.5\n3,4,-1000\n",
    ],
)
def test_the_target_is_numbers(text):
    table = read_table(written(text), numbers=True)
    assert (table.t.dtype, table.t.tolist(), table.classes) == (np.float64, [[0.5], [-1000]], ())
    assert table.x.tolist() == [[1, 2], [3, 4]]


def test_a_column_that_is_named():
    table = read_table(written("t,a\n0.25,1\n7,2\n"), "t", numbers=True)
    assert (table.t.tolist(), table.x.tolist(), table.target) == ([[0.25], [7]], [[1], [2]], "t")


def test_whole_numbers_that_no_other_row_has():
    """As classes, the first row might be names."""
    table = read_table(written("8,307,130,3504\n7,350,165,3693\n"), numbers=True)
    assert table.t.tolist() == [[3504], [3693]]


@pytest.mark.parametrize("value", ["", "NA", "inf", "nan", "1_000", "many"])
def test_targets_that_are_no_numbers(value):
    name = written(f"a,t\n1,2.5\n2,{value}\n")
    with pytest.raises(
        ValueError, match=f"row 3, column 't': the target is {value!r}, wanted a finite number"
    ):
        read_table(name, numbers=True)
    with pytest.raises(ValueError, match="wanted a finite number"):
        read_labelled(name, ["a"], "t")


def test_archives_have_several_a_sample():
    x = np.arange(6.0).reshape(3, 2)
    np.savez(
        "t.npz", x=x, t=[1.5, 2, 3], two=np.ones((3, 2), np.float32), wrong=np.ones(2), bad=[1, np.nan, 2]
    )
    assert read_table("t.npz", numbers=True).t.tolist() == [[1.5], [2], [3]]
    assert read_table("t.npz", "two", numbers=True).t.shape == (3, 2)
    with pytest.raises(
        ValueError, match=r"wrong is float64 \(2,\), wanted numbers of shape \(3,\) or \(3, K\)"
    ):
        read_table("t.npz", "wrong", numbers=True)
    with pytest.raises(ValueError, match=r"bad\[1\] is nan, wanted finite numbers"):
        read_table("t.npz", "bad", numbers=True)
    assert read_labelled("t.npz", ["0", "1"], "two")[1].shape == (3, 2)
    with pytest.raises(ValueError, match="x has 2 features a sample, wanted 1"):
        read_labelled("t.npz", ["0"], None)


def test_labels_have_the_places_of_the_classes():
    name = written("kind,b,a\nz,1,2\nx,3,4\nz,5,6\n")
    x, t = read_labelled(name, ["a", "b"], "kind", classes=["x", "y", "z"])
    assert (x.tolist(), t.tolist()) == ([[2, 1], [4, 3], [6, 5]], [2, 0, 2])
    with pytest.raises(ValueError, match=r"row 2, column 'kind': 'z' is none of the classes of the network"):
        read_labelled(name, ["a", "b"], "kind", classes=["x", "y"])
    with pytest.raises(ValueError, match="the target is 'a', which is one of the features"):
        read_labelled(name, ["a", "b"], "a", classes=["x", "y"])
    with pytest.raises(ValueError, match="it is not known which column has the labels"):
        read_labelled(name, ["a", "b"], None, classes=["x", "y"])


def test_columns_without_names():
    name = written("7,1.5,2.5\n8,3.5,4.5\n7,5.5,6.5\n")
    x, t = read_labelled(name, ["1", "2"], "0", header=False, classes=["7", "8"])
    assert (x.tolist(), t.tolist()) == ([[1.5, 2.5], [3.5, 4.5], [5.5, 6.5]], [0, 1, 0])
    with pytest.raises(ValueError, match="say with the target which has the labels"):
        read_labelled(name, ["a", "b"], "kind", classes=["7", "8"])
    with pytest.raises(ValueError, match="3 columns, wanted the 3 features and the labels"):
        read_labelled(name, ["a", "b", "c"], "0", classes=["7", "8"])
