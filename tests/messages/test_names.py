"""A name that was mistyped is answered with the nearest that is right."""

import ast
import copy
import inspect
import pickle
import re
import subprocess
import sys

import numpy as np
import pytest

import backprop as bp
from backprop import callbacks, data, graph, plots, schedules
from backprop._util.names import did_you_mean, named_arguments
from backprop._util.other_libraries import arguments, attributes, modules
from backprop.cli import main
from backprop.layers.softmax import row_functions
from backprop.optimizers.limits import LIMITS
from backprop.training.schedules.base import SCHEDULES
from tests.registry import ACTIVATIONS, LOSSES, LOSSES_IN_PARTS, RULES

NET = bp.Network([2, 3, 2], seed=0)
X, T = np.zeros((4, 2)), np.zeros(4, int)


def test_did_you_mean():
    assert did_you_mean("epoch", ["epochs", "seed"]) == "; did you mean 'epochs'?"
    assert did_you_mean("RELU", ["relu"]) == "; did you mean 'relu'?"
    for known in (["sigmoid", "Sigmoid"], ["Sigmoid", "sigmoid"]):
        assert did_you_mean("Sigmod", known) == "; did you mean 'Sigmoid'?"
        assert did_you_mean("sigmod", known) == "; did you mean 'sigmoid'?"
    same = arguments.SAME
    assert did_you_mean("learning_rate", ["lr"], same=same) == "; did you mean 'lr'?"
    assert did_you_mean("learning_rate", ["seed"], same=same) == ""
    assert did_you_mean("learning_rates", ["learning_rate"], same=same) == "; did you mean 'learning_rate'?"
    # What is meant is not among those: no other that only looks alike.
    assert did_you_mean("criterion", ["iterations"], same=same) == ""
    assert did_you_mean("criterion", ["iterations"], instead={"loss": "ask"}, same=same) == "; ask"
    assert did_you_mean("layers", ["layers", "sizes"], same=same) == "; did you mean 'layers'?"
    # Where names are the user's own, as a table's columns, they mean what they say.
    assert did_you_mean("targets", ["t", "target"]) == "; did you mean 'target'?"
    assert did_you_mean(3, []) == ""


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: bp.Network([2, 2], activation="rleu"), ValueError, "'rleu', wanted .*; did you mean 'relu'"),
        (lambda: bp.Network([2, 2], loss="sofmax"), ValueError, "'sofmax', wanted .*; did you mean 'softmax'"),
        (lambda: bp.Network([2, 2], loss="mse"), ValueError, "did you mean 'squared_error'"),
        (lambda: bp.Sigmoidd, AttributeError, "no attribute 'Sigmoidd'; did you mean 'Sigmoid'"),
        (lambda: bp.load_minst, AttributeError, "no attribute 'load_minst'; did you mean 'load_mnist'"),
        (lambda: bp._private, AttributeError, "no attribute '_private'$"),
        (lambda: NET.layers["Afine1"], KeyError, "'Afine1' is not a layer .*: Affine1, .* mean 'Affine1'"),
        (lambda: NET.params["w1"], KeyError, "'w1' is not a parameter of this network: .* did you mean 'W1'"),
        (
            lambda: NET.fit(X, T, epoch=3),
            TypeError,
            r"^Network.fit\(\) got an unexpected keyword argument 'epoch'; did you mean 'epochs'",
        ),
        (lambda: bp.Network([2, 2], activations="relu"), TypeError, r"^Network\(\) got .* mean 'activation'"),
        (lambda: bp.TwoLayerNet(2, 3, 2, seed=0), TypeError, r"^TwoLayerNet\(\) got .* 'seed'; it takes input_size"),
        (lambda: bp.SGD(learning_rate=0.1), TypeError, r"^SGD\(\) got .* 'learning_rate'; did you mean 'lr'"),
        (lambda: bp.Adam(beta1=0.9), TypeError, "did you mean 'betas'"),
        (lambda: bp.Adam(warmup=3), TypeError, r"Adam\(\) .* 'warmup'; it takes lr, betas, .* amsgrad, l1,"),
        (lambda: bp.Momentum(momentun=0.9), TypeError, "did you mean 'momentum'"),
        (lambda: bp.check_gradients(NET, X, T, point=3), TypeError, "did you mean 'points'"),
        (lambda: bp.load_digits(normalise=True), TypeError, "did you mean 'normalize'"),
        (lambda: plots.weight_images(NET, unit=3), TypeError, "did you mean 'units'"),
    ],
)  # fmt: skip
def test_what_was_mistyped(call, error, message):
    with pytest.raises(error, match=message):
        call()


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: bp.Dropout2d, "no attribute 'Dropout2d'; did you mean 'Dropout'"),
        (lambda: bp.Dense, r"a layer of given weights is Affine\(W, b\)"),
        (lambda: bp.MLPClassifier, "Network.* classifies"),
        (lambda: bp.nn, "all names are in one module"),
        (lambda: bp.CrossEntropyLoss, "it is SoftmaxWithLoss"),
        (lambda: bp.ReLU, "did you mean 'Relu'"),
        (lambda: bp.CosineAnnealingLR, r"it is schedules.Cosine\(\)"),
        (lambda: schedules.StepLR, r"it is schedules.StepDecay\(step_size, gamma\)"),
        (lambda: bp.CSVLogger, r"it is callbacks.CSVLog\(path\)"),
        (lambda: callbacks.ModelCheckpoint, "a callback may save"),
        (lambda: callbacks.CSVLogs, "did you mean 'CSVLog'"),
        (lambda: schedules.Warmap, "did you mean 'Warmup'"),
        (lambda: bp.MultiLayerNet, "it is in backprop.book"),
        (lambda: NET.evaluate, r"'Network' object has no attribute 'evaluate'; net.accuracy\(x, t\)"),
        (lambda: NET.state_dict, "params is the mapping"),
        (lambda: NET.predict_probas, "did you mean 'predict_proba'"),
        (lambda: NET.nothing_like_it, "no attribute 'nothing_like_it'$"),
        (lambda: NET._private, "no attribute '_private'$"),
        (lambda: bp.Network([2, 2], input_size=2), "sizes has it: Network"),
        (lambda: bp.Network([2, 2], random_state=2), "did you mean 'seed'"),
        (lambda: bp.Network([2, 2], dropout_ratio=0.5), "did you mean 'dropout'"),
        (lambda: bp.Dropout(p=0.5), "did you mean 'rate'"),
        (lambda: bp.Adadelta(alpha=0.5), "did you mean 'rho'"),
        (lambda: NET.fit(X, T, validation_split=0.1), "fit takes validation_fraction=0.1"),
        (lambda: NET.fit(X, T, use_ema=True), r"fit does that: .*ema=copy.deepcopy\(net\)"),
        (lambda: NET.fit(X, T, ema_momentum=0.9), "did you mean 'ema_decay'"),
        (lambda: bp.AveragedModel, r"fit does that: .*ema=copy.deepcopy\(net\)"),
        (lambda: NET.fit(X, T, learning_rate=0.1), "the optimizer has it"),
        (lambda: NET.fit(X, T, max_iter=3), "did you mean 'epochs'"),
        (lambda: NET.fit(X, y=T), "did you mean 't'"),
        (lambda: NET.fit(X, T, patience=3), "early_stopping=10"),
    ],
)  # fmt: skip
def test_what_other_libraries_call_it(call, words):
    with pytest.raises((AttributeError, TypeError), match=words):
        call()


