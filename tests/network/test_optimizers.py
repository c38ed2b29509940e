"""Optimizers, on plain dicts and beside what others make of the same formulas."""

import copy
import pickle

import numpy as np
import pytest

import backprop as bp
from tests.registry import RULES, Table


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("layout", [np.ascontiguousarray, np.asfortranarray])
def test_sgd_gives_the_bits_of_the_numpy_line(dtype, layout):
    rng = np.random.default_rng(0)
    w, g = rng.normal(size=(7, 5)).astype(dtype), rng.normal(size=(7, 5)).astype(dtype)
    params = {"W": layout(w.copy())}
    kept = params["W"]
    bp.SGD(0.1).update(params, {"W": g})
    w -= 0.1 * g
    assert params["W"] is kept
    assert np.array_equal(kept, w)


def test_only_what_has_a_gradient_moves():
    params = {"W": np.ones(2), "b": np.ones(2)}
    bp.SGD(0.5).update(params, {"b": np.ones(2)})
    assert np.array_equal(params["W"], [1, 1])
    assert np.array_equal(params["b"], [0.5, 0.5])


def momentum(w, g, step, v=0.0):
    v = 0.9 * v + g
    return w - 0.1 * v, v


def nesterov(w, g, step, v=0.0):
    v = 0.9 * v + g
    return w - 0.1 * (g + 0.9 * v), v


def adagrad(w, g, step, h=0.0):
    h = h + g**2
    return w - 0.1 * g / (np.sqrt(h) + 1e-10), h


def rmsprop(w, g, step, h=0.0):
    h = 0.99 * h + 0.01 * g**2
    return w - 0.1 * g / (np.sqrt(h) + 1e-8), h


def amsgrad(w, g, step, m=0.0, h=0.0, largest=0.0):
    m, h = 0.9 * m + 0.1 * g, 0.999 * h + 0.001 * g**2
    largest = np.maximum(h, largest)
    return w - 0.1 * (m / (1 - 0.9**step)) / (np.sqrt(largest / (1 - 0.999**step)) + 1e-8), m, h, largest


def nadam(w, g, step, m=0.0, h=0.0):
    m, h = 0.9 * m + 0.1 * g, 0.999 * h + 0.001 * g**2
    mu = [0.9 * (1 - 0.5 * 0.96 ** (t * 0.004)) for t in range(1, step + 2)]
    nesterov = (1 - mu[-2]) * g / (1 - np.prod(mu[:-1])) + mu[-1] * m / (1 - np.prod(mu))
    return w - 0.1 * nesterov / (np.sqrt(h / (1 - 0.999**step)) + 1e-8), m, h


def adadelta(w, g, step, h=0.0, d=0.0):
    h = 0.9 * h + 0.1 * g**2
    s = np.sqrt(d + 1e-6) / np.sqrt(h + 1e-6) * g
    return w - 0.1 * s, h, 0.9 * d + 0.1 * s**2


def lion(w, g, step, m=0.0):
    return w - 0.1 * np.sign(0.9 * m + 0.1 * g), 0.99 * m + 0.01 * g


def rprop(w, g, step, last=0.0, size=0.1):
    size = np.clip(size * np.select([g * last > 0, g * last < 0], [1.2, 0.5], 1.0), 1e-6, 50)
    g = np.where(g * last < 0, 0, g)
    return w - np.sign(g) * size, g, size


def adam(w, g, step, m=0.0, h=0.0):
    m, h = 0.9 * m + 0.1 * g, 0.999 * h + 0.001 * g**2
    return w - 0.1 * (m / (1 - 0.9**step)) / (np.sqrt(h / (1 - 0.999**step)) + 1e-8), m, h


# A step of each rule in float64 as the papers and PyTorch's documentation write it, lr 0.1 and defaults: the weights
# and what the rule keeps.
BY_HAND = Table(
    "update rule",
    "tests/network/test_optimizers.py",
    {
        "sgd": lambda w, g, step: (w - 0.1 * g,),
        "momentum": momentum,
        "nesterov": nesterov,
        "adagrad": adagrad,
        "rmsprop": rmsprop,
        "adam": adam,
        "adamw": lambda w, g, step, *state: adam(w - 0.1 * 0.01 * w, g, step, *state),
        "amsgrad": amsgrad,
        "nadam": nadam,
        "adadelta": adadelta,
        "lion": lion,
        "rprop": rprop,
    },
)


