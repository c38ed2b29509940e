"""Pictures of more rows than are predicted at once."""

import numpy as np
from matplotlib.figure import Figure

import backprop as bp
from backprop import plots
from backprop.plots import matrices, regions


def test_a_matrix_counts_every_block():
    net = bp.Network([3, 3], loss="softmax", dtype=np.float64, seed=0)
    net.params = {"W1": np.eye(3), "b1": np.zeros(3)}
    # The predicted class is that of the row; each block has others.
    predicted = np.repeat([0, 1, 2], [matrices.BLOCK, matrices.BLOCK, 100])
    true = np.repeat([0, 1, 2], [50, matrices.BLOCK, matrices.BLOCK + 50])
    drawn = plots.confusion_matrix(net, np.eye(3)[predicted], true, Figure().add_subplot())
    counts = plots.confusion_counts(true, predicted, 3)
    assert counts.tolist() == [[50, 0, 0], [matrices.BLOCK - 50, 50, 0], [0, matrices.BLOCK - 50, 100]]
    shares = counts / counts.sum(axis=1, keepdims=True)
    assert np.array_equal(drawn.images[0].get_array(), shares)


def test_every_block_of_pixels_has_its_place():
    resolution = 200
    assert resolution**2 > 2 * regions.BLOCK
    net = bp.Network([2, 4, 3], seed=3, dtype=np.float64)
    x, t = np.array([[-1.0, -2.0], [1.0, 2.0]]), [0, 1]
    image = plots.decision_regions(net, x, t, Figure().add_subplot(), resolution=resolution).images[0]
    left, right, bottom, top = image.get_extent()
    middles = (np.arange(resolution) + 0.5) / resolution
    across, up = left + middles * (right - left), bottom + middles * (top - bottom)
    points = np.stack(np.meshgrid(across, up), axis=-1)
    classes = net.predict(points.reshape(-1, 2)).argmax(axis=1).reshape(resolution, resolution)
    assert len(np.unique(classes)) > 1
    pixels = image.get_array()[..., :3]
    for k in np.unique(classes):
        assert len(np.unique(pixels[classes == k], axis=0)) == 1
    assert len(np.unique(pixels.reshape(-1, 3), axis=0)) == len(np.unique(classes))
