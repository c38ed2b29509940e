"""Every update rule's kernel against its NumPy twin: the same bits."""

import inspect

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bpcore import kernels, plan
from tests import reference
from tests.registry import Table, settings_of
from tests.strategies import DTYPES, SIZES, arrays, dtypes

DECAYS = st.floats(0, 1, exclude_max=True)
DRAWN = Table(
    "setting",
    "tests/core/test_update_twins.py",
    {
        "lr": st.floats(1e-6, 10),
        "momentum": DECAYS,
        "alpha": DECAYS,
        "beta1": DECAYS,
        "beta2": DECAYS,
        "eps": st.floats(1e-10, 1e-2),
        "step": st.integers(1, 2**40),
        "momentum_decay": st.floats(0, 1),
        "eta_minus": st.floats(0, 1, exclude_min=True, exclude_max=True),
        "eta_plus": st.floats(1, 2),
        "min_step": st.floats(1e-6, 1e-2),
        "max_step": st.floats(1e-2, 50),
        "weight_decay": st.just(0.0) | st.floats(0, 0.1),
        "l1": st.just(0.0) | st.floats(0, 0.1),
        "clip_value": st.just(0.0) | st.floats(0, 10),
    },
)


def states_of(rule):
    """How many arrays an update rule keeps: its kernel takes them beside w and g."""
    return len(getattr(kernels, f"{rule}_update").arguments) - 2


def takes_step(rule):
    return "step" in inspect.signature(getattr(kernels, f"{rule}_update")).parameters


def numbers_of(rule, settings):
    """What the kernel of a rule takes behind its arrays: these settings, and others as they are usually."""
    given = {name: value for name, value in settings.items() if name != "step"}
    step = {"step": settings.get("step", 1)} if takes_step(rule) else {}
    return settings_of(rule, **given) | step


def updated(rule, settings, w, g, state):
    """Take a step by the kernel and by its twin, each on its arrays."""
    numbers = numbers_of(rule, settings)
    for module, (weights, kept) in zip((kernels, reference), zip(w, state, strict=True), strict=True):
        with np.errstate(all="ignore"):
            getattr(module, f"{rule}_update")(weights, g, *kept, **numbers)


@pytest.mark.parametrize("rule", plan.RULES)
@given(data=st.data(), dtype=dtypes(), N=SIZES)
def test_updates_are_the_numpy_lines(rule, data, dtype, N):
    w, g = data.draw(arrays(dtype, N)), data.draw(arrays(dtype, N))
    state = [np.abs(data.draw(arrays(dtype, N))) for _ in range(states_of(rule))]
    names = [*plan.RULES[rule], *(["step"] if takes_step(rule) else [])]
    settings = {name: data.draw(DRAWN[name]) for name in names}
    twin_w, twin_state = w.copy(), [array.copy() for array in state]
    updated(rule, settings, (w, twin_w), g, (state, twin_state))
    for array, twin in zip((w, *state), (twin_w, *twin_state), strict=True):
        assert np.array_equal(array, twin, equal_nan=True)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    ("rule", "settings"),
    [
        ("momentum", dict(momentum=0.9)),
        ("nesterov", dict(momentum=0.9)),
        ("rmsprop", dict(alpha=0.9)),
        ("adam", dict(beta1=0.9, beta2=0.9)),
        ("nadam", dict(beta1=0.9, beta2=0.9)),
        ("rmsprop_centered", dict(alpha=0.9)),
        ("lion", dict(beta1=0.9, beta2=0.9)),
    ],
)
def test_what_decays_without_a_gradient_becomes_zero_and_is_never_subnormal(rule, settings, dtype):
    least = np.finfo(dtype).tiny
    start = np.ldexp(least, np.arange(-20, 40))
    w, g = np.ones_like(start), np.zeros_like(start)
    state = [start.copy() for _ in range(states_of(rule))]
    twin_w, twin_state = w.copy(), [array.copy() for array in state]
    # 0.9^400 is below 2^-60.
    for _ in range(400):
        updated(rule, settings, (w, twin_w), g, (state, twin_state))
        for array, twin in zip(state, twin_state, strict=True):
            assert np.array_equal(array, twin)
            assert not ((array != 0) & (np.abs(array) < least)).any()
    assert np.array_equal(w, twin_w)
    assert not np.array(state).any()