def by_hand(rule, w, gradients):
    state = ()
    for step, g in enumerate(gradients, start=1):
        w, *state = BY_HAND[rule](w, g, step, *state)
    return w


@pytest.mark.parametrize("rule", RULES)
def test_ten_steps_of_each_rule(rule):
    rng = np.random.default_rng(0)
    w, gradients = rng.normal(size=(4, 3)), rng.normal(size=(10, 4, 3))
    params, optimizer = {"W": w.copy()}, RULES[rule](0.1)
    for g in gradients:
        optimizer.update(params, {"W": g})
    assert optimizer.steps == 10
    # Ten steps of at most 20 roundings of numbers below 10.
    assert np.abs(params["W"] - by_hand(rule, w, gradients)).max() <= 10 * 20 * 10 * 2**-53


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("layout", [np.asfortranarray, lambda a: a[::-1, ::2]])
def test_parameters_of_any_layout(rule, layout):
    rng = np.random.default_rng(0)
    w, gradients = rng.normal(size=(4, 3)), rng.normal(size=(3, 4, 3))
    plain, other, optimizers = {"W": w.copy()}, {"W": layout(w.copy())}, [RULES[rule](0.1) for _ in range(2)]
    for g in gradients:
        optimizers[0].update(plain, {"W": g})
        optimizers[1].update(other, {"W": layout(g)})
    assert np.array_equal(layout(plain["W"]), other["W"])


def test_a_call_with_something_wrong_changes_nothing():
    params, adam = {"W": np.ones(2), "b": np.ones(3)}, bp.Adam()
    with pytest.raises(ValueError, match=r"params\['b'\] has shape \(3,\), its gradient has \(4,\)"):
        adam.update(params, {"W": np.ones(2), "b": np.ones(4)})
    assert adam.steps == 0
    assert np.array_equal(params["W"], [1, 1])


def test_another_network_needs_another_optimizer():
    adam = bp.Adam()
    adam.update({"W": np.ones(2)}, {"W": np.ones(2)})
    with pytest.raises(ValueError, match=r"state of 'W' is float64 \(2,\), the parameter is float32 \(2,\)"):
        adam.update({"W": np.ones(2, "f4")}, {"W": np.ones(2)})


def test_copies_go_on_by_themselves():
    x, t = np.random.default_rng(0).normal(size=(6, 4)), np.array([0, 1, 2, 0, 1, 2])
    net, adam = bp.Network([4, 5, 3], seed=0), bp.Adam()
    net.train_step(x, t, adam)
    twin_net, twin = copy.deepcopy(net), pickle.loads(pickle.dumps(adam))
    assert net.train_step(x, t, adam) == twin_net.train_step(x, t, twin)
    assert adam.steps == twin.steps == 2
    assert all(np.array_equal(net.params[key], twin_net.params[key]) for key in net.params)


class Halved(bp.SGD):
    """A user's own rule over one of ours."""

    def update(self, params, grads):
        super().update(params, {key: grad / 2 for key, grad in grads.items()})


