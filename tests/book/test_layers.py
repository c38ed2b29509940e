"""The layers as the book writes them, against their formulas."""

import mpmath
import numpy as np
import pytest

import backprop as bp
from backprop.book import AddLayer, BatchNormalization, Dropout, MulLayer
from backprop.layers.base import LAYERS
from tests.bounds import gamma, unit_roundoff

EPS = 1e-6
ROOT = np.frompyfunc(mpmath.sqrt, 1, 1)
EXACT = np.frompyfunc(mpmath.mpf, 1, 1)


class Exact:
    """Batch normalisation by its formulas, in mpmath's numbers, and how far a type's arithmetic may be off.

    The sums are of B terms. Errors are carried on to first order (Higham, chapter 3); those of second order are less
    than as much again, so `close` asks for twice of each.
    """

    def __init__(self, x, scale, shift, dout, dtype):
        with mpmath.workdps(40):
            B, u = len(x), unit_roundoff(dtype)
            # In mpmath's numbers, too: the exact value of what the layer is given.
            exact = [EXACT(array.astype(np.float64)) for array in (x, scale, shift, dout)]
            x, scale, shift, dout = exact
            self.mean = x.sum(axis=0) / B
            xc = x - self.mean
            self.var = (xc * xc).sum(axis=0) / B
            std = ROOT(self.var + EPS)
            self.xn = xc / std
            self.out = scale * self.xn + shift
            d = scale * dout
            self.dscale, self.dshift = (dout * self.xn).sum(axis=0), dout.sum(axis=0)
            through = (d * self.xn).sum(axis=0) / B
            self.dx = (d - d.sum(axis=0) / B - self.xn * through) / std
            g = gamma(B + 2, dtype)
            self.off_mean = g * abs(x).sum(axis=0) / B
            off_xc = self.off_mean + u * abs(xc)
            self.off_var = 2 * (abs(xc) * off_xc).sum(axis=0) / B + g * self.var
            relative = self.off_var / (2 * std * std) + 3 * u
            self.off_xn = off_xc / std + abs(self.xn) * (relative + u)
            self.off_out = abs(scale) * self.off_xn + gamma(2, dtype) * (abs(scale * self.xn) + abs(shift))
            self.off_dscale = (abs(dout) * self.off_xn).sum(axis=0) + g * abs(dout * self.xn).sum(axis=0)
            self.off_dshift = g * abs(dout).sum(axis=0)
            off_through = ((abs(d) * self.off_xn).sum(axis=0) + g * abs(d * self.xn).sum(axis=0)) / B
            inner = abs(d) + abs(d).sum(axis=0) / B + abs(self.xn * through)
            off_dx = g * inner + abs(self.xn) * off_through + self.off_xn * abs(through)
            self.off_dx = off_dx / std + abs(self.dx) * (relative + u)


def close(got, wanted, off):
    with mpmath.workdps(40):
        return bool((abs(EXACT(np.asarray(got, np.float64)) - wanted) <= 2 * off).all())


def case(B=7, F=3, dtype=np.float64, seed=0):
    rng = np.random.default_rng(seed)
    x, dout = rng.normal(1, 3, (B, F)).astype(dtype), rng.normal(size=(B, F)).astype(dtype)
    return x, rng.normal(size=F).astype(dtype), rng.normal(size=F).astype(dtype), dout


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("B", [1, 2, 7, 40])
def test_batch_normalisation_in_training(B, dtype):
    x, scale, shift, dout = case(B, dtype=dtype)
    kept = [array.copy() for array in (x, scale, shift, dout)]
    layer, exact = BatchNormalization(scale, shift), Exact(x, scale, shift, dout, dtype)
    out, dx = layer.forward(x), layer.backward(dout)
    assert out.dtype == dx.dtype == layer.dgamma.dtype == layer.running_var.dtype == dtype
    assert close(out, exact.out, exact.off_out)
    assert close(layer.xn, exact.xn, exact.off_xn)
    assert close(dx, exact.dx, exact.off_dx)
    assert close(layer.dgamma, exact.dscale, exact.off_dscale)
    assert close(layer.dbeta, exact.dshift, exact.off_dshift)
    for array, before in zip((x, scale, shift, dout), kept, strict=True):
        assert np.array_equal(array, before)
    # The same once more, of twice the gradient: powers of two are exact.
    assert np.array_equal(layer.backward(2 * dout), 2 * dx)


