"""Shuffling by blocks: every sample once an epoch, near each other in the file, and runs that go on."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import backprop as bp
from backprop.training import blocks
from backprop.training.blocks import Blocks, blocks_of, mapping_of
from tests.training.runs import T, X, bits, plain

SIZES = dict(
    samples=st.integers(1, 200),
    batch_size=st.integers(1, 50),
    block=st.integers(1, 30),
    count=st.integers(1, 8),
    seed=st.integers(0, 99),
)


def drawn(sampler, batches):
    """Single batches."""
    return [[int(one) for one in row] for group in sampler.take(batches) for row in group]


@given(**SIZES)
def test_an_epoch_has_every_sample_once(samples, batch_size, block, count, seed):
    sampler = Blocks(np.random.PCG64(seed), samples, batch_size, block, count)
    steps = -(-samples // batch_size)
    epochs = [drawn(sampler, steps), drawn(sampler, steps)]
    for batches in epochs:
        assert sorted(one for batch in batches for one in batch) == list(range(samples))
        assert [len(batch) for batch in batches[:-1]] == [batch_size] * (steps - 1)
    assert (samples < 20 or epochs[0] != epochs[1]) is True


@given(**SIZES)
def test_a_window_has_so_many_blocks(samples, batch_size, block, count, seed):
    order = [
        one
        for batch in drawn(Blocks(np.random.PCG64(seed), samples, 1, block, count), samples)
        for one in batch
    ]
    sizes = [min(block, samples - first) for first in range(0, samples, block)]
    seen = list(dict.fromkeys(one // block for one in order))
    while seen:
        window, seen = seen[:count], seen[count:]
        rows = sum(sizes[one] for one in window)
        assert {one // block for one in order[:rows]} == {*window}
        order = order[rows:]


@given(**SIZES, taken=st.integers(0, 60), split=st.integers(1, 9))
def test_the_place_in_an_epoch_is_that_of_another_sampler(
    samples, batch_size, block, count, seed, taken, split
):
    one, other = (Blocks(np.random.PCG64(n), samples, batch_size, block, count) for n in (seed, seed + 1))
    for _ in range(0, taken, split):
        one.take(split)
    before = one.state
    other.position = one.position
    wanted = drawn(one, 20)
    assert drawn(other, 20) == wanted
    one.state = before
    assert drawn(one, 20) == wanted


@pytest.fixture
def mapped(tmp_path, monkeypatch):
    """The samples in a file, of which a window is a small part."""
    monkeypatch.setattr(blocks, "BLOCK", 5 * 24)
    monkeypatch.setattr(blocks, "WINDOW", 4 * 5 * 24)
    x = np.memmap(tmp_path / "x.f32", np.float32, "w+", shape=X.shape)
    x[:] = X
    x.flush()
    return np.memmap(tmp_path / "x.f32", np.float32, "r", shape=X.shape)


def test_small_files_are_shuffled_as_arrays_are(tmp_path):
    x = np.memmap(tmp_path / "x.f32", np.float32, "w+", shape=X.shape)
    x[:] = X
    nets = plain(), plain()
    for net, samples in zip(nets, (x, X), strict=True):
        net.fit(samples, T, epochs=2, seed=0)
    assert bits(nets[0]) == bits(nets[1])


def test_fit_takes_the_samples_by_blocks(mapped):
    net, other, by_hand = plain(), plain(), plain()
    assert blocks_of(mapped, mapped) == (5, 4)
    net.fit(mapped, T, epochs=2, batch_size=10, seed=0)
    other.fit(np.asarray(mapped), T, epochs=2, batch_size=10, seed=0)
    assert bits(net) != bits(other)
    sampler = Blocks(np.random.PCG64(0), len(X), 10, 5, 4)
    for batch in drawn(sampler, 12):
        by_hand.train_step(X[batch], T[batch], bp.SGD(0.1))
    assert bits(net) == bits(by_hand)


@pytest.mark.parametrize("more", [{}, dict(validation_fraction=0.2)])
def test_a_run_on_a_file_goes_on(mapped, tmp_path, more):
    class Ends(bp.Callback):
        every = 8

        def step(self, run):
            raise KeyboardInterrupt

    path, options = tmp_path / "run.safetensors", dict(epochs=3, batch_size=10, seed=0)
    whole, parts, resumed = plain(), plain(), plain()
    whole.fit(mapped, T, **options, **more)
    with pytest.raises(KeyboardInterrupt):
        parts.fit(mapped, T, checkpoint=path, callbacks=[Ends()], **options, **more)
    resumed.fit(mapped, T, resume=path)
    assert bits(resumed) == bits(whole)
    parts.fit(mapped, T, epochs=2, continue_from=parts.history)
    assert bits(parts) == bits(whole)
    with pytest.raises(
        ValueError, match="its samples were shuffled by blocks; wanted x as it was, an np.memmap"
    ):
        plain().fit(X, T, resume=path)


def test_what_is_read_next_is_told(mapped):
    told = []

    class Told:
        def will_read(self, first, rows):
            told.append((first, rows))

    sampler = Blocks(np.random.PCG64(0), len(X), 10, 5, 4)
    sampler.mapping = Told()
    assert {one // 5 for batch in drawn(sampler, 2) for one in batch} == {first // 5 for first, _ in told}
    drawn(sampler, 4)
    assert sorted(told) == [(first, min(5, len(X) - first)) for first in range(0, len(X), 5)]


def test_where_the_samples_are_in_the_file(tmp_path):
    path = tmp_path / "x"
    path.write_bytes(bytes(100_000))
    for offset, part in ((0, slice(None)), (24, slice(7, 90))):
        x = np.memmap(path, np.float32, "r", offset=offset, shape=(100, 8))[part]
        mapping = mapping_of(x)
        for row in (0, len(x) - 1):
            mapping.will_read(row, 1)
        assert (mapping._row, mapping._start) == (32, offset + 32 * (part.start or 0))
    assert mapping_of(np.zeros((3, 4))) is None
    assert mapping_of(x[:, :3]) is None
