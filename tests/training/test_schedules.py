"""Learning-rate schedules: their rates, what they refuse, and that a run leaves them as they are."""

import copy
import itertools
import json
import pickle

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import backprop as bp
from backprop import schedules
from backprop.training.schedules.arithmetic import power, root, squared_sine
from backprop.training.schedules.base import LEAST, SCHEDULES
from tests.bounds import unit_roundoff

U = unit_roundoff(np.float64)


def slower(n):
    return 1 / (1 + n)


# Every kind, and every way in which one counts.
EXAMPLES = {
    "constant": schedules.Constant(),
    "step": schedules.StepDecay(2, 0.5),
    "step per step": schedules.StepDecay(3, 0.7, per="step"),
    "exponential": schedules.Exponential(0.9),
    "exponential per step": schedules.Exponential(1.01, per="step"),
    "lambda": schedules.Lambda(slower),
    "cosine": schedules.Cosine(minimum=0.1),
    "cosine of epochs": schedules.Cosine(per="epoch"),
    "restarts": schedules.Cosine(7, minimum=0.01),
    "longer restarts": schedules.Cosine(3, 2),
    "warmup": schedules.Warmup(10),
    "warmup of epochs": schedules.Warmup(2, schedules.Cosine(), 0.0, per="epoch"),
    "two warmups": schedules.Warmup(3, schedules.Warmup(5, "step", 0.5)),
    "one cycle": schedules.OneCycle(),
    "one linear cycle": schedules.OneCycle(0.5, 0.5, 10, 100, "linear"),
    "one cycle of epochs": schedules.OneCycle(per="epoch"),
    "plateau": schedules.Plateau(0.5, 1),
    "warmup before a plateau": schedules.Warmup(5, schedules.Plateau(0.5, 0)),
}
# A run of ten epochs of six steps and a part of one.
RUN = (6, 63)
every = pytest.mark.parametrize("schedule", EXAMPLES.values(), ids=EXAMPLES)
# Of the same run from 0.1: the bits of the steps 5, 31 and 62.
GOLDEN = {
    "constant": ["0x1.999999999999ap-4", "0x1.999999999999ap-4", "0x1.999999999999ap-4"],
    "step": ["0x1.999999999999ap-4", "0x1.999999999999ap-6", "0x1.999999999999ap-9"],
    "step per step": ["0x1.1eb851eb851ebp-4", "0x1.723ef720b03bfp-9", "0x1.4eac4b2673e3ap-14"],
    "exponential": ["0x1.999999999999ap-4", "0x1.e3baba7b91710p-5", "0x1.1da32b368f315p-5"],
    "exponential per step": ["0x1.ae7e6434b704ap-4", "0x1.16ccc3212230ap-3", "0x1.7b89b27869bebp-3"],
    "lambda": ["0x1.1111111111111p-6", "0x1.999999999999ap-9", "0x1.a01a01a01a01ap-10"],
    "cosine": ["0x1.93e67bb9ab114p-4", "0x1.cbc01d8124414p-5", "0x1.498353974bbafp-7"],
    "cosine of epochs": ["0x1.999999999999ap-4", "0x1.d3e46473640f8p-5", "0x1.0977835bbfba4p-9"],
    "restarts": ["0x1.41bc9dcbbf3d8p-6", "0x1.f7eddb629ebf8p-5", "0x1.82cbd13dce14ep-8"],
    "longer restarts": ["0x1.3333333333333p-4", "0x1.01ce5f383ce1dp-4", "0x1.2761771cb47ccp-4"],
    "warmup": ["0x1.c28f5c28f5c2ap-5", "0x1.999999999999ap-4", "0x1.999999999999ap-4"],
    "warmup of epochs": ["0x1.0000000000000p-1022", "0x1.1ca0ce3b634c9p-4", "0x1.8dc2c3589a860p-14"],
    "two warmups": ["0x1.1eb851eb851ebp-4", "0x1.999999999999ap-4", "0x1.999999999999ap-4"],
    "one cycle": ["0x1.5d66fc5488cc8p-6", "0x1.46b53e2ef89afp-4", "0x1.ad7f29abcaf48p-22"],
    "one linear cycle": ["0x1.faf6c4681424fp-4", "0x1.f7e192940a886p-2", "0x1.0624dd2f1a9fcp-11"],
    "one cycle of epochs": ["0x1.0624dd2f1aa00p-8", "0x1.2967bed140513p-4", "0x1.ad7f29abcaf48p-22"],
    "plateau": ["0x1.999999999999ap-4", "0x1.999999999999ap-4", "0x1.999999999999ap-4"],
    "warmup before a plateau": ["0x1.999999999999ap-4", "0x1.999999999999ap-4", "0x1.999999999999ap-4"],
}  # fmt: skip