def test_running_statistics_are_those_of_the_book():
    layer = BatchNormalization(np.ones(3), np.zeros(3), momentum=0.75)
    mean, var = np.zeros(3), np.zeros(3)
    for seed in range(4):
        x = case(seed=seed)[0]
        layer.forward(x, train_flg=True)
        mean, var = 0.75 * mean + 0.25 * x.mean(axis=0), 0.75 * var + 0.25 * x.var(axis=0)
    # Both means are off by γ(8)·m, deviations, at most 2m, by γ(9)·2m, their squares by γ(9)·8m², a mean of these, at
    # most 4m², by γ(9)·4m² more; three roundings carry each on, four times.
    m, g = np.abs(np.concatenate([case(seed=seed)[0] for seed in range(4)])).max(), gamma(12, np.float64)
    assert np.abs(layer.running_mean - mean).max() <= 2 * (g + g) * m
    assert np.abs(layer.running_var - var).max() <= 2 * (12 * g + 4 * g) * m**2
    before = layer.running_mean, layer.running_var
    out = layer.forward(x, train_flg=False)
    assert layer.running_mean is before[0]
    assert layer.running_var is before[1]
    wanted = (x - layer.running_mean) / np.sqrt(layer.running_var + EPS)
    assert np.abs(out - wanted).max() <= gamma(8, np.float64) * np.abs(wanted).max()


def test_running_statistics_begin_at_0_or_where_they_are_told_to():
    x = np.array([[1.0, -2.0]])
    assert np.allclose(BatchNormalization(np.ones(2), np.zeros(2)).forward(x, False), 1000 * x)
    layer = BatchNormalization(np.ones(2), np.zeros(2), 0.9, [1, 0], np.array([4.0, 1.0]) - EPS)
    assert np.allclose(layer.forward(x, train_flg=False), [[0, -2]], atol=gamma(8, np.float64))


def test_backward_belongs_to_the_pass_that_was_made():
    x, scale, shift, dout = case()
    layer = BatchNormalization(scale, shift)
    layer.forward(x)
    running = layer.running_mean.copy(), layer.running_var.copy()
    layer.forward(x, train_flg=False)
    assert np.array_equal(layer.backward(dout), scale * dout / np.sqrt(running[1] + EPS))
    assert np.array_equal(layer.dbeta, dout.sum(axis=0))

    def inferred(x):
        return float((dout * BatchNormalization(scale, shift, 0.9, *running).forward(x, False)).sum())

    def gradient(x):
        layer.forward(x, train_flg=False)
        return layer.backward(dout)

    bp.assert_gradients((inferred, gradient), x)


@pytest.mark.parametrize("B", [2, 6])
def test_the_layers_gradients_are_those_of_their_outputs(B):
    x, scale, shift, _ = case(B)
    bp.assert_gradients(BatchNormalization(scale, shift), x)
    bp.assert_gradients(Dropout(0.3), x)


def test_images_are_normalised_by_pixel():
    x = np.random.default_rng(0).normal(size=(5, 2, 3, 3))
    layer, flat = (BatchNormalization(np.ones(18), np.zeros(18)) for _ in range(2))
    out = layer.forward(x)
    assert out.shape == x.shape
    assert np.array_equal(out.reshape(5, 18), flat.forward(x.reshape(5, 18)))
    assert layer.backward(x).shape == x.shape


def norm(*features, **options):
    """Batch normalisation of so many numbers in gamma, and in beta."""
    ones, zeros = features if len(features) == 2 else 2 * features
    return BatchNormalization(np.ones(ones), np.zeros(zeros), **options)


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: BatchNormalization([1.0], np.zeros(1)), TypeError, "gamma is a list, wanted a NumPy array"),
        (lambda: BatchNormalization(np.ones(2), np.zeros(2, int)), TypeError, "beta has dtype int64"),
        (lambda: norm(2, 3), ValueError, "gamma has 2 elements, beta has 3"),
        (lambda: norm(2, momentum=1.5), ValueError, "momentum is 1.5, wanted a number from"),
        (lambda: norm(2, running_mean=[1]), ValueError, r"running_mean has shape \(1,\), wanted \(2,\)"),
        (lambda: norm(1, running_var=[-1]), ValueError, "running_var is .* wanted numbers of at least 0"),
        (lambda: norm(1, running_mena=[1]), TypeError, "did you mean 'running_mean'"),
        (lambda: norm(2).forward(np.ones((3, 4))), ValueError, "x has 4 columns, gamma has 2"),
        (lambda: norm(2).forward(np.ones((0, 2))), ValueError, "x has 0 rows"),
        (lambda: norm(2).forward(np.ones((3, 2)), "yes"), ValueError, "train_flg is 'yes'"),
        (lambda: norm(2).backward(np.ones((3, 2))), RuntimeError, "no forward pass"),
        (lambda: Dropout(1), ValueError, "dropout_ratio is 1, wanted a number from 0 to below 1"),
        (lambda: Dropout(rate=0.5), TypeError, "unexpected keyword argument 'rate'"),
        (lambda: Dropout().forward(np.ones(2), 3), ValueError, "train_flg is 3, wanted True or False"),
        (lambda: Dropout().backward(np.ones(2)), RuntimeError, "no forward pass"),
    ],
    ids=range(15),
)
def test_what_layers_refuse(call, error, words):
    with pytest.raises(error, match=words):
        call()


