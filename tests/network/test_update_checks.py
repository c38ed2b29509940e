"""An update is looked at as a whole before anything moves, whatever is wrong with it and wherever that stands."""

import copy
import pickle
import subprocess
import sys
import textwrap

import numpy as np
import pytest

import backprop as bp
from tests.registry import RULES, Table

KEEPING = [name for name, make in RULES.items() if make().state_size]


class Halved(bp.Adam):
    """A user's own rule over one of ours."""

    def update(self, params, grads):
        super().update(params, dict(grads))


def misaligned(array):
    memory = bytearray(array.nbytes + 1)
    other = np.frombuffer(memory, dtype=array.dtype, offset=1).reshape(array.shape)
    other[...] = array
    return other


def problem():
    return {key: np.ones((2, 3)) for key in ("W", "b", "V")}, {
        key: np.ones((2, 3)) for key in ("W", "b", "V")
    }


def overlapping(params, grads):
    wide = np.ones(9)
    params["V"], grads["b"] = wide[:6].reshape(2, 3), wide[3:].reshape(2, 3)


def read_only(array):
    array.setflags(write=False)
    return array


# What is wrong with the second of three parameters, or its gradient.
WRONG = {
    "gradient of nothing": (lambda p, g: g.update(other=np.ones(2)), KeyError, "grads has 'other'"),
    "shape": (lambda p, g: g.update(b=np.ones((3, 2))), ValueError, r"params\['b'\] has shape \(2, 3\)"),
    "complex": (lambda p, g: g.update(b=np.ones((2, 3), complex)), TypeError, "of 'b' has dtype complex128"),
    "complex64": (lambda p, g: g.update(b=np.ones((2, 3), "c8")), TypeError, "of 'b' has dtype complex64"),
    "complex numbers": (lambda p, g: g.update(b=[[1j] * 3] * 2), TypeError, "of 'b' has dtype complex128"),
    "objects": (lambda p, g: g.update(b=np.ones((2, 3), object)), TypeError, "of 'b' has dtype object"),
    "texts": (lambda p, g: g.update(b=np.full((2, 3), "1")), TypeError, "of 'b' has dtype <U1"),
    "times": (lambda p, g: g.update(b=np.ones((2, 3), "m8[s]")), TypeError, "of 'b' has dtype timedelta64"),
    "long double": (lambda p, g: g.update(b=np.ones((2, 3), "g")), TypeError, "of 'b' has dtype longdouble|float128"),
    "None": (lambda p, g: g.update(b=None), TypeError, "of 'b' has dtype object"),
    "ragged": (lambda p, g: g.update(b=[[1, 2, 3], [4]]), ValueError, "of 'b' is not an array"),
    "masked": (
        lambda p, g: g.update(b=np.ma.masked_less(np.ones((2, 3)), 2)),
        ValueError,
        "of 'b' has masked values",
    ),
    "parameter of integers": (lambda p, g: p.update(b=np.ones((2, 3), int)), TypeError, r"\['b'\] has dtype int"),
    "parameter in a list": (lambda p, g: p.update(b=[[1.0] * 3] * 2), TypeError, r"\['b'\] is a list"),
    "complex parameter": (lambda p, g: p.update(b=np.ones((2, 3), complex)), TypeError, r"\['b'\] has dtype compl"),
    "half precision": (lambda p, g: p.update(b=np.ones((2, 3), "f2")), TypeError, r"\['b'\] has dtype float16"),
    "read-only": (lambda p, g: read_only(p["b"]), ValueError, r"params\['b'\] is read-only"),
    "its own gradient": (lambda p, g: g.update(b=p["b"]), ValueError, r"of 'b' overlaps params\['b'\]"),
    "another's gradient": (lambda p, g: g.update(b=p["W"]), ValueError, r"of 'b' overlaps params\['W'\]"),
    "part of a gradient": (
        lambda p, g: overlapping(p, g),
        ValueError,
        r"of 'b' overlaps params\['V'\]",
    ),
}  # fmt: skip


