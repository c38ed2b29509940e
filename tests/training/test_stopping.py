"""Early stopping, what is kept for validation, and what classes weigh."""

import copy

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import backprop as bp
from backprop.training.splitting import class_weights, split
from backprop.training.stopping import Watch
from tests.training.runs import NETWORKS, T, X, bits, of_numbers, plain, targets


@pytest.mark.parametrize("made", NETWORKS.values(), ids=NETWORKS)
def test_a_run_ends_with_its_best_weights(made):
    net, seen = made(), []
    t = targets(net)
    rng = np.random.default_rng(4)
    valid = X, rng.permutation(t)  # which cannot be learned
    history = net.fit(
        X,
        t,
        epochs=60,
        batch_size=10,
        seed=0,
        validation=valid,
        early_stopping=bp.EarlyStopping(4),
        callbacks=[lambda net, history: seen.append(bits(net))],
    )
    losses = history.validation_loss
    best = losses.index(min(losses))
    assert len(losses) == min(best + 5, 60)
    assert bits(net) == seen[best]


def test_without_restore_it_keeps_the_last_weights_and_a_number_is_a_patience():
    nets = [plain() for _ in range(2)]
    valid = X, np.random.default_rng(4).permutation(T)
    options = dict(epochs=60, batch_size=10, seed=0, validation=valid)
    seen = []
    nets[0].fit(
        X, T, early_stopping=bp.EarlyStopping(3, restore=False),
        callbacks=[lambda net, _: seen.append(bits(net))], **options,
    )  # fmt: skip
    assert bits(nets[0]) == seen[-1]
    assert len(nets[1].fit(X, T, early_stopping=3, **options).loss) == len(nets[0].history.loss)


def test_the_average_has_its_best_weights_and_the_network_its_last():
    net, seen = plain(), []
    average = copy.deepcopy(net)
    valid = X, np.random.default_rng(4).permutation(T)
    net.fit(
        X, T, epochs=40, batch_size=10, seed=0, validation=valid, early_stopping=2, ema=average, ema_decay=0.5,
        callbacks=[lambda net, history: seen.append((bits(net), bits(average)))],
    )  # fmt: skip
    losses = net.history.validation_loss
    assert bits(net) == seen[-1][0]
    assert bits(average) == seen[losses.index(min(losses))][1]


@pytest.mark.parametrize("highest", [True, False])
@given(
    values=st.lists(st.sampled_from([0.0, 0.1, 0.25, 0.5, 1.0, float("nan")]), max_size=12),
    delta=st.sampled_from([0.0, 0.2]),
)
def test_when_it_stops(highest, values, delta):
    watch, waited, best = Watch(bp.EarlyStopping(3, delta, restore=False), "loss", highest), 0, None
    for step, value in enumerate(values):
        gain = best is None or (value - best if highest else best - value) > delta
        if gain and value == value:
            best, waited = value, 0
        else:
            waited += 1
        assert watch.observe(step, value, None) is (waited >= 3)
        assert (watch.waited, watch.best == best or best is None) == (waited, True)


@pytest.mark.parametrize(
    ("given", "error", "words"),
    [
        (dict(patience=0), ValueError, "EarlyStopping: patience is 0, wanted at least 1"),
        (dict(patience=1.5), ValueError, "EarlyStopping: patience is 1.5"),
        (dict(min_delta=-1), ValueError, "EarlyStopping: min_delta is -1"),
        (dict(monitor=3), TypeError, "EarlyStopping: monitor is 3, wanted a name such as 'validation_loss'"),
        (dict(restore=1), ValueError, "EarlyStopping: restore is 1"),
    ],
)
def test_settings_that_cannot_be(given, error, words):
    with pytest.raises(error, match=words):
        bp.EarlyStopping(**given)