def test_a_gradient_of_another_shape():
    layers, x = (BatchNormalization(np.ones(2), np.zeros(2)), Dropout()), np.ones((3, 2))
    for layer in layers:
        layer.forward(x)
        with pytest.raises(ValueError, match=r"dout has shape \(2, 3\), wanted \(3, 2\)"):
            layer.backward(np.ones((2, 3)))
        layer.clear_cache()
        with pytest.raises(RuntimeError, match="call forward first"):
            layer.backward(x)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_dropout_takes_the_masks_of_the_global_state(dtype):
    x, layer = case(50, 4, dtype)[0], Dropout(0.3)
    np.random.seed(5)
    mask = np.random.rand(50, 4) > 0.3
    np.random.seed(5)
    out = layer.forward(x)
    assert out.dtype == dtype
    assert np.array_equal(out, x * mask)
    assert np.array_equal(layer.mask, mask)
    dx = layer.backward(x)
    assert dx.dtype == dtype
    assert np.array_equal(dx, x * mask)
    assert not np.array_equal(layer.forward(x), out)


def test_dropout_multiplies_by_what_stays_where_it_does_not_train():
    x, layer = case(50, 4)[0], Dropout(0.25)
    state = np.random.get_state()[1].copy()
    assert np.array_equal(layer.forward(x, train_flg=False), 0.75 * x)
    assert np.array_equal(layer.backward(x), 0.75 * x)
    assert np.array_equal(np.random.get_state()[1], state), "nothing was drawn"
    # Inverted dropout with the same mask has these outputs, divided by what stays.
    inverted = bp.Dropout(0.25, seed=1)
    assert np.array_equal(0.75 * inverted.forward(x, training=False), layer.forward(x, train_flg=False))


def test_the_book_tells_layers_by_train_flg_and_networks_by_training():
    x, layer = case()[0], BatchNormalization(np.ones(3), np.zeros(3))
    by_book = layer.forward(x, False)
    assert np.array_equal(layer.forward(x, training=False), by_book)
    assert np.array_equal(layer.forward(x, True, training=False), by_book)
    assert not np.array_equal(layer.forward(x), by_book)


def test_nodes_of_plain_numbers():
    multiply, add = MulLayer(), AddLayer()
    assert (multiply.forward(100, 2), *multiply.backward(1.1)) == (200, 2.2, 1.1 * 100)
    assert (add.forward(200, 450), *add.backward(1.1)) == (650, 1.1, 1.1)
    assert (multiply.symbol, add.symbol) == ("×", "+")


def test_layers_with_a_name_are_in_files(tmp_path):
    net, x = bp.Network([3, 4, 2], seed=0), case(9, 3, np.float32)[0]
    net.layers.insert_after(
        "Affine1", "Norm", BatchNormalization(np.ones(4, np.float32), np.zeros(4, np.float32))
    )
    net.layers.insert_after("Relu1", "Drop", Dropout(0.125))
    with pytest.raises(TypeError, match="register_layer"):
        net.save(tmp_path / "net.safetensors")
    net.fit(x, np.arange(9) % 2, epochs=2, batch_size=3)
    try:
        bp.register_layer("book_norm")(BatchNormalization)
        bp.register_layer("book_drop")(Dropout)
        net.save(tmp_path / "net.safetensors")
        loaded = bp.Network.load(tmp_path / "net.safetensors")
    finally:
        for cls in (BatchNormalization, Dropout):
            LAYERS.pop(cls.kind, None)
            cls.kind = ""
    assert loaded.layers["Drop"].dropout_ratio == 0.125
    assert np.array_equal(loaded.predict(x), net.predict(x))
