"""The stubs of the kernels are those of the table of entries."""

from tools.kernel_stubs import STUBS, stubs


def test_the_stubs_are_those_of_the_table():
    assert STUBS.read_text(encoding="utf-8") == stubs(), "run `python -m tools.kernel_stubs`"
