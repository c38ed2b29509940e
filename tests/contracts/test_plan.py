"""What a compiled plan says to arrays that are not what its network's are."""

import gc
import re
import warnings

import numpy as np
import pytest

import backprop as bp
from bpcore.plan import RULES, Plan, Update, are_values
from tests.registry import settings_of

SETTINGS = bp.SGD(0.1).plan_update()
F = np.float32
SOFTMAX = ("softmax", 0.0)


def dense():
    return [layer(np.ones((3, 4), F), np.zeros(4, F)), layer(np.ones((4, 2), F), np.zeros(2, F), "identity")]


def layer(W, b, activation="relu"):
    return ("affine", activation, W, b, 0.0)


def plan():
    return Plan("float32", dense(), SOFTMAX, None, None, [])


X, T = np.ones((5, 3), F), np.array([0, 1, 0, 1, 0])


def refused(error, message):
    return pytest.raises(error, match=re.escape(message))


def test_layers_that_do_not_fit():
    layers = dense()
    with refused(ValueError, "Plan: layer 2 has 4 inputs, the layer below has other outputs"):
        Plan("float32", [layer(np.ones((3, 5), F), np.zeros(5, F)), layers[1]], SOFTMAX, None, None, [])
    with refused(ValueError, "Plan: an array is float64 (3, 4), wanted float32 (3, 4)"):
        Plan("float32", [layer(np.ones((3, 4)), np.zeros(4, F)), layers[1]], SOFTMAX, None, None, [])
    with refused(ValueError, "Plan: an array is float32 (5,), wanted float32 (4,)"):
        Plan("float32", [layer(layers[0][2], np.zeros(5, F)), layers[1]], SOFTMAX, None, None, [])
    with refused(ValueError, "Plan: an array is float32 (2,), wanted float32 (3,)"):
        Plan("float32", layers, SOFTMAX, None, np.zeros(2, F), [])
    with refused(ValueError, "Plan: an array is float32 (3,), wanted float64 (3,)"):
        Plan("float32", layers, SOFTMAX, np.zeros(3, F), None, [])
    with refused(ValueError, "Plan: an array is float64 (2,), wanted float64 (3,)"):
        Plan("float32", layers, SOFTMAX, np.zeros(2), None, [])
    fixed = np.ones((3, 4), F)
    fixed.setflags(write=False)
    with pytest.raises((ValueError, BufferError), match="read-only"):
        Plan("float32", [layer(fixed, layers[0][3]), layers[1]], SOFTMAX, None, None, [])


@pytest.mark.parametrize(
    "x",
    [
        X.astype("i4"),
        X.astype("u4"),
        X.astype("i1"),
        X.astype(">i8"),
        X[:, :2].copy(),
        X[0],
        np.asfortranarray(np.ones((5, 3), F)),
        X.astype(">f4"),
        np.zeros(61, np.uint8)[1:].view(F).reshape(5, 3),
        [[1.0]],
    ],
)
def test_rows_that_cannot_be_read(x):
    rows = np.asarray(x)
    with refused(
        ValueError,
        f"Plan: x is {rows.dtype} {rows.shape}, wanted contiguous rows of 3 float32, float64, uint8, int64 or uint64",
    ):
        plan().predict_into(rows, np.empty((5, 2), F))
    # What asks first gets no answer, and converts.
    assert plan().predict(x) is None
    assert plan().step(x, T, SETTINGS) is None


def test_a_step_is_counted_where_it_is_taken():
    one, counted, settings = plan(), {"steps": 6}, bp.SGD(0.1).plan_update()
    settings.step = 7
    assert one.step(X[:, :2], T, settings, None, None, counted) is None
    assert counted == {"steps": 6}
    assert one.step(X, T, settings, None, None, counted) > 0
    assert counted == {"steps": 7}


def test_values_are_told_from_equal_ones():
    one, two = (np.zeros(2),), (np.zeros(2),)
    assert are_values({"a": one, "b": two}, [one, two])
    for other in ([two, one], [one], [one, two, two], [one, (two[0],)], []):
        assert not are_values({"a": one, "b": two}, other)


def test_an_update_is_renewed_where_nothing_of_its_optimizer_has_changed():
    net, adam = bp.Network([3, 2], seed=0), bp.Adam(0.1)
    net.train_step(X, T, adam)
    one = net.plan_for(adam)
    update, attributes = adam.tied_update(one), vars(adam)
    assert update.state is adam.bound_state(one)
    adam.steps = 7
    assert update.renew(one, attributes)
    assert update.step == 8
    assert not update.renew(plan(), attributes)
    for changed in (
        {"lr": 0.2},
        {"amsgrad": True},
        {"state": dict(list(adam.state.items())[:-1])},
        {"state": {key: tuple(array.copy() for array in arrays) for key, arrays in adam.state.items()}},
    ):
        assert not update.renew(one, attributes | changed)
    assert update.renew(one, attributes | {"state": dict(adam.state)})
    for key in ("steps", "state"):
        with pytest.raises(KeyError, match=key):
            update.renew(one, {name: value for name, value in attributes.items() if name != key})


