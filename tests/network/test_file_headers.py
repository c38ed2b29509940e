"""Headers of files of networks, which may claim anything."""

import json
import tracemalloc

import pytest
from safetensors.numpy import save_file

import backprop as bp
from tests.network.test_saving import TENSORS, description


def file_of(header, numbers=b""):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + numbers


def entry(dtype="F32", shape=(3,), offsets=(0, 12)):
    return {"dtype": dtype, "shape": shape, "data_offsets": offsets}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not a safetensors file: a header of 0 bytes in a file of 0"),
        (b"\xff" * 9, "a header of 18446744073709551615 bytes in a file of 9"),
        (file_of(b"[]"), "the header is a list"),
        (file_of(b"\xff\xfe"), "the header is damaged: "),
        (file_of(b"{" * 9), "the header is damaged: "),
        (file_of(b"[" * 10**5), "the header is damaged: it is nested too deeply"),
        (file_of({"__metadata__": []}), "the metadata is a list"),
        (file_of({"a": 3}), "a is a int"),
        (file_of({"a": {}}), "a is of type None, wanted F32 or F64"),
        (file_of({"a": entry([[1]])}), r"a is of type \[\[1\]\], wanted F32 or F64"),
        (file_of({"a": entry(shape=3)}), "a has the shape 3, wanted a list of whole numbers"),
        (file_of({"a": entry(shape=[True])}), r"a has the shape \[True\], wanted a list of whole numbers"),
        (file_of({"a": entry(shape=[-3])}), r"a has the shape \[-3\]"),
        (file_of({"a": entry(shape=[2**64])}), r"a has the shape \[18446744073709551616\]"),
        (file_of({"a": entry(shape=[1] * 10**6)}), "a has 1000000 dimensions, wanted 32 at most"),
        (file_of({"a": entry(offsets=[])}), r"a has the data_offsets \[\], wanted 12 bytes"),
        (
            file_of({"a": entry(offsets=[0, 8])}, bytes(8)),
            r"a has the data_offsets \[0, 8\], wanted 12 bytes",
        ),
        (file_of({"a": entry(shape=[2**62, 2**62])}), "a has the data_offsets .*, wanted 8507059"),
        (file_of({"a": entry()}, bytes(11)), "11 bytes of numbers, wanted 12"),
        (file_of({"a": entry()}, bytes(13)), "13 bytes of numbers, wanted 12"),
        (file_of({"a": entry(offsets=[1, 13])}, bytes(13)), "a begins at 1, wanted 0"),
        (file_of({"a": entry(), "b": entry()}, bytes(12)), "b begins at 0, wanted 12"),
        (file_of({"a": entry(shape=[2**50, 2**10], offsets=[0, 2**62])}), "0 bytes of numbers, wanted 461"),
    ],
)
def test_headers_that_do_not_tell_of_their_file(content, message, tmp_path):
    (tmp_path / "net").write_bytes(content)
    with pytest.raises(ValueError, match=f"net: .*{message}") as caught:
        bp.Network.load(tmp_path / "net")
    assert len(str(caught.value)) < 300 + len(str(tmp_path))


CLAIMS = {
    "layers": description(sizes=[1] * 200_000),
    "sizes": description(sizes=[10**9] * 50_000),
    "format": description(format="a" * 200_000),
    "activation": description(activation="a" * 200_000),
    "loss": description(loss=["a"] * 50_000),
    "dtype": description(dtype={"a": [1] * 30_000}),
    "metadata": description(metadata=[1] * 100_000),
    "text": {"backprop": "[" + "1," * 100_000},
}


@pytest.mark.parametrize("claim", CLAIMS)
def test_what_a_header_claims_costs_no_more_than_to_read_it(claim, tmp_path):
    save_file(TENSORS, tmp_path / "net", CLAIMS[claim])
    size = (tmp_path / "net").stat().st_size
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match=f"^{tmp_path}/net: ") as caught:
            bp.Network.load(tmp_path / "net")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert len(str(caught.value)) < 400 + len(str(tmp_path))
    # The bytes, the text in them, the text in that one, and a number or two of Python for each two characters.
    assert peak < 24 * size


def test_tensors_by_the_thousand(tmp_path):
    entries = {f"a{n}": entry("F32", [0], [0, 0]) for n in range(5000)}
    (tmp_path / "net").write_bytes(file_of({"__metadata__": description()} | entries))
    with pytest.raises(ValueError, match="net: the file has a0, a1, .*, [.][.][.], wanted W1, b1$") as caught:
        bp.Network.load(tmp_path / "net")
    assert len(str(caught.value)) < 300 + len(str(tmp_path))
