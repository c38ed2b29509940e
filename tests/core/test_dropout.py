"""Masks of dropout: the words of Philox, the same for any threads and cut, and the rate that was asked for."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import backprop as bp
from bpcore import kernels
from tests import reference
from tests.strategies import DTYPES, arrays, dtypes

# Counter, key and words, of the known answers that come with Random123.
KNOWN = [
    ([0] * 4, [0] * 2, [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8]),
    ([0xFFFFFFFF] * 4, [0xFFFFFFFF] * 2, [0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD]),
    (
        [0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344],
        [0xA4093822, 0x299F31D0],
        [0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1],
    ),
]


@pytest.mark.parametrize(("counter", "key", "words"), KNOWN)
def test_the_twin_has_the_known_answers(counter, key, words):
    assert [int(word) for word in reference.philox(counter, key)] == words


def mask_of(rows, columns, rate=0.5, seed=0, step=1, dtype=np.float32, threads=None):
    x = np.ones((rows, columns), dtype)
    out, mask = np.empty_like(x), np.empty_like(x)
    kernels.dropout_forward(x, rate, seed, step, out, mask, threads)
    return mask


@given(
    st.data(), dtypes(), st.integers(0, 9), st.integers(1, 200), st.floats(0, 1, exclude_max=True),
    st.integers(0, 2**53 - 1), st.integers(1, 2**53 - 1),
)  # fmt: skip
def test_masks_are_those_of_the_twin(data, dtype, rows, columns, rate, seed, step):
    x = np.resize(data.draw(arrays(dtype, 40)), (rows, columns))
    ours, twins = ([np.empty_like(x) for _ in range(2)] for _ in range(2))
    kernels.dropout_forward(x, rate, seed, step, *ours)
    reference.dropout_forward(x, rate, seed, step, *twins)
    for one, twin in zip(ours, twins, strict=True):
        assert np.array_equal(one, twin, equal_nan=True)


@pytest.mark.parametrize("threads", [1, 2, 3, 7])
def test_neither_threads_nor_what_is_behind_a_number_change_its_mask(threads):
    whole = mask_of(4000, 70, threads=threads)
    assert np.array_equal(whole, mask_of(4000, 70))
    assert np.array_equal(whole[:31], mask_of(31, 70))
    assert np.array_equal(whole[:, :5], mask_of(4000, 5))
    assert np.array_equal(whole, mask_of(4000, 70, dtype=np.float64))


@pytest.mark.parametrize("rate", [0.0, 0.1, 0.5, 0.9, 0.999])
def test_as_many_are_dropped_as_the_rate_says(rate):
    mask = mask_of(1000, 1000, rate)
    # Six deviations of a share of a million.
    assert abs((mask == 0).mean() - rate) <= 6 * np.sqrt(rate * (1 - rate) / 1e6)
    assert set(np.unique(mask)) <= {0, np.float32(1 / (1 - rate))}


@pytest.mark.parametrize("axis", [0, 1])
def test_neighbours_and_steps_have_nothing_to_do_with_each_other(axis):
    one, next_step, other_seed = mask_of(500, 640), mask_of(500, 640, step=2), mask_of(500, 640, seed=1)
    moved = np.roll(one, 1, axis)
    for other in (moved, next_step, other_seed):
        # The share of numbers in which two masks agree: a half, within six deviations.
        assert abs((one == other).mean() - 0.5) <= 6 * 0.5 / np.sqrt(one.size)
    # And each row and each column has its share, within six deviations.
    shares = (one == 0).mean(axis=axis)
    assert (np.abs(shares - 0.5) <= 6 * 0.5 / np.sqrt(one.shape[axis])).all()


def test_a_rate_next_to_1_drops_nearly_all():
    rate = np.nextafter(1, 0)
    mask = mask_of(100, 100, rate)
    assert np.isfinite(mask).all()
    assert (mask == 0).mean() > 0.99


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_layer(dtype):
    layer, x = bp.Dropout(0.4, seed=3), np.arange(1, 25, dtype=dtype).reshape(2, 3, 4)
    out = layer.forward(x, training=True)
    wanted = mask_of(2, 12, 0.4, 3, 1, dtype).reshape(2, 3, 4)
    assert layer.step == 1
    assert np.array_equal(out, x * wanted)
    assert np.array_equal(layer.mask, wanted)
    assert np.array_equal(layer.backward(np.full_like(x, 2)), 2 * wanted)
    again = layer.forward(x, training=True)
    assert layer.step == 2
    assert not np.array_equal(again, out)
    # Otherwise nothing happens, and nothing is counted.
    assert np.array_equal(layer.forward(x), x)
    assert np.array_equal(layer.backward(x), x)
    assert layer.step == 2
    bp.assert_gradients(layer, x.astype(float))
    assert layer.step == 2
    for empty in (x[:0], x[:, :0]):
        assert layer.forward(empty, training=True).shape == empty.shape


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: bp.Dropout(1), "Dropout: rate is 1, wanted a number from 0 to below 1"),
        (lambda: bp.Dropout(-0.1), "Dropout: rate is -0.1"),
        (
            lambda: bp.Dropout(0.5, seed=-1),
            r"Dropout: seed is -1, wanted a whole number of at least 0 and below 2\*\*53",
        ),
        (lambda: bp.Dropout(0.5, seed=2**53), "Dropout: seed is"),
        (lambda: setattr(bp.Dropout(), "step", 0.5), "Dropout: step is 0.5, wanted a whole number"),
        (
            lambda: bp.Network([4, 3], dropout=1.5),
            "Network: dropout is 1.5, wanted a number from 0 to below 1",
        ),
        (lambda: bp.Network([4, 3, 2], dropout=np.array(1.5)), "Network: dropout is 1.5"),
        (lambda: bp.Network([4, 3, 2], dropout=[0.1]), "Network: dropout has 1 of the 2 entries wanted"),
        (lambda: bp.Network([4, 3, 2], dropout=[0.1, "a"]), r"Network: dropout\[1\] is 'a', wanted a number"),
    ],
)
def test_what_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