def test_an_update_is_tied_to_a_plan_that_may_end():
    sgd = bp.SGD(0.1)
    one = plan()
    update = sgd.tied_update(one)
    assert update.state is None
    assert update.renew(one, vars(sgd))
    del one
    gc.collect()
    assert not update.renew(plan(), vars(sgd))
    # One that is tied to none, and one whose settings may change within.
    assert not bp.SGD(0.1).plan_update().renew(plan(), vars(sgd))
    number = np.array(0.1)
    free = Update("sgd", (0.1, 0.0, 0.0, 0.0), 0, 0, False, {"lr": number})
    other = plan()
    free.tie(other, None, {})
    assert not free.renew(other, {"lr": number, "steps": 0, "state": {}})


def test_scores_go_into_an_array_of_their_shape():
    with refused(ValueError, "Plan: an array is float32 (5, 3), wanted float32 (5, 2)"):
        plan().predict_into(X, np.empty((5, 3), F))
    with refused(ValueError, "Plan: an array is float64 (5, 2), wanted float32 (5, 2)"):
        plan().predict_into(X, np.empty((5, 2)))


def test_labels_and_rows_are_as_many():
    with refused(ValueError, "Plan: 4 labels for 5 rows"):
        plan().count_correct(X, T[:4])
    assert plan().count_correct(X[:0], T[:0]) == 0


def test_losses_and_steps_are_as_many():
    one = plan()
    indices = np.zeros((3, 2), np.int64)
    with refused(ValueError, "Plan: 2 losses for 3 steps"):
        one.train(X, T, indices, SETTINGS, np.empty(2))
    with refused(ValueError, "Plan: the targets are int64 (4,)"):
        one.train(X, T[:4], indices, SETTINGS, np.empty(3))
    with refused(ValueError, "Plan: the targets are float64 (5, 2)"):
        one.train(X, np.ones((5, 2)), indices, SETTINGS, np.empty(3))
    # A call that was refused has not left the network marked as being trained.
    assert not one.training
    losses = np.empty(3)
    one.train(X, T, indices, SETTINGS, losses)
    assert np.isfinite(losses).all()


@pytest.mark.parametrize(
    ("indices", "message"),
    [
        (np.zeros((3, 0), np.int64), "Plan: batches of 0 rows, wanted at least 1"),
        (np.array([[0, 1], [4, -1]]), "Plan: indices[1, 1] is -1, wanted 0 to 4"),
        (np.array([[0, 5], [4, 1]]), "Plan: indices[0, 1] is 5, wanted 0 to 4"),
        (np.array([[0, 2**62]]), f"Plan: indices[0, 1] is {2**62}, wanted 0 to 4"),
    ],
    ids=["no rows", "negative", "behind the end", "huge"],
)
def test_batches_of_samples_that_there_are(indices, message):
    one = plan()
    before = [array.copy() for one in dense() for array in one[2:4]]
    layers = dense()
    one = Plan("float32", layers, SOFTMAX, None, None, [])
    with refused(ValueError, message):
        one.train(X, T, indices, SETTINGS, np.empty(len(indices)))
    assert all(
        np.array_equal(a, b) for a, b in zip(before, (a for la in layers for a in la[2:4]), strict=True)
    )
    assert not one.training


def test_no_steps_and_no_rows_are_nothing():
    one = plan()
    one.train(X, T, np.empty((0, 3), np.int64), SETTINGS, np.empty(0))
    one.predict_into(X[:0], np.empty((0, 2), F))
    assert one.predict(X[:0]).shape == (0, 2)
    assert one.step(X[:0], T[:0], SETTINGS) is None
    with refused(ValueError, "Plan: indices[0, 0] is 0, wanted 0 to -1"):
        one.train(X[:0], T[:0], np.zeros((1, 1), np.int64), SETTINGS, np.empty(1))