LARGE, TINY = 1e300, 1e-320
# Of float32's and float64's edges: what a constant would become infinite, 0 or 1 by.
EDGES = [
    ("sgd", dict(lr=LARGE)),
    ("sgd", dict(lr=1.7e308)),
    ("sgd", dict(lr=3.5e38)),
    ("sgd", dict(lr=0.1, weight_decay=0.0, l1=0.0, clip_value=LARGE)),
    ("sgd", dict(lr=0.1, clip_value=TINY)),
    ("momentum", dict(lr=LARGE, momentum=0.9)),
    ("momentum", dict(lr=0.1, momentum=1 - 2**-53)),
    ("nesterov", dict(lr=LARGE, momentum=1 - 1e-10)),
    ("adagrad", dict(lr=0.1, eps=TINY)),
    ("adagrad", dict(lr=0.1, eps=5e-324)),
    ("adagrad", dict(lr=LARGE, eps=1e-50)),
    ("rmsprop", dict(lr=0.1, alpha=0.9, eps=TINY)),
    ("rmsprop", dict(lr=0.1, alpha=1 - 2**-53, eps=1e-45)),
    ("rmsprop", dict(lr=LARGE, alpha=1 - 1e-10, eps=5e-324)),
    ("adam", dict(lr=0.1, beta1=0.9, beta2=0.999, eps=1e-45, step=1)),
    ("adam", dict(lr=0.1, beta1=0.9, beta2=1 - 2**-53, eps=5e-324, step=1)),
    ("adam", dict(lr=1e38, beta1=1 - 2**-53, beta2=0.9, eps=1e-38, step=1)),
    ("adam", dict(lr=1.7e308, beta1=0.999, beta2=0.5, eps=TINY, step=2**40)),
    ("nadam", dict(lr=1.7e308, beta1=0.999, beta2=1 - 2**-53, eps=TINY, step=2**40)),
    ("rmsprop_centered", dict(lr=LARGE, alpha=1 - 2**-53, eps=5e-324)),
    ("adadelta", dict(lr=LARGE, alpha=1 - 2**-53, eps=5e-324)),
    ("lion", dict(lr=LARGE, beta1=1 - 2**-53, beta2=1 - 1e-10)),
]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("rule", "settings"), EDGES)
def test_constants_beyond_the_type_leave_a_weight_without_a_gradient_as_it_is(rule, settings, dtype):
    w, g = np.array([1.5, -3, 0], dtype), np.zeros(3, dtype)
    state = [np.zeros(3, dtype) for _ in range(states_of(rule))]
    twin_w, twin_state = w.copy(), [array.copy() for array in state]
    for _ in range(3):
        updated(rule, settings, (w, twin_w), g, (state, twin_state))
    for array, twin in zip((w, *state), (twin_w, *twin_state), strict=True):
        assert np.array_equal(array, twin)
    assert np.array_equal(w, np.array([1.5, -3, 0], dtype))
    assert not np.array(state).any()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    ("rule", "settings"),
    [
        ("momentum", dict(momentum=1 - 1e-12)),
        ("rmsprop", dict(alpha=1 - 1e-12)),
        ("adam", dict(beta1=1 - 1e-12, beta2=1 - 1e-12)),
        ("nadam", dict(beta1=1 - 1e-12, beta2=1 - 1e-12)),
        ("adadelta", dict(alpha=1 - 1e-12)),
    ],
)
def test_a_decay_below_1_stays_below_1(rule, settings, dtype):
    w, g = np.ones(3, dtype), np.zeros(3, dtype)
    state = [np.full(3, 1 + np.finfo(dtype).eps, dtype) for _ in range(states_of(rule))]
    for _ in range(2):
        before = [array.copy() for array in state]
        getattr(kernels, f"{rule}_update")(w, g, *state, **numbers_of(rule, settings))
        assert all((array < last).all() for array, last in zip(state, before, strict=True))


def test_sgd_update_is_what_the_notes_write():
    w, g = np.linspace(-1, 1, 37), np.linspace(3, 5, 37)
    params, grad = {"W": w.copy()}, {"W": g}
    params["W"] -= 0.1 * grad["W"]
    kernels.sgd_update(w, g, 0.1)
    assert np.array_equal(w, params["W"])
