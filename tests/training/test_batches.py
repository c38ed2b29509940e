"""Batches that others make: what is trained on, in which order, and how such runs go on."""

import threading

import numpy as np
import pytest

import backprop as bp
from tests.training.runs import NETWORKS, T, X, bits, plain, targets

SIZE, COUNT = 10, 6  # the last has three


class Parts:
    """Batches by their numbers, which notes who reads what."""

    def __init__(self, x=X, t=T, weights=None):
        self.parts = (x, t) if weights is None else (x, t, weights)
        self.read, self.readers = [], set()

    def __len__(self):
        return -(-len(self.parts[0]) // SIZE)

    def __getitem__(self, n):
        self.read.append(n)
        self.readers.add(threading.get_ident())
        return tuple(one[n * SIZE : (n + 1) * SIZE] for one in self.parts)


class Loader:
    """An iterable with a length, as PyTorch's DataLoader."""

    def __init__(self, batches):
        self.batches = batches

    def __len__(self):
        return len(self.batches)

    def __iter__(self):
        return iter([self.batches[n] for n in range(len(self.batches))])


def in_order(x=X, t=T, times=1):
    for _ in range(times):
        for first in range(0, len(x), SIZE):
            yield x[first : first + SIZE], t[first : first + SIZE]


class Ends(bp.Callback):
    def __init__(self, after):
        self.every = after

    def step(self, run):
        raise KeyboardInterrupt


@pytest.mark.parametrize("made", NETWORKS.values(), ids=NETWORKS)
def test_batches_are_those_of_the_arrays(made):
    nets = [made() for _ in range(6)]
    t = targets(nets[0])
    options = dict(optimizer="adam", schedule="cosine")
    expected = nets[0].fit(X, t, epochs=2, batch_size=SIZE, shuffle=False, **options)
    found = [
        nets[1].fit(Parts(X, t), epochs=2, shuffle=False, **options),
        nets[2].fit(Loader(Parts(X, t)), epochs=2, **options),
        nets[3].fit(in_order(X, t, 2), iterations=2 * COUNT, **options),
        nets[4].fit(Loader([*in_order(X, t)]), iterations=2 * COUNT, **options),
        nets[5].fit([*in_order(X, t)], epochs=2, shuffle=False, **options),
    ]
    for net, history in zip(nets[1:], found, strict=True):
        assert bits(net) == bits(nets[0])
        assert history.loss == expected.loss
    for history in (found[0], found[1], found[4]):
        assert history.evaluated_at == [COUNT, 2 * COUNT]
        assert history.train_accuracy == expected.train_accuracy
    assert found[2].evaluated_at == [2 * COUNT]


def test_weights_of_samples_and_classes_and_validation():
    weights, rng = np.linspace(0.5, 1.5, len(X)), np.random.default_rng(1)
    valid = rng.normal(size=(9, 6)), rng.integers(0, 3, 9)
    nets = plain(), plain()
    options = dict(
        epochs=3,
        shuffle=False,
        class_weight={1: 2.0},
        validation=valid,
        metrics="balanced_accuracy",
        early_stopping=50,
    )
    expected = nets[0].fit(X, T, batch_size=SIZE, sample_weight=weights, **options)
    history = nets[1].fit(Parts(weights=weights), **options)
    assert bits(nets[0]) == bits(nets[1])
    assert history.to_dict() == expected.to_dict()


def test_a_sequence_has_another_order_each_epoch_and_is_read_ahead():
    parts, net = Parts(), plain()
    net.fit(parts, epochs=3, seed=4)
    epochs = [parts.read[n : n + COUNT] for n in (0, COUNT, 2 * COUNT)]
    for order in epochs:
        assert sorted(order) == [*range(COUNT)]
    assert len({*map(tuple, epochs)}) > 1
    assert len(parts.read) <= 3 * COUNT + 4
    assert parts.readers.isdisjoint({threading.get_ident()})
    assert len(parts.readers) == 1
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("backprop-batches")]
    # By hand, and by the seed.
    by_hand, again = plain(), plain()
    for n in parts.read[: 3 * COUNT]:
        by_hand.train_step(*parts[n], bp.SGD(0.1))
    again.fit(Parts(), epochs=3, seed=4)
    assert bits(net) == bits(by_hand) == bits(again)


