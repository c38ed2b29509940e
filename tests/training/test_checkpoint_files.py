"""Checkpoints that are damaged, lie, or belong to something else: an error that says so, and nothing is changed."""

import contextlib
import json
import tracemalloc

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from safetensors.numpy import load, save

import backprop as bp
from backprop.io import _checkpoint
from tests.training.runs import T, X, bits, of_numbers, plain, with_masks, with_own_layer

NOT_SHARED = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


def own(**changes):
    return {
        **dict(epochs=3, batch_size=10, seed=3, optimizer="adam", validation_fraction=0.2, early_stopping=9),
        **changes,
    }


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    path = tmp_path_factory.mktemp("run") / "run.safetensors"
    plain().fit(X, T, checkpoint=path, every=1, schedule="plateau", **own())
    return path


def header_and_rest(content):
    length = int.from_bytes(content[:8], "little")
    return json.loads(content[8 : 8 + length]), content[8 + length :]


def end_of_header(content):
    return 8 + int.from_bytes(content[:8], "little")


def header_of(content):
    """What the header says, read wholly."""
    header = header_and_rest(bytes(content))[0]
    stated = json.loads(header["__metadata__"].pop("backprop"))
    return header, stated


def with_state(content, change):
    """The file with its state changed, and a checksum that is right."""
    header, _ = header_and_rest(content)
    stated = json.loads(header["__metadata__"]["backprop"])
    tensors, described = load(content), stated["checkpoint"]
    change(described)
    others = {name.removeprefix("checkpoint."): one for name, one in tensors.items() if "checkpoint." in name}
    described["checksum"] = _checkpoint._checksum(described, stated["checksum"], others)
    return save(tensors, {"backprop": json.dumps(stated)})


def refused(path, error=ValueError, text=None, net=None, **changes):
    """The message of an error by which nothing was changed."""
    net = plain() if net is None else net
    before = bits(net)
    with pytest.raises(error, match=text) as caught:
        net.fit(**{"x": X, "t": T, "resume": path, **changes})
    assert bits(net) == before
    assert net.history is None
    return str(caught.value)


@NOT_SHARED
@given(data=st.data())
def test_no_damaged_file_is_taken(good, tmp_path, data):
    content = bytearray(good.read_bytes())
    place = data.draw(st.integers(0, len(content) - 1))
    content[place] ^= 1 << data.draw(st.integers(0, 7))
    (tmp_path / "damaged.safetensors").write_bytes(content)
    with contextlib.suppress(ValueError, KeyError, AttributeError, TypeError):
        if header_of(content) == header_of(good.read_bytes()) and place < end_of_header(content):
            return  # a last digit of more than a float has: nothing is another
    assert str(tmp_path / "damaged.safetensors") in refused(tmp_path / "damaged.safetensors")


def test_no_flipped_bit_of_any_number_is_taken(good, tmp_path):
    """A bit of every byte behind the header: those of the network, of the optimizer and of the run."""
    path, content = tmp_path / "damaged.safetensors", good.read_bytes()
    for place in range(end_of_header(content), len(content)):
        damaged = bytearray(content)
        damaged[place] ^= 1 << place % 8
        path.write_bytes(damaged)
        with pytest.raises(ValueError, match="not what was saved"):
            _checkpoint.read(path)


@NOT_SHARED
@given(data=st.data())
def test_no_file_is_taken_that_was_cut(good, tmp_path, data):
    content = good.read_bytes()
    path = tmp_path / "cut.safetensors"
    path.write_bytes(content[: data.draw(st.integers(0, len(content) - 1))])
    assert str(path) in refused(path)


def test_where_one_is_damaged_the_one_before_is_offered(good, tmp_path):
    path, before = tmp_path / "run.safetensors", tmp_path / "run.previous.safetensors"
    content = good.read_bytes()
    path.write_bytes(content[:-1])
    assert "whole" not in refused(path)
    before.write_bytes((good.parent / "run.previous.safetensors").read_bytes())
    assert refused(path).endswith(f"; the one before, {before}, is whole")
    # With it the run goes on, and the damaged one never takes its place.
    net, whole = plain(), plain()
    whole.fit(X, T, schedule="plateau", **own())

    class Looks(bp.Callback):
        def begin(self, run):
            assert before.read_bytes() == (good.parent / "run.previous.safetensors").read_bytes()

    net.fit(X, T, resume=before, checkpoint=path, callbacks=[Looks()])
    assert bits(net) == bits(whole)
    assert before.read_bytes() == (good.parent / "run.previous.safetensors").read_bytes()
    assert bits(bp.Network.load(path)) == bits(whole)