def test_what_is_said_of_other_libraries_names_is_about_names_that_exist():
    answers = {answer for table in TABLES for answer in table.values()}
    for answer in answers:
        for name in re.findall(r"\b(?:net|Network)\.(\w+)", answer):
            assert hasattr(NET, name), answer
        for name in re.findall(r"\b([A-Z][a-z]\w+)\b(?=[(,;]| and | is |$)", answer):
            assert any(hasattr(one, name) for one in (bp, callbacks, schedules)) or name in {
                "AddLayer",
                "MulLayer",
                "True",
            }, answer
    for meant in arguments.SAME.values():
        assert set(meant) <= ARGUMENTS_OF_OURS, meant
    # None of ours is among those that are answered.
    for module, table in (
        (bp, modules.MODULE),
        (plots, modules.PLOTS),
        (schedules, modules.SCHEDULES),
        (callbacks, modules.CALLBACKS),
        (graph, modules.GRAPH),
        (data, modules.DATA),
    ):
        assert not {name.lower() for name in module.__all__} & table.keys() - REGISTERED
        assert not [name for name in table if hasattr(module, name)]
    for one, table in (
        (NET, attributes.OF_NETWORK),
        (bp.History(), attributes.OF_HISTORY),
        (bp.Adam(), attributes.OF_OPTIMIZER),
        (bp.RMSprop(), attributes.OF_OPTIMIZER),
        (bp.SGD(), attributes.OF_OPTIMIZER),
        (schedules.Cosine(), attributes.OF_SCHEDULE),
        (bp.Affine(np.ones((2, 2)), np.ones(2)), attributes.OF_LAYER),
    ):
        assert not [name for name in table if hasattr(one, name)]
    # What is registered later may be among them still: it is found first.
    for argument, known in (
        ("activation", ACTIVATIONS),
        ("loss", LOSSES),
        ("optimizer", RULES),
        ("schedule", SCHEDULES),
    ):
        stale = dict.fromkeys(known, "there is none") | arguments.VALUES[argument]
        assert all(did_you_mean(name, known, instead=stale) == f"; did you mean {name!r}?" for name in known)