@pytest.mark.parametrize("wrong", WRONG)
@pytest.mark.parametrize("rule", [*RULES, "own"])
@pytest.mark.parametrize("first", [True, False], ids=["at once", "after a step"])
def test_a_refused_update_has_moved_nothing(wrong, rule, first):
    optimizer = Halved() if rule == "own" else RULES[rule](0.1)
    params, grads = problem()
    if not first:
        optimizer.update(params, grads)
    change, error, message = WRONG[wrong]
    change(params, grads)
    before, kept = copy.deepcopy((params, optimizer.state)), optimizer.steps
    with pytest.raises(error, match=message):
        optimizer.update(params, grads)
    assert optimizer.steps == kept
    for key, array in before[0].items():
        assert np.array_equal(params[key], array)
    assert optimizer.state.keys() == before[1].keys()
    for key, arrays in before[1].items():
        assert all(map(np.array_equal, arrays, optimizer.state[key]))


# State, replaced by something that cannot be kept; `other` is the state of another parameter.
MOMENTS = {
    "shape": (lambda m, other: m[:1], ValueError, r"state of 'W2' is float32 \(1, .*another network"),
    "type": (lambda m, other: m.astype(np.float64), ValueError, "state of 'W2' is float64"),
    "complex": (lambda m, other: m.astype(np.complex64), ValueError, "state of 'W2' is complex64"),
    "byte order": (lambda m, other: m.astype(">f4"), ValueError, "state of 'W2' is >f4"),
    "list": (lambda m, other: m.tolist(), TypeError, r"state\['W2'\]\[0\] is a list, wanted a NumPy array"),
    "none": (lambda m, other: None, TypeError, r"state\['W2'\]\[0\] is a NoneType"),
    "read-only": (lambda m, other: read_only(m), ValueError, r"state\['W2'\]\[0\] is read-only"),
    "layout": (lambda m, other: np.asfortranarray(m), ValueError, r"state\['W2'\]\[0\] is not C-contiguous"),
    "strides": (lambda m, other: np.repeat(m, 2, axis=1)[:, ::2], ValueError, "is not C-contiguous"),
    "alignment": (lambda m, other: misaligned(m), ValueError, "not C-contiguous|not aligned"),
    "another's": (lambda m, other: other[: m.size].reshape(m.shape), ValueError, r"state\['W.'\].*overlaps state"),
}  # fmt: skip
COUNTS = {
    "too few": (lambda kept: kept[:-1], r"state\['W2'\] has [012] array"),
    "too many": (lambda kept: (*kept, kept[0]), "has [234] arrays"),
    "a list": (list, r"state\['W2'\] is list, wanted a tuple of"),
    "one array": (lambda kept: kept[0], r"state\['W2'\] is ndarray, wanted a tuple of"),
}
CALLS = {
    "update": lambda net, x, t, rule: rule.update(net.params, net.gradient(x, t)),
    "train_step": lambda net, x, t, rule: net.train_step(x, t, rule),
    "fit": lambda net, x, t, rule: net.fit(x, t, epochs=1, optimizer=rule),
}


def trained(rule):
    net, x, t = bp.Network([6, 5, 4], seed=0), np.ones((3, 6)), np.array([0, 1, 3])
    optimizer = RULES[rule](0.1)
    net.train_step(x, t, optimizer)
    return net, x, t, optimizer


def state(net, optimizer):
    return {key: array.tobytes() for key, array in net.params.items()}, optimizer.steps


def refuses(net, x, t, optimizer, error, message):
    before = state(net, optimizer)
    for call in CALLS.values():
        with pytest.raises(error, match=message):
            call(net, x, t, optimizer)
        assert state(net, optimizer) == before


@pytest.mark.parametrize("rule", KEEPING)
@pytest.mark.parametrize("wrong", MOMENTS)
def test_what_a_rule_cannot_keep(rule, wrong):
    net, x, t, optimizer = trained(rule)
    change, error, message = MOMENTS[wrong]
    first, *others = optimizer.state["W2"]
    optimizer.state["W2"] = change(first, optimizer.state["W1"][0].reshape(-1)), *others
    refuses(net, x, t, optimizer, error, message)


