"""Batch normalisation in networks: plan and layers, what trains and what infers, files, copies, soft updates."""

import copy
import json
import pickle

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

import backprop as bp
from backprop.layers.base import LAYERS
from backprop.network.buffers import buffers_of
from backprop.network.plan import NoPlan, make_plan
from tests import teams

PLACES = {
    "behind both": (("Affine1", 1), ("Affine2", 2)),
    "of the inputs": ((None, 0), ("Affine1", 1)),
    "behind the activation and the last layer": (("Relu1", 1), ("Affine3", 3)),
}


class ByLayers(bp.Network):
    """A network that never uses a plan."""

    def _plan(self):
        return None


def network(kind=bp.Network, dtype="float32", places="behind both", sizes=(9, 35, 21, 4), **options):
    net = kind(list(sizes), dtype=dtype, seed=0, **options)
    for before, n in PLACES[places]:
        layer = bp.BatchNorm(sizes[n], dtype=dtype)
        rng = np.random.default_rng(n)
        layer.gamma[:], layer.beta[:] = rng.uniform(0.5, 2, sizes[n]), rng.normal(size=sizes[n])
        if before is None:
            net.layers.insert(0, "BatchNorm0", layer)
        else:
            net.layers.insert_after(before, f"BatchNorm{n}", layer)
    return net


def data(dtype="float32", rows=60, sizes=(9, 35, 21, 4)):
    rng = np.random.default_rng(5)
    return rng.normal(2, 3, size=(rows, sizes[0])).astype(dtype), rng.integers(0, sizes[-1], rows)


def everything(net):
    """Copies of all numbers that training moves."""
    return {name: array.copy() for name, array in (*net.params.items(), *buffers_of(net.layers).items())}


def same(one, other):
    assert one.keys() == other.keys()
    return [name for name in one if one[name].tobytes() != other[name].tobytes()] == []


# --- The plan --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("places", PLACES)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("batch", [1, 2, 25, 60])
def test_the_plan_has_the_bits_of_the_layers(dtype, places, batch):
    found = []
    for kind in (bp.Network, ByLayers):
        net, (x, t) = network(kind, dtype, places), data(dtype)
        history = net.fit(x, t, iterations=7, batch_size=batch, optimizer="adam", seed=0)
        losses = [net.train_step(x[:batch], t[:batch], bp.SGD(0.05)) for _ in range(3)]
        found.append(
            [everything(net), net.predict(x), history.loss, losses, history.train_accuracy, net.loss(x, t)]
        )
        assert net.is_planned == (kind is bp.Network)
    assert same(found[0][0], found[1][0])
    assert np.array_equal(found[0][1], found[1][1])
    assert found[0][2:] == found[1][2:]


@pytest.mark.parametrize("places", PLACES)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("rows", [1, 2, 37, 300])
def test_any_number_of_threads(rows, dtype, places):
    # Wide enough for columns to be shared, and for a step of all rows to use threads.
    sizes = (70, 530, 265, 7)
    x, t = data(dtype, 2 * rows, sizes)
    indices = np.random.default_rng(1).integers(0, 2 * rows, (4, rows))
    expected = None
    with teams.allowed(16):
        for threads, parts in [(1, 1), (2, 1), (3, 1), (7, 1), (16, 1), (2, 2), (4, 2), (7, 3)]:
            net = network(dtype=dtype, places=places, sizes=sizes)
            plan, losses = make_plan(net), np.empty(4)
            plan.train(x, t, indices, bp.SGD(0.05).plan_update(), losses, threads, None, parts)
            step = plan.step(x, t, bp.SGD(0.05).plan_update(), threads, None, None, parts)
            out = np.empty((2 * rows, 7), dtype)
            plan.predict_into(x, out, threads)
            found = everything(net) | {"losses": losses, "step": np.array(step), "out": out}
            expected = found if expected is None else expected
            assert same(expected, found), (threads, parts)


