"""The book's trainer beside its loop written out."""

import numpy as np
import pytest

import backprop as bp
from backprop.book import MultiLayerNet, MultiLayerNetExtend, Trainer


def data(rows=30):
    rng = np.random.default_rng(0)
    return (
        rng.normal(size=(rows, 6)),
        rng.integers(0, 4, rows),
        rng.normal(size=(9, 6)),
        rng.integers(0, 4, 9),
    )


def made(kind=MultiLayerNet, **options):
    np.random.seed(0)
    return kind(6, [5], 4, **options)


@pytest.mark.parametrize("extended", [{}, {"use_dropout": True, "use_batchnorm": True}])
def test_a_training_is_the_books_loop(extended, capsys):
    kind = MultiLayerNetExtend if extended else MultiLayerNet
    given = data()
    trainer = Trainer(
        made(kind, **extended),
        *given,
        epochs=4,
        mini_batch_size=10,
        optimizer="Adam",
        optimizer_param={"lr": 0.1},
    )
    trainer.train()
    net, optimizer = made(kind, **extended), bp.Adam(0.1)
    x, t, x_test, t_test = given
    losses, train, test = [], [], []
    for step in range(12):
        rows = np.random.choice(30, 10)
        optimizer.update(net.params, net.gradient(x[rows], t[rows]))
        losses.append(net.loss(x[rows], t[rows]))
        if step % 3 == 0:
            train.append(net.accuracy(x, t))
            test.append(net.accuracy(x_test, t_test))
    assert trainer.train_loss_list == losses
    assert (trainer.train_acc_list, trainer.test_acc_list) == (train, test)
    assert (trainer.current_iter, trainer.current_epoch, trainer.max_iter) == (12, 4, 12)
    said = capsys.readouterr().out.splitlines()
    wanted = [f"train loss: {loss}" for loss in losses]
    for epoch in (4, 3, 2, 1):
        accuracies = f"train accuracy {train[epoch - 1]}, test accuracy {test[epoch - 1]}"
        wanted.insert(3 * epoch - 2, f"epoch {epoch}: {accuracies}")
    assert said == [*wanted, f"final test accuracy: {net.accuracy(x_test, t_test)}"]
    trainer.train()
    assert len(trainer.train_loss_list) == 24
    assert len(trainer.test_acc_list) == 8


def test_it_is_quiet_where_it_is_told_to_be_and_looks_at_as_many_samples(capsys):
    class Counting(MultiLayerNet):
        def accuracy(self, x, t):
            seen.append(len(x))
            return super().accuracy(x, t)

    seen = []
    trainer = Trainer(made(Counting), *data(), epochs=2, evaluate_sample_num_per_epoch=7, verbose=False)
    trainer.train()
    # A batch of 100 of 30 samples: one step an epoch.
    assert (trainer.iter_per_epoch, seen) == (1, [7, 7, 7, 7])
    assert (trainer.optimizer.lr, type(trainer.optimizer)) == (0.01, bp.SGD)
    assert capsys.readouterr().out == ""


def test_an_epoch_is_of_whole_steps():
    trainer = Trainer(made(), *data(25), epochs=3, mini_batch_size=10, verbose=False)
    trainer.train()
    assert (trainer.iter_per_epoch, trainer.max_iter, len(trainer.test_acc_list)) == (2, 6, 3)


@pytest.mark.parametrize(
    ("name", "arguments", "kind"),
    [
        ("SGD", {"lr": 0.1}, bp.SGD),
        ("momentum", {"lr": 0.1, "momentum": 0.8}, bp.SGD),
        ("Nesterov", {}, bp.SGD),
        ("AdaGrad", {"lr": 0.1}, bp.Adagrad),
        ("RMSprop", {"lr": 0.1}, bp.RMSprop),
        ("adam", {"lr": 0.1, "betas": (0.8, 0.9)}, bp.Adam),
    ],
)
def test_optimizers_by_the_books_names(name, arguments, kind):
    optimizer = Trainer(made(), *data(), optimizer=name, optimizer_param=arguments).optimizer
    assert type(optimizer) is kind
    assert all(getattr(optimizer, key) == value for key, value in arguments.items())


class Own:
    """A network of one's own: what a trainer asks for, and no more."""

    def __init__(self):
        self.params = {"W": np.zeros(2)}

    def gradient(self, x, t):
        return {"W": np.ones(2)}

    def loss(self, x, t):
        return self.params["W"].sum()

    def accuracy(self, x, t):
        return 0.5


def test_a_network_of_ones_own():
    trainer = Trainer(Own(), *data(), epochs=2, optimizer_param={"lr": 0.25}, verbose=False)
    trainer.train()
    assert trainer.train_loss_list == [-0.5, -1.0]


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        (
            {"network": object()},
            TypeError,
            "network is a object, wanted an object with params, gradient, loss",
        ),
        ({"network": Own}, TypeError, "network is the class Own, wanted an object"),
        (
            {"t_train": np.zeros(29, int)},
            ValueError,
            r"x_train has shape \(30, 6\), t_train has \(29,\), wanted as many",
        ),
        (
            {"x_test": np.zeros((0, 6)), "t_test": np.zeros(0, int)},
            ValueError,
            r"x_test has shape \(0, 6\), t_test",
        ),
        ({"epochs": 0}, ValueError, "epochs is 0, wanted a whole number of at least 1"),
        ({"mini_batch_size": 2.5}, ValueError, "mini_batch_size is 2.5, wanted a whole number"),
        ({"evaluate_sample_num_per_epoch": 0}, ValueError, "evaluate_sample_num_per_epoch is 0, wanted"),
        ({"optimizer": "adma"}, ValueError, "optimizer is 'adma', wanted .*; did you mean 'adam'"),
        ({"optimizer": bp.SGD(0.1)}, TypeError, r"optimizer is SGD\(lr=0.1\), wanted a name such as 'sgd'"),
        ({"optimizer_param": 0.1}, TypeError, "optimizer_param is 0.1, wanted a mapping"),
        ({"verbose": 2}, ValueError, "verbose is 2, wanted True or False"),
    ],
    ids=range(11),
)
def test_what_a_trainer_refuses(change, error, words):
    names = ("x_train", "t_train", "x_test", "t_test")
    given = {"network": made(), **dict(zip(names, data(), strict=True)), **change}
    with pytest.raises(error, match=f"^Trainer: {words}"):
        Trainer(**given)


def test_an_argument_that_an_optimizer_does_not_have():
    with pytest.raises(TypeError, match=r"Adam\(\) got an unexpected keyword argument 'beta1'.*betas"):
        Trainer(made(), *data(), optimizer="adam", optimizer_param={"beta1": 0.8})
    with pytest.raises(TypeError, match="did you mean 'mini_batch_size'"):
        Trainer(made(), *data(), mini_batchsize=3)
