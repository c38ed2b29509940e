"""What users of PyTorch, Keras, scikit-learn and the book type first is answered by what to type here."""

import inspect

import numpy as np
import pytest

import backprop as bp
from backprop import data, graph, plots

NET = bp.Network([2, 3, 2], seed=0)
X, T = np.zeros((4, 2)), np.zeros(4, int)
LAYER = bp.Affine(np.ones((2, 2)), np.ones(2))
HISTORY = bp.History()


@pytest.mark.parametrize(
    ("of", "name", "words"),
    [
        (bp, "F", "all names are in one module"),
        (bp, "losses", "all names are in one module"),
        (bp, "utils", "all names are in one module"),
        (bp, "metrics", "net.accuracy"),
        (bp, "to_categorical", "labels are taken as they are"),
        (bp, "Convolution", "dense networks"),
        (bp, "Pooling", "dense networks"),
        (bp, "sum_squares_error", "did you mean|it is"),
        (bp, "sum_squared_error", "it is IdentityWithLoss"),
        (bp, "gradient_check", "it is check_gradients"),
        (bp, "gradient", "net.gradient"),
        (bp, "grad", "net.gradient"),
        (bp, "train", "it is net.fit"),
        (bp, "random", "np.random"),
        (bp, "MAE", "it is AbsoluteError"),
        (bp, "summary", r"net.summary\(\)"),
        (bp, "device", "CPU alone"),
        (bp, "Layer", "any class with forward and backward"),
        (bp, "plot", "plots has learning_curve"),
        (bp, "PReLU", "there is none; it has Relu"),
        (bp, "Radam", "there is none; it has Adam, "),
        (bp, "Plots", "did you mean 'plots'"),
        (NET, "count_params", "array.size for array"),
        (NET, "set_params", "net.params = mapping"),
        (NET, "n_iter_", r"len\(net.history.loss\)"),
        (NET, "Layers", "did you mean 'layers'"),
        (NET, "standardized", "Network.standardised"),
        (HISTORY, "history", "history.loss"),
        (HISTORY, "val_loss", "history.validation_loss"),
        (HISTORY, "accuracy", "history.train_accuracy"),
        (bp.Adam(), "step", r"optimizer.update\(net.params"),
        (bp.Adam(), "zero_grad", "not needed"),
        (bp.SGD(), "param_groups", "optimizer.lr"),
        (bp.SGD(), "learning_rate", "it is lr"),
        (LAYER, "weight", "Affine has W"),
        (LAYER, "bias", "Affine has b"),
        (bp.Add(), "grad", "backward returns that of the input"),
        (plots, "plot_history", "it is learning_curve"),
        (plots, "confusion_matrices", "did you mean 'confusion_matrix'"),
        (graph, "Variable", "did you mean 'variable'"),
        (graph, "Tensor", "it is variable"),
        (data, "read_csv", "it is read_table"),
        (data, "load_digit", "did you mean 'load_digits'"),
    ],
)  # fmt: skip
def test_a_name(of, name, words):
    with pytest.raises(AttributeError, match=f"has no attribute '{name}'; .*{words}"):
        getattr(of, name)


