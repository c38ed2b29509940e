"""A drawing is cropped, scaled and centred; nothing of it is lost."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from backprop.demo.image import FITS, Fit, fitted
from tests.bounds import gamma, unit_roundoff

MNIST = FITS[28]


def centre_of_mass(image):
    places = np.arange(len(image)) + 0.5
    return [float(image.sum(axis=axis) @ places / image.sum()) for axis in (1, 0)]


def placed(shape, rows, columns, value=255.0):
    drawing = np.zeros(shape)
    drawing[rows, columns] = value
    return drawing


def share_error(drawing, fit):
    """How far what a pixel covers may be off, as a share of it.

    An edge comes from six roundings of numbers up to M, the drawing and the field beside it. A pixel is between two of
    them and is divided by their distance: less than 50 roundings of M an axis, beside the size of a pixel.
    """
    extent = max(np.ptp(np.flatnonzero(drawing.max(axis=axis))) for axis in (0, 1)) + 1
    pixel = extent / fit.box
    return 100 * unit_roundoff(np.float64) * (max(drawing.shape) + fit.side * pixel) / pixel, pixel


def test_a_square_fills_the_box_in_the_middle():
    field = fitted(placed((112, 112), slice(3, 43), slice(60, 100)), MNIST)
    assert np.array_equal(field, placed((28, 28), slice(4, 24), slice(4, 24)))


def test_a_bar_keeps_its_proportions():
    # 80 × 16 become 20 × 4.
    field = fitted(placed((112, 112), slice(30, 110), slice(1, 17)), MNIST)
    assert np.array_equal(field, placed((28, 28), slice(4, 24), slice(12, 16)))
    lying = fitted(placed((112, 112), slice(1, 17), slice(30, 110)), MNIST)
    assert np.array_equal(lying, field.T)


def test_a_pixel_is_the_mean_of_what_it_covers():
    drawing = np.zeros((112, 112))
    drawing[10:50, 20:60] = np.arange(1600).reshape(40, 40) % 251 + 1
    field = fitted(drawing, Fit(side=20, box=20, by_mass=False, pen=0.1))
    assert np.array_equal(field, drawing[10:50, 20:60].reshape(20, 2, 20, 2).mean(axis=(1, 3)))


def test_half_a_cell_counts_by_half():
    # Three cells on two pixels: the middle one is shared.
    field = fitted(placed((9, 9), 4, [2, 3, 4], [100, 200, 40]), Fit(side=2, box=2, by_mass=False, pen=0.1))
    # A row of ink is one cell high, a pixel is 1.5: in two rows, each covers half of the cell.
    expected = np.array([(100 + 200 / 2) / 1.5, (200 / 2 + 40) / 1.5]) / 3
    assert field == pytest.approx(np.array([expected, expected]), rel=gamma(16, np.float64))


def test_a_dot_becomes_the_whole_box():
    drawing = placed((112, 112), 0, 111)
    error, _ = share_error(drawing, MNIST)
    assert fitted(drawing, MNIST) == pytest.approx(
        placed((28, 28), slice(4, 24), slice(4, 24)), rel=error, abs=255 * error
    )


def test_the_centre_of_mass_is_in_the_middle():
    # Two bars of the same mass, 80 × 72 together, whose edges come to lie on the field's pixels of 4.
    seven = placed((112, 112), slice(10, 18), slice(20, 92))
    seven[18:90, 84:92] = 255
    field = fitted(seven, MNIST)
    expected = placed((28, 28), slice(8, 10), slice(1, 19))
    expected[10:28, 17:19] = 255
    assert np.array_equal(field, expected)
    assert centre_of_mass(field) == [14, 14]


def test_a_digit_whose_mass_is_at_one_end_stays_in_the_field():
    drawing = placed((112, 112), slice(0, 100), 50, 1.0)
    drawing[95:100, 40:60] = 255
    field = fitted(drawing, MNIST)
    assert centre_of_mass(field)[0] > 14
    assert field[0].any()
    error, pixel = share_error(drawing, MNIST)
    assert field.sum() * pixel**2 == pytest.approx(drawing.sum(), rel=error + gamma(4 * 112, np.float64))


def test_the_digits_of_8_pixels_fill_the_height_and_stand_by_their_box():
    seven = placed((112, 112), slice(16, 26), slice(20, 70))
    seven[26:96, 60:70] = 255
    field = fitted(seven, FITS[8])
    assert field.any(axis=1).all()
    assert np.flatnonzero(field.any(axis=0)).tolist() == [1, 2, 3, 4, 5, 6]  # 5 of 8 in the middle


@given(
    arrays(
        np.float64, st.tuples(st.integers(1, 40), st.integers(1, 40)), elements=st.floats(0, 255, width=16)
    ).filter(np.any),
    st.sampled_from(sorted(FITS)),
)
def test_ink_is_kept_within_its_range(drawing, side):
    field = fitted(drawing, FITS[side])
    error, pixel = share_error(drawing, FITS[side])
    error += gamma(4 * max(drawing.shape), np.float64)
    assert field.shape == (side, side)
    assert field.min() >= 0
    assert field.max() <= drawing.max() * (1 + error)
    assert field.sum() * pixel**2 == pytest.approx(drawing.sum(), rel=error)