@every
def test_rates_are_positive_and_those_of_no_other_step(schedule):
    rates = schedule.begin(*RUN).rates(0.1, 0, RUN[1])
    assert rates.dtype == np.float64
    assert rates.shape == (RUN[1],)
    assert np.isfinite(rates).all()
    assert (rates > 0).all()


@every
@given(cuts=st.lists(st.integers(0, RUN[1]), max_size=6))
def test_chunks_have_the_rates_of_one_call(schedule, cuts):
    begun = schedule.begin(*RUN)
    cuts = [0, *sorted(cuts), RUN[1]]
    parts = [begun.rates(0.3, first, last - first) for first, last in itertools.pairwise(cuts)]
    assert np.concatenate(parts).tobytes() == begun.rates(0.3, 0, RUN[1]).tobytes()


@pytest.mark.parametrize("name", EXAMPLES)
def test_bits(name):
    rates = EXAMPLES[name].begin(*RUN).rates(0.1, 0, RUN[1])
    assert [rates[n].item().hex() for n in (5, 31, 62)] == GOLDEN[name]


@given(st.floats(0, 1))
def test_the_cosine(q):
    found = squared_sine(np.array([q]))[0]
    with mpmath.workprec(120):
        exact = mpmath.sin(mpmath.pi * mpmath.mpf(q) / 2) ** 2
        # x has 1.35u of the product and of π/2, sin(x) at most that, half a u of its small terms and u of the last sum;
        # squared it is 2 · 2.85u + u. Where q² is not normal, that is rounded too.
        assert abs(mpmath.mpf(float(found)) - exact) <= 8 * U * exact + mpmath.mpf(2) ** -1074


def test_the_cosine_at_its_ends_and_in_between():
    assert squared_sine(np.array([0.0, 1.0])).tolist() == [0, 1]
    q = np.linspace(0, 1, 10_001)
    found = squared_sine(q)
    assert (np.diff(found) > 0).all()
    assert np.abs(found - np.sin(np.pi * q / 2) ** 2).max() <= 16 * U


@given(st.floats(0.5, 2), st.integers(0, 1000))
def test_powers(base, n):
    with mpmath.workprec(120):
        exact = mpmath.mpf(base) ** n
        # base^n is a product of n factors, each of whose n − 1 products is rounded once at most.
        bound = (1 + mpmath.mpf(U)) ** max(n, 1) - 1
        assert (
            abs(mpmath.mpf(float(power(base, np.array([n]))[0])) - exact)
            <= bound * exact + mpmath.mpf(2) ** -1074
        )


@given(st.floats(1, 1e300, exclude_min=True), st.integers(1, 1000))
def test_roots(value, n):
    found = root(value, n)
    above = np.nextafter(found, np.inf).item()
    assert power(found, np.array([n]))[0] <= value < power(above, np.array([n]))[0]


@every
def test_a_run_changes_nothing_of_what_the_user_has(schedule):
    before = pickle.dumps(schedule)
    one, other = schedule.begin(*RUN), schedule.begin(*RUN)
    rates = other.rates(0.1, 60, 3)
    for step in range(6, 60, 6):
        one.observe(step, 1.0)
    assert pickle.dumps(schedule) == before
    assert other.rates(0.1, 60, 3).tobytes() == rates.tobytes()
    # A second run of the same object, and of what a run has left, begins anew.
    for again in (schedule.begin(*RUN), one.begin(*RUN)):
        assert again == other


