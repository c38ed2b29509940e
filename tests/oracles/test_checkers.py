"""The gradients of layers and networks, judged by the derivative checkers of SciPy and JAX."""

import numpy as np
import pytest
from scipy import optimize

import backprop as bp
from tests.bounds import unit_roundoff
from tests.registry import ACTIVATIONS, LOSSES, targets

LAYERS = {
    "affine": lambda rng: bp.Affine(rng.normal(size=(4, 3)), rng.normal(size=3)),
    "exp": lambda rng: bp.Exp(),
    "reciprocal": lambda rng: bp.Reciprocal(),
    "sigmoid of nodes": lambda rng: bp.SigmoidOfNodes(),
    **{kind: lambda rng, cls=cls: cls() for kind, cls in ACTIVATIONS.items()},
}
# Forward differences go over kinks, of which a mask is the sign.
SMOOTH = [kind for kind, cls in ACTIVATIONS.items() if cls.keeps != "mask"]


@pytest.mark.parametrize("activation", SMOOTH)
@pytest.mark.parametrize("loss", LOSSES)
def test_scipy_checks_a_network(activation, loss):
    net = bp.Network([4, 5, 3], activation=activation, loss=loss, dtype="float64", seed=0)
    rng = np.random.default_rng(0)
    x = rng.normal(size=(6, 4))
    t = targets(loss, rng, 6, 3)

    def put(flat):
        start = 0
        for array in net.params.values():
            array[...] = flat[start : start + array.size].reshape(array.shape)
            start += array.size

    def f(flat):
        put(flat)
        return net.loss(x, t)

    def gradient(flat):
        put(flat)
        return np.concatenate([part.reshape(-1) for part in net.gradient(x, t).values()])

    start = np.concatenate([array.reshape(-1) for array in net.params.values()])
    # A forward difference is off by h/2·f″, here at most 10, and by two roundings of f over h: the longest sum has 6·3
    # terms, and a dozen roundings stand on the way to it.
    h, u = float(np.sqrt(np.finfo(float).eps)), unit_roundoff(float)
    allowed = h / 2 * 10 + 2 * (18 + 12) * u * abs(f(start)) / h
    assert optimize.check_grad(f, gradient, start) <= np.sqrt(start.size) * allowed
    assert np.linalg.norm(gradient(start)) > 1e4 * allowed


@pytest.mark.parametrize("kind", LAYERS)
def test_jax_checks_a_layer(kind):
    jax = pytest.importorskip("jax")
    from jax.test_util import check_grads

    rng = np.random.default_rng(0)
    layer = LAYERS[kind](rng)
    x = rng.choice([-1.0, 1.0], (5, 4)) * rng.uniform(0.5, 2, (5, 4))
    shape = np.shape(layer.forward(x))

    def called(function, *arguments, like):
        return jax.pure_callback(lambda *a: np.asarray(function(*map(np.asarray, a))), like, *arguments)

    @jax.custom_vjp
    def f(x):
        return called(layer.forward, x, like=jax.ShapeDtypeStruct(shape, "float64"))

    def back(x, dout):
        def both(x, dout):
            layer.forward(x)
            return layer.backward(dout)

        return (called(both, x, dout, like=jax.ShapeDtypeStruct(x.shape, "float64")),)

    f.defvjp(lambda x: (f(x), x), back)
    with jax.enable_x64(True):
        check_grads(f, (jax.numpy.asarray(x),), order=1, modes=["rev"])