def test_an_overridden_update_is_the_one_that_trains():
    x, t = np.random.default_rng(0).normal(size=(6, 4)), np.array([0, 1, 2, 0, 1, 2])
    nets = [bp.Network([4, 5, 3], dtype="float64", seed=0) for _ in range(2)]
    nets[0].train_step(x, t, Halved(0.5))
    nets[1].train_step(x, t, bp.SGD(0.25))
    for key in nets[0].params:
        # lr·(g/2) and (lr/2)·g: halving is exact.
        assert np.array_equal(nets[0].params[key], nets[1].params[key])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: bp.SGD(0.1, momentum=1), "SGD: momentum is 1, wanted a number from 0 to below 1"),
        (lambda: bp.SGD(0.1, nesterov=True), "SGD: nesterov is True, momentum is 0"),
        (lambda: bp.Adagrad(eps=0), "Adagrad: eps is 0, wanted a positive finite number"),
        (lambda: bp.RMSprop(alpha=-0.1), "RMSprop: alpha is -0.1, wanted a number from 0 to below 1"),
        (lambda: bp.Adam(betas=(0.9, 1.0)), r"Adam: betas\[1\] is 1.0, wanted a number from 0 to below 1"),
        (lambda: bp.Adam(betas=0.9), "Adam: betas is 0.9, wanted two numbers"),
    ],
)
def test_settings_that_are_none(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize("lr", [0, -0.1, np.inf, np.nan, "0.1", None])
def test_learning_rates_that_are_none(lr):
    with pytest.raises(ValueError, match="SGD: lr is .*, wanted a positive finite number"):
        bp.SGD(lr)


def test_what_cannot_be_updated():
    sgd = bp.SGD(0.1)
    with pytest.raises(KeyError, match="SGD.update: grads has 'c', params has W, b"):
        sgd.update({"W": np.ones(2), "b": np.ones(2)}, {"c": np.ones(2)})
    with pytest.raises(ValueError, match=r"params\['W'\] has shape \(2,\), its gradient has \(3,\)"):
        sgd.update({"W": np.ones(2)}, {"W": np.ones(3)})
    with pytest.raises(TypeError, match=r"params\['W'\] has dtype >f8"):
        sgd.update({"W": np.ones(2, ">f8")}, {"W": np.ones(2)})
    with pytest.raises(TypeError, match=r"params\['W'\] has dtype int64"):
        sgd.update({"W": np.ones(2, int)}, {"W": np.ones(2)})


def test_repr():
    assert repr(bp.SGD(0.1)) == "SGD(lr=0.1)"
    assert repr(bp.Nesterov(0.1)) == "SGD(lr=0.1, momentum=0.9, nesterov=True)"
    assert repr(bp.Adagrad()) == "Adagrad(lr=0.01, eps=1e-10)"
    assert repr(bp.RMSprop()) == "RMSprop(lr=0.01, alpha=0.99, eps=1e-08)"
    assert repr(bp.Adam()) == "Adam(lr=0.001, betas=(0.9, 0.999), eps=1e-08)"


@pytest.mark.parametrize("sees", ["update", "train_step"])
def test_a_parameter_that_is_read_only_stops_the_others_too(sees):
    net, x, t = bp.Network([4, 5, 3], seed=0), np.ones((2, 4)), np.array([0, 1])
    net.params["W2"].setflags(write=False)
    before, sgd = {key: value.copy() for key, value in net.params.items()}, bp.SGD(0.1)
    with pytest.raises(
        ValueError, match=r"SGD.update: params\['W2'\] is read-only, wanted an array to change"
    ):
        net.train_step(x, t, sgd) if sees == "train_step" else sgd.update(net.params, net.gradient(x, t))
    assert sgd.steps == 0
    assert all(np.array_equal(net.params[key], before[key]) for key in before)


def test_a_plan_does_not_run_without_what_the_rule_keeps():
    net, x, t = bp.Network([4, 5, 3], dtype="float64", seed=0), np.ones((2, 4)), np.array([0, 1])
    before, adam, momentum = net.params["W1"].copy(), bp.Adam(), bp.Momentum()
    plan = net.plan_for(adam)
    fewer = momentum.state_for(plan, net.params)
    for moments, message in [
        (None, "something of every parameter"),
        (fewer[:1], "something of every parameter"),
        (fewer, "2 arrays of each parameter, of one there are 1"),
    ]:
        with pytest.raises(ValueError, match=f"Plan: the rule keeps .*{message}"):
            plan.step(x, t, adam.plan_update(), None, moments)
    assert np.array_equal(net.params["W1"], before)
    assert plan.step(x, t, adam.plan_update(), None, adam.state_for(plan, net.params)) > 0


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("make", [make for make in RULES.values() if "eps" in make().settings])
@pytest.mark.parametrize("eps", [1e-45, 1e-50, np.finfo(float).tiny, 5e-324])
def test_an_eps_that_the_type_rounds_to_0_makes_no_nan(make, eps, dtype):
    params = {"w": np.ones(3, dtype)}
    make(eps=eps, weight_decay=0).update(params, {"w": np.zeros(3, dtype)})
    assert np.array_equal(params["w"], np.ones(3))
    # A compiled plan, with units whose gradient is 0.
    net = bp.Network([2, 3, 2], seed=0, dtype=dtype)
    net.params["b1"] -= 100
    for _ in range(3):
        net.train_step(np.ones((4, 2)), np.zeros(4, int), make(eps=eps, weight_decay=0))
    assert all(np.isfinite(array).all() for array in net.params.values())


@pytest.mark.parametrize(
    ("make", "name", "value", "error", "message"),
    [
        (
            bp.SGD,
            "learning_rate",
            0.1,
            AttributeError,
            "SGD has no attribute 'learning_rate'; did you mean 'lr'",
        ),
        (bp.Adam, "beta1", 0.5, AttributeError, "Adam has no attribute 'beta1'; did you mean 'betas'"),
        (bp.Adam, "beta_2", 0.5, AttributeError, "did you mean 'betas'"),
        (bp.Adam, "epsilon", 0.5, AttributeError, "did you mean 'eps'"),
        (bp.Adam, "momentum", 0.5, AttributeError, "Adam has no attribute 'momentum'; SGD has it"),
        (bp.RMSprop, "rho", 0.5, AttributeError, "did you mean 'alpha'"),
        (
            bp.SGD,
            "weight_decay",
            -0.5,
            ValueError,
            "SGD: weight_decay is -0.5, wanted a finite number of at least 0",
        ),
        (bp.SGD, "update", print, AttributeError, "SGD.update is a method; override it in a subclass"),
        (bp.SGD, "lr", -1, ValueError, "SGD: lr is -1, wanted a positive finite number"),
        (bp.SGD, "lr", float("nan"), ValueError, "SGD: lr is nan, wanted"),
        (bp.Adam, "lr", "0.1", ValueError, "Adam: lr is '0.1', wanted"),
        (bp.Adam, "betas", (2, 3), ValueError, r"Adam: betas\[0\] is 2, wanted a number from 0 to below 1"),
        (bp.Adam, "betas", 0.9, ValueError, "Adam: betas is 0.9, wanted two numbers"),
        (bp.Adagrad, "eps", 0, ValueError, "Adagrad: eps is 0, wanted"),
        (bp.RMSprop, "alpha", 1, ValueError, "RMSprop: alpha is 1, wanted"),
        (bp.Nesterov, "momentum", 0, ValueError, "SGD: nesterov is True, momentum is 0"),
        (bp.SGD, "nesterov", True, ValueError, "SGD: nesterov is True, momentum is 0"),
        (bp.SGD, "steps", -1, ValueError, "SGD: steps is -1, wanted a whole number"),
        (bp.Adam, "state", None, TypeError, "Adam: state is a NoneType, wanted a dict"),
    ],
)
def test_what_is_assigned_is_checked(make, name, value, error, message):
    rule = make()
    told, before = repr(rule), {**vars(rule)}
    with pytest.raises(error, match=message):
        setattr(rule, name, value)
    assert repr(rule) == told
    assert vars(rule) == before


def test_settings_may_change_between_steps():
    adam = bp.Adam()
    adam.lr, adam.betas, adam.eps = np.float32(0.5), [0.5, 0.25], 1e-3
    assert repr(adam) == "Adam(lr=0.5, betas=(0.5, 0.25), eps=0.001)"
    own = type("Own", (bp.SGD,), {})(0.1)
    own.learning_rate = 3
    with pytest.raises(ValueError, match="Own: lr is 0"):
        own.lr = 0


def test_a_refused_update_keeps_nothing():
    adam = bp.Adam()
    with pytest.raises(ValueError, match=r"params\['b'\] has shape"):
        adam.update({"W": np.ones(2), "b": np.ones(2)}, {"W": np.ones(2), "b": np.ones(3)})
    assert adam.state == {}
    assert adam.steps == 0


def test_a_refused_step_ties_an_optimizer_to_no_network():
    x, t = np.ones((4, 6), np.float32), np.zeros(4, int)
    adam = bp.Adam()
    one, other = bp.Network([6, 3, 2], seed=0), bp.Network([6, 4, 2], seed=0)
    for wrong in ((x[:, :3], t), (x, t + 7), (x, t[:2]), (x[:0], t[:0])):
        with pytest.raises(ValueError, match=r"x|t"):
            one.train_step(*wrong, adam)
    assert adam.state == {}
    other.train_step(x, t, adam)
    before = {key: [array.copy() for array in arrays] for key, arrays in adam.state.items()}
    with pytest.raises(ValueError, match="another network needs another optimizer"):
        one.train_step(x, t, adam)
    assert all(
        np.array_equal(a, b) for key in before for a, b in zip(before[key], adam.state[key], strict=True)
    )
    assert adam.steps == 1
