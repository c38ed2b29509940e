"""The book's loop of training, which chapter 6 runs its experiments with."""

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike

import backprop.optimizers.rules  # noqa: F401  # so that they are registered
from backprop._util.names import named_arguments
from backprop._util.settings import switch
from backprop.book.arguments import checked_pair, whole
from backprop.optimizers.base import RULES, chosen_optimizer


class TrainedByBook(Protocol):
    """What a trainer asks of a network: the book's own class has it too."""

    params: Any

    def gradient(self, x: Any, t: Any) -> Mapping[str, Any]:
        """Gradients of the parameters."""

    def loss(self, x: Any, t: Any) -> float:
        """Mean loss of a batch."""

    def accuracy(self, x: Any, t: Any) -> float:
        """Share of samples that are classified correctly."""


class Trainer:
    """Train a network on mini-batches that are drawn with replacement, and record losses and accuracies.

    Batches are drawn by `np.random.choice` from the global state, as in the book: after the same `np.random.seed` they
    are the book's. `net.fit` trains faster and says more.

    Parameters
    ----------
    network : MultiLayerNet, MultiLayerNetExtend, TwoLayerNet or a class of your own
        With `params`, `gradient(x, t)`, `loss(x, t)` and `accuracy(x, t)`.
    x_train, t_train : array of N rows
    x_test, t_test : array of M rows
    epochs : int, default 20
    mini_batch_size : int, default 100
    optimizer : str, default "SGD"
        "sgd", "momentum", "nesterov", "adagrad", "rmsprop", "adam", or the name of another rule; case does not matter.
    optimizer_param : mapping, optional
        The optimizer's arguments, by default `{'lr': 0.01}`. Adam's are `betas`, not `beta1` and `beta2`, those of
        RMSprop `alpha`, not `decay_rate`.
    evaluate_sample_num_per_epoch : int, optional
        Take accuracies of so many samples, the first ones, and not of all.
    verbose : bool, default True
        Print the loss of every step, the accuracies of every epoch and the last one on the test data. The book prints,
        and its scripts rely on it, so this does too unless it is told not to.

    Attributes
    ----------
    train_loss_list : list of float
        The loss of each step's batch, taken after the step, without training, as in the book.
    train_acc_list, test_acc_list : list of float
        Accuracies after the first step of each epoch, as in the book.
    network, optimizer
    x_train, t_train, x_test, t_test : ndarray
    epochs, batch_size, train_size, iter_per_epoch, max_iter, current_iter, current_epoch : int
        An epoch has `iter_per_epoch = max(N // mini_batch_size, 1)` steps. In the book that is the quotient itself:
        where it is no whole number, hardly any accuracy is recorded there.

    Examples
    --------
    >>> from backprop.book import MultiLayerNet, Trainer
    >>> train, test = bp.load_digits()
    >>> np.random.seed(0)
    >>> network = MultiLayerNet(64, [50], 10)
    >>> trainer = Trainer(network, *train, *test, epochs=10, optimizer_param={"lr": 0.1}, verbose=False)
    >>> trainer.train()
    >>> len(trainer.train_loss_list), len(trainer.test_acc_list), trainer.test_acc_list[-1] > 0.8
    (140, 10, True)
    """

    @named_arguments
    def __init__(
        self,
        network: TrainedByBook,
        x_train: ArrayLike,
        t_train: ArrayLike,
        x_test: ArrayLike,
        t_test: ArrayLike,
        epochs: int = 20,
        mini_batch_size: int = 100,
        optimizer: str = "SGD",
        optimizer_param: Mapping[str, Any] | None = None,
        evaluate_sample_num_per_epoch: int | None = None,
        verbose: bool = True,
    ) -> None:
        lacking = [name for name in ("params", "gradient", "loss", "accuracy") if not hasattr(network, name)]
        if isinstance(network, type) or lacking:
            what = (
                f"the class {network.__name__}"
                if isinstance(network, type)
                else f"a {type(network).__name__}"
            )
            raise TypeError(
                f"Trainer: network is {what}, wanted an object with params, gradient, loss and accuracy"
            )
        self.network = network
        self.x_train, self.t_train = checked_pair("Trainer", ("x_train", "t_train"), x_train, t_train)
        self.x_test, self.t_test = checked_pair("Trainer", ("x_test", "t_test"), x_test, t_test)
        self.epochs = whole("Trainer", "epochs", epochs)
        self.batch_size = whole("Trainer", "mini_batch_size", mini_batch_size)
        self.optimizer = made_optimizer(optimizer, optimizer_param)
        self.evaluate_sample_num_per_epoch = (
            None
            if evaluate_sample_num_per_epoch is None
            else whole("Trainer", "evaluate_sample_num_per_epoch", evaluate_sample_num_per_epoch)
        )
        self.verbose = switch("Trainer", "verbose", verbose)
        self.train_size = len(self.x_train)
        self.iter_per_epoch = max(self.train_size // self.batch_size, 1)
        self.max_iter = self.epochs * self.iter_per_epoch
        self.current_iter = self.current_epoch = 0
        self.train_loss_list: list[float] = []
        self.train_acc_list: list[float] = []
        self.test_acc_list: list[float] = []

    def train_step(self) -> None:
        """One step on a batch; accuracies where an epoch begins."""
        batch = np.random.choice(self.train_size, self.batch_size)
        x, t = self.x_train[batch], self.t_train[batch]
        self.optimizer.update(self.network.params, self.network.gradient(x, t))
        loss = float(self.network.loss(x, t))
        self.train_loss_list.append(loss)
        self._say(f"train loss: {loss}")
        if self.current_iter % self.iter_per_epoch == 0:
            self._evaluate()
        self.current_iter += 1

    def _evaluate(self) -> None:
        """Record the accuracies of an epoch."""
        count = self.evaluate_sample_num_per_epoch
        train, test = (
            float(self.network.accuracy(x[:count], t[:count]))
            for x, t in ((self.x_train, self.t_train), (self.x_test, self.t_test))
        )
        self.current_epoch += 1
        self.train_acc_list.append(train)
        self.test_acc_list.append(test)
        self._say(f"epoch {self.current_epoch}: train accuracy {train}, test accuracy {test}")

    def train(self) -> None:
        """Take the steps of all epochs; called again, it takes as many more."""
        for _ in range(self.max_iter):
            self.train_step()
        if self.verbose:
            self._say(f"final test accuracy: {self.network.accuracy(self.x_test, self.t_test)}")

    def _say(self, text: str) -> None:
        if self.verbose:
            print(text)


def made_optimizer(name: Any, arguments: Any) -> Any:
    """The optimizer of a name, with these arguments."""
    if not isinstance(name, str):
        raise TypeError(
            f"Trainer: optimizer is {name!r}, wanted a name such as 'sgd'; optimizer_param has its arguments"
        )
    chosen_optimizer("Trainer", name)  # which knows the names
    if arguments is None:
        arguments = {"lr": 0.01}
    if not isinstance(arguments, Mapping):
        raise TypeError(f"Trainer: optimizer_param is {arguments!r}, wanted a mapping such as {{'lr': 0.01}}")
    return RULES[name.lower()](**arguments)