@every
def test_copies_and_pickles_go_on_as_the_original_does(schedule):
    begun = schedule.begin(*RUN)
    begun.observe(12, 1.0)
    begun.observe(18, 1.0)
    for made in (copy.deepcopy, lambda one: pickle.loads(pickle.dumps(one))):
        twin = made(begun)
        assert twin == begun
        for one in (begun, twin):
            one.observe(24, 1.0)
        assert twin.state == begun.state
        assert twin.rates(0.1, 24, 9).tobytes() == begun.rates(0.1, 24, 9).tobytes()


@every
def test_a_checkpoint_of_plain_numbers_goes_on(schedule):
    begun = schedule.begin(*RUN)
    for step in (12, 18, 24):
        begun.observe(step, 1.0)
    resumed = schedule.begin(*RUN)
    resumed.state = json.loads(json.dumps(begun.state))
    assert resumed == begun
    for one in (begun, resumed):
        one.observe(30, 2.0)
    assert resumed.rates(0.1, 30, 33).tobytes() == begun.rates(0.1, 30, 33).tobytes()


@every
def test_settings_and_repr_say_all_of_it(schedule):
    settings = json.loads(json.dumps(schedule.settings_of()))
    assert settings["kind"] == schedule.kind
    if schedule.kind == "lambda":
        assert settings["function"] == "slower"
        with pytest.raises(TypeError, match="Lambda: function is 'slower', wanted a function"):
            schedules.schedule_of(settings)
    else:
        assert schedules.schedule_of(settings) == schedule
    assert eval(repr(schedule), {**vars(schedules), "slower": slower}) == schedule
    assert repr(schedules.Warmup(5, "cosine")) == "Warmup(length=5, then=Cosine())"


def test_shares_are_of_the_base():
    for name in ("step", "exponential", "cosine", "longer restarts", "warmup of epochs", "one cycle"):
        begun = EXAMPLES[name].begin(*RUN)
        # A power of two rounds nothing.
        assert (begun.rates(0.25, 0, 63) == np.maximum(begun.rates(1.0, 0, 63) / 4, LEAST)).all()


def test_epochs_and_steps():
    of_epochs = schedules.Cosine(per="epoch").begin(3, 12).rates(1.0, 0, 12)
    of_steps = schedules.Cosine(per="step").begin(3, 4).rates(1.0, 0, 4)
    assert (of_epochs == np.repeat(of_steps, 3)).all()


def test_what_follows_a_warmup_begins_behind_it():
    then = schedules.Cosine()
    rates = schedules.Warmup(2, then, 0.5, per="epoch").begin(3, 12).rates(1.0, 0, 12)
    assert rates[:6].tolist() == [0.5] * 3 + [0.75] * 3
    assert rates[6:].tobytes() == then.begin(3, 6).rates(1.0, 0, 6).tobytes()
    # A run may end before.
    assert schedules.Warmup(100, then).begin(3, 12).rates(1.0, 0, 12)[-1] < 0.21
    begun = schedules.Warmup(5, schedules.Plateau(0.5, 0)).begin(3, 12)
    begun.observe(3, 0.0)  # which the warm-up does not count
    begun.observe(5, 0.0)
    assert begun.state == {"waited": 0, "reductions": 0}
    begun.observe(6, 1.0)
    assert begun.state["best"] == 1


def test_a_plateau_and_what_is_better():
    def reductions(values, **settings):
        begun = schedules.Plateau(0.5, **settings).begin(1, 100)
        for n, value in enumerate(values):
            begun.observe(n + 1, value)
        return begun.state["reductions"]

    assert reductions([3, 2, 1], patience=0) == 0
    assert reductions([1, 1], patience=0) == 1
    assert reductions([1, 1, 1, 1, 1], patience=1) == 2
    assert reductions([1, 1.5, 0.5, 0.7], patience=1) == 0
    assert reductions([1, 0.95], patience=0, threshold=0.1) == 1
    assert reductions([1, 0.85], patience=0, threshold=0.1) == 0
    # Also below 0, where (1 − threshold)·best is above the best.
    assert reductions([-1, -1], patience=0, threshold=0.1) == 1
    assert reductions([-1, -1.2], patience=0, threshold=0.1) == 0
    assert reductions([0.5, 0.6, 0.7], patience=0, mode="max") == 0
    assert reductions([0.5, 0.4], patience=0, mode="max") == 1
    # What is not finite is never better, and nothing is compared with it.
    assert reductions([np.nan, np.inf, -np.inf], patience=0) == 3
    assert reductions([np.nan, 1, 0.5], patience=1) == 0
    begun = schedules.Plateau(0.5, 0, min_rate=0.03).begin(1, 100)
    for n in range(10):
        begun.observe(n + 1, 1.0)
    assert begun.rates(0.1, 10, 1) == [0.03]
    assert begun.rates(0.01, 10, 1) == [0.01]


