"""Histories that are saved, loaded and merged."""

import json
import math
import os
import struct
from dataclasses import fields

import pytest
from hypothesis import given
from hypothesis import strategies as st

import backprop as bp
from tests.training.runs import T, X, plain

FLOATS = st.floats(allow_nan=True, allow_infinity=True)


@st.composite
def histories(draw):
    """Any history whose lists belong together."""
    loss = draw(st.lists(FLOATS, max_size=9))
    at = sorted(draw(st.sets(st.integers(1, len(loss))))) if loss else []

    def numbers():
        return draw(st.one_of(st.just([]), st.lists(FLOATS, min_size=len(at), max_size=len(at))))

    rows = st.lists(
        st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), FLOATS, max_size=3),
        min_size=len(at), max_size=len(at),
    )  # fmt: skip
    return bp.History(
        loss, numbers(), numbers(), numbers(), at, draw(FLOATS), draw(rows),
        draw(st.one_of(st.none(), st.integers(1, len(loss)))) if loss else None,
    )  # fmt: skip


def exact(value):
    """A value with its floats as bits; every NaN is one."""
    if isinstance(value, float):
        return "nan" if math.isnan(value) else struct.pack("<d", value)
    if isinstance(value, dict):
        return {name: exact(one) for name, one in value.items()}
    return [*map(exact, value)] if isinstance(value, list) else value


def content(history):
    return {one.name: exact(getattr(history, one.name)) for one in fields(history) if one.name != "_run"}


@given(history=histories())
def test_a_saved_history_comes_back(history, tmp_path_factory):
    path = tmp_path_factory.mktemp("h") / "history.json"
    history.save(path)
    assert content(bp.History.load(path)) == content(history)
    first = path.read_bytes()
    bp.History.load(path).save(path)
    assert path.read_bytes() == first
    json.loads(first, parse_constant=pytest.fail)


@given(first=histories(), second=histories())
def test_merged_histories(first, second):
    both = first + second
    taken, n = len(first.loss), len(first.evaluated_at)
    assert exact(both.loss) == exact(first.loss + second.loss)
    assert both.evaluated_at == first.evaluated_at + [taken + step for step in second.evaluated_at]
    for name in ("train_accuracy", "validation_loss", "validation_accuracy"):
        parts = getattr(first, name), getattr(second, name)
        values = getattr(both, name)
        assert len(values) in (0, len(both.evaluated_at))
        if any(parts):
            missing = ["nan"] * n, ["nan"] * len(second.evaluated_at)
            assert exact(values[:n]) == (exact(parts[0]) or missing[0])
            assert exact(values[n:]) == (exact(parts[1]) or missing[1])
    table = both.to_dict()
    assert {len(column) for column in table.values()} == {len(both.evaluated_at)}


def test_a_run_that_is_saved(tmp_path):
    net = plain()
    history = net.fit(X, T, epochs=3, validation=(X, T), metrics="balanced_accuracy", early_stopping=9)
    assert (
        history.best_at == history.evaluated_at[history.validation_loss.index(min(history.validation_loss))]
    )
    history.save(tmp_path / "h.json")
    loaded = bp.History.load(tmp_path / "h.json")
    assert loaded == history
    assert os.listdir(tmp_path) == ["h.json"]
    with pytest.raises(ValueError, match="continue_from is a copy, merged, loaded from a file"):
        net.fit(X, T, epochs=1, continue_from=loaded)
    with pytest.raises(ValueError, match="continue_from is a copy, merged"):
        net.fit(X, T, epochs=1, continue_from=history + loaded)


