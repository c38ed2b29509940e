"""Optimizers whose settings, rule or state are others than at the last step, and what they can move."""

import types

import numpy as np
import pytest

import backprop as bp


class Warm(bp.SGD):
    """A user's rule whose learning rate grows with the steps."""

    def compiled(self):
        rule, (lr, *others) = super().compiled()
        return rule, (lr * (self.steps + 1) / 10, *others)


class Halving(bp.SGD):
    """One whose learning rate is computed."""

    @property
    def lr(self):
        return 0.5**self.steps

    @lr.setter
    def lr(self, value):
        pass


@pytest.mark.parametrize("make", [Warm, Halving])
def test_settings_that_follow_from_the_step(make):
    x, t = np.random.default_rng(0).normal(size=(6, 4)), np.array([0, 1, 2, 0, 1, 2])
    nets, rules = [bp.Network([4, 5, 3], seed=0) for _ in range(2)], [make(1.0) for _ in range(2)]
    for _ in range(4):
        nets[0].train_step(x, t, rules[0])
        rules[1].update(nets[1].params, nets[1].gradient(x, t))
    assert nets[0].is_planned
    assert all(np.array_equal(nets[0].params[key], nets[1].params[key]) for key in nets[0].params)


@pytest.mark.parametrize(
    ("make", "name"), [(bp.AMSGrad, "amsgrad"), (lambda: bp.RMSprop(centered=True), "centered")]
)
def test_what_is_kept_is_of_the_rule_as_it_was(make, name):
    x, t = np.random.default_rng(0).normal(size=(6, 4)), np.array([0, 1, 2, 0, 1, 2])
    messages = []
    for by_layers in (False, True):
        net, rule = bp.Network([4, 5, 3], seed=0), make()
        net.train_step(x, t, rule)
        setattr(rule, name, False)
        with pytest.raises(
            ValueError, match=r"state\['W1'\] has \d arrays, wanted a tuple of \d array"
        ) as raised:
            rule.update(net.params, net.gradient(x, t)) if by_layers else net.train_step(x, t, rule)
        messages.append(str(raised.value).partition(": ")[2])
        assert rule.steps == 1
    assert messages[0] == messages[1]


def test_an_optimizer_of_an_earlier_version():
    adam = bp.Adam(0.01)
    adam.update({"W": np.ones(2)}, {"W": np.ones(2)})
    state = adam.__getstate__()
    for name in ("l1", "clip_value", "clip_norm", "max_norm", "decay_biases", "amsgrad"):
        del state[name]
    old = bp.Adam.__new__(bp.Adam)
    old.__setstate__(state)
    assert repr(old) == repr(adam)
    assert old.steps == 1


def test_a_number_in_a_mapping_that_takes_no_other():
    params, sgd = types.MappingProxyType({"W": np.ones(2), "c": 1.0}), bp.Momentum(0.5)
    with pytest.raises(TypeError, match=r"params\['c'\] is a number in a mappingproxy"):
        sgd.update(params, {"W": np.ones(2), "c": 1.0})
    assert np.array_equal(params["W"], [1, 1])
    assert (sgd.steps, sgd.state) == (0, {})
