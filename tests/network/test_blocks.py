"""What is worked on block by block: the blocks weigh what they hold, and each has rows and targets of its own."""

import re

import numpy as np
import pytest

import backprop as bp
from backprop.network import scaling
from backprop.network.evaluation import BLOCK
from tests.bounds import gamma

# Of the mean loss: one whole block and half of one.
ROWS = 4096 + 2048


class ByLayers(bp.Network):
    """A network that never uses a plan."""

    def _plan(self):
        return None


class OwnLoss(bp.Network):
    """A network whose loss is its own, and the same."""

    def loss(self, x, t):
        return super().loss(x, t)


KINDS = [bp.Network, ByLayers, OwnLoss]


def validation_of(net, t):
    """What `fit` records of validation data whose inputs are all 0."""
    x = np.zeros((len(t), net.sizes[0]))
    optimizer = bp.SGD(1e-300)  # nothing moves
    return net.fit(x[:2], t[:2], epochs=1, optimizer=optimizer, validation=(x, t), seed=0)


@pytest.mark.parametrize("rows", [1, 4096, 4097, ROWS])
@pytest.mark.parametrize("kind", KINDS)
def test_the_validation_loss_of_numbers_is_the_mean_over_all_rows(kind, rows):
    net = kind([2, 1], loss="squared_error", dtype=np.float64, seed=0)
    net.params = {"W1": np.zeros((2, 1)), "b1": [0]}
    t = np.repeat([2.0, 600.0], [4096, ROWS - 4096])[:rows]
    history = validation_of(net, t)
    # Halves of squares, whole numbers: a block's mean is rounded, and its product with the rows, their sum, the end.
    expected = (t * t / 2).sum() / rows
    assert abs(history.validation_loss[0] - expected) <= gamma(2 * 2 + 1 + 1, np.float64) * expected


@pytest.mark.parametrize("soft", [False, True], ids=["labels", "weights"])
@pytest.mark.parametrize("kind", KINDS)
def test_the_validation_loss_of_classes_is_the_mean_over_all_rows(kind, soft):
    net = kind([2, 3], dtype=np.float64, seed=0)
    net.params = {"W1": np.zeros((2, 3)), "b1": [0, 5, -3]}
    t = np.repeat([1, 2], [4096, ROWS - 4096])
    history = validation_of(net, np.eye(3)[t] if soft else t)
    each = np.log(np.exp([0, 5, -3]).sum()) - np.array([0, 5, -3])
    expected = each[t].mean()
    # The losses of as many rows are added up, each with some roundings of its own.
    assert abs(history.validation_loss[0] - expected) <= gamma(ROWS + 30, np.float64) * expected


@pytest.mark.parametrize("kind", KINDS)
def test_every_block_of_an_accuracy_has_labels_of_its_own(kind):
    net = kind([2, 3], seed=0)
    net.params = {"W1": np.zeros((2, 3)), "b1": [0, 5, -3]}
    # Right are the first half of the first block, all of the second, and none of the third.
    t = np.repeat([1, 0, 1, 2], [BLOCK // 2, BLOCK // 2, BLOCK, BLOCK // 4])
    assert validation_of(net, t).validation_accuracy == [1.5 * BLOCK / len(t)]
    x = np.zeros((len(t), 2))
    assert net.accuracy(x, np.eye(3)[t]) == 1.5 * BLOCK / len(t)
    history = net.fit(x, t, iterations=1, optimizer=bp.SGD(1e-300), track_accuracy=True, seed=0)
    assert history.train_accuracy == [1.5 * BLOCK / len(t)]


@pytest.mark.parametrize("row", [0, 4095, 4096, ROWS - 1])
def test_the_number_that_is_not_finite_is_named_in_any_block(row):
    x, t = np.ones((ROWS, 3)), np.ones(ROWS)
    x[row, 2] = np.nan
    with pytest.warns(RuntimeWarning, match=re.escape(f": x[{row}, 2] is nan, no finite number of float32")):
        bp.Network([3, 1], loss="squared_error", seed=0).fit(x, t, epochs=1, batch_size=ROWS, seed=0)
    x[row, 2], t[row] = 1, np.inf
    with pytest.warns(RuntimeWarning, match=re.escape(f": t[{row}, 0] is inf, no finite number of float32")):
        bp.Network([3, 1], loss="squared_error", seed=0).fit(x, t, epochs=1, batch_size=ROWS, seed=0)


@pytest.mark.parametrize("row", [0, ROWS - 1])
def test_validation_data_that_is_not_finite_is_named_in_any_block(row):
    x, t = np.ones((ROWS, 3)), np.ones(ROWS)
    t[row] = np.nan
    with pytest.warns(RuntimeWarning, match=re.escape(f"in validation, t[{row}, 0] is nan")):
        bp.Network([3, 1], loss="squared_error", seed=0).fit(
            x[:9], np.ones(9), epochs=1, validation=(x, t), seed=0
        )


def test_standardising_takes_every_block_into_account():
    rows = scaling.BLOCK + scaling.BLOCK // 2
    x = np.zeros((rows, 1))
    x[scaling.BLOCK :] = 3
    net = bp.Network.standardised(x, [1, 2], seed=0)
    # Whole numbers, so that the sum is right; two thirds are 0 and a third is 3.
    assert net.input_mean.tolist() == [1.0]
    assert abs(net.input_scale[0] * np.sqrt(2) - 1) <= gamma(rows, np.float64)
    x[-1] = np.nan
    with pytest.raises(ValueError, match=re.escape(f"x[{rows - 1}, 0] is nan, wanted finite numbers")):
        bp.Network.standardised(x, [1, 2], seed=0)
