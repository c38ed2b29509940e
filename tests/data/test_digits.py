"""The digits that come with the package."""

import numpy as np
import pytest

import backprop as bp


def test_shapes_types_and_the_split():
    (x_train, t_train), (x_test, t_test) = bp.load_digits()
    assert (x_train.shape, x_test.shape) == ((1437, 64), (360, 64))
    assert x_train.dtype == np.float32
    assert t_train.dtype == np.int64
    assert 0 == x_train.min() < x_train.max() == 1
    train, test = np.bincount(t_train), np.bincount(t_test)
    # What the data set's own description counts.
    assert (train + test).tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    assert np.abs(test - 0.2 * (train + test)).max() <= 1


@pytest.mark.parametrize("flatten", [True, False])
def test_the_options(flatten):
    (x, t), _ = bp.load_digits(normalize=False, flatten=flatten, one_hot_label=True)
    assert x.dtype == np.uint8
    assert x.max() == 16
    assert x.shape == ((1437, 64) if flatten else (1437, 1, 8, 8))
    (normal, labels), _ = bp.load_digits()
    assert np.array_equal(x.reshape(1437, 64) / np.float32(16), normal)
    assert np.array_equal(t.argmax(axis=1), labels)
    assert np.array_equal(t.sum(axis=1), np.ones(1437))


def test_no_image_is_in_both_parts():
    (x_train, _), (x_test, _) = bp.load_digits(normalize=False)
    train = {row.tobytes() for row in x_train}
    assert not any(row.tobytes() in train for row in x_test)
