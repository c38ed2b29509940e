"""The loop of a DQN without its environment and its memory: act, targets of a batch, a step, a soft update."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import pairwise

import numpy as np

import backprop as bp
from bench.results import Result
from bench.timing import interleaved, paired_ratio

SIZES, BATCH, RATE, TAU, DISCOUNT = [16, 64, 64, 4], 32, 1e-3, 0.005, 0.99
LARGE = [784, 512, 256, 10]


class Replay:
    """What a memory would give: one observation, and a batch of transitions."""

    def __init__(self) -> None:
        rng = np.random.default_rng(0)
        self.one = rng.normal(size=(1, SIZES[0])).astype(np.float32)
        self.before, self.after = rng.normal(size=(2, BATCH, SIZES[0])).astype(np.float32)
        self.actions = rng.integers(0, SIZES[-1], BATCH)
        self.rewards = rng.normal(size=BATCH).astype(np.float32)


def run(quick: bool) -> Iterator[Result]:
    """Give PyTorch's time over ours, and the soft update's bytes a second beside a copy's."""
    replay, rounds = Replay(), 3 if quick else 31
    contenders = {"ours": ours(replay)}
    with suppress(ImportError):  # without PyTorch ours is measured alone
        contenders["PyTorch"] = pytorchs(replay)
    timings = interleaved(contenders, rounds)
    yield Result("dqn", "a step of the loop", 1e6 * timings["ours"].best, "µs")
    if "PyTorch" in timings:
        ratio = 1 / paired_ratio(timings["ours"], timings["PyTorch"])
        yield Result("dqn", "times PyTorch", ratio, "", "" if quick else ">= 15")
    net, target = (bp.Network(SIZES if quick else LARGE, seed=seed) for seed in range(2))
    flat = net.get_flat_params()
    out = np.empty_like(flat)
    timings = interleaved(
        {"blend": lambda: target.blend(net, TAU), "copy": lambda: np.copyto(out, flat)}, rounds
    )
    # Three streams against two.
    share = 1.5 / paired_ratio(timings["blend"], timings["copy"])
    yield Result("dqn", "soft update: of a copy's bandwidth", share, "", "" if quick else ">= 0.8")


def ours(replay: Replay) -> Callable[[], object]:
    """The loop with this package."""
    net, target = (bp.Network(SIZES, loss="huber", seed=0) for _ in range(2))
    adam, rows = bp.Adam(RATE), np.arange(BATCH)

    def call() -> None:
        int(net.predict(replay.one).argmax())
        best = net.predict(replay.after).argmax(axis=1)
        wanted = net.predict(replay.before)
        wanted[rows, replay.actions] = replay.rewards + DISCOUNT * target.predict(replay.after)[rows, best]
        net.train_step(replay.before, wanted, adam)
        target.blend(net, TAU)

    return call


def pytorchs(replay: Replay) -> Callable[[], object]:
    """The loop as PyTorch's tutorial writes it, with its fused optimizer."""
    import torch
    from torch import nn

    torch.set_num_threads(1)

    def network() -> nn.Sequential:
        layers: list[nn.Module] = []
        for inputs, outputs in pairwise(SIZES):
            layers += [nn.Linear(inputs, outputs), nn.ReLU()]
        return nn.Sequential(*layers[:-1])

    net, target, loss_of = network(), network(), nn.HuberLoss()
    target.load_state_dict(net.state_dict())
    adam = torch.optim.Adam(net.parameters(), lr=RATE, fused=True)
    one, before, after, rewards = map(
        torch.from_numpy, (replay.one, replay.before, replay.after, replay.rewards)
    )
    actions = torch.from_numpy(replay.actions)[:, None]
    theirs, own = list(target.parameters()), list(net.parameters())

    def call() -> None:
        with torch.no_grad():
            int(net(one).argmax())
            best = net(after).argmax(1, keepdim=True)
            wanted = rewards + DISCOUNT * target(after).gather(1, best)[:, 0]
        loss = loss_of(net(before).gather(1, actions)[:, 0], wanted)
        adam.zero_grad(set_to_none=True)
        loss.backward()
        adam.step()
        with torch.no_grad():
            torch._foreach_lerp_(theirs, own, TAU)

    return call