def test_an_iterator_is_gone_through_to_its_end():
    net, other = plain(), plain()
    history = net.fit(in_order(times=2))
    other.fit(X, T, epochs=2, batch_size=SIZE, shuffle=False)
    assert bits(net) == bits(other)
    assert history.evaluated_at == [2 * COUNT]
    # Which comes before the iterations that were asked for.
    net, batches = plain(), in_order(times=2)
    history = net.fit(batches, iterations=5)
    assert len(history.loss) == 5
    history = net.fit(batches, iterations=100, continue_from=history)
    assert bits(net) == bits(other)
    assert history.evaluated_at == [5, 2 * COUNT]


@pytest.mark.parametrize(
    "kind", [Parts, lambda: Loader(Parts()), lambda: [*in_order()]], ids=["own", "loader", "list"]
)
@pytest.mark.parametrize("after", [1, 4, 6, 11])
def test_what_was_interrupted_goes_on(kind, after):
    whole, parts, batches = plain(), plain(), kind()
    whole.fit(kind(), epochs=3, seed=2)
    with pytest.raises(KeyboardInterrupt):
        parts.fit(batches, epochs=3, seed=2, callbacks=[Ends(after)])
    assert len(parts.history.loss) == after
    history = parts.fit(batches, epochs=3 - after // COUNT, continue_from=parts.history)
    assert bits(parts) == bits(whole)
    assert history.loss == whole.history.loss


def test_a_batch_that_no_step_was_taken_with_is_not_lost():
    class Fails(bp.SGD):
        def update(self, params, grads):
            if len(calls) == 2:
                calls.append(1)
                raise MemoryError
            calls.append(1)
            super().update(params, grads)

    calls, batches, net, whole = [], in_order(), plain(), plain()
    with pytest.raises(MemoryError):
        net.fit(batches, optimizer=Fails(0.1))
    net.fit(batches, continue_from=net.history)
    whole.fit(in_order())
    assert bits(net) == bits(whole)


@pytest.mark.parametrize("after", [3, 6, 8])
def test_checkpoints_of_a_sequence(tmp_path, after):
    path, whole, parts, resumed = tmp_path / "run.safetensors", plain(), plain(), plain()
    whole.fit(Parts(), epochs=3, optimizer="adam")
    options = dict(epochs=3, optimizer="adam", seed=3)
    whole = plain()
    whole.fit(Parts(), **options)
    with pytest.raises(KeyboardInterrupt):
        parts.fit(Parts(), checkpoint=path, callbacks=[Ends(after)], **options)
    history = resumed.fit(Parts(), resume=path, **options)
    assert bits(resumed) == bits(whole)
    assert history.loss == whole.history.loss
    with pytest.raises(ValueError, match="fit: batches is not that of the run of"):
        plain().fit([*in_order()][:3], resume=path)
    with pytest.raises(ValueError, match="fit: x is not that of the run of"):
        plain().fit(X, T, resume=path)
    with pytest.raises(
        TypeError, match="fit: checkpoint is given, and x is a generator, which cannot be asked where"
    ):
        plain().fit(in_order(), checkpoint=tmp_path / "other.safetensors")


def test_an_error_of_the_batches_comes_out_and_the_thread_ends():
    class Fails(Parts):
        def __getitem__(self, n):
            if n == 3:
                raise OSError("the disk is gone")
            return super().__getitem__(n)

    net = plain()
    with pytest.raises(OSError, match="the disk is gone"):
        net.fit(Fails(), epochs=1, shuffle=False)
    assert len(net.history.loss) == 3
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("backprop-batches")]
    net.fit(Parts(), epochs=1, continue_from=net.history)
    whole = plain()
    whole.fit(X, T, batch_size=SIZE, epochs=1, shuffle=False)
    assert bits(net) == bits(whole)


class Short(Loader):
    def __len__(self):
        return COUNT + 1


