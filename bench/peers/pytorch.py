"""PyTorch: eager with fused optimizers, and compiled."""

import numpy as np
import torch
from torch import nn

from bench.peers import Predictor, Problem, Trainer


def model_of(weights: list[tuple[np.ndarray, np.ndarray]]) -> nn.Sequential:
    layers: list[nn.Module] = []
    for W, b in weights:
        linear = nn.Linear(*W.shape)
        linear.weight = nn.Parameter(torch.from_numpy(W.T.copy()))
        linear.bias = nn.Parameter(torch.from_numpy(b.copy()))
        layers += [linear, nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def trainers(problem: Problem, threads: int) -> dict[str, Trainer]:
    torch.set_num_threads(threads)
    x, t = torch.from_numpy(problem.x), torch.from_numpy(problem.t)
    indices = torch.from_numpy(problem.indices)

    def trainer(compiled: bool) -> Trainer:
        model = model_of(problem.weights)
        kind = torch.optim.SGD if problem.rule == "sgd" else torch.optim.Adam
        optimizer = kind(model.parameters(), lr=problem.lr, fused=True)

        def loss_of(x: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
            return nn.functional.cross_entropy(model(x), t)

        loss_function = torch.compile(loss_of) if compiled else loss_of

        def train() -> np.ndarray:
            losses = []
            for batch in indices:
                optimizer.zero_grad(set_to_none=True)
                loss = loss_function(x[batch], t[batch])
                loss.backward()
                optimizer.step()
                losses.append(loss.item())
            return np.array(losses)

        return train

    return {"PyTorch": trainer(False), "PyTorch compiled": trainer(True)}


def predictors(weights: list[tuple[np.ndarray, np.ndarray]], threads: int) -> dict[str, Predictor]:
    torch.set_num_threads(threads)
    model = model_of(weights).eval()

    def predict(x: np.ndarray) -> np.ndarray:
        with torch.inference_mode():
            return model(torch.from_numpy(x)).numpy()

    return {"PyTorch": predict}