@pytest.mark.parametrize(
    "limit", [{"clip_norm": 0.1}, {"max_norm": 0.5}, {"weight_decay": 0.1, "decay_biases": True}]
)
def test_limits_and_decay(limit):
    found = []
    for kind in (bp.Network, ByLayers):
        net, (x, t) = network(kind), data()
        net.fit(x, t, epochs=2, batch_size=20, optimizer=bp.AdamW(0.01, **limit), seed=0)
        found.append(everything(net))
    assert same(*found)


def test_with_dropout_and_bytes():
    rng = np.random.default_rng(0)
    x, t = rng.integers(0, 256, (90, 9), dtype=np.uint8), rng.integers(0, 4, 90)
    found = []
    for kind in (bp.Network, ByLayers):
        net = network(kind, dropout=[0.1, 0.2, 0.3], input_scale=1 / 255)
        net.fit(x, t, epochs=3, batch_size=32, optimizer="nesterov", seed=0)
        found.append(everything(net))
    assert same(*found)


def test_what_is_replaced_or_set_counts_from_the_next_call_on():
    found = []
    for kind in (bp.Network, ByLayers):
        net, (x, t) = network(kind), data()
        layer = net.layers["BatchNorm1"]
        net.fit(x, t, epochs=1, batch_size=20, seed=0)
        layer.momentum, layer.eps = 0.5, 0.01
        net.train_step(x, t, bp.SGD(0.1))
        layer.running_mean = np.zeros(35, np.float32)
        layer.running_var[:] = 2
        net.train_step(x, t, bp.SGD(0.1))
        scores = net.predict(x)
        layer.running_var = np.ones(35, np.float32)
        found.append(everything(net) | {"before": scores, "after": net.predict(x)})
    assert same(*found)
    assert not np.array_equal(found[0]["before"], found[0]["after"])


@pytest.mark.parametrize("made", ["of another type", "every second"])
def test_statistics_that_a_plan_cannot_move_run_layer_by_layer(made):
    net, (x, t) = network(), data()
    layer = net.layers["BatchNorm1"]
    old = layer.running_mean
    layer.running_mean = old.astype(float) if made == "of another type" else np.repeat(old, 2)[::2]
    assert not net.is_planned
    net.train_step(x, t, bp.SGD(0.1))
    assert layer.running_mean.any()
    layer.running_mean = old
    assert net.is_planned


# --- Training and inference -------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [bp.Network, ByLayers])
def test_what_infers_moves_nothing_and_takes_the_running_statistics(kind):
    net, (x, t) = network(kind), data()
    before = everything(net)
    answers = net.predict(x), net.accuracy(x, t), net.loss(x, t), net.activations(x), net.predict_proba(x)
    assert same(before, everything(net))
    # Of a row alone too.
    assert np.array_equal(net.predict(x[:1])[0], answers[0][0])
    for layer in net.layers.values():
        if isinstance(layer, bp.BatchNorm):
            layer.running_mean[:] += 1
    assert not np.array_equal(net.predict(x), answers[0])
    assert net.loss(x, t) != answers[2]
    assert net.loss(x, t, training=True) != net.loss(x, t)


@pytest.mark.parametrize("call", ["gradient", "train_step", "fit", "loss", "forward"])
def test_what_trains_moves_them_once_a_pass(call):
    net, (x, t) = network(ByLayers), data()
    mean = net.layers["Affine1"].forward(x).mean(axis=0)
    calls = {
        "gradient": lambda: net.gradient(x, t),
        "train_step": lambda: net.train_step(x, t, bp.SGD(0.1)),
        "fit": lambda: net.fit(x[np.zeros(60, int)], t, iterations=1, batch_size=60, validation=(x, t)),
        "loss": lambda: net.loss(x, t, training=True),
        "forward": lambda: net.forward(x, training=True),
    }
    calls[call]()
    moved = net.layers["BatchNorm1"].running_mean
    if call == "fit":
        mean = bp.Affine(*(network().params[key] for key in ("W1", "b1"))).forward(x[:1])[0]
    # Sums of 60 float32 numbers of up to 20, and their rounding.
    assert np.abs(moved - 0.1 * mean).max() <= 64 * 2**-24 * 20