@pytest.mark.parametrize("rule", KEEPING)
@pytest.mark.parametrize("wrong", COUNTS)
def test_what_is_no_tuple_of_what_a_rule_keeps(rule, wrong):
    net, x, t, optimizer = trained(rule)
    change, message = COUNTS[wrong]
    optimizer.state["W2"] = change(optimizer.state["W2"])
    refuses(net, x, t, optimizer, ValueError, message)


@pytest.mark.parametrize("rule", KEEPING)
def test_a_parameter_is_not_what_a_rule_keeps(rule):
    net, x, t, optimizer = trained(rule)
    optimizer.state["W2"] = (net.params["W2"], *optimizer.state["W2"][1:])
    refuses(net, x, t, optimizer, ValueError, r"state\['W2'\]\[0\] overlaps params\['W2'\]")


# What each check of a setting refuses; `two_fractions` is that of a pair.
REFUSED = Table(
    "check of a setting",
    "tests/network/test_update_checks.py",
    {
        "positive": (-1e-8, 0, np.nan, np.inf, "a"),
        "non_negative": (-1e-8, np.nan, np.inf, "a", None),
        "fraction": (1.5, 1, -0.1, np.nan, "0.9", None, np.inf),
        "limit": (-1e-8, 0, np.nan, np.inf, "a"),
        "switch": ("no", None, 2, np.nan),
        "growth": ((0.5, 1), (1.0, 1.2), (0, 1.2), (0.5, np.inf), (0.5,), 0.5, None, ("a", 2)),
        "size_range": ((0, 1), (1e-6, np.inf), (2, 1), (np.nan, 1), (1,), None),
        "two_fractions": (
            *((0.9, 1.0), (1.5, 0.9), (np.nan, 0.9), (0.9, -1.0), 0.9, "ab", (0.9,)),
            *(None, {0: 0.9, 1: 0.9}, {0.9, 0.8}, (0.9, 1j), np.ones((2, 2)) / 2),
        ),
    },
)
CHECKS = [(rule, name, check) for rule, make in RULES.items() for name, check in make().settings.items()]
SETTINGS = [
    *((rule, name, value) for rule, name, check in CHECKS if name != "lr" for value in REFUSED[check.__name__]),
    *((rule, "lr", value) for rule in RULES for value in (-5.0, 0.0, np.nan, np.inf, "0.1", None, 1j, [0.1], True)),
    *((rule, "lr", value) for rule in RULES for value in (10**400, np.complex128(1), np.longdouble("1e4000"))),
    *((rule, "steps", value) for rule in RULES for value in (-1, 1.5, np.nan, "1", None, True, 2**63)),
    *((rule, "state", value) for rule in RULES for value in (None, [], 1)),
]  # fmt: skip


def name_of(value):
    return str(value)[:30]


@pytest.mark.parametrize(("rule", "name", "value"), SETTINGS, ids=name_of)
def test_a_setting_is_looked_at_when_it_is_assigned(rule, name, value):
    optimizer = RULES[rule](0.1)
    before = {**vars(optimizer)}
    with pytest.raises((ValueError, TypeError), match=rf"^\w+: {name}(\[\d\])? is "):
        setattr(optimizer, name, value)
    assert vars(optimizer) == before


@pytest.mark.parametrize(("rule", "name", "value"), SETTINGS, ids=name_of)
def test_a_setting_that_came_past_the_assignment(rule, name, value):
    net, x, t, optimizer = trained(rule)
    vars(optimizer)[name] = value
    before = {key: array.tobytes() for key, array in net.params.items()}
    calls = {
        **CALLS,
        "copy": lambda *_: copy.copy(optimizer),
        "deepcopy": lambda *_: copy.deepcopy(optimizer),
    }
    # A step of a plan looks at numbers alone, for the sake of its time.
    parts = value if type(value) is tuple else (value,)
    number = {*map(type, parts)} == {float} and len(parts) == {"betas": 2, "nesterov": 0, "steps": 0}.get(
        name, 1
    )
    for call in calls if number else calls.keys() - {"train_step"}:
        with pytest.raises((ValueError, TypeError), match=rf"^\w+: {name}(\[\d\])? is "):
            calls[call](net, x, t, optimizer)
    with pytest.raises((ValueError, TypeError), match=rf"^\w+: {name}(\[\d\])? is "):
        pickle.loads(pickle.dumps(optimizer))
    assert {key: array.tobytes() for key, array in net.params.items()} == before


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("kind", ["?", "i1", "u1", "i8", "u8", "f2", "f4"])
def test_gradients_of_any_real_numbers(rule, kind):
    given = np.array([[0, 1, 1], [1, 0, 1]]).astype(kind)
    moved = []
    for grad in (given, given.astype(float), given.tolist()):
        params, _ = problem()
        RULES[rule](0.1).update(params, {"W": grad})
        moved.append(params["W"])
    assert np.array_equal(moved[0], moved[1])
    assert np.array_equal(moved[0], moved[2])


