"""Softmax and log-softmax in networks: as outputs and anywhere else, the same by a plan and layer by layer."""

import copy
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import backprop as bp
from backprop.layers.softmax import row_functions
from backprop.network.plan import NoPlan
from tests.network.test_bits import ByLayers
from tests.strategies import DTYPES

KINDS = row_functions()
each_kind = pytest.mark.parametrize("kind", KINDS)
# Where they stand beside the outputs: behind an affine layer, an activation, another of them, and in front of all.
PLACES = {
    "outputs": [],
    "hidden": [("Affine1", "log_softmax"), ("Tanh2", "softmax")],
    "one behind the other": [("Affine2", "softmax"), ("Softmax0", "log_softmax")],
    "in front": [(0, "log_softmax"), ("Affine1", "softmax")],
}


def problem(
    dtype="float32", output="softmax", place="outputs", cls=bp.Network, sizes=(20, 30, 17, 3), rows=50
):
    rng = np.random.default_rng(0)
    net = cls(sizes, activation="tanh", loss="squared_error", output=output, seed=0, dtype=dtype)
    for n, (before, kind) in enumerate(PLACES[place]):
        name, layer = f"{KINDS[kind].__name__}{n}", KINDS[kind]()
        if before == 0:
            net.layers.insert(0, name, layer)
        else:
            net.layers.insert_after(before, name, layer)
    x, t = rng.normal(size=(rows, sizes[0])), rng.dirichlet(np.ones(sizes[-1]), rows)
    return net, x.astype(dtype), (np.log(t) if output == "log_softmax" else t).astype(dtype)


def state(net):
    return [array.tobytes() for array in net.params.values()]


@each_kind
def test_what_predict_returns(kind):
    net, x, _ = problem(output=kind)
    assert list(net.layers)[-1] == f"{KINDS[kind].__name__}3"
    assert f"output='{kind}'" in repr(net)
    y, scores = net.predict(x), net.activations(x)["Affine3"]
    assert np.array_equal(y, KINDS[kind]().forward(scores))
    assert np.array_equal(bp.softmax(scores), problem(output="softmax")[0].predict(x))
    shares = y if kind == "softmax" else np.exp(y.astype(float))
    # Each share is off by (4 + K + 6)u relatively, as tests/core/test_softmax.py says.
    assert np.abs(shares.sum(axis=1) - 1).max() <= 20 * 2.0**-24 * 3
    for given_ in (KINDS[kind], KINDS[kind]()):
        other = bp.Network([20, 30, 17, 3], "tanh", "squared_error", seed=0, output=given_)
        assert np.array_equal(other.predict(x), y)
        assert list(other.layers.values())[-1] is not given_


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("place", PLACES)
@each_kind
def test_a_plan_and_the_layers_train_alike(kind, place, dtype):
    (one, x, t), (other, _, _) = problem(dtype, kind, place), problem(dtype, kind, place)
    other._planned = NoPlan([])
    rules = bp.Adam(0.01), bp.Adam(0.01)
    for _ in range(3):
        assert one.train_step(x, t, rules[0]) == other.train_step(x, t, rules[1])
    histories = [
        net.fit(x, t, epochs=3, batch_size=7, optimizer=rule, seed=1)
        for net, rule in zip((one, other), rules, strict=True)
    ]
    assert histories[0].loss == histories[1].loss
    assert state(one) == state(other)
    assert (one.is_planned, other.is_planned) == (True, False)
    assert np.array_equal(one.predict(x), other.predict(x))
    by_hand, _, _ = problem(dtype, kind, place)
    by_hand.params = one.params
    assert np.array_equal(by_hand.predict(x[:1])[0], one.predict(x)[0])


@pytest.mark.parametrize("threads", [1, 2, 3, 7])
@pytest.mark.parametrize("column_parts", [1, 2])
@each_kind
def test_threads_change_nothing(kind, threads, column_parts):
    # Wide enough for threads to share the columns, and more rows than a block.
    trained = []
    for number, parts in ((1, 1), (threads, column_parts)):
        net, x, t = problem(output=kind, place="hidden", sizes=(20, 600, 530, 3), rows=600)
        plan, rule = net.plan_for(sgd := bp.SGD(0.1)), sgd
        indices = np.random.default_rng(1).integers(0, 600, (4, 300))
        plan.train(x, t, indices, rule.plan_update(), np.empty(4), number, None, parts)
        trained.append((state(net), net.predict(x).tobytes()))
    assert trained[0] == trained[1]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("place", PLACES)
@each_kind
def test_derivatives_by_the_inputs(kind, place, dtype):
    nets = [problem(dtype, kind, place, cls)[0] for cls in (bp.Network, ByLayers)]
    _, x, t = problem(dtype, kind)
    dout = np.random.default_rng(1).normal(size=t.shape).astype(dtype)
    found = [(net.jacobian(x), net.input_gradient(x, t), net.input_gradient(x, dout=dout)) for net in nets]
    assert all(np.array_equal(a, b) for a, b in zip(*found, strict=True))
    assert nets[0].is_planned
    # Rows of a softmax add up to 1: no input moves their sum. Each derivative is off by at most 30 roundings of terms
    # that are the products of the weights' magnitudes.
    if kind == "softmax":
        most = np.abs(found[0][0].astype(float)).sum()
        assert np.abs(found[0][0].astype(float).sum(axis=1)).max() <= 64 * np.finfo(dtype).eps * max(most, 1)


