"""Derivatives by the inputs: against numerical differentiation, and the same bits by a plan and layer by layer."""

import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import backprop as bp
from backprop.gradcheck.differences import Line, Value
from backprop.layers.base import LAYERS
from bpcore.threads import limited
from tests import teams
from tests.network.test_bits import ByLayers
from tests.registry import ACTIVATIONS, LOSSES, loss_options, targets

BOTH = pytest.mark.parametrize("kind", [bp.Network, ByLayers])
NORMALISATIONS = [cls for cls in LAYERS.values() if cls.keeps_shape and cls.parameter_names]
X = np.random.default_rng(0).normal(size=(7, 5))


def network(kind=bp.Network, dtype="float64", **options):
    given = dict(activation=["gelu", "tanh"], input_mean=0.3, input_scale=np.linspace(-2, 2, 5), dropout=0.3)
    return kind([5, 6, 4, 3], dtype=dtype, seed=0, **given | options)


# --- Against differences ----------------------------------------------------------------------------------------


def masks(net, x):
    """Which side of its kinks each number is on."""
    entered, sides = net._inputs(x), []
    for name, out in net.activations(x).items():
        if type(net.layers[name]) in ACTIVATIONS.values():
            bounds = [getattr(net.layers[name], bound, 0.0) for bound in ("min_val", "max_val")]
            sides += [(entered > edge).tobytes() for edge in (*bounds, 0.0, -3.0, 3.0)]
        entered = out
    return tuple(sides)


def assert_derivative(net, f, x, i, derivative, largest):
    """What `gradcheck` would say of the derivative of f(x), an output or the loss, by x[0, i]."""

    def at(distance):
        moved = x.copy()
        moved[0, i] += distance
        outputs, (W, b) = net.activations(moved), [*net.params.values()][-2:]
        entering = outputs[list(outputs)[list(outputs).index("Affine3") - 1]]
        return Value(
            float(f(moved)), float((np.abs(entering) @ np.abs(W) + np.abs(b)).max()), masks(net, moved)
        )

    scale = 2.0 ** np.round(np.log2(max(abs(x[0, i]), 0.5)))
    verdict, slope = Line(at, float(scale)).judge(float(derivative), 1e-8, float(largest))
    assert verdict is not False, (i, derivative, slope)
    return verdict is True


def assert_derivatives(net, x, t=None):
    """Of each row of x: the Jacobian, and the gradient of the loss."""
    J, told = net.jacobian(x), []
    for n, k, i in np.ndindex(J.shape):
        row = x[n : n + 1]
        told.append(
            assert_derivative(
                net, lambda x, k=k: net.predict(x)[0, k], row, i, J[n, k, i], np.abs(J[n]).max()
            )
        )
    for n, i in np.ndindex(x.shape if t is not None else (0, 0)):
        row, own = x[n : n + 1], t[n : n + 1]
        gradient = net.input_gradient(row, own)[0]
        told.append(
            assert_derivative(
                net, lambda x, own=own: net.loss(x, own), row, i, gradient[i], np.abs(gradient).max()
            )
        )
    assert np.mean(told) > 0.75


@BOTH
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_every_activation(activation, kind):
    assert_derivatives(network(kind, activation=activation), X[:2], np.array([0, 2]))


@BOTH
@pytest.mark.parametrize("norm", NORMALISATIONS)
def test_every_normalisation(norm, kind):
    net = network(kind)
    for n, width in enumerate((6, 4), start=1):
        net.layers.insert_after(f"Affine{n}", f"Norm{n}", norm(width, dtype=np.float64))
    net.layers.insert(0, "Norm0", norm(5, dtype=np.float64))
    for array in net.params.values():
        array += np.random.default_rng(1).normal(size=array.shape) / 4
    assert net.is_planned or kind is ByLayers
    assert_derivatives(net, X[:2], np.array([0, 2]))