@pytest.mark.parametrize("rule", RULES)
def test_what_stands_under_two_names_is_moved_for_each(rule):
    # As the weights that two layers of a network share.
    nets = [bp.Network([4, 4, 4], seed=0) for _ in range(2)]
    for net in nets:
        net.layers["Affine2"] = bp.Affine(net.params["W1"], net.params["b2"])
    x, t, optimizers = np.eye(4), np.arange(4), [RULES[rule](0.1) for _ in nets]
    for _ in range(3):
        nets[0].train_step(x, t, optimizers[0])
        optimizers[1].update(nets[1].params, nets[1].gradient(x, t))
    for key in nets[0].params:
        assert np.array_equal(nets[0].params[key], nets[1].params[key])
    # In any layout: the second move goes on from the first.
    params, plain = {}, np.ones((3, 4))
    params["W"] = params["V"] = np.ones((4, 3)).T
    bp.SGD(0.5).update(params, {"W": np.ones((3, 4)), "V": np.ones((3, 4))})
    assert np.array_equal(params["W"], plain - 1)


@pytest.mark.parametrize("rule", RULES)
def test_parameters_that_are_not_aligned(rule):
    params, grads = problem()
    other = {key: misaligned(array) for key, array in params.items()}
    one, two = RULES[rule](0.1), RULES[rule](0.1)
    for _ in range(2):
        one.update(params, grads)
        two.update(other, grads)
    assert all(np.array_equal(params[key], other[key]) for key in params)


def test_momentum_that_is_taken_away_and_given_back():
    # What was kept stays as it was meanwhile, in a plan as layer by layer.
    nets, optimizers = [bp.Network([4, 5, 3], seed=0) for _ in range(2)], [bp.Momentum(0.1) for _ in range(2)]
    x, t = np.eye(4)[:3], np.arange(3)
    for momentum in (0.9, 0, 0.9):
        for optimizer in optimizers:
            optimizer.momentum = momentum
        nets[0].train_step(x, t, optimizers[0])
        optimizers[1].update(nets[1].params, nets[1].gradient(x, t))
    assert all(np.array_equal(nets[0].params[key], nets[1].params[key]) for key in nets[0].params)


TOO_LARGE = textwrap.dedent("""
    import resource
    import numpy as np, backprop as bp

    params = {"a": np.ones(10), "b": np.ones((4_000, 10_000), order="F"), "c": np.ones(10)}
    grads = {"a": np.ones(10), "b": np.ones((4_000, 10_000)), "c": np.ones(10)}
    most = resource.getrlimit(resource.RLIMIT_AS)[1]  # which may be lowered alone
    for make in (bp.SGD, bp.Adam):
        rule = make()
        # Less than a copy of b takes, or what Adam keeps of it.
        resource.setrlimit(resource.RLIMIT_AS, (used() + (200 << 20), most))
        try:
            rule.update(params, grads)
        except MemoryError:
            print(rule.steps, len(rule.state), all((w == 1).all() for w in params.values()))
""")


@pytest.mark.skipif(sys.platform != "linux", reason="limits the memory of a process")
def test_an_update_that_memory_cannot_hold_has_moved_nothing():
    used = (
        "def used():\n"
        "    with open('/proc/self/status') as status:\n"
        "        return next(int(line.split()[1]) << 10 for line in status if line.startswith('VmSize'))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", used + TOO_LARGE], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines() == ["0 0 True"] * 2