def test_rates_that_would_be_0_or_infinite():
    assert (schedules.Exponential(0.5, per="step").begin(1, 3000).rates(0.1, 2000, 1000) == LEAST).all()
    assert schedules.Lambda(lambda n: 0).begin(1, 1).rates(0.1, 0, 1) == [LEAST]
    with pytest.raises(
        ValueError, match="Exponential.rates: the rate of step 1024 is inf, wanted a finite number"
    ):
        schedules.Exponential(2.0, per="step").begin(1, 3000).rates(1.0, 0, 3000)
    bp.SGD(LEAST)


def test_long_runs():
    n = 2**61
    cosine = schedules.Cosine(3, n).begin(1, n)
    assert cosine.rates(1.0, 0, 4)[[0, 3]].tolist() == [1, 1]
    assert 0 < cosine.rates(1.0, n - 1, 1)[0] <= 1
    assert 0 < schedules.Cosine().begin(1, n).rates(1.0, n - 1, 1)[0] < 1e-30
    assert 0 < schedules.Cosine(1, 1).begin(1, n).rates(1.0, n - 1, 1)[0] == 1


@pytest.mark.parametrize(
    ("steps", "start"), [(1, 0.3), (2, 0.5), (10, 0.1), (3, 0.0), (3, 1.0), (100, 0.999)]
)
@pytest.mark.parametrize("anneal", ["cosine", "linear"])
def test_one_cycle_at_its_edges(steps, start, anneal):
    rates = schedules.OneCycle(1.0, start, 10, 100, anneal).begin(1, steps).rates(7.0, 0, steps)
    peak = int(rates.argmax())
    assert rates.max() <= 1
    assert (np.diff(rates[: peak + 1]) > 0).all()
    assert (np.diff(rates[peak:]) < 0).all()
    assert rates[-1] == (1.0 if start == 1 else 0.1 / 100)


def test_names():
    for kind, one in SCHEDULES.items():
        if kind != "lambda":
            assert schedules.schedule_of(kind.upper()) == one()
    schedule = schedules.Cosine()
    assert schedules.schedule_of(schedule) is schedule
    assert schedules.schedule_of(slower) == schedules.Lambda(slower)


