"""An activation of the outputs."""

import numpy as np
import pytest

import backprop as bp
from backprop.network.plan import NoPlan
from tests.registry import ACTIVATIONS, LOSSES, LOSSES_OF_NUMBERS


def problem(dtype="float32", **options):
    rng = np.random.default_rng(0)
    net = bp.Network([6, 12, 3], loss="squared_error", dtype=dtype, seed=0, **options)
    return net, rng.normal(size=(40, 6)).astype(dtype), rng.uniform(-0.8, 0.8, (40, 3)).astype(dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("kind", ACTIVATIONS)
def test_a_plan_and_the_layers_train_it_alike(kind, dtype, tmp_path):
    nets = [problem(dtype, output=kind)[0] for _ in range(2)]
    _, x, t = problem(dtype)
    nets[1]._planned = NoPlan([])
    assert list(nets[0].layers)[-1] == f"{ACTIVATIONS[kind].__name__}2"
    for net in nets:
        net.fit(x, t, epochs=5, batch_size=16, optimizer="adam", seed=0)
    assert [net.is_planned for net in nets] == [True, False]
    assert all(np.array_equal(nets[0].params[key], nets[1].params[key]) for key in nets[0].params)
    assert np.array_equal(nets[0].predict(x), nets[1].predict(x))
    before = nets[0].activations(x)["Affine2"]
    assert np.array_equal(nets[0].predict(x), ACTIVATIONS[kind]().forward(before))
    nets[0].save(tmp_path / "net.safetensors")
    assert np.array_equal(bp.Network.load(tmp_path / "net.safetensors").predict(x), nets[0].predict(x))


@pytest.mark.parametrize("kind", ["tanh", "sigmoid", "softplus"])
def test_gradients(kind):
    net, x, t = problem("float64", output=kind)
    bp.assert_gradients(net, x, t)


def test_bounds_and_initial_weights():
    net, x, _ = problem(output=bp.Hardtanh(-0.5, 0.5))
    plain, _, _ = problem()
    assert all(np.array_equal(net.params[key], plain.params[key]) for key in plain.params)
    assert np.array_equal(net.predict(x), np.clip(plain.predict(x), -0.5, 0.5))
    assert "output='hardtanh'" in repr(net)
    for nothing in (None, "identity"):
        assert list(problem(output=nothing)[0].layers) == list(plain.layers)


@pytest.mark.parametrize("loss", [kind for kind in LOSSES if kind not in LOSSES_OF_NUMBERS])
def test_a_loss_of_scores_takes_none(loss):
    with pytest.raises(ValueError, match=f"^Network: output is 'tanh', and loss='{loss}' takes the scores"):
        bp.Network([4, 3], loss=loss, output="tanh")
    assert list(bp.Network([4, 3], loss=loss, output=None).layers) == ["Affine1"]


def test_what_is_no_activation():
    with pytest.raises(ValueError, match="Network: output is 'tahn', wanted one of .*; did you mean 'tanh'"):
        bp.Network([4, 3], loss="huber", output="tahn")
    with pytest.raises(TypeError, match="Network: output is a int"):
        bp.Network([4, 3], loss="huber", output=3)
    with pytest.raises(TypeError, match="did you mean 'output'"):
        bp.Network([4, 3], loss="huber", output_activation="tanh")