@pytest.mark.parametrize("places", PLACES)
def test_gradients_are_checked_and_nothing_moves(places):
    net, (x, t) = network(dtype="float64", places=places), data("float64", 11)
    before = everything(net)
    bp.assert_gradients(net, x, t)
    numerical = net.numerical_gradient(x, t)
    assert same(before, everything(net))
    gradients = net.gradient(x, t)
    assert all(np.allclose(gradients[key], numerical[key], rtol=1e-5, atol=1e-8) for key in gradients)
    # A pass that infers is differentiated as that.
    loss = copy.deepcopy(net).loss
    net.loss(x, t)
    inferred = net.backward(net.lastLayer.backward(1))
    assert not np.allclose(inferred["W1"], gradients["W1"])
    twin = loss.__self__
    assert np.array_equal(net.layers["BatchNorm1"].running_mean, before_step(net)["mean"])
    for layer, other in zip(twin.layers.values(), net.layers.values(), strict=True):
        if isinstance(layer, bp.BatchNorm):
            layer.running_mean[:], layer.running_var[:] = other.running_mean, other.running_var
    for key, array in twin.params.items():
        wanted = bp.numerical_gradient(lambda _: loss(x, t), array)
        assert np.allclose(inferred[key], wanted, rtol=1e-5, atol=1e-8)


def before_step(net):
    return {"mean": net.layers["BatchNorm1"].running_mean.copy()}


class Failing:
    """A layer that raises, forward or backward, when it is told to."""

    fails = ""

    def forward(self, x):
        if self.fails == "forward":
            raise KeyboardInterrupt
        return x

    def backward(self, dout):
        if self.fails == "backward":
            raise KeyboardInterrupt
        return dout


@pytest.mark.parametrize("fails", ["forward", "backward"])
@pytest.mark.parametrize("call", ["gradient", "train_step", "fit"])
def test_an_interrupted_pass_has_moved_nothing(call, fails):
    net, (x, t) = network(), data()
    net.layers["Failing"] = layer = Failing()
    calls = {
        "gradient": lambda: net.gradient(x, t),
        "train_step": lambda: net.train_step(x, t, bp.SGD(0.1)),
        "fit": lambda: net.fit(x, t, iterations=1, batch_size=60),
    }
    before, arrays = everything(net), buffers_of(net.layers)
    # A layer below has been passed by then.
    layer.fails = fails
    with pytest.raises(KeyboardInterrupt):
        calls[call]()
    assert same(before, everything(net))
    assert all(array is arrays[key] for key, array in buffers_of(net.layers).items())


@pytest.mark.parametrize("kind", [bp.Network, ByLayers])
def test_a_refused_step_has_moved_nothing(kind):
    net, (x, t) = network(kind), data()
    net.train_step(x, t, bp.SGD(0.1))
    before = everything(net)
    for x_, t_ in ((x, t + 3), (x[:, :5], t), (x[:0], t[:0]), (x, t[:7]), (x, t / 2)):
        with pytest.raises((ValueError, TypeError)):
            net.train_step(x_, t_, bp.SGD(0.1))
        with pytest.raises((ValueError, TypeError)):
            net.fit(x_, t_, epochs=1)
    adam = bp.Adam()
    adam.state["W1"] = ()
    with pytest.raises(ValueError, match="state"):
        net.train_step(x, t, adam)
    assert same(before, everything(net))


class OwnGradient(bp.Network):
    def gradient(self, x, t):
        return super().gradient(x, t)


def test_an_own_gradient_moves_them_once_a_step():
    (x, t), nets = data(), [network(), network(OwnGradient)]
    for net in nets:
        for _ in range(3):
            net.train_step(x, t, bp.SGD(0.1))
    assert same(*map(everything, nets))


# --- Parameters, copies, files -----------------------------------------------------------------------------------


def test_they_are_no_parameters():
    net = network()
    assert [key for key in net.params if "running" in key] == []
    assert list(buffers_of(net.layers)) == [
        "layers.1.running_mean", "layers.1.running_var", "layers.4.running_mean", "layers.4.running_var",
    ]  # fmt: skip
    flat = net.get_flat_params()
    assert flat.size == sum(array.size for array in net.params.values())
    assert net.summary().parameters == flat.size


