"""Metadata of networks: what is saved comes back as it was."""

import os
import sys
from collections import OrderedDict
from enum import Enum, IntEnum

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import backprop as bp


@pytest.fixture
def net():
    return bp.Network([6, 5, 3], seed=2)


def nested(depth):
    value = 1
    for n in range(depth):
        value = {"a": value} if n % 2 else [value]
    return value


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


def alike(one, other):
    """Equal, and of the same types all the way down."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(alike(one[key], other[key]) for key in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(alike, one, other))
    return one == other


@given(st.dictionaries(st.text(), VALUES))
def test_metadata_comes_back_as_it_was(tmp_path_factory, metadata):
    path = tmp_path_factory.mktemp("metadata") / "net"
    net = bp.Network([3, 2], seed=0)
    net.metadata = metadata
    net.save(path)
    assert alike(bp.Network.load(path).metadata, metadata)


def test_numbers_of_numpy_come_back_as_numbers(net, tmp_path):
    net.metadata |= {
        "steps": np.int64(3),
        "scores": [np.float32(0.1), np.float64(0.2)],
        "done": np.bool_(True),
    }
    net.save(tmp_path / "net")
    back = bp.Network.load(tmp_path / "net").metadata
    assert {key: back[key] for key in ("steps", "scores", "done")} == {
        "steps": 3,
        "scores": [float(np.float32(0.1)), 0.2],
        "done": True,
    }


@pytest.mark.parametrize(
    "value",
    [
        (1, 2), {1: "a"}, {"a": {2: 3}}, {True: 1}, {"a": (1,)}, Enum("Kind", "A").A, IntEnum("Kind", "A").A,
        OrderedDict(a=1), np.timedelta64(1), "\ud83d\ude00", {"\ud83d\ude00": 1}, nested(101), np.arange(3),
        {1, 2}, b"ab", 1j, float("nan"), [float("inf")], np.nan,
        np.longdouble(1) / 3, [np.arange(2)], 10**5000, object, bp.Relu(), np.datetime64("2024-01-01"),
    ],
    ids=lambda value: type(value).__name__,
)  # fmt: skip
def test_metadata_that_would_not_come_back_is_named(net, value, tmp_path):
    net.metadata["key"] = value
    with pytest.raises(TypeError, match=r"save: metadata\['key'\] is a .* that would not come back as it is"):
        net.save(tmp_path / "net")
    net.metadata = {3: "a"}
    with pytest.raises(TypeError, match="save: metadata has the key 3, wanted a text"):
        net.save(tmp_path / "net")
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("key", ["\ud83d\ude00", 3, None, True, (1,)], ids=ascii)
def test_keys_that_would_not_come_back(net, key, tmp_path):
    net.metadata[key] = 1
    with pytest.raises(TypeError, match="save: metadata"):
        net.save(tmp_path / "net")
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(
    "value",
    ["\udcff.csv", "\ude00\ud83d", nested(100), 2**14_000 - 1],
    ids=["a file's name", "surrogates", "deep", "digits"],
)
def test_what_just_comes_back(net, value, tmp_path):
    net.metadata = {"key": value, "\udcff": None}
    net.save(tmp_path / "net")
    assert bp.Network.load(tmp_path / "net").metadata == net.metadata


def test_a_number_of_more_digits_than_others_read(net, tmp_path):
    net.metadata["key"] = 10**4500
    usual = sys.get_int_max_str_digits()
    sys.set_int_max_str_digits(5000)
    try:
        with pytest.raises(TypeError, match=r"metadata\['key'\] is a int that .*, wanted 14000 at most"):
            net.save(tmp_path / "net")
    finally:
        sys.set_int_max_str_digits(usual)


@pytest.mark.exhaustive
def test_metadata_that_no_reader_takes(net, tmp_path):
    net.metadata["key"] = "a" * 10**8
    with pytest.raises(
        TypeError, match="save: the metadata makes a header of 1000.* bytes, wanted 100000000"
    ):
        net.save(tmp_path / "net")
    assert os.listdir(tmp_path) == []