REGISTERED = {
    name.lower()
    for registry in (ACTIVATIONS, LOSSES, RULES)
    for kind, one in registry.items()
    for name in (kind, one.__name__)
}
TABLES = [
    arguments.ARGUMENTS,
    *arguments.VALUES.values(),
    *(
        table
        for one in (modules, attributes)
        for name, table in vars(one).items()
        if name.isupper() and isinstance(table, dict)
    ),
]
ARGUMENTS_OF_OURS = {
    name
    for function in (
        bp.Network,
        bp.Network.fit,
        bp.Network.save,
        bp.TwoLayerNet,
        bp.SGD,
        bp.Adam,
        bp.RMSprop,
        bp.Adadelta,
        bp.BatchNorm,
        bp.Dropout,
    )
    for name in inspect.signature(function).parameters
} | {
    *ACTIVATIONS,
    *row_functions(),
    *LOSSES,
    *LOSSES_IN_PARTS,
    *LIMITS,
    "alpha",
    "he",
    "he_normal",
    "he_uniform",
    "glorot_normal",
    "glorot_uniform",
}


def test_a_network_can_be_copied_and_pickled_though_it_answers_for_names():
    twin = pickle.loads(pickle.dumps(copy.deepcopy(NET)))
    assert np.array_equal(twin.params["W1"], NET.params["W1"])
    assert not hasattr(NET, "evaluate")


def test_the_signature_stays():
    assert list(inspect.signature(bp.SGD).parameters) == [
        "lr",
        "momentum",
        "nesterov",
        "weight_decay",
        "limits",
    ]
    assert inspect.signature(bp.Network.fit).parameters["track_accuracy"].default is False
    assert bp.Network.fit.__doc__.startswith("Train on mini-batches.")


def test_what_python_refuses_is_refused_as_ever():
    @named_arguments
    def f(a, b=1, *, c=2):
        return a, b, c

    assert f(1, c=3) == (1, 1, 3)
    with pytest.raises(TypeError, match="missing 1 required positional argument: 'a'"):
        f(b=2)
    with pytest.raises(TypeError, match="multiple values for argument 'a'"):
        f(1, a=2)


def test_a_mapping_of_layers_is_one_still():
    assert NET.layers.get("Affine9") is None
    assert "Affine9" not in NET.layers
    with pytest.raises(KeyError, match="Affine9"):
        NET.layers.pop("Affine9")


def test_modules_and_completion():
    code = "import sys, backprop as bp; print('backprop.plots' in sys.modules, bp.plots.__name__, bp.data.__name__)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "backprop.plots", "backprop.data"]
    assert {"load_mnist", "check_gradients", "plots", "Network"} <= set(dir(bp))


def test_a_traceback_suggests_once():
    done = subprocess.run(
        [sys.executable, "-c", "import backprop; backprop.Sigmoidd"], capture_output=True, text=True
    )
    assert done.stderr.lower().count("did you mean") == 1


def test_nothing_of_this_is_imported_before_it_is_needed():
    code = (
        "import sys, numpy; before = set(sys.modules); from backprop import Network; new = set(sys.modules) - before;"
        "print(sorted(new & {'difflib', 'html', 'matplotlib', 'backprop._util.html', 'backprop.plots'}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_each_name_is_exported_once_and_type_checkers_see_the_same():
    names = bp.__all__
    assert len(names) == len(set(names))
    assert all(hasattr(bp, name) for name in names)
    (for_checkers,) = (
        node
        for node in ast.parse(inspect.getsource(bp)).body
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
    )
    imported = {(node.module, one.name) for node in for_checkers.body for one in node.names}
    assert imported == {(module, name) for module, names in bp.EXPORTS.items() for name in names or "*"} | {
        ("backprop", name) for name in ("book", "callbacks", "data", "graph", "plots", "schedules")
    }


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("trian", "invalid choice: 'trian' (choose from"),
        ("trian", "; did you mean 'train'?"),
        ("train --hiden 3", "unrecognized arguments: --hiden; did you mean '--hidden'?"),
        ("train --sede=4", "unrecognized arguments: --sede=4; did you mean '--seed'?"),
        ("train --dtype flaot32", "; did you mean 'float32'?"),
        ("check --sed0 1", "unrecognized arguments: --sed0 1; did you mean '--seed'?"),
        ("--verison", "unrecognized arguments: --verison; did you mean '--version'?"),
        ("info more", "unrecognized arguments: more\n"),
        ("fly", "invalid choice: 'fly'"),
    ],
)
def test_the_command_line(arguments, message, capsys):
    assert main(arguments.split()) == 2
    err = capsys.readouterr().err
    assert message in err
    assert err.count("\n") == 1