@pytest.mark.parametrize(
    ("given", "error", "words"),
    [
        (dict(early_stopping="loss"), TypeError, r"fit: early_stopping is 'loss', wanted EarlyStopping\(…\) or"),
        (dict(early_stopping=0), ValueError, "fit: early_stopping is 0, wanted at least 1 epoch"),
        (
            dict(early_stopping=bp.EarlyStopping(monitor="validation_los"), validation_fraction=0.2),
            ValueError,
            "early_stopping monitors 'validation_los', which is not recorded; did you mean 'validation_loss'",
        ),
        (
            dict(early_stopping=bp.EarlyStopping(monitor="validation_loss")),
            ValueError,
            "fit: early_stopping monitors 'validation_loss', which is not recorded",
        ),
        (dict(validation_fraction=1.0), ValueError, "fit: validation_fraction is 1.0, wanted a number between 0 and 1"),
        (dict(validation_fraction="a"), TypeError, "fit: validation_fraction is 'a'"),
        (dict(validation_fraction=0.1, validation=(X, T)), ValueError, "fit: validation and validation_fraction are"),
        (dict(class_weight="equal"), ValueError, "fit: class_weight is 'equal', wanted 'balanced' or weights"),
        (dict(class_weight={3: 1.0}), ValueError, "fit: class_weight has the class 3, wanted .* from 0 to 2"),
        (dict(class_weight=[1, 2]), ValueError, r"fit: class_weight is \[1, 2\], wanted"),
        (dict(class_weight={0: -1}), ValueError, r"fit: class_weight\[0\] is -1, wanted a finite number"),
        (dict(class_weight={0: "a"}), TypeError, r"fit: class_weight\[0\] is 'a', wanted a number"),
        (dict(shuffle=1), TypeError, "fit: shuffle is 1, wanted True or False"),
        (dict(shuffle=False, epochs=None, iterations=3), ValueError, "fit: shuffle is False, and iterations="),
    ],
)  # fmt: skip
def test_arguments_that_cannot_be(given, error, words):
    net = plain()
    before = bits(net)
    with pytest.raises(error, match=words):
        net.fit(X, T, **(dict(epochs=1) | given))
    assert bits(net) == before


def test_numbers_have_no_classes_to_weigh():
    net = of_numbers()
    with pytest.raises(ValueError, match="fit: class_weight is given, and the outputs are no classes"):
        net.fit(X, targets(net), epochs=1, class_weight="balanced")


@given(
    counts=st.lists(st.integers(0, 30), min_size=1, max_size=5).filter(lambda counts: max(counts) > 1),
    share=st.floats(0.01, 0.99),
    seed=st.integers(0, 2**32 - 1),
)
def test_each_class_gives_its_share(counts, share, seed):
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.repeat(np.arange(len(counts)), counts))
    keys = rng.integers(0, 2**64, len(labels), dtype=np.uint64)
    train, kept = split(labels, len(labels), share, keys)
    wanted = min(max(round(len(labels) * share), 1), len(labels) - 1)
    assert sorted([*train, *kept]) == [*range(len(labels))]
    assert 1 <= len(kept) <= wanted
    for one, count in enumerate(counts):
        # A class keeps a sample; what those that are too small cannot give, others give in part.
        found, exact, most = (
            np.count_nonzero(labels[kept] == one),
            count * wanted // len(labels),
            max(count - 1, 0),
        )
        assert min(exact, most) <= found <= min(exact + 2, most)
    _, of_all = split(None, len(labels), share, keys)
    assert {*of_all} == {*np.argsort(keys, kind="stable")[:wanted]}


def test_a_share_that_is_kept_is_not_trained_on():
    net, by_hand = plain(), plain()
    history = net.fit(X, T, epochs=3, batch_size=10, seed=7, validation_fraction=0.25)
    train, kept = split(T, len(T), 0.25, np.random.PCG64(7).random_raw(len(T)))
    assert history.validation_loss[-1] == pytest.approx(net.loss(X[kept], T[kept]), rel=1e-6)
    assert history.validation_accuracy[-1] == net.accuracy(X[kept], T[kept])
    # The samples that are kept may be anything: they do not enter the weights.
    changed = X.copy()
    changed[kept] = 1e3
    by_hand.fit(changed, T, epochs=3, batch_size=10, seed=7, validation_fraction=0.25)
    assert bits(by_hand) == bits(net)
    assert len(history.loss) == 3 * -(-len(train) // 10)


@pytest.mark.parametrize("made", [plain, NETWORKS["with_own_layer"]])
def test_weights_of_classes_are_weights_of_samples(made):
    nets = [made() for _ in range(3)]
    options = dict(epochs=2, batch_size=10, seed=1)
    table, own = [0.5, 2.0, 1.0], np.linspace(0, 2, len(X))
    nets[0].fit(X, T, class_weight=table, sample_weight=own, **options)
    nets[1].fit(X, T, sample_weight=own * np.array(table)[T], **options)
    assert bits(nets[0]) == bits(nets[1])
    nets[2].fit(X, T, class_weight={0: 0.5, 1: 2.0}, sample_weight=own, **options)
    assert bits(nets[2]) == bits(nets[1])


def test_balanced_weights_are_scikit_learns():
    compute = pytest.importorskip("sklearn.utils.class_weight").compute_class_weight
    labels = np.array([0, 0, 0, 2, 2, 1, 0])
    wanted = dict(zip([0, 1, 2], compute("balanced", classes=np.arange(3), y=labels), strict=True))
    found = class_weights("balanced", labels, 5)
    np.testing.assert_array_equal(found, [wanted[one] for one in labels])
    assert class_weights("balanced", np.array([0, -1, 1]), 2).tolist() == [1, 0, 1]
    assert class_weights([3, 4], np.array([0, -1, 1]), 2).tolist() == [3, 1, 4]
