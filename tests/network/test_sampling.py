"""In which order samples come."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import backprop as bp
from backprop.training import sampling

# What PCG64(42) has always given for 60,000 samples in batches of 5: the first two, and the first of two epochs.
DRAWN = [[46437, 26332, 51515, 41842, 5650], [58537, 45668, 47163, 7686, 27023]]
SHUFFLED = [[10217, 18983, 35414, 26742, 16209], [2716, 49288, 43147, 45375, 39165]]


@given(
    samples=st.integers(1, 300),
    batch=st.integers(1, 64),
    seed=st.integers(0, 2**32),
    pieces=st.lists(st.integers(1, 40), min_size=1),
)
def test_an_epoch_visits_every_sample_once(samples, batch, seed, pieces):
    steps = -(-samples // batch)
    epochs = sampling.Epochs(np.random.PCG64(seed), samples, batch)
    batches = [row for group in epochs.take(2 * steps) for row in group]
    for epoch in (batches[:steps], batches[steps:]):
        assert sorted(np.concatenate(epoch)) == list(range(samples))
        assert [len(indices) for indices in epoch[:-1]] == [batch] * (steps - 1)
        assert 1 <= len(epoch[-1]) <= batch
    # Each epoch is in the order of keys of its own.
    keys = np.random.PCG64(seed).random_raw(2 * samples).reshape(2, samples)
    assert np.array_equal(np.concatenate(batches), np.argsort(keys, kind="stable").reshape(-1))
    # In whatever pieces they are taken, the batches are the same.
    again = sampling.Epochs(np.random.PCG64(seed), samples, batch)
    taken = [row for piece in pieces for group in again.take(piece) for row in group][: 2 * steps]
    assert len(taken) == min(sum(pieces), 2 * steps)
    assert all(np.array_equal(one, other) for one, other in zip(taken, batches, strict=False))


@given(samples=st.integers(1, 300), batch=st.integers(1, 64), pieces=st.lists(st.integers(1, 9), min_size=1))
def test_draws_are_the_same_in_whatever_pieces_they_are_taken(samples, batch, pieces):
    (whole,) = sampling.WithReplacement(np.random.PCG64(3), samples, batch).take(sum(pieces))
    sampler = sampling.WithReplacement(np.random.PCG64(3), samples, batch)
    assert np.array_equal(np.concatenate([group for piece in pieces for group in sampler.take(piece)]), whole)
    assert whole.max() < samples


def test_drawing_with_replacement():
    (batches,) = sampling.WithReplacement(np.random.PCG64(1), 10, 100).take(100)
    counts = np.bincount(batches.reshape(-1), minlength=10)
    assert len(counts) == 10
    # Chi-squared with 9 degrees of freedom: above 27.9 once in a thousand seeds.
    assert ((counts - 1000) ** 2 / 1000).sum() < 27.9


def test_the_order_is_the_one_it_has_always_been():
    drawing = sampling.WithReplacement(np.random.PCG64(42), 60_000, 5)
    shuffling = sampling.Epochs(np.random.PCG64(42), 60_000, 5)
    assert [drawing.take(1)[0][0].tolist() for _ in range(2)] == DRAWN
    first, *_, second = (group for count in (1, 11_999, 1) for group in shuffling.take(count))
    assert [first[0].tolist(), second[0].tolist()] == SHUFFLED


@pytest.mark.parametrize("threads", [1, 2])
def test_fit_takes_the_batches_of_every_epoch(threads):
    rng = np.random.default_rng(0)
    x, t = rng.normal(size=(50, 6)), rng.integers(0, 3, 50)
    net, twin = (bp.Network([6, 8, 3], dtype=np.float64, seed=0) for _ in range(2))
    history = net.fit(x, t, epochs=3, batch_size=20, seed=5, threads=threads)
    batches = [row for group in sampling.Epochs(np.random.PCG64(5), 50, 20).take(9) for row in group]
    assert history.loss == [twin.train_step(x[batch], t[batch], bp.SGD(0.1)) for batch in batches]
    assert all(np.array_equal(net.params[key], twin.params[key]) for key in net.params)