def test_copies_have_statistics_of_their_own():
    net, (x, t) = network(), data()
    net.train_step(x, t, bp.SGD(0.1))
    scores = net.predict(x)
    for twin in (copy.deepcopy(net), pickle.loads(pickle.dumps(net)), net.astype("float32")):
        assert same(everything(twin), everything(net))
        assert np.array_equal(twin.predict(x), scores)
        twin.train_step(x, t, bp.SGD(0.1))
        assert np.array_equal(net.predict(x), scores)
    wide = net.astype("float64")
    assert wide.layers["BatchNorm1"].running_var.dtype == np.float64
    assert wide.is_planned


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_file_has_them(tmp_path, dtype):
    net, (x, t) = network(dtype=dtype), data(dtype)
    net.layers["BatchNorm1"].eps, net.layers["BatchNorm2"].momentum = 0.01, 0.3
    net.fit(x, t, epochs=2, batch_size=20, seed=0)
    net.save(tmp_path / "a.safetensors")
    loaded = bp.Network.load(tmp_path / "a.safetensors")
    assert same(everything(loaded), everything(net))
    assert np.array_equal(loaded.predict(x), net.predict(x))
    assert loaded.train_step(x, t, bp.SGD(0.1)) == net.train_step(x, t, bp.SGD(0.1))
    assert same(everything(loaded), everything(net))
    loaded.save(tmp_path / "b.safetensors")
    net.save(tmp_path / "c.safetensors")
    assert (tmp_path / "b.safetensors").read_bytes() == (tmp_path / "c.safetensors").read_bytes()


def test_a_file_without_them_says_nothing_of_them(tmp_path):
    net = bp.Network([9, 5, 4], seed=0)
    net.layers.insert_after("Affine1", "LayerNorm1", bp.LayerNorm(5))
    net.save(tmp_path / "a.safetensors")
    assert b"buffers" not in (tmp_path / "a.safetensors").read_bytes()


class Block:
    """A user's layer with a batch normalisation inside, whose parameters it trains."""

    def __init__(self, width=8):
        self.norm = bp.BatchNorm(width, dtype="float64")
        self.gamma, self.beta, self.dgamma, self.dbeta = self.norm.gamma, self.norm.beta, None, None

    def forward(self, x, training=False):
        return self.norm.forward(x, training=training)

    def backward(self, dout):
        dx = self.norm.backward(dout)
        self.dgamma, self.dbeta = self.norm.dgamma, self.norm.dbeta
        return dx

    def options(self):
        return {"width": len(self.gamma)}


@pytest.fixture
def with_block():
    """A network with such a layer, which files know."""
    LAYERS.pop("block", None)
    bp.register_layer("block")(Block)
    net = bp.Network([9, 8, 4], dtype="float64", seed=0)
    net.layers.insert_after("Affine1", "Block", Block())
    yield net
    LAYERS.pop("block")


def test_a_layer_inside_another(with_block, tmp_path):
    net, (x, t) = with_block, data("float64")
    before = everything(net)
    assert "layers.1.norm.running_mean" in before
    bp.assert_gradients(net, x, t)
    numerical = net.numerical_gradient(x, t)
    assert same(before, everything(net))
    gradients = net.gradient(x, t)
    assert all(np.allclose(gradients[key], numerical[key], rtol=1e-5, atol=1e-8) for key in gradients)
    target = copy.deepcopy(net)
    net.train_step(x, t, bp.SGD(0.1))
    target.blend(net, 1)
    assert same(everything(target), everything(net))
    with pytest.raises(
        TypeError, match=r"save: layers.1.norm.running_mean is .* put that layer into net.layers"
    ):
        net.save(tmp_path / "net")