@pytest.mark.parametrize(
    ("given", "error", "words"),
    [
        (
            dict(x=X, epochs=1),
            TypeError,
            r"fit: t is not given, and x is a ndarray; wanted x and t, or batches",
        ),
        (dict(x=3, epochs=1), TypeError, r"fit: t is not given, and x is a int"),
        (dict(x=[], epochs=1), ValueError, "fit: x has 0 batches"),
        (
            dict(x=in_order(), epochs=1),
            ValueError,
            "fit: epochs is 1, and x is a generator that does not say how many",
        ),
        (dict(x=Parts()), ValueError, "fit: epochs is None, iterations is None; wanted exactly one of them"),
        (
            dict(x=Parts(), epochs=1, batch_size=3),
            ValueError,
            "fit: batch_size is given, and t is not: x has batches",
        ),
        (dict(x=Parts(), epochs=1, sample_weight=[1]), ValueError, r"a batch may be \(x, t, sample_weight\)"),
        (dict(x=Parts(), epochs=1, validation_fraction=0.1), ValueError, "validation= takes data"),
        (dict(x=Parts(), epochs=1, class_weight="balanced"), ValueError, "whose classes nobody has counted"),
        (dict(x=Parts(), epochs=1, track_accuracy=True), ValueError, "which are not gone through twice"),
        (
            dict(x=Parts(), epochs=1, metrics="balanced_accuracy"),
            ValueError,
            "metrics are of validation data",
        ),
        (
            dict(x=in_order(), schedule="cosine"),
            ValueError,
            "nobody says how many steps there are; wanted iterations=",
        ),
        (
            dict(x=in_order(), iterations=3, optimizer="lbfgs"),
            TypeError,
            "takes all of the data at once: x and t",
        ),
        (
            dict(x=[X[:3]], epochs=1),
            TypeError,
            r"fit: batch 1 is a ndarray, wanted \(x, t\) or \(x, t, sample_weight\)",
        ),
        (dict(x=[(X[:3], T[:2])], epochs=1), ValueError, "fit: batch 1: x has 3 rows, t has 2 labels"),
        (dict(x=[(X[:3, :2], T[:3])], epochs=1), ValueError, "fit: batch 1: x has"),
        (
            dict(x=[(X[:3], T[:3], [1])], epochs=1),
            ValueError,
            r"fit: batch 1: x has 3 rows, sample_weight has shape \(1,\)",
        ),
    ],
    ids=lambda value: "" if not isinstance(value, str) else value[:30],
)
def test_what_is_refused_changes_nothing(given, error, words):
    net = plain()
    before = bits(net)
    with pytest.raises(error, match=words):
        net.fit(**given)
    assert bits(net) == before


def test_fewer_batches_than_the_length_says():
    net = plain()
    with pytest.raises(ValueError, match="fit: x says that it has 7 batches, and has given 6"):
        net.fit(Short(Parts()), epochs=2)
    assert len(net.history.loss) == COUNT


def test_runs_of_other_kinds_do_not_go_on():
    net = plain()
    history = net.fit(Parts(), epochs=1)
    with pytest.raises(
        ValueError, match="fit: x is a Loader, the run of continue_from has batches of another kind"
    ):
        net.fit(Loader(Parts()), epochs=1, continue_from=history)
    with pytest.raises(
        ValueError, match="fit: epochs is None, iterations is None; wanted exactly one of them"
    ):
        net.fit(Parts(), continue_from=history)
    with pytest.raises(ValueError, match="fit: x has 3 batches, the run of continue_from has 6"):
        net.fit([*in_order()][:3], epochs=1, continue_from=history)
    with pytest.raises(ValueError, match="fit: x has 53 rows, the run of continue_from has"):
        net.fit(X, T, epochs=1, continue_from=history)
    history = net.fit(X, T, epochs=1)
    with pytest.raises(ValueError, match="fit: t is not given, and the run of continue_from has x and t"):
        net.fit(Parts(), epochs=1, continue_from=history)


def test_progress_of_an_iterator(capsys):
    """Nobody knows how many steps there are, nor how many samples a second."""
    plain().fit(in_order(), progress=True)
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("step 6, loss ")
    assert "samples/s" not in line
    assert "left" not in line
    plain().fit(Parts(), epochs=2, progress=True)
    *_, last = capsys.readouterr().err.splitlines()
    assert last.startswith("step 12 of 12, loss ")