@pytest.mark.parametrize("place", PLACES)
@each_kind
def test_gradients(kind, place):
    net, x, t = problem("float64", kind, place, rows=9)
    bp.assert_gradients(net, x, t)


@given(
    st.integers(1, 40),
    st.integers(1, 80),
    st.integers(1, 80),
    st.sampled_from([*KINDS]),
    st.sampled_from([*KINDS]),
    st.integers(0, 99),
)
def test_any_shape(rows, width, outputs, hidden, output, seed):
    rng = np.random.default_rng(seed)
    nets = [
        cls([5, width, outputs], loss="huber", output=output, seed=seed) for cls in (bp.Network, ByLayers)
    ]
    for net in nets:
        net.layers["Relu1"] = KINDS[hidden]()
    x, t = rng.normal(size=(rows, 5)), rng.normal(size=(rows, outputs))
    for net in nets:
        net.fit(x, t, iterations=5, batch_size=rows, optimizer=bp.SGD(0.1), seed=seed)
    assert state(nets[0]) == state(nets[1])
    assert np.array_equal(nets[0].predict(x), nets[1].predict(x))
    assert np.array_equal(nets[0].jacobian(x[:3]), nets[1].jacobian(x[:3]))


def test_an_activation_behind_one():
    nets = [
        bp.Network([5, 6, 3], loss="squared_error", seed=0),
        ByLayers([5, 6, 3], loss="squared_error", seed=0),
    ]
    rng = np.random.default_rng(0)
    x, t = rng.normal(size=(20, 5)), rng.normal(size=(20, 3))
    for net in nets:
        net.layers.insert_after("Affine1", "LogSoftmax1", bp.LogSoftmax())
        net.layers["Relu1"] = bp.LeakyRelu(0.3)
        net.train_step(x, t, bp.SGD(0.1))
    assert nets[0].is_planned
    assert state(nets[0]) == state(nets[1])
    assert np.array_equal(nets[0].jacobian(x), nets[1].jacobian(x))


@pytest.mark.parametrize("place", PLACES)
@each_kind
def test_files_and_copies(kind, place, tmp_path):
    net, x, t = problem(output=kind, place=place)
    net.train_step(x, t, bp.SGD(0.1))
    net.save(tmp_path / "net.safetensors")
    for twin in (
        bp.Network.load(tmp_path / "net.safetensors"), copy.deepcopy(net), pickle.loads(pickle.dumps(net))
    ):  # fmt: skip
        assert list(twin.layers) == list(net.layers)
        assert np.array_equal(twin.predict(x), net.predict(x))
        assert state(twin) == state(net)
    double = net.astype(np.float64)
    assert double.predict(x).dtype == np.float64
    other = copy.deepcopy(net)
    other.blend(net, 0.5)
    assert np.array_equal(other.predict(x), net.predict(x))
    assert [one.outputs for one in net.summary().layers][-1] == 3


@each_kind
def test_a_graph_of_one(kind):
    from backprop import graph

    net, x, _ = problem("float64", kind)
    node = graph.from_network(net, x[:2])
    assert np.array_equal(node.value, net.predict(x[:2]))
    by_function = getattr(graph, kind)(graph.variable(x[:2], "x"))
    assert np.array_equal(by_function.value, KINDS[kind]().forward(x[:2]))
    bp.assert_gradients(by_function)
    assert KINDS[kind].symbol in by_function.draw(symbols=True).svg


@pytest.mark.parametrize("loss", ["softmax", "binary_cross_entropy"])
@each_kind
def test_a_loss_of_scores_takes_none(kind, loss):
    with pytest.raises(ValueError, match=f"Network: output is '{kind}', and loss='{loss}' takes the scores"):
        bp.Network([4, 3], loss=loss, output=kind)


@each_kind
def test_hidden_layers_take_them_by_insert_alone(kind):
    with pytest.raises(ValueError, match=rf"activation is '{kind}', .*of the outputs .*output='{kind}'"):
        bp.Network([4, 3, 2], activation=kind)
    for given_ in (KINDS[kind], KINDS[kind](), [KINDS[kind]()]):
        with pytest.raises(
            TypeError, match=f"is {KINDS[kind].__name__}, a function of the whole row, .*insert"
        ):
            bp.Network([4, 3, 2], activation=given_)


def test_a_loss_among_the_layers_is_no_softmax():
    net = bp.Network([4, 3], loss="squared_error", seed=0)
    net.layers["SoftmaxWithLoss1"] = bp.SoftmaxWithLoss()
    assert not net.is_planned
    with pytest.raises(TypeError):
        net.predict(np.ones((2, 4)))


class Halved(bp.Softmax):
    """One that computes something else."""

    def forward(self, x):
        return super().forward(x) / 2

    def backward(self, dout):
        return super().backward(dout / 2)


def test_a_subclass_that_computes_something_else_runs_by_itself():
    net, x, t = problem("float64")
    net.layers["Softmax3"] = Halved()
    assert not net.is_planned
    assert np.array_equal(net.predict(x), problem("float64")[0].predict(x) / 2)
    bp.assert_gradients(net, x[:5], t[:5])
    with pytest.raises(TypeError, match="Network: output is a Halved, wanted one of"):
        bp.Network([4, 3], loss="squared_error", output=Halved())
    with pytest.raises(TypeError, match="Network: activation is the class Halved, wanted one of"):
        bp.Network([4, 3, 2], activation=Halved)