@BOTH
def test_through_running_statistics(kind):
    net = network(kind)
    net.layers.insert_after("Affine1", "Norm1", bp.BatchNorm(6, dtype=np.float64))
    net.train_step(np.random.default_rng(2).normal(size=(20, 5)), np.arange(20) % 3, bp.SGD(0.1))
    before = net.layers["Norm1"].running_mean.copy()
    assert_derivatives(net, X[:2], np.array([0, 2]))
    assert np.array_equal(net.layers["Norm1"].running_mean, before)


@BOTH
@pytest.mark.parametrize(
    "options", [dict(label_smoothing=0.2), dict(class_weights=[1, 2, 4]), dict(ignored_label=2)], ids=str
)
def test_what_a_loss_makes_of_targets(options, kind):
    net, t = network(kind, loss=bp.SoftmaxWithLoss(**options)), np.array([0, 2])
    gradient = net.input_gradient(X[:2], t)
    layer = bp.SoftmaxWithLoss(**options)
    layer.forward(net.predict(X[:2]), t)
    # Which other tests hold against differences.
    assert np.array_equal(gradient, net.input_gradient(X[:2], dout=layer.backward()))
    assert not np.array_equal(gradient, network(kind).input_gradient(X[:2], t))


@BOTH
@pytest.mark.parametrize("loss", LOSSES)
def test_every_loss(loss, kind):
    t = targets(loss, np.random.default_rng(1), 2, 3)
    assert_derivatives(network(kind, loss=LOSSES[loss](*loss_options(loss))), X[:2], t)


@BOTH
@pytest.mark.parametrize("output", [kind for kind in ACTIVATIONS if kind != "identity"])
def test_every_activation_of_the_outputs(output, kind):
    assert_derivatives(network(kind, loss="squared_error", output=output), X[:2], np.ones((2, 3)))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_one_layer_is_its_weights(dtype):
    net = bp.Network([5, 3], dtype=dtype, seed=0, input_scale=2.0)
    assert np.array_equal(net.jacobian(X), np.broadcast_to(2 * net.params["W1"].T, (7, 3, 5)))
    dout = np.eye(3)[np.arange(7) % 3]
    assert np.array_equal(net.input_gradient(X, dout=dout), 2 * net.params["W1"].T[np.arange(7) % 3])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_gradient_is_the_product_with_the_jacobian(dtype):
    net, dout = network(dtype=dtype), np.random.default_rng(1).normal(size=(7, 3)).astype(dtype)
    J = net.jacobian(X).astype(float)
    wanted = np.einsum("nk,nki->ni", dout.astype(float), J)
    # Both go through four products of at most six terms, each rounded with an activation's few roundings.
    u = np.finfo(dtype).eps / 2
    most = np.einsum("nk,nki->ni", np.abs(dout).astype(float), upper_bound(net))
    assert (np.abs(net.input_gradient(X, dout=dout) - wanted) <= 2 * 60 * u * most).all()


def upper_bound(net):
    """The Jacobian of magnitudes: |W| everywhere, and 1.2, above the slope of GELU and tanh."""
    J = np.diag(np.abs(net.input_scale))
    for n, slope in ((1, 1.2), (2, 1.2), (3, 1.0)):
        J = slope * (J @ np.abs(net.params[f"W{n}"].astype(float)))
    return np.broadcast_to(J.T, (7, 3, 5))


def test_the_gradient_is_that_of_the_mean_loss():
    net, t = network(), np.arange(7) % 3
    whole, most = net.input_gradient(X, t), upper_bound(net).sum(axis=1)
    for n in range(7):
        own = net.input_gradient(X[n : n + 1], t[n : n + 1])[0]
        # What goes back is at most 1 an output, and off by at most 8u; the rest as above.
        assert (np.abs(7 * whole[n] - own) <= 2 * 70 * 2.0**-53 * most[n]).all()


# --- Bits -------------------------------------------------------------------------------------------------------


def results(net, x, t, dout):
    return net.jacobian(x), net.input_gradient(x, t), net.input_gradient(x, dout=dout)