def test_a_history_is_not_merged_with_its_continuation():
    net = plain()
    first = net.fit(X, T, epochs=1)
    second = net.fit(X, T, epochs=1, continue_from=first)
    for pair in ((first, second), (second, first), (first, first)):
        with pytest.raises(ValueError, match="merged: other is of the same run, by continue_from"):
            pair[0].merged(pair[1])
    with pytest.raises(TypeError, match="merged: other is a dict, wanted a History"):
        first.merged({})
    with pytest.raises(TypeError, match="unsupported operand"):
        first + {}
    later = net.fit(X, T, epochs=1)
    assert (second + later).loss == second.loss + later.loss


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            dict(format="backprop network 2"),
            "the file's format is 'backprop network 2', wanted 'backprop history 1'",
        ),
        (dict(loss=None), "loss is None, wanted a list"),
        (dict(loss=["low"]), "loss has 'low', wanted a number, or one of 'nan', 'inf', '-inf'"),
        (dict(loss=[True, 1.0]), "loss has True"),
        (dict(loss=[10**400, 1.0]), "loss has a number that no float64 holds"),
        (dict(evaluated_at=[3]), r"evaluated_at is \[3\], wanted steps that go up from 1 to 2"),
        (dict(evaluated_at=[2, 1]), "evaluated_at is"),
        (dict(evaluated_at=[1.0]), "evaluated_at has 1.0, wanted whole numbers"),
        (dict(train_accuracy=[0.5, 0.5]), "train_accuracy has 2 numbers, evaluated_at has 1"),
        (dict(others=[3]), "others has 3, wanted names with numbers"),
        (dict(others=[{"a": []}]), r"a has \[\], wanted a number"),
        (dict(best_at=3), "best_at is 3, wanted one of the 2 steps"),
        (dict(seconds="long"), "seconds has 'long'"),
        (dict(surprise=1), "it has surprise, which no history has"),
        (dict(loss=[1.0, 2.5]), "not what was saved: the file is damaged"),
        (dict(checksum=0), "not what was saved"),
    ],
)
def test_files_that_are_changed(change, words, tmp_path):
    path = tmp_path / "h.json"
    bp.History([1.0, 2.0], [0.5], [1.0], [0.5], [2], 1.0, [{"validation_mae": 1.0}]).save(path)
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(ValueError, match=f"^{path}: no history: {words}"):
        bp.History.load(path)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"", "Expecting value"),
        (b"[1]", "wanted names with values"),
        (b"\xff\xfe", "codec can't decode"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"format": NaN}', "NaN is no number of JSON"),
        (b'{"format": "backprop history 1"}', "loss, train_accuracy, .* is missing"),
        (b'{"format": ' + b"9" * 10_000 + b"}", ""),
    ],
)
def test_files_that_are_no_history(text, words, tmp_path):
    path = tmp_path / "h.json"
    path.write_bytes(text)
    with pytest.raises(ValueError, match=f"^{path}: no history: .*{words}") as caught:
        bp.History.load(path)
    assert len(str(caught.value)) < len(str(path)) + 350


def test_every_bit_that_flips_is_seen_or_changes_nothing(tmp_path):
    path = tmp_path / "h.json"
    history = bp.History([1.5], [0.5], [], [], [1], 1.0, [{"a": math.inf}])
    history.save(path)
    whole = path.read_bytes()
    for n in range(len(whole) * 8):
        damaged = bytearray(whole)
        damaged[n // 8] ^= 1 << n % 8
        path.write_bytes(damaged)
        try:
            found = bp.History.load(path)
        except ValueError:
            continue
        assert content(found) == content(history)
    for n in range(len(whole) - 1):  # the last is the end of the line
        path.write_bytes(whole[:n])
        with pytest.raises(ValueError, match="no history"):
            bp.History.load(path)


def test_files_that_cannot_be(tmp_path):
    with pytest.raises(FileNotFoundError, match="there is no such file"):
        bp.History.load(tmp_path / "none.json")
    with pytest.raises(OSError, match="is a folder, wanted a regular file"):
        bp.History.load(tmp_path)
    with pytest.raises(FileNotFoundError, match="there is no folder"):
        bp.History().save(tmp_path / "none" / "h.json")


@pytest.mark.parametrize(
    ("history", "error", "words"),
    [
        (bp.History([1.0], [0.1]), ValueError, "save: train_accuracy has 1 number, evaluated_at has 0"),
        (bp.History(["low"]), TypeError, "save: loss has 'low', wanted numbers"),
        (bp.History([1.0], evaluated_at=[2]), ValueError, "save: evaluated_at is"),
        (bp.History([1.0], evaluated_at=[1], others=[{"\ud800": 1.0}]), ValueError, ""),
    ],
)
def test_histories_that_cannot_be_saved(history, error, words, tmp_path):
    path = tmp_path / "h.json"
    if not words:
        history.save(path)  # half a letter is JSON all the same
        assert bp.History.load(path) == history
        return
    with pytest.raises(error, match=words):
        history.save(path)
    assert not path.exists()


def test_what_a_notebook_shows_of_metrics():
    shown = bp.History([1.0], [], [1.0], [], [1], 1.0, [{"validation_<b>": 0.25}])._repr_html_()
    assert "<td>validation &lt;b&gt;</td><td>0.25</td><td></td><td>0.25</td>" in shown
