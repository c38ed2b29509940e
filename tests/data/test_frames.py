"""Tables of pandas and polars, and what only speaks DLPack, in the place of arrays."""

import numpy as np
import pytest

import backprop as bp

RNG = np.random.default_rng(0)
X = RNG.normal(size=(20, 3))
T = RNG.integers(0, 2, 20)
WHOLE = np.arange(20) % 3


def pandas_frame(**columns):
    pd = pytest.importorskip("pandas")
    return pd.DataFrame({"a": X[:, 0], "b": X[:, 1], "c": X[:, 2]} | columns)


def polars_frame(**columns):
    pl = pytest.importorskip("polars")
    return pl.DataFrame({"a": X[:, 0], "b": X[:, 1], "c": X[:, 2]} | columns)


FRAMES = pytest.mark.parametrize("frame", [pandas_frame, polars_frame], ids=["pandas", "polars"])


def trained(x, t=T):
    net = bp.Network([3, 4, 2], seed=0)
    net.fit(x, t, epochs=2, seed=0)
    return net.get_flat_params().tobytes(), net.predict(x).tobytes()


@FRAMES
@pytest.mark.parametrize(
    "other", [X[:, 1], WHOLE, WHOLE.astype(np.uint8), WHOLE == 1, X[:, 1].astype(np.float32)]
)
def test_a_table_is_its_numbers(frame, other):
    table = frame(b=other)
    assert trained(table, table["a"].to_numpy() > 0) == trained(
        np.stack([X[:, 0], other, X[:, 2]], axis=1), X[:, 0] > 0
    )
    assert trained(table, (table["a"] > 0)) == trained(table, X[:, 0] > 0)


@FRAMES
@pytest.mark.parametrize("kind", ["text", "category", "date"])
def test_a_column_without_numbers_is_named(frame, kind):
    texts = ["x", "y"] * 10
    if frame is pandas_frame:
        pd = pytest.importorskip("pandas")
        column = {
            "text": texts,
            "category": pd.Categorical(texts),
            "date": pd.date_range("2020", periods=20),
        }[kind]
        way = r"pandas.get_dummies\(x, columns=\['b'\]\)" if kind != "date" else r"x.drop\(columns='b'\)"
    else:
        pl = pytest.importorskip("polars")
        dates = np.arange(20).astype("datetime64[D]")
        column = {"text": texts, "category": pl.Series(texts, dtype=pl.Categorical), "date": dates}[kind]
        way = r"x.to_dummies\('b'\)" if kind != "date" else r"x.drop\('b'\)"
    with pytest.raises(TypeError, match=f"column 'b' of x has dtype .*, wanted real numbers; {way}"):
        trained(frame(b=column))


@FRAMES
def test_missing_values_are_refused(frame):
    if frame is pandas_frame:
        pd = pytest.importorskip("pandas")
        column, whole = pd.array([1, None, 3, 4] * 5, dtype="Int64"), pd.array(WHOLE, dtype="Int64")
        targets = pd.Series(column)
    else:
        pl = pytest.importorskip("polars")
        column, whole = [1, None, 3, 4] * 5, pl.Series(WHOLE)
        targets = pl.Series(column)
    with pytest.raises(
        ValueError, match="column 'b' of x has 5 missing values, wanted numbers; leave such rows out"
    ):
        trained(frame(b=column))
    assert trained(frame(b=whole)) == trained(frame(b=WHOLE.astype(float)))
    with pytest.raises(ValueError, match="fit: t has 5 missing values, wanted numbers"):
        trained(X, targets)


@FRAMES
def test_rows_that_were_chosen_and_labels_as_a_column(frame):
    table = frame()
    some = table[5:15]
    assert trained(some, T[5:15]) == trained(X[5:15], T[5:15])
    if frame is pandas_frame:
        shuffled = table.sample(frac=1, random_state=0)
        assert trained(shuffled) == trained(X[shuffled.index])
        assert trained(shuffled, shuffled["a"] > 0) == trained(X[shuffled.index], X[shuffled.index, 0] > 0)


class OnlyDlpack:
    def __init__(self, array, device=None):
        self.array, self.device = array, device

    def __dlpack__(self, **options):
        if self.device is not None:
            raise BufferError("the memory is that of a GPU")
        return self.array.__dlpack__(**options)

    def __dlpack_device__(self):
        return self.device or self.array.__dlpack_device__()


class OnlyInterface:
    def __init__(self, array):
        self.__array_interface__, self.array = array.__array_interface__, array


@pytest.mark.parametrize("kind", [OnlyDlpack, OnlyInterface])
def test_what_shares_its_memory(kind):
    assert trained(kind(X), kind(T)) == trained(X)


def test_memory_that_is_not_the_cpus():
    with pytest.raises(
        TypeError, match="x is a OnlyDlpack, of which NumPy makes no array: .*; wanted numbers in the mem"
    ):
        trained(OnlyDlpack(X, (2, 0)))