@pytest.mark.parametrize("of", [bp, NET, HISTORY, LAYER, bp.Adam(), plots, graph, data])
@pytest.mark.parametrize("name", ["_private", "__wrapped__", "nothing_like_it"])
def test_a_name_that_says_nothing(of, name):
    with pytest.raises(AttributeError, match=f"no attribute '{name}'$"):
        getattr(of, name)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: NET.fit(X, T, criterion="mse"), r"'criterion'; Network takes it: .*loss='softmax'"),
        (lambda: NET.fit(X, T, loss="mse"), "Network takes it"),
        (lambda: NET.fit(X, T, steps_per_epoch=3), "iterations= counts steps"),
        (lambda: NET.fit(X, T, n_iter=3), "did you mean 'epochs'"),
        (lambda: NET.fit(X, T, tol=1e-4), "callbacks="),
        (lambda: NET.fit(X, T, momentum=0.9), r"SGD\(0.1, momentum=0.9\)"),
        (lambda: NET.fit(X, T, 10), r"^Network.fit\(\) takes 3 .* 4 were given; after t .* by name: epochs=, "),
        (lambda: bp.Network([2, 2], solver="adam"), r"'solver'; fit takes it"),
        (lambda: bp.Network([2, 2], max_iter=10), r"'max_iter'; fit takes it"),
        (lambda: bp.Network([2, 2], batch_size=10), "fit takes it"),
        (lambda: bp.Network([2, 2], verbose=1), "fit takes it"),
        (lambda: bp.Network([2, 2], optimizer="adam"), "fit takes it"),
        (lambda: bp.Network([2, 2], epochs=3), "fit takes it"),
        (lambda: bp.Network([2, 2], bias=False), "every affine layer has biases"),
        (lambda: bp.Network([2, 2], weight_scale=0.1), "did you mean 'weight_init'"),
        (lambda: bp.Network([2, 2], bias_init=0.1), "sets biases"),
        (lambda: bp.Network([2, 2], hidden_size_list=[3]), "did you mean 'sizes'"),
        (lambda: bp.Network([2, 2], weight_decay_lambda=0.1), "it is the optimizer's: AdamW"),
        (lambda: bp.Network([2, 2], use_dropout=True), r"dropout=0.5\)"),
        (lambda: bp.Network([2, 2], use_batchnorm=True), "insert_after.* BatchNorm"),
        (lambda: bp.BatchNorm(num_features=3), "did you mean 'features'"),
        (lambda: bp.BatchNorm(units=3), "did you mean 'features'"),
        (lambda: bp.Adam(rho=0.9), "RMSprop has it"),
        (lambda: bp.Affine(in_features=4, out_features=3), r"Affine\(W, b\)"),
        (lambda: bp.Affine(4, 3), r"W is 4, wanted a NumPy array; Network\(\[4, 3\]\)"),
        (lambda: NET.accuracy(X, y=T), "did you mean 't'"),
        (lambda: NET.save(filename="net"), "did you mean 'path'"),
    ],
)  # fmt: skip
def test_an_argument(call, words):
    with pytest.raises(TypeError, match=words):
        call()


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: bp.Network([2, 2], activation="PReLU"), "there is none; it has Relu, .* and Hardswish, and takes"),
        (lambda: bp.Network([2, 2], activation="LeakyReLU"), "did you mean 'leaky_relu'"),
        (lambda: bp.Network([2, 2], activation="swish"), "did you mean 'silu'"),
        (lambda: bp.Network([2, 2], activation="ReLU6"), r"it is an object, Hardtanh\(0, 6\)"),
        (lambda: bp.Network([2, 2], activation="logistic"), "did you mean 'sigmoid'"),
        (lambda: bp.Network([2, 2], activation="identity"), "are one layer"),
        (lambda: bp.Network([2, 2], activation="softmax"), "part of loss='softmax'"),
        (lambda: bp.Network([2, 2], loss="binary_crossentropy"), "binary_cross_entropy"),
        (lambda: bp.Network([2, 2], loss="mae"), "did you mean 'absolute_error'"),
        (lambda: bp.Network([2, 2], loss="log_loss"), "did you mean 'softmax'"),
        (lambda: NET.fit(X, T, epochs=1, optimizer="radam"), "there is none; it has Adam, "),
    ],
)  # fmt: skip
def test_a_text(call, words):
    with pytest.raises(ValueError, match=f"wanted .*; .*{words}"):
        call()


def test_more_arguments_by_place_than_are_taken_where_names_do_not_help():
    with pytest.raises(TypeError, match=r"accuracy\(\) takes 3 positional arguments but 4 were given$"):
        NET.accuracy(X, T, 3)


def test_signatures_stay():
    assert list(inspect.signature(bp.Affine).parameters) == ["W", "b"]
    assert list(inspect.signature(bp.Network.accuracy).parameters) == ["self", "x", "t"]
