"""Every door of bpcore.kernels, over arrays that are right, odd and wrong: NumPy's answer or the documented error.

Each array lies between guard bytes, which stay untouched whatever happens; a call that raises has written nothing.
"""

import re

import numpy as np
import pytest
from numpy.lib.stride_tricks import as_strided

from tests import reference
from tests.contracts.guarded import EVERY, EVERY_ARGUMENT, SIZES, Call, Memory, expected, far_apart
from tests.strategies import DTYPES

every_door = pytest.mark.parametrize(("door", "form"), EVERY)
every_argument = pytest.mark.parametrize(("door", "form", "name"), EVERY_ARGUMENT)
both_types = pytest.mark.parametrize("dtype", DTYPES, ids=str)


def assert_refused(call, error, *words):
    """The call raises, names the door and has written nothing."""
    before = call.contents()
    with pytest.raises(error, match="^" + re.escape(f"{call.door}: ")) as raised:
        call()
    assert all(word in str(raised.value) for word in words), str(raised.value)
    assert call.contents() == before
    assert call.intact()


@both_types
@every_door
def test_nothing_but_the_outputs_is_written(door, form, dtype):
    call = Call(door, dtype, form)
    before = call.contents()
    call()
    after = call.contents()
    assert call.intact()
    assert all((after[name] == before[name]) != argument.written for name, argument in call.arguments.items())


@both_types
@every_door
def test_inputs_may_be_read_only(door, form, dtype):
    call = Call(door, dtype, form)
    for name, argument in call.arguments.items():
        call.given[name].setflags(write=argument.written)
    assert call.results() == expected(door, dtype, form)


@both_types
@every_argument
def test_outputs_may_not_be_read_only(door, form, name, dtype):
    call = Call(door, dtype, form)
    call.given[name].setflags(write=False)
    if call.arguments[name].written:
        assert_refused(call, ValueError, name, "read-only")
    else:
        assert call.results() == expected(door, dtype, form)


def every_second(array):
    return np.repeat(array, 2, axis=-1)[..., ::2]


def backwards(array):
    return np.ascontiguousarray(array[::-1])[::-1]


LAYOUTS = {
    "every second": every_second,
    "backwards": backwards,
    "Fortran": np.asfortranarray,
    "far apart": far_apart,
}


@pytest.mark.parametrize("layout", LAYOUTS)
@both_types
@every_argument
def test_layouts(door, form, name, dtype, layout):
    call = Call(door, dtype, form)
    array = LAYOUTS[layout](call.given[name])
    assert np.array_equal(array, call.given[name])
    call.given[name] = array
    if call.arguments[name].strided or array.flags.c_contiguous:
        assert call.results() == expected(door, dtype, form)
        assert call.intact()
    else:
        assert_refused(call, ValueError, name, "not C-contiguous")


@both_types
@every_argument
@pytest.mark.parametrize("offset", [1, 2])
def test_addresses_that_no_number_of_the_type_may_have(door, form, name, dtype, offset):
    call = Call(door, dtype, form)
    call.put(name, call.given[name], offset)
    if call.given[name].itemsize == 1:
        assert call.results() == expected(door, dtype, form)
        assert call.intact()
    else:
        assert_refused(call, ValueError, name, "not aligned")


TYPES = ["?", "u1", "i4", "i8", "f2", "f4", "f8", "g", "F", "D", "O", "U3", "S4", "M8[s]", "V4"]


def cast(array, dtype):
    with np.errstate(all="ignore"):
        return np.zeros(array.shape, dtype) if np.dtype(dtype).kind in "SUMV" else array.astype(dtype)


def wrong_types(door, form, name, dtype):
    right = Call(door, dtype, form).given[name].dtype
    # A mask may be either of two types.
    also_right = {np.dtype(bool), np.dtype(np.uint8)} if right.kind == "b" else {right}
    swapped = [right.newbyteorder()] if right.itemsize > 1 else []
    return [kind for kind in [*map(np.dtype, TYPES), *swapped] if kind not in also_right]


@pytest.mark.parametrize(
    ("door", "form", "name", "dtype", "wrong"),
    [
        (*one, dtype, wrong)
        for one in EVERY_ARGUMENT
        for dtype in DTYPES
        for wrong in wrong_types(*one, dtype)
    ],
)
def test_types(door, form, name, dtype, wrong):
    call = Call(door, dtype, form)
    call.given[name] = cast(call.given[name], wrong)
    assert_refused(call, TypeError, name, str(wrong))


class NoArray:
    def __repr__(self):
        return "NoArray()"


@pytest.mark.parametrize("value", [None, [1.0, 2.0], 1.0, "x", NoArray(), b"1234"], ids=repr)
@every_argument
def test_what_is_no_array(door, form, name, value):
    call = Call(door, np.float32, form)
    call.given[name] = value
    before = {other: call.given[other].tobytes() for other in call.arguments if other != name}
    with pytest.raises(TypeError, match=f"^{door}: {name} "):
        call()
    assert before == {other: call.given[other].tobytes() for other in before}


@every_argument
def test_numbers_of_dimensions(door, form, name):
    for change in (lambda a: a[np.newaxis], lambda a: a[..., np.newaxis], lambda a: a[0], lambda a: a.sum()):
        call = Call(door, np.float64, form)
        call.given[name] = np.asarray(change(call.given[name])).astype(call.given[name].dtype)
        # Of labels and weights the number of dimensions decides which they are, and then the type is wrong.
        assert_refused(call, (TypeError, ValueError) if name == "t" else ValueError, name)