def changed_file(path, tensors=None, **of_layer):
    """The file with other tensors, or with other things said of layer 1, and no checksum."""
    from safetensors import safe_open

    with safe_open(path, "numpy") as file:
        said = json.loads(file.metadata()["backprop"])
    said.pop("checksum", None)
    said["layers"][1] |= of_layer
    save_file(load_file(path) | (tensors or {}), path, {"backprop": json.dumps(said)})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"buffers": []}, r"layers\[1\] has the buffers \[\], wanted running_mean, running_var"),
        ({"buffers": ["running_mean"]}, r"layers\[1\] has the buffers"),
        ({"buffers": None}, r"layers\[1\] has the buffers None"),
        ({"buffers": 3}, r"layers\[1\] has the buffers 3"),
        (
            {"tensors": {"layers.1.running_var": np.ones(34, np.float32)}},
            r"layers.1.running_var is float32 \(34,\), wanted float32 \(35,\)",
        ),
        ({"tensors": {"layers.1.running_var": np.ones(35)}}, "layers.1.running_var is float64"),
        (
            {"tensors": {"layers.0.running_var": np.ones(35, np.float32)}},
            "wanted .*layers.1.running_var",
        ),
        ({"options": {"eps": 1e-5, "momentum": 2}}, "momentum is 2"),
    ],
)
def test_a_file_that_is_wrong_about_them(tmp_path, change, message):
    path = tmp_path / "a.safetensors"
    network().save(path)
    changed_file(path)
    assert bp.Network.load(path).is_planned
    changed_file(path, **change)
    with pytest.raises(ValueError, match=message):
        bp.Network.load(path)


@pytest.mark.parametrize("kind", [bp.Network, ByLayers])
@pytest.mark.parametrize("tau", [0.0, 0.25, 1.0])
def test_a_soft_update_moves_them(tau, kind):
    target, net, (x, t) = network(kind), network(kind), data()
    for _ in range(3):
        net.train_step(x, t, bp.SGD(0.1))
    before, theirs = everything(target), everything(net)
    target.blend(net, tau)
    number = np.float32(tau)
    for key, moved in everything(target).items():
        wanted = theirs[key] if tau == 1 else before[key] + number * (theirs[key] - before[key])
        assert np.array_equal(moved, wanted)
    assert same(theirs, everything(net))
    if tau == 1:
        assert np.array_equal(target.predict(x), net.predict(x))


def test_a_soft_update_of_networks_that_differ_in_them_is_refused():
    target, net = network(), network()
    rms = net.layers["BatchNorm1"]
    net.layers["BatchNorm1"] = bp.LayerNorm(35)
    before = everything(target)
    with pytest.raises(ValueError, match="blend: other has the running statistics layers.4.running_mean"):
        target.blend(net, 0.5)
    net.layers["BatchNorm1"] = rms
    rms.running_mean = target.layers["BatchNorm1"].running_mean
    with pytest.raises(ValueError, match="blend: layers.1.running_mean shares memory"):
        target.blend(net, 0.5)
    assert same(before, everything(target))


def test_scores_are_not_written_over_what_they_are_computed_from():
    net, (x, t) = network(), data()
    net.train_step(x, t, bp.SGD(0.1))
    for planned in (True, False):
        memory = np.zeros(60 * 4, np.float32)
        layer = net.layers["BatchNorm1"]
        memory[:35] = layer.running_mean
        layer.running_mean = memory[:35]
        wanted = copy.deepcopy(net).predict(x)
        if not planned:
            net._planned = NoPlan([])
        assert np.array_equal(net.predict(x, out=memory.reshape(60, 4)), wanted)


def test_a_plan_checks_what_it_is_given():
    net = network(sizes=(9, 35, 21, 4))
    layers = [("affine", "identity", net.params["W1"], net.params["b1"], 0.0)]
    gamma, beta, mean, var = (np.ones(35, np.float32) for _ in range(4))

    def plan(*option):
        from bpcore.plan import Plan

        return Plan(
            "float32",
            [*layers, ("batch_norm", "relu", gamma, beta, option)],
            ("softmax", 0.0),
            None,
            None,
            [],
        )

    assert plan(1e-5, 0.1, mean, var).outputs == 35
    with pytest.raises(ValueError, match=r"the momentum of layer 2 is 1.5, wanted a number from 0 to 1"):
        plan(1e-5, 1.5, mean, var)
    for wrong in (mean[:34], mean.astype(float), mean.reshape(1, 35), None, [0.0] * 35):
        with pytest.raises((ValueError, TypeError)):
            plan(1e-5, 0.1, wrong, var)