@pytest.mark.parametrize("label", [-1, 2, 2**62])
def test_labels_that_no_score_has(label):
    t, layers = T.copy(), dense()
    t[3] = label
    before = [array.copy() for one in layers for array in one[2:4]]
    one = Plan("float32", layers, SOFTMAX, None, None, [])
    with refused(ValueError, f"Plan: t[3] is {label}, wanted a label from 0 to 1"):
        one.train(X, t, np.array([[0, 1], [2, 3]]), SETTINGS, np.empty(2))
    assert one.step(X, t, SETTINGS) is None
    after = [array for one in layers for array in one[2:4]]
    assert all(map(np.array_equal, before, after))
    # Of labels that no batch names nothing is said: a loop over few of many samples does not look at all of them.
    one.train(X, t, np.array([[0, 1], [2, 4]]), SETTINGS, np.empty(2))


@pytest.mark.parametrize("threads", [0, -1, 1.5, "2"])
def test_threads_are_looked_at_where_the_work_is_small_too(threads):
    one, out = plan(), np.empty((5, 2), F)
    for call in (
        lambda: one.predict_into(X, out, threads),
        lambda: one.count_correct(X, T, threads),
        lambda: one.step(X, T, SETTINGS, threads),
        lambda: one.train(X, T, np.zeros((1, 2), np.int64), SETTINGS, np.empty(1), threads),
    ):
        with pytest.raises((ValueError, TypeError), match="threads"):
            call()
    assert not one.training


def test_scores_go_into_an_array_that_is_given_where_it_can_be_written():
    one, out = plan(), np.full((5, 2), np.nan, F)
    assert one.predict(X, out) is out
    assert np.array_equal(out, one.predict(X))
    frozen = np.empty((5, 2), F)
    frozen.setflags(write=False)
    unaligned = np.zeros(41, np.uint8)[1:].view(F).reshape(5, 2)
    assert not unaligned.flags.aligned
    others = (
        np.empty((5, 3), F),
        np.empty((4, 2), F),
        np.empty((5, 2)),
        np.empty(10, F),
        np.empty((5, 2), ">f4"),
        np.empty((2, 5), F).T,
        frozen,
        unaligned,
        [[0.0, 0.0]] * 5,
    )
    for other in others:
        before = np.array(other)
        assert one.predict(X, other) is None
        assert np.array_equal(np.asarray(other), before, equal_nan=True)


def test_scores_do_not_go_where_something_is_read():
    layers = dense()
    one = Plan("float32", layers, SOFTMAX, None, None, [])
    memory = np.zeros(40, F)
    x = memory[:15].reshape(5, 3)
    W = layers[1][2]  # (4, 2): four rows of scores
    b = np.concatenate([layers[0][3], np.zeros(6, F)])
    for rows, out in ((x, memory[14:24].reshape(5, 2)), (X[:4], W), (X[:2], W[1:3])):
        with refused(ValueError, "Plan: out shares memory with x or a parameter"):
            one.predict_into(rows, out)
        before = out.copy()
        assert one.predict(rows, out) is None
        assert np.array_equal(out, before)
    one.predict_into(x, memory[15:25].reshape(5, 2))
    assert np.array_equal(memory[15:25].reshape(5, 2), one.predict(x))
    two = Plan("float32", [layer(layers[0][2], b[:4]), layers[1]], SOFTMAX, None, None, [])
    with refused(ValueError, "Plan: out shares memory with x or a parameter"):
        two.predict_into(X, b.reshape(5, 2))


def test_parameters_that_are_no_longer_what_they_were():
    layers = dense()
    one = Plan("float32", layers, SOFTMAX, None, None, [])
    losses, indices, scores = np.empty(1), np.zeros((1, 2), np.int64), np.empty((5, 2), F)
    assert one.is_valid()
    layers[1][3].setflags(write=False)
    assert not one.is_valid()
    calls = {
        "predict": lambda: one.predict(X),
        "predict_into": lambda: one.predict_into(X, scores),
        "count_correct": lambda: one.count_correct(X, T),
        "step": lambda: one.step(X, T, SETTINGS),
        "train": lambda: one.train(X, T, indices, SETTINGS, losses),
    }
    with refused(RuntimeError, "Plan: a parameter was reshaped, frozen or given other memory"):
        calls["train"]()
    # What is only read may be read-only.
    calls["predict_into"]()
    assert np.array_equal(scores, np.full((5, 2), 12, F))
    assert calls["count_correct"]() == 3
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        layers[0][2].shape = (4, 3)
    for name in ("predict_into", "count_correct", "train"):
        with refused(RuntimeError, "Plan: a parameter was reshaped, frozen or given other memory"):
            calls[name]()
    # These leave what to do to the caller.
    assert [calls[name]() for name in ("predict", "step")] == [None, None]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        layers[0][2].shape = (3, 4)
    layers[1][3].setflags(write=True)
    assert one.is_valid()
    assert not one.training
    one.train(X, T, indices, SETTINGS, losses)