@every_argument
def test_sizes_that_do_not_fit(door, form, name):
    for letter in Call(door, np.float32, form).arguments[name].letters:
        for size in (0, 1, SIZES[letter] - 1, SIZES[letter] + 1):
            call = Call(door, np.float32, form)
            if sum(letter in argument.letters for argument in call.arguments.values()) == 1:
                continue
            call.put(name, Call(door, np.float32, form, **{letter: size}).given[name])
            assert_refused(call, ValueError, name, str(size))


def letters_of(door, form):
    return sorted(
        {
            letter
            for argument in Call(door, np.float32, form).arguments.values()
            for letter in argument.letters
        }
    )


def has_a_mean(door):
    return "cross_entropy" in door or "squared_error" in door


# So many rows and elements that every door finds them worth a second thread.
LARGE = {"B": 35000, "N": 140000}


@both_types
@every_door
def test_any_number_of_threads_gives_the_same_bits(door, form, dtype):
    # Four columns have a way of their own, through vectors of rows; a hundred have none.
    for K in (4, 100):
        one = Call(door, dtype, form, K=K, **LARGE)
        one.given["threads"] = 1
        wanted = one.results()
        for threads in (2, 3):
            call = Call(door, dtype, form, K=K, **LARGE)
            call.given["threads"] = threads
            assert call.results() == wanted
            assert call.intact()


SOME = [
    (door, form, letter, size) for door, form in EVERY for letter in letters_of(door, form) for size in (0, 1)
]


@both_types
@pytest.mark.parametrize(
    ("door", "form", "letter", "size"), [case for case in SOME if case[3] or not has_a_mean(case[0])]
)
def test_sizes_of_none_and_one(door, form, letter, size, dtype):
    call, plain = Call(door, dtype, form, **{letter: size}), Call(door, dtype, form, **{letter: size})
    call()
    assert call.intact()
    wide = {key: widened(value) for key, value in plain.given.items()}
    getattr(reference, door)(**wide)
    for name in call.written():
        # Some roundings of numbers below 50: the exact bounds are those of tests/core/test_twins.py.
        u = np.finfo(dtype).eps / 2
        assert np.allclose(call.given[name], wide[name], rtol=64 * u, atol=64 * 50 * u)


@both_types
@pytest.mark.parametrize(
    ("door", "form", "letter", "size"), [case for case in SOME if not case[3] and has_a_mean(case[0])]
)
def test_there_is_no_mean_of_nothing(door, form, letter, size, dtype):
    assert_refused(Call(door, dtype, form, **{letter: size}), ValueError, "an empty batch has no mean loss")


def widened(value):
    return value.astype(float) if getattr(value, "dtype", np.dtype(bool)).kind == "f" else value


def laid_over(call, name, other, apart):
    """Give both arguments memory that overlaps: `name` begins `apart` bytes behind `other`, or before it."""
    sizes = {key: call.given[key].nbytes for key in (name, other)}
    starts = {name: max(apart, 0), other: max(-apart, 0)}
    memory = Memory(max(starts[key] + sizes[key] for key in sizes))
    arrays = {
        key: memory.array(call.given[key].shape, call.given[key].dtype, starts[key]) for key in (other, name)
    }
    for key, array in arrays.items():
        array[...] = call.given[key]
        call.memory[key], call.given[key] = memory, array


def distances(call, name, other):
    """None, a little, and so much that only the last number of one is the first of the other."""
    one, two = call.given[name], call.given[other]
    return [
        0,
        8,
        16,
        two.nbytes - two.itemsize,
        -((one.nbytes - one.itemsize) // two.itemsize * two.itemsize),
    ]


OVERLAPS = [
    (door, form, name, other)
    for door, form, name in EVERY_ARGUMENT
    for other in Call(door, np.float32, form).arguments
    if name != other and Call(door, np.float32, form).arguments[name].written
]


@both_types
@pytest.mark.parametrize("which", range(5))
@pytest.mark.parametrize(("door", "form", "name", "other"), OVERLAPS)
def test_overlaps(door, form, name, other, which, dtype):
    call = Call(door, dtype, form)
    arguments = call.arguments
    apart = distances(call, name, other)[which]
    laid_over(call, name, other, apart)
    if apart == 0 and other in arguments[name].may_be:
        separate = Call(door, dtype, form)
        for key in arguments:
            separate.put(key, call.given[key].copy())
        assert call.results() == separate.results()
        assert call.intact()
    else:
        assert_refused(call, ValueError, name, "overlaps", other)


@both_types
@pytest.mark.parametrize("door", ["add", "multiply"])
def test_a_broadcast_row_may_not_be_a_row_of_the_output(door, dtype):
    call = Call(door, dtype)
    out = call.given["out"]
    call.given["y"] = np.broadcast_to(out[0], out.shape)
    assert_refused(call, ValueError, "out overlaps y")
    # In the gaps between rows that are far apart there is room for an output.
    memory = np.zeros(6 * out.size, dtype)
    x = as_strided(memory, out.shape, (5 * out.itemsize * out.shape[1], out.itemsize))[:2]
    x[...] = call.given["x"][:2]
    between = memory[2 * out.shape[1] : 4 * out.shape[1]].reshape(2, -1)
    call.function(x, x, between)
    assert np.array_equal(between, x + x if door == "add" else x * x)
