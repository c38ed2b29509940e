"""The time to 97 % (784-50-10, SGD) and to 98 % (784-512-256-10, Adam) on MNIST, ours and the peers'.

Everybody begins with the same weights and has the same settings; the order of the samples is each one's own. What
counts is the first end of an epoch at or above the threshold, the test of the 10,000 images after each epoch with it.
The first epoch of a process, which compiles, is told apart.
"""

import time
from collections.abc import Callable, Iterator

import numpy as np

import backprop as bp
from bench.convergence import Epochs, Task, Weights
from bench.data import mnist_or_digits
from bench.results import Result

THREADED = True
TABLE = [([784, 50, 10], 100, "sgd", 0.1, 0.97), ([784, 512, 256, 10], 128, "adam", 0.001, 0.98)]
MOST = 60


def weights_of(sizes: list[int], seed: int) -> Weights:
    params = bp.Network(sizes, seed=seed).params
    return [(params[f"W{n}"].copy(), params[f"b{n}"].copy()) for n in range(1, len(sizes))]


def ours(task: Task, threads: int) -> Epochs:
    state: dict[str, object] = {}

    def begin(weights: Weights, seed: int) -> None:
        net = bp.Network(task.sizes)
        for n, (W, b) in enumerate(weights, start=1):
            net.params[f"W{n}"][...], net.params[f"b{n}"][...] = W, b
        rule = bp.SGD(task.lr) if task.rule == "sgd" else bp.Adam(task.lr)
        state.update(net=net, first=dict(batch_size=task.batch, optimizer=rule, seed=seed))

    def train() -> None:
        given = state.pop("first", None) or dict(continue_from=state["net"].history)
        state["net"].fit(task.x, task.t, epochs=1, **given)

    return Epochs(begin, train, lambda: state["net"].accuracy(task.x_test, task.t_test))


def pytorch(task: Task, threads: int) -> Epochs:
    import torch

    torch.set_num_threads(threads)
    x, t, x_test, t_test = (torch.from_numpy(one) for one in (task.x, task.t, task.x_test, task.t_test))
    state: dict[str, object] = {}

    def begin(weights: Weights, seed: int) -> None:
        torch.manual_seed(seed)
        layers: list[torch.nn.Module] = []
        for W, b in weights:
            linear = torch.nn.Linear(*W.shape)
            with torch.no_grad():
                linear.weight.copy_(torch.from_numpy(W.T))
                linear.bias.copy_(torch.from_numpy(b))
            layers += [linear, torch.nn.ReLU()]
        model = torch.nn.Sequential(*layers[:-1])
        rule = torch.optim.SGD if task.rule == "sgd" else torch.optim.Adam
        state.update(model=model, rule=rule(model.parameters(), task.lr))

    def train() -> None:
        model, rule = state["model"], state["rule"]
        for batch in torch.randperm(len(x)).split(task.batch):
            rule.zero_grad()
            torch.nn.functional.cross_entropy(model(x[batch]), t[batch]).backward()
            rule.step()

    def accuracy() -> float:
        with torch.no_grad():
            return float((state["model"](x_test).argmax(1) == t_test).float().mean())

    return Epochs(begin, train, accuracy)


def scikit_learn(task: Task, threads: int) -> Epochs:
    from bench.peers.sklearn_ import classifier

    state: dict[str, object] = {}

    def begin(weights: Weights, seed: int) -> None:
        state["model"] = classifier(weights, task.rule, task.lr, task.batch)
        state["model"].set_params(random_state=seed)

    return Epochs(
        begin,
        lambda: state["model"].partial_fit(task.x, task.t),
        lambda: float((state["model"].predict(task.x_test) == task.t_test).mean()),
    )


def keras(task: Task, threads: int) -> Epochs:
    from bench.peers.keras_ import epochs

    return epochs(task, threads)


CONTENDERS: dict[str, Callable[[Task, int], Epochs]] = {
    "backprop": ours,
    "PyTorch": pytorch,
    "scikit-learn": scikit_learn,
    "Keras on JAX": keras,
}


def run(quick: bool, threads: int) -> Iterator[Result]:
    """Let all contenders take turns, a seed each."""
    name, train, test = mnist_or_digits()
    for sizes, batch, rule, lr, threshold in TABLE:
        reached = threshold if not quick else 0.5
        data = (
            np.ascontiguousarray(one[: 2000 if quick else None]) for part in (train, test) for one in part
        )
        task = Task(sizes, batch, rule, lr, reached, *data, weights_of(sizes, 0))
        what = f"{name}, {'-'.join(map(str, sizes))}, {rule}, {reached:.0%}"
        yield from of_task(task, what, range(1 if quick else 5), threads, quick)


def epochs_to(threshold: float, one: Epochs) -> int:
    """Train until an epoch ends at or above the accuracy; returns how many it took."""
    for count in range(1, MOST + 1):
        one.train()
        if one.accuracy() >= threshold:
            return count
    return MOST


def of_task(task: Task, what: str, seeds: range, threads: int, quick: bool) -> Iterator[Result]:
    contenders, seconds, epochs = {}, {}, {}
    for name, make in CONTENDERS.items():
        try:
            started = time.perf_counter()
            one = make(task, threads)
            one.begin(task.weights, 0)
            one.train()
            one.accuracy()
        except ImportError:
            continue
        first = time.perf_counter() - started
        contenders[name], seconds[name], epochs[name] = one, [], []
        yield Result("time_to_acc", f"{what}: {name}, the first epoch of the process", first, "s")
    for seed in seeds:
        weights = weights_of(task.sizes, seed)
        for name, one in contenders.items():
            one.begin(weights, seed)
            started = time.perf_counter()
            epochs[name].append(epochs_to(task.threshold, one))
            seconds[name].append(time.perf_counter() - started)
    best = {name: float(np.median(found)) for name, found in seconds.items()}
    for name, found in seconds.items():
        label = f"{what}: {name} (epochs {' '.join(map(str, epochs[name]))})"
        yield Result("time_to_acc", label, min(found), "s", median=best[name])
    others = {name: value for name, value in best.items() if name != "backprop"}
    for name, value in others.items():
        required = ">= 1.5" if not quick and value == min(others.values()) else ""
        yield Result(
            "time_to_acc",
            f"{what}: {name} over ours, medians of {len(seeds)}",
            value / best["backprop"],
            "",
            required,
        )
