"""In which order samples come."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from backprop import sampling

# What PCG64(42) has always given for 60,000 samples in batches of 5.
FIRST_DRAWN = [46437, 26332, 51515, 41842, 5650]
FIRST_SHUFFLED = [10217, 18983, 35414, 26742, 16209]


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
    bits = np.random.PCG64(42)
    assert sampling.WithReplacement(bits, 60_000, 5).take(1)[0][0].tolist() == FIRST_DRAWN
    assert sampling.Epochs(np.random.PCG64(42), 60_000, 5).take(1)[0][0].tolist() == FIRST_SHUFFLED