JUNK = [None, True, -1, 2**63, 2**200, 0.5, "", "x" * 1000, [], [1], {}, {"a": 1}, [[]] * 3, {"float": "nan"}]


def places(value, at=()):
    """All paths into nested lists and dicts."""
    yield at
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in items:
        yield from places(one, (*at, key))


@NOT_SHARED
@given(data=st.data())
def test_a_state_that_lies(good, tmp_path, data):
    """Whatever stands there is refused, or is a state that a run can have."""
    path = tmp_path / "lies.safetensors"
    content = good.read_bytes()
    stated = json.loads(header_and_rest(content)[0]["__metadata__"]["backprop"])["checkpoint"]
    place = data.draw(st.sampled_from([at for at in places(stated["state"]) if at]))
    junk, is_cut = data.draw(st.sampled_from(JUNK)), data.draw(st.booleans())

    def change(described):
        value = described["state"]
        for key in place[:-1]:
            value = value[key]
        if is_cut:
            del value[place[-1]]
        else:
            value[place[-1]] = junk

    path.write_bytes(with_state(content, change))
    net = plain()
    before = bits(net)
    tracemalloc.start()
    try:
        history = net.fit(X, T, resume=path)
    except ValueError as error:
        assert bits(net) == before
        assert net.history is None
        assert str(path) in str(error) or "fit: " in str(error)
    else:
        assert len(history.loss) in range(18)
    # Of twelve steps with a network of 100 numbers: nothing that a file claims is allocated.
    assert tracemalloc.get_traced_memory()[1] < 2_000_000
    tracemalloc.stop()


def test_other_kinds_of_files(good, tmp_path):
    path = tmp_path / "net.safetensors"
    plain().save(path)
    assert refused(path) == f"{path}: a network, and no checkpoint of fit; Network.load reads it"
    with pytest.raises(FileNotFoundError):
        plain().fit(X, T, resume=tmp_path / "none.safetensors")
    path.write_bytes(
        with_state(good.read_bytes(), lambda described: described.update(format="backprop checkpoint 2"))
    )
    assert refused(path) == (
        f"{path}: the checkpoint's format is 'backprop checkpoint 2', wanted 'backprop checkpoint 1'"
    )