@given(
    data=st.data(),
    sizes=st.lists(st.sampled_from([1, 2, 3, 7, 8, 9, 16, 17, 33, 50]), min_size=2, max_size=4),
    rows=st.sampled_from([1, 2, 3, 5, 8, 30, 239, 241, 500]),
)
def test_plan_and_layers_have_the_same_bits(data, sizes, rows):
    draw, seed = data.draw, data.draw(st.integers(0, 2**16))
    kinds = [draw(st.sampled_from([*ACTIVATIONS])) for _ in sizes[2:]]
    options = dict(dtype=draw(st.sampled_from(["float32", "float64"])), seed=seed, activation=kinds)
    if draw(st.booleans()):
        options |= dict(input_mean=0.5, input_scale=np.linspace(-1, 2, sizes[0]))
    if draw(st.booleans()):
        options |= dict(dropout=0.4)
    nets, inserted = [kind(sizes, **options) for kind in (bp.Network, ByLayers)], []
    for n, width in enumerate(sizes[1:-1], start=1):
        if draw(st.booleans()):
            inserted.append((f"Affine{n}", f"Norm{n}", draw(st.sampled_from(NORMALISATIONS)), width))
    for net in nets:
        for before, name, make, width in inserted:
            net.layers.insert_after(before, name, make(width, dtype=net.dtype))
    rng = np.random.default_rng(seed)
    stored = draw(st.sampled_from(["f4", "f8", "u1", "i8", "f2", ">f8", "?"]))
    x = (8 * rng.normal(size=(rows, sizes[0]))).astype(stored)
    t, dout = rng.integers(0, sizes[-1], rows), rng.normal(size=(rows, sizes[-1]))
    ours, layered = (results(net, x, t, dout) for net in nets)
    assert nets[0].is_planned
    for one, other in zip(ours, layered, strict=True):
        assert one.dtype == other.dtype == nets[0].dtype
        assert np.array_equal(one, other, equal_nan=True)
    alone = results(nets[0], x[-1:], t[-1:], dout[-1:])
    assert np.array_equal(alone[0][0], ours[0][-1], equal_nan=True)
    assert np.array_equal(alone[2][0], ours[2][-1], equal_nan=True)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_any_number_of_threads(dtype):
    net = bp.Network([70, 300, 130, 9], activation="silu", dtype=dtype, seed=0, input_scale=0.5)
    rng = np.random.default_rng(0)
    x, t, dout = rng.normal(size=(500, 70)), rng.integers(0, 9, 500), rng.normal(size=(500, 9))
    with teams.allowed():
        found = []
        for threads in (1, 2, 3, 7):
            with limited(threads):
                found.append([one.tobytes() for one in results(net, x, t, dout)])
    assert found == 4 * [found[0]]


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_across_checks_for_ctrl_c(threads):
    # One thread looks every 11 rows of the Jacobian, every 480 of the others.
    rng, net = np.random.default_rng(0), bp.Network([300, 50, 3000, 100], seed=0)
    plan, x = net._plan(), rng.normal(size=(1000, 300)).astype(np.float32)
    t, dout = rng.integers(0, 100, 1000), rng.normal(size=(1000, 100)).astype(np.float32)
    J, gradient, product = np.empty((35 * 100, 300), "f4"), np.empty_like(x), np.empty_like(x)
    with teams.allowed():
        plan.input_gradient_into(x[:35], J, None, None, threads)
        plan.input_gradient_into(x, gradient, None, t, threads)
        plan.input_gradient_into(x, product, dout, None, threads)
    for n in (0, 10, 11, 22, 34):
        assert np.array_equal(J[100 * n : 100 * n + 100], net.jacobian(x[n : n + 1])[0])
    for n in (0, 239, 479, 480, 959, 999):
        assert np.array_equal(product[n], net.input_gradient(x[n : n + 1], dout=dout[n : n + 1])[0])
        twin = bp.Network([300, 50, 3000, 100], seed=0)
        own = twin.lastLayer  # the loss's own gradient of the whole batch, a row of it
        own.forward(net.predict(x), t)
        assert np.array_equal(
            gradient[n], net.input_gradient(x[n : n + 1], dout=own.backward()[n : n + 1])[0]
        )


