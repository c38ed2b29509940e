"""Every entry of bpcore.kernels, over arrays that are right, odd and wrong: NumPy's answer or the documented error.

Each array lies between guard bytes, which stay untouched whatever happens; a call that raises has written nothing.
"""

import inspect
import re

import numpy as np
import pytest
from numpy.lib.stride_tricks import as_strided

from bpcore import kernels
from bpcore.errors import FLOATS
from tests import reference
from tests.contracts.guarded import EVERY, EVERY_ARGUMENT, Call, Memory, expected, far_apart
from tests.strategies import DTYPES

every_entry = pytest.mark.parametrize(("entry", "alternative"), EVERY)
every_argument = pytest.mark.parametrize(("entry", "alternative", "name"), EVERY_ARGUMENT)
both_types = pytest.mark.parametrize("dtype", DTYPES, ids=str)


def assert_refused(call, error, *words):
    """The call raises, names the entry and has written nothing."""
    before = call.contents()
    with pytest.raises(error, match="^" + re.escape(f"{call.entry}: ")) as raised:
        call()
    assert all(word in str(raised.value) for word in words), str(raised.value)
    assert call.contents() == before
    assert call.intact()


@both_types
@every_entry
def test_nothing_but_the_outputs_is_written(entry, alternative, dtype):
    call = Call(entry, dtype, alternative)
    before = call.contents()
    call()
    after = call.contents()
    assert call.intact()
    assert all((after[name] == before[name]) != argument.written for name, argument in call.arguments.items())


@both_types
@every_entry
def test_inputs_may_be_read_only(entry, alternative, dtype):
    call = Call(entry, dtype, alternative)
    for name, argument in call.arguments.items():
        call.given[name].setflags(write=argument.written)
    assert call.results() == expected(entry, dtype, alternative)


@both_types
@every_argument
def test_outputs_may_not_be_read_only(entry, alternative, name, dtype):
    call = Call(entry, dtype, alternative)
    call.given[name].setflags(write=False)
    if call.arguments[name].written:
        assert_refused(call, ValueError, name, "read-only")
    else:
        assert call.results() == expected(entry, dtype, alternative)


@both_types
@every_entry
def test_arguments_by_position_and_by_name(entry, alternative, dtype):
    wanted = expected(entry, dtype, alternative)
    function = getattr(kernels, entry)
    given = Call(entry, dtype, alternative).given
    names = [name for name in inspect.signature(function).parameters if name in given]
    for first in range(len(names) + 1):
        # Where a name is put together it is another object than the one that the entry knows.
        for word in (str, lambda name: "".join(list(name))):
            call = Call(entry, dtype, alternative)
            by_name = {word(name): call.given[name] for name in reversed(names[first:])}
            arguments = [call.given[name] for name in names[:first]]
            returned = function(*arguments, threads=1, **by_name)
            written = [call.contents()[name] for name in call.written()]
            assert [*written, np.float64(returned or 0).tobytes()] == wanted


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


@both_types
@every_argument
def test_layouts(entry, alternative, name, dtype):
    wanted = expected(entry, dtype, alternative)
    for layout, lay in LAYOUTS.items():
        call = Call(entry, dtype, alternative)
        array = lay(call.given[name])
        assert np.array_equal(array, call.given[name]), layout
        call.given[name] = array
        if call.arguments[name].strided or array.flags.c_contiguous:
            assert call.results() == wanted, layout
            assert call.intact(), layout
        else:
            assert_refused(call, ValueError, name, "not C-contiguous")


@both_types
@every_argument
def test_addresses_that_no_number_of_the_type_may_have(entry, alternative, name, dtype):
    for offset in (1, 2):
        call = Call(entry, dtype, alternative)
        call.put(name, call.given[name], offset)
        if call.given[name].itemsize == 1:
            assert call.results() == expected(entry, dtype, alternative)
            assert call.intact()
        else:
            assert_refused(call, ValueError, name, "not aligned")


TYPES = ["?", "u1", "i4", "i8", "f2", "f4", "f8", "g", "F", "D", "O", "U3", "S4", "M8[s]", "V4"]


def cast(array, dtype):
    with np.errstate(all="ignore"):
        return np.zeros(array.shape, dtype) if np.dtype(dtype).kind in "SUMV" else array.astype(dtype)


def wrong_types(entry, alternative, name, dtype):
    given = Call(entry, dtype, alternative).given
    right, dtypes = given[name].dtype, Call(entry, dtype, alternative).arguments[name].dtypes
    # Masks and indices may be of either of two types, and so may an array beside which there is no other.
    also_right = {right} if dtypes == FLOATS else {np.dtype(one) for one in dtypes}
    if sum(isinstance(value, np.ndarray) for value in given.values()) == 1:
        also_right = {np.dtype(one) for one in DTYPES}
    swapped = [right.newbyteorder()] if right.itemsize > 1 else []
    return [kind for kind in [*map(np.dtype, TYPES), *swapped] if kind not in also_right]


@both_types
@every_argument
def test_types(entry, alternative, name, dtype):
    wrong = wrong_types(entry, alternative, name, dtype)
    assert len(wrong) > 10
    for kind in wrong:
        call = Call(entry, dtype, alternative)
        call.given[name] = cast(call.given[name], kind)
        assert_refused(call, TypeError, name, str(kind))


class NoArray:
    def __repr__(self):
        return "NoArray()"


@every_argument
def test_what_is_no_array(entry, alternative, name):
    for value in (None, [1.0, 2.0], 1.0, "x", NoArray(), b"1234"):
        call = Call(entry, np.float32, alternative)
        call.given[name] = value
        before = {other: call.given[other].tobytes() for other in call.arguments if other != name}
        with pytest.raises(TypeError, match=f"^{entry}: {name} "):
            call()
        assert before == {other: call.given[other].tobytes() for other in before}, value