def test_parameters_are_arrays_of_numpy():
    W, b = memoryview(np.ones((3, 2), F)), np.zeros(2, F)
    with refused(TypeError, "Plan: a parameter is a memoryview, wanted a NumPy array"):
        Plan("float32", [layer(W, b, "identity")], SOFTMAX, None, None, [])


def test_batches_for_which_no_memory_can_be(tmp_path):
    # Files without content: their rows take no memory, and what a step of them would take is no number of 64 bits.
    rows, outputs = 2**37, 2**24
    data = []
    for name, dtype in (("x", np.uint8), ("t", np.int64)):
        path = tmp_path / name
        with path.open("wb") as file:
            file.truncate(rows * np.dtype(dtype).itemsize)
        data.append(np.memmap(path, dtype, "r", shape=(rows, 1)[: 2 if name == "x" else 1]))
    wide = [layer(np.zeros((1, outputs), F), np.zeros(outputs, F), "identity")]
    one = Plan("float32", wide, SOFTMAX, None, None, [])
    with pytest.raises(MemoryError, match=f"no memory for batches of {rows} rows"):
        one.step(*data, SETTINGS)
    assert not one.training


def test_a_step_drops_caches_and_one_that_is_not_taken_does_not():
    one, other = {"y": 1, "loss": None}, {"x": 2, "W": 3}
    caches = [(one, "y"), (one, "loss"), (other, "x"), (other, "mask")]
    plan = Plan("float32", dense(), SOFTMAX, None, None, [], caches)
    assert plan.step(X[:, :2], T, SETTINGS) is None
    assert (one, other) == ({"y": 1, "loss": None}, {"x": 2, "W": 3})
    plan.step(X, T, SETTINGS)
    assert (one, other) == ({"y": None, "loss": None}, {"x": None, "W": 3, "mask": None})


def test_rules_that_there_are():
    numbers = {rule: tuple(settings_of(rule).values()) for rule in RULES}
    assert [Update(rule, numbers[rule]).rule for rule in RULES] == list(RULES)
    with refused(ValueError, f"the rule is 'sgdm', wanted one of {', '.join(RULES)}"):
        Update("sgdm", (0.1,))
    with refused(
        ValueError, "momentum has the settings (0.1,), wanted lr, momentum, weight_decay, l1, clip_value"
    ):
        Update("momentum", (0.1,))
    for beta in (1.0, -0.1, float("nan")):
        with refused(ValueError, f"beta1 is {beta}, wanted at least 0 and below 1"):
            Update("adam", (0.1, beta, 0.999, 1e-8, 0.0, 0.0, 0.0))
    with refused(ValueError, "weight_decay is -1.0, wanted at least 0 and finite"):
        Update("sgd", (0.1, -1.0, 0.0, 0.0))
    for name in ("clip_norm", "max_norm"):
        for number in (-1.0, float("inf"), float("nan")):
            with refused(ValueError, f"{name} is {number}, wanted a finite number of at least 0"):
                Update("sgd", (0.1, 0.0, 0.0, 0.0), **{name: number})
    update = Update("adam", (0.1, 0.9, 0.999, 1e-8, 0.0, 0.0, 0.0))
    with refused(ValueError, "step is 0, wanted at least 1"):
        update.step = 0
    assert (update.step, update.states) == (1, 2)
    for wrong in (None, (0, 0.1, 0.0, 0.0, 0.0, 1)):
        with pytest.raises(TypeError):
            plan().step(X, T, wrong)
        with pytest.raises(TypeError):
            plan().train(X, T, np.zeros((1, 2), np.int64), wrong, np.empty(1))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("float16", dense(), SOFTMAX), "Plan: 2 layers of float16 with the loss ('softmax', 0.0)"),
        (("float32", [], SOFTMAX), "Plan: 0 layers of float32 with the loss ('softmax', 0.0)"),
        (("float32", dense(), ("hinge", 0.0)), "Plan: 2 layers of float32 with the loss ('hinge', 0.0)"),
        (("float32", dense(), ()), "Plan: 2 layers of float32 with the loss ()"),
        (("float32", dense(), ("softmax",)), "Plan: 2 layers of float32 with the loss ('softmax',)"),
        (
            ("float32", [layer(np.ones((3, 0), F), np.zeros(0, F), "identity")], SOFTMAX),
            "Plan: layer 1 has 3 inputs and 0 outputs",
        ),
    ],
    ids=["type", "no layers", "loss", "no loss", "no option", "no outputs"],
)
def test_networks_that_no_plan_can_be_of(arguments, message):
    with refused(ValueError, message):
        Plan(*arguments, None, None, [])
