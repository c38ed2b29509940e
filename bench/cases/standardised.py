"""What `Network.standardised` learns by its defaults beside scikit-learn and PyTorch with the same settings.

Numbers and classes as they are in their sources, not scaled: ours scales inputs and targets itself, scikit-learn's MLP
stands behind its StandardScaler (targets by TransformedTargetRegressor), and PyTorch's loop is given what both scale.
A hidden layer of 100, Adam, mini-batches of 32, a tenth of the training data kept for early stopping with patience 10.
"""

import copy
import math
import warnings
from collections.abc import Callable, Iterator

import numpy as np

import backprop as bp
from bench.results import Result

SPLITS, HIDDEN, BATCH, PATIENCE, EPOCHS, RATE = 10, 100, 32, 10, 200, 0.001
NUMBERS, CLASSES = (
    ("friedman1", "diabetes, raw targets", "california-like"),
    ("digits", "breast cancer", "wine"),
)
Data = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


def ours(data: Data, classes: int, seed: int) -> np.ndarray:
    x, t, x_test, _ = data
    sizes = [x.shape[1], HIDDEN, classes or 1]
    loss = {} if classes else {"loss": "squared_error"}
    net = bp.Network.standardised(x, sizes, t, seed=seed, **loss)
    net.fit(
        x,
        t,
        epochs=EPOCHS,
        batch_size=BATCH,
        optimizer="adam",
        validation_fraction=0.1,
        early_stopping=PATIENCE,
        seed=seed,
    )
    return net.predict_classes(x_test) if classes else net.predict(x_test)[:, 0]


def scikit_learn(data: Data, classes: int, seed: int) -> np.ndarray:
    from sklearn.compose import TransformedTargetRegressor
    from sklearn.neural_network import MLPClassifier, MLPRegressor
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    x, t, x_test, _ = data
    given = dict(
        hidden_layer_sizes=(HIDDEN,),
        batch_size=BATCH,
        max_iter=EPOCHS,
        early_stopping=True,
        n_iter_no_change=PATIENCE,
        tol=0,
        alpha=0,
        random_state=seed,
    )
    if classes:
        model = make_pipeline(StandardScaler(), MLPClassifier(**given))
    else:
        inner = make_pipeline(StandardScaler(), MLPRegressor(**given))
        model = TransformedTargetRegressor(inner, transformer=StandardScaler())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return model.fit(x, t).predict(x_test)


def pytorch(data: Data, classes: int, seed: int) -> np.ndarray:
    import torch

    torch.manual_seed(seed)
    x, t, x_test, _ = data
    mean, deviation = x.mean(axis=0), x.std(axis=0)
    deviation[deviation == 0] = 1
    middle, spread = (0.0, 1.0) if classes else (t.mean(), t.std())
    inputs, tests = (torch.tensor((one - mean) / deviation, dtype=torch.float32) for one in (x, x_test))
    wanted = torch.tensor(t) if classes else torch.tensor((t - middle) / spread, dtype=torch.float32)[:, None]
    order = torch.randperm(len(inputs))
    kept, used = order[: len(order) // 10], order[len(order) // 10 :]
    model = torch.nn.Sequential(
        torch.nn.Linear(x.shape[1], HIDDEN), torch.nn.ReLU(), torch.nn.Linear(HIDDEN, classes or 1)
    )
    loss_of = torch.nn.CrossEntropyLoss() if classes else torch.nn.MSELoss()
    rule, best, waited, state = torch.optim.Adam(model.parameters(), RATE), math.inf, 0, None
    for _ in range(EPOCHS):
        for batch in used[torch.randperm(len(used))].split(BATCH):
            rule.zero_grad()
            loss_of(model(inputs[batch]), wanted[batch]).backward()
            rule.step()
        with torch.no_grad():
            value = float(loss_of(model(inputs[kept]), wanted[kept]))
        if value < best:
            best, waited, state = value, 0, copy.deepcopy(model.state_dict())
        else:
            waited += 1
            if waited >= PATIENCE:
                break
    model.load_state_dict(state)
    with torch.no_grad():
        y = model(tests).numpy()
    return y.argmax(axis=1) if classes else y[:, 0] * spread + middle


CONTENDERS: dict[str, Callable[[Data, int, int], np.ndarray]] = {
    "backprop": ours,
    "scikit-learn": scikit_learn,
    "PyTorch": pytorch,
}


def run(quick: bool) -> Iterator[Result]:
    """R² or accuracy on a quarter that was kept, by pairs of splits; in standard errors, above −2 is no worse."""
    from sklearn.model_selection import train_test_split

    from bench import tabular

    for name in NUMBERS + CLASSES:
        of_classes = name in CLASSES
        source = (tabular.CLASSES if of_classes else tabular.NUMBERS)[name]
        scores: dict[str, list[float]] = {}
        for seed in range(1 if quick else SPLITS):
            x, t = source(seed)
            stratify = t if of_classes else None
            x, x_test, t, t_test = train_test_split(
                x, t, test_size=0.25, random_state=seed, stratify=stratify
            )
            data = (x, t, x_test, t_test) if not quick else (x[:200], t[:200], x_test, t_test)
            for contender, function in CONTENDERS.items():
                try:
                    y = function(data, len(np.unique(t)) if of_classes else 0, seed)
                except ImportError:
                    continue
                score = (
                    (y == t_test).mean()
                    if of_classes
                    else 1 - ((y - t_test) ** 2).sum() / ((t_test - t_test.mean()) ** 2).sum()
                )
                scores.setdefault(contender, []).append(float(score))
        for contender, found in scores.items():
            yield Result(
                "standardised",
                f"{name}, {'accuracy' if of_classes else 'R²'}: {contender}",
                float(np.mean(found)),
                "",
            )
        for contender in [one for one in scores if one != "backprop"]:
            apart = np.subtract(scores["backprop"], scores[contender])
            error = float(np.std(apart, ddof=1)) / math.sqrt(len(apart)) if len(apart) > 1 else 0.0
            value = float(apart.mean()) / error if error else 0.0
            yield Result(
                "standardised",
                f"{name}: ours above {contender}, in standard errors",
                value,
                "",
                "" if quick else ">= -2",
            )