def test_several_threads_of_python_at_once_and_beside_one_that_trains():
    net = bp.Network([30, 40, 5], seed=0)
    rng = np.random.default_rng(0)
    x, t, dout = rng.normal(size=(300, 30)), rng.integers(0, 5, 300), rng.normal(size=(300, 5))
    wanted = [one.tobytes() for one in results(net, x, t, dout)]
    right = []

    def ask():
        right.extend([one.tobytes() for one in results(net, x, t, dout)] == wanted for _ in range(10))

    askers = [threading.Thread(target=ask) for _ in range(3)]
    for thread in askers:
        thread.start()
    for _ in range(20):  # which grows and uses the plan's workspace, and moves nothing
        net.train_step(x, t, bp.SGD(1e-30))
    for thread in askers:
        thread.join()
    assert right == 30 * [True]


# --- What x may be ----------------------------------------------------------------------------------------------


@BOTH
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_samples_of_several_dimensions_and_in_any_layout(dtype, kind):
    net = kind([12, 7, 3], dtype=dtype, seed=0, input_scale=1 / 255)
    x = np.random.default_rng(0).integers(0, 255, (5, 3, 4)).astype(np.uint8)
    wanted, gradient = net.jacobian(x.reshape(5, 12)), net.input_gradient(x, [0, 1, 2, 0, 1])
    assert wanted.shape == (5, 3, 12)
    assert gradient.shape == (5, 12)
    every_second = np.zeros((10, 3, 4), np.uint8)[::2]
    every_second[...] = x
    for same in (x, np.asfortranarray(x), x.tolist(), every_second, x.astype(">i4"), x.astype(np.float16)):
        assert np.array_equal(net.jacobian(same), wanted)
        assert np.array_equal(net.input_gradient(same, np.array([0, 1, 2, 0, 1], np.int8)), gradient)


@BOTH
def test_no_rows(kind):
    net = network(kind)
    assert net.jacobian(X[:0]).shape == (0, 3, 5)
    assert net.input_gradient(X[:0], dout=np.ones((0, 3))).shape == (0, 5)
    assert net.input_gradient(X[:0], np.ones(0, int)).shape == (0, 5)


@BOTH
def test_seeds_of_any_kind(kind):
    net, dout = network(kind, dtype="float32"), np.arange(21).reshape(7, 3)
    wanted = net.input_gradient(X, dout=dout.astype(np.float32))
    for same in (dout, dout.tolist(), np.asfortranarray(dout), dout.astype("u1"), dout.astype(">f8")):
        assert np.array_equal(net.input_gradient(X, dout=same), wanted)


@BOTH
def test_soft_targets(kind):
    net, labels = network(kind), np.arange(7) % 3
    assert np.array_equal(net.input_gradient(X, np.eye(3)[labels]), net.input_gradient(X, labels))


@BOTH
def test_the_layers_keep_what_they_hold(kind):
    net = network(kind)
    net.gradient(X, np.arange(7) % 3)
    before = {name: dict(vars(layer)) for name, layer in net.layers.items()}
    results(net, X, np.arange(7) % 3, np.ones((7, 3)))
    for name, layer in net.layers.items():
        assert all(value is before[name][key] for key, value in vars(layer).items())
        assert vars(layer).keys() == before[name].keys()


@BOTH
def test_not_finite(kind):
    net, x = network(kind), X.copy()
    x[2, 1] = np.nan
    found = net.jacobian(x)
    assert np.isnan(found[2]).any()
    assert np.array_equal(np.delete(found, 2, axis=0), np.delete(net.jacobian(X), 2, axis=0))