@every_argument
def test_numbers_of_dimensions(entry, alternative, name):
    for change in (lambda a: a[np.newaxis], lambda a: a[..., np.newaxis], lambda a: a[0], lambda a: a.sum()):
        call = Call(entry, np.float64, alternative)
        call.given[name] = np.asarray(change(call.given[name])).astype(call.given[name].dtype)
        # Of labels and weights the number of dimensions decides which they are, and then the type is wrong.
        assert_refused(call, (TypeError, ValueError) if name == "t" else ValueError, name)


@every_argument
def test_sizes_that_do_not_fit(entry, alternative, name):
    right = Call(entry, np.float32, alternative)
    for subscript, fits in zip(right.arguments[name].subscripts, right.given[name].shape, strict=True):
        for size in (0, 1, fits - 1, fits + 1):
            call = Call(entry, np.float32, alternative)
            if sum(subscript in argument.subscripts for argument in call.arguments.values()) == 1:
                continue
            call.put(name, Call(entry, np.float32, alternative, **{subscript: size}).given[name])
            assert_refused(call, ValueError, name, str(size))


def subscripts_of(entry, alternative):
    return sorted(
        {
            subscript
            for argument in Call(entry, np.float32, alternative).arguments.values()
            for subscript in argument.subscripts
        }
    )


def has_a_mean(entry):
    """Whether it returns the mean loss of targets, or takes the mean's gradient as a number."""
    function = getattr(kernels, entry)
    arrays = {spec.name for specs in function.arguments for spec in specs}
    return (function.returns and "t" in arrays) or "dout" in function.__signature__.parameters.keys() - arrays


# So many elements that every entry uses several threads.
LARGE = 140000


@both_types
@every_entry
def test_any_number_of_threads_gives_the_same_bits(entry, alternative, dtype):
    # Softmax of four columns has a row in each lane of a vector; of a hundred it has not.
    for K in (4, 100) if "K" in subscripts_of(entry, alternative) else (4,):
        sizes = {"B": LARGE // K, "K": K, "N": LARGE}
        one = Call(entry, dtype, alternative, **sizes)
        one.given["threads"] = 1
        wanted = one.results()
        for threads in (2, 3):
            call = Call(entry, dtype, alternative, **sizes)
            call.given["threads"] = threads
            assert call.results() == wanted
            assert call.intact()


SOME = [
    (entry, alternative, subscript, size)
    for entry, alternative in EVERY
    for subscript in subscripts_of(entry, alternative)
    if subscript not in "JP"  # twice K, and one more than B
    for size in (0, 1)
]


@both_types
@pytest.mark.parametrize(
    ("entry", "alternative", "subscript", "size"),
    [case for case in SOME if case[3] or not has_a_mean(case[0])],
)
def test_sizes_of_none_and_one(entry, alternative, subscript, size, dtype):
    call, twin = (Call(entry, dtype, alternative, **{subscript: size}) for _ in range(2))
    call()
    assert call.intact()
    wide = {key: widened(value) for key, value in twin.given.items()}
    with np.errstate(invalid="ignore"):  # a mean over no columns is NaN
        getattr(reference, entry)(**wide)
    for name in call.written():
        # Some roundings of numbers below 50: the exact bounds are those of tests/core/test_twins.py.
        u = np.finfo(dtype).eps / 2
        assert np.allclose(call.given[name], wide[name], rtol=64 * u, atol=64 * 50 * u, equal_nan=True)


@both_types
@pytest.mark.parametrize(
    ("entry", "alternative", "subscript", "size"),
    [case for case in SOME if not case[3] and has_a_mean(case[0])],
)
def test_there_is_no_mean_of_nothing(entry, alternative, subscript, size, dtype):
    assert_refused(
        Call(entry, dtype, alternative, **{subscript: size}), ValueError, "an empty batch has no mean loss"
    )


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
    (entry, alternative, name, other)
    for entry, alternative, name in EVERY_ARGUMENT
    for other in Call(entry, np.float32, alternative).arguments
    if name != other and Call(entry, np.float32, alternative).arguments[name].written
]


@both_types
@pytest.mark.parametrize(("entry", "alternative", "name", "other"), OVERLAPS)
def test_overlaps(entry, alternative, name, other, dtype):
    for apart in distances(Call(entry, dtype, alternative), name, other):
        call = Call(entry, dtype, alternative)
        arguments = call.arguments
        laid_over(call, name, other, apart)
        if apart == 0 and other in arguments[name].may_be:
            separate = Call(entry, dtype, alternative)
            for key in arguments:
                separate.put(key, call.given[key].copy())
            assert call.results() == separate.results()
            assert call.intact()
        else:
            assert_refused(call, ValueError, name, "overlaps", other)


@both_types
@pytest.mark.parametrize("entry", ["add", "multiply"])
def test_a_broadcast_row_may_not_be_a_row_of_the_output(entry, dtype):
    call = Call(entry, dtype)
    out = call.given["out"]
    call.given["y"] = np.broadcast_to(out[0], out.shape)
    assert_refused(call, ValueError, "out overlaps y")
    # In the gaps between rows that are far apart there is room for an output.
    memory = np.zeros(6 * out.size, dtype)
    x = as_strided(memory, out.shape, (5 * out.itemsize * out.shape[1], out.itemsize))[:2]
    x[...] = call.given["x"][:2]
    between = memory[2 * out.shape[1] : 4 * out.shape[1]].reshape(2, -1)
    call.function(x, x, between)
    assert np.array_equal(between, x + x if entry == "add" else x * x)
