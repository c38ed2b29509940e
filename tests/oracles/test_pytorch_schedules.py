"""Learning-rate schedules beside `torch.optim.lr_scheduler`, within 1e-12 of each rate."""

import numpy as np
import pytest

from backprop import schedules

torch = pytest.importorskip("torch")
rules = torch.optim.lr_scheduler

BASE, STEPS = 0.3, 120
CASES = {
    "step": (schedules.StepDecay(7, 0.3, per="step"), lambda o: rules.StepLR(o, 7, 0.3)),
    "exponential": (schedules.Exponential(0.93, per="step"), lambda o: rules.ExponentialLR(o, 0.93)),
    "growing": (schedules.Exponential(1.07, per="step"), lambda o: rules.ExponentialLR(o, 1.07)),
    "lambda": (schedules.Lambda(lambda n: 1 / (1 + n)), lambda o: rules.LambdaLR(o, lambda n: 1 / (1 + n))),
    "cosine": (schedules.Cosine(), lambda o: rules.CosineAnnealingLR(o, STEPS)),
    "cosine to a minimum": (
        schedules.Cosine(minimum=0.1),
        lambda o: rules.CosineAnnealingLR(o, STEPS, 0.1 * BASE),
    ),
    "restarts": (schedules.Cosine(13), lambda o: rules.CosineAnnealingWarmRestarts(o, 13)),
    "longer restarts": (
        schedules.Cosine(5, 3, 0.01),
        lambda o: rules.CosineAnnealingWarmRestarts(o, 5, 3, 0.01 * BASE),
    ),
    "warmup": (schedules.Warmup(9, start=0.25), lambda o: rules.LinearLR(o, 0.25, 1.0, 9)),
    "warmup, then steps": (
        schedules.Warmup(9, schedules.StepDecay(20, 0.5, per="step"), 0.01),
        lambda o: rules.SequentialLR(o, [rules.LinearLR(o, 0.01, 1.0, 9), rules.StepLR(o, 20, 0.5)], [9]),
    ),
    "warmup, then cosine": (
        schedules.Warmup(20, schedules.Cosine(minimum=0.01), 0.1),
        lambda o: rules.SequentialLR(
            o,
            [rules.LinearLR(o, 0.1, 1.0, 20), rules.CosineAnnealingLR(o, STEPS - 20, 0.01 * BASE)],
            [20],
        ),
    ),
    # Where the last factor is larger, PyTorch's own last rates have a part of 1e-12 and more of rounding.
    "one cycle": (
        schedules.OneCycle(0.7, final_div_factor=10),
        lambda o: rules.OneCycleLR(o, 0.7, STEPS, final_div_factor=10, cycle_momentum=False),
    ),
    "one linear cycle": (
        schedules.OneCycle(0.7, 0.45, 4, 10, "linear"),
        lambda o: rules.OneCycleLR(o, 0.7, STEPS, None, None, 0.45, "linear", False, 0.85, 0.95, 4, 10),
    ),
    "one cycle of nothing but a fall": (
        schedules.OneCycle(0.7, 0.0, final_div_factor=10),
        lambda o: rules.OneCycleLR(o, 0.7, STEPS, pct_start=0.0, final_div_factor=10, cycle_momentum=False),
    ),
}


def an_optimizer():
    return torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], BASE)


def rates_there(optimizer, scheduler, values=None):
    """The rate of every step, the scheduler moved on between them."""
    rates = []
    for n in range(STEPS):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        if n < STEPS - 1:
            scheduler.step(*(() if values is None else (values[n],)))
    return np.array(rates, dtype=np.float64)


@pytest.mark.filterwarnings("ignore:The epoch parameter in `scheduler.step")  # by SequentialLR itself
@pytest.mark.parametrize("name", CASES)
def test_rates(name):
    schedule, make = CASES[name]
    optimizer = an_optimizer()
    theirs = rates_there(optimizer, make(optimizer))
    ours = schedule.begin(1, STEPS).rates(BASE, 0, STEPS)
    assert (np.abs(ours - theirs) <= 1e-12 * theirs).all()
    # An epoch has the rate of its number.
    if "per" in schedule.settings and "warmup" not in name:
        schedule.per = "epoch"
        assert (
            schedule.begin(3, 3 * STEPS).rates(BASE, 0, 3 * STEPS).tobytes() == np.repeat(ours, 3).tobytes()
        )


@pytest.mark.parametrize("mode", ["min", "max"])
@pytest.mark.parametrize("patience", [0, 2, 5])
@pytest.mark.parametrize("threshold", [0.0, 1e-4, 0.1])
def test_plateau(mode, patience, threshold):
    rng = np.random.default_rng(patience)
    values = np.abs(rng.normal(size=STEPS)) + np.linspace(2, 0.5, STEPS)
    values = 3 / values if mode == "max" else values
    values[[20, 21, 50]] = np.nan
    optimizer = an_optimizer()
    settings = dict(factor=0.6, patience=patience, threshold=threshold, mode=mode)
    scheduler = rules.ReduceLROnPlateau(optimizer, eps=0, min_lr=0.01, **settings)
    theirs = rates_there(optimizer, scheduler, values)
    begun = schedules.Plateau(min_rate=0.01, **settings).begin(1, STEPS)
    ours = []
    for n in range(STEPS):
        ours += begun.rates(BASE, n, 1).tolist()
        begun.observe(n + 1, values[n])
    assert (np.abs(ours - theirs) <= 1e-12 * theirs).all()
    assert len(set(ours)) > 2