begun = schedules.Plateau().begin(6, 63)
WRONG = {
    "a name": (lambda: schedules.schedule_of("cosin"), ValueError, "schedule is 'cosin', .* mean 'cosine'"),
    "a name of others": (lambda: schedules.schedule_of("linear", "fit"), ValueError, "^fit: .*; a function of the"),
    "lambda by name": (lambda: schedules.schedule_of("lambda"), ValueError, "a function of the step does that"),
    "no kind": (lambda: schedules.schedule_of({}), ValueError, "schedule is None"),
    "a class": (lambda: schedules.schedule_of(schedules.Cosine), TypeError, r"such as Cosine\(\)"),
    "a number": (lambda: schedules.schedule_of(3), TypeError, "schedule is 3, wanted a schedule"),
    "a keyword": (lambda: schedules.Cosine(T_max=3), TypeError, "'T_max'; it takes period"),
    "steps": (lambda: schedules.StepDecay(0), ValueError, "step_size is 0, wanted a whole number of at least 1"),
    "half a step": (lambda: schedules.Warmup(0.5), ValueError, "length is 0.5"),
    "True": (lambda: schedules.Cosine(True), ValueError, "period is True"),
    "gamma": (lambda: schedules.Exponential(-1), ValueError, "gamma is -1"),
    "unit": (lambda: schedules.Cosine(per="epochs"), ValueError, "per is 'epochs', wanted .*mean 'epoch'"),
    "start": (lambda: schedules.Warmup(5, start=1.5), ValueError, "start is 1.5, wanted a number from 0 to 1"),
    "then": (lambda: schedules.Warmup(5, 3), TypeError, "^Warmup: then: schedule is 3"),
    "mode": (lambda: schedules.Plateau(mode="low"), ValueError, "mode is 'low', wanted 'min' or 'max'"),
    "factor": (lambda: schedules.Plateau(1.0), ValueError, "factor is 1.0, wanted a number above 0 and below 1"),
    "no function": (lambda: schedules.Lambda(3), TypeError, "function is 3, wanted a function"),
    "a class for a function": (lambda: schedules.Lambda(float), TypeError, "function is the class float"),
    "a factor": (
        lambda: schedules.Lambda(lambda n: 1 - n).begin(1, 9).rates(0.1, 0, 9),
        ValueError,
        r"Lambda: function\(2\) is -1",
    ),
    "assigned": (lambda: setattr(schedules.Cosine(), "minimum", 2), ValueError, "minimum is 2"),
    "another name": (lambda: setattr(schedules.Cosine(), "minimun", 0), AttributeError, "mean 'minimum'"),
    "PyTorch's name": (lambda: schedules.Cosine().get_last_lr, AttributeError, r"rates\(base, first, count\)"),
    "not begun": (lambda: schedules.Cosine().rates(0.1, 0, 1), RuntimeError, "Cosine.rates: no run has begun"),
    "not begun to observe": (lambda: schedules.Plateau().observe(1, 0.5), RuntimeError, "no run has begun"),
    "not begun to go on": (lambda: setattr(schedules.Plateau(), "state", {}), RuntimeError, "no run has begun"),
    "beyond": (lambda: begun.rates(0.1, 60, 4), ValueError, "first is 60, count is 4, wanted .* which has 63"),
    "before": (lambda: begun.rates(0.1, -1, 4), ValueError, "first is -1"),
    "base": (lambda: begun.rates(0.0, 0, 4), ValueError, "base is 0.0"),
    "no steps": (lambda: schedules.Cosine().begin(3, 0), ValueError, "Cosine.begin: steps is 0"),
    "no steps an epoch": (lambda: schedules.Cosine().begin(0, 3), ValueError, "steps_an_epoch is 0"),
    "no state": (lambda: setattr(begun, "state", [1]), TypeError, "state is a list, wanted a dict"),
    "too little": (lambda: setattr(begun, "state", {"best": 1.0}), ValueError, "state has best, wanted waited, red"),
    "too much": (
        lambda: setattr(schedules.Cosine().begin(1, 1), "state", {"best": 1.0}),
        ValueError,
        "Cosine: state has best, wanted nothing",
    ),
    "half": (
        lambda: setattr(begun, "state", {"waited": 0.5, "reductions": 1}),
        ValueError,
        r"state\['waited'\] is 0.5",
    ),
    "a pickle": (
        lambda: schedules.Cosine().__setstate__({"minimum": -1}),
        ValueError,
        "minimum is -1",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_what_is_refused(name):
    call, error, message = WRONG[name]
    with pytest.raises(error, match=message):
        call()
    assert begun.state == {"waited": 0, "reductions": 0}


def test_a_class_of_ones_own():
    class Halved(schedules.Cosine):
        """Without a kind of its own it is not registered, and may have attributes."""

        def _at(self, base, n):
            self.asked = n
            return super()._at(base, n) / 2

    begun = Halved().begin(1, 4)
    assert (begun.rates(1.0, 0, 4) == schedules.Cosine().begin(1, 4).rates(1.0, 0, 4) / 2).all()
    assert begun.asked.tolist() == [0, 1, 2, 3]
    assert schedules.schedule_of("cosine") == schedules.Cosine()
    with pytest.raises(TypeError, match="unhashable"):
        hash(begun)