def test_what_an_older_reader_does_not_take_for_a_network(good):
    """One that knows no checkpoints finds tensors that no network has."""
    from backprop.io import _description

    header, _ = header_and_rest(good.read_bytes())
    stated = json.loads(header.pop("__metadata__")["backprop"])
    tensors = {name: one for name, one in load(good.read_bytes()).items() if "input_" not in name}
    with pytest.raises(ValueError, match="the file has"):
        _description.read(stated, tensors)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (dict(batch_size=11), "fit: batch_size is 11, and the run of .* has 10"),
        (dict(seed=4), "fit: seed is 4, and the run of .* has 3"),
        (dict(optimizer=bp.Adam(0.5)), r"fit: optimizer is Adam\(lr=0.5, .*, and the run of"),
        (dict(optimizer="sgd"), "fit: optimizer is 'sgd', and the run of"),
        (dict(schedule="cosine"), "fit: schedule is 'cosine', and the run of .* has {'kind': 'plateau'"),
        (dict(validation_fraction=0.3), "fit: validation_fraction is 0.3"),
        (dict(early_stopping=3), "fit: early_stopping is 3"),
        (dict(class_weight="balanced"), "fit: class_weight is 'balanced', and the run of .* has None"),
        (dict(shuffle=False), "fit: shuffle is False, and the run of .* shuffles"),
        (dict(iterations=30), "fit: iterations is given, and the run of .* goes by the other"),
        (dict(epochs=1), "has taken 15 steps, and is to end after 5"),
        (dict(x=X + 1), r"fit: x is not that of the run of .*: float32 \(53, 6\) of other numbers"),
        (
            dict(x=X.astype(float)),
            r"fit: x is not that of the run of .*: float64 \(53, 6\), there float32 \(53, 6\)",
        ),
        (dict(x=X[:50], t=T[:50]), r"fit: x is not that of the run of .*: float32 \(50, 6\), there"),
        (dict(t=(T + 1) % 3), "fit: t is not that of the run of .* of other numbers"),
        (dict(sample_weight=np.ones(len(X))), "fit: sample_weight is not that of the run of .*there none"),
        (dict(metrics="balanced_accuracy"), "fit: .*validation_balanced_accuracy would be recorded"),
        (
            dict(net=with_masks()),
            "fit: the network is .*, and .* is of .*, wanted one made as that was",
        ),
        (dict(net=bp.Network([6, 8, 3], seed=1, input_scale=[2.0] * 6)), "fit: the network is"),
        (dict(every=3), "fit: every is 3, and checkpoint is None"),
        (dict(resume=True), "fit: resume is True, and checkpoint is None"),
        (dict(ema=plain()), "has no moving average, and ema is"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_what_does_not_go_with_the_run(good, changes, words):
    refused(**{"path": good, "text": words, **changes})


def test_arguments_that_are_as_they_were_may_be_given_again(good):
    net = plain()
    net.fit(X, T, resume=good, schedule=bp.schedules.Plateau(), **own(optimizer=bp.Adam()))
    assert bits(net) == bits(bp.Network.load(good))


def test_a_file_that_is_there_is_not_replaced(good, tmp_path):
    path = tmp_path / "net.safetensors"
    plain().save(path)
    before = path.read_bytes()
    net = plain()
    for more in (dict(epochs=1), dict(resume=good)):
        with pytest.raises(
            FileExistsError, match="is there, and would be replaced; wanted another path, or resume"
        ):
            net.fit(X, T, checkpoint=path, **more)
    assert path.read_bytes() == before
    assert net.history is None


def test_what_no_file_holds_is_refused_before_the_first_step(tmp_path):
    path = tmp_path / "run.safetensors"

    class Own:
        def update(self, params, grads):
            raise AssertionError

    class Mine(bp.SGD):
        pass

    for net, more, words in (
        (
            plain(),
            dict(optimizer=Own()),
            "fit: checkpoint is given, and the optimizer is a Own, whose state no file",
        ),
        (plain(), dict(optimizer=Mine(0.1)), "the optimizer is a Mine"),
        (
            with_own_layer(),
            {},
            r"fit: checkpoint: layers\['Doubles1'\] is a Doubles, which has no name in files",
        ),
        (plain(), dict(every="1"), "fit: every is '1', wanted a whole number"),
        (plain(), dict(checkpoint=3), "fit: checkpoint is 3, wanted a path"),
    ):
        refused(None, TypeError, words, net, epochs=1, **{"checkpoint": path, **more})
    with pytest.raises(FileNotFoundError):
        plain().fit(X, T, epochs=1, checkpoint=tmp_path / "none" / "run.safetensors")
    assert list(tmp_path.iterdir()) == []


def test_a_schedule_of_a_function_is_given_again(tmp_path):
    path = tmp_path / "run.safetensors"

    def falls(step):
        return 1 / (1 + step)

    net, other = plain(), plain()
    net.fit(X, T, epochs=2, seed=0, schedule=falls, checkpoint=path)
    refused(path, text="fit: schedule of the run of .* cannot be made of; wanted schedule= as it was")
    other.fit(X, T, epochs=2, schedule=falls, resume=path)
    assert bits(other) == bits(net)


def test_a_copy_of_the_settings_is_saved(tmp_path):
    """What somebody changes of an optimizer in the run is in the file, and what was asked for stays."""
    path, options = tmp_path / "run.safetensors", dict(epochs=4, batch_size=10, seed=0)

    class Halves(bp.Callback):
        def epoch(self, run):
            if run.epoch == 2:
                run.rate /= 2

    class Ends(bp.Callback):
        every = 15

        def step(self, run):
            raise KeyboardInterrupt

    whole, parts, resumed = plain(), plain(), plain()
    whole.fit(X, T, optimizer=bp.SGD(0.1), callbacks=[Halves()], **options)
    with pytest.raises(KeyboardInterrupt):
        parts.fit(X, T, optimizer=bp.SGD(0.1), callbacks=[Halves(), Ends()], checkpoint=path, **options)
    resumed.fit(X, T, optimizer=(own := bp.SGD(0.1)), callbacks=[Halves()], resume=path, **options)
    assert bits(resumed) == bits(whole)
    assert own.lr == 0.05


def test_the_same_run_has_the_same_bytes(tmp_path):
    paths = [tmp_path / f"{n}.safetensors" for n in range(2)]
    for path in paths:
        plain().fit(X, T, checkpoint=path, **own())
    found = [header_and_rest(path.read_bytes()) for path in paths]
    assert found[0][1] == found[1][1]


def test_networks_of_other_types(tmp_path):
    path, t = tmp_path / "run.safetensors", X[:, :3]
    of_numbers().fit(X, t, epochs=2, checkpoint=path, seed=0)
    refused(path, text="fit: t is not that of", net=of_numbers().astype("float32"), t=t)
    refused(path, text="fit: t is not that of", net=plain(), t=T)
