"""A state machine of a network: calls and changes in any order, beside a network that runs layer by layer and NumPy.

The layered twin, and what NumPy's lines make of its gradients, must have the same bits; gradients, losses and scores
are held against a float64 model, within the bound that the model carries along (by_hand.py).
"""

import copy
import pickle

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

import backprop as bp
from tests.bounds import Bounded
from tests.losses import softmax
from tests.network.by_hand import close, moved
from tests.network.machine import (
    BATCHES,
    LAYERS,
    LOSSES,
    OPTIMIZERS,
    PARTS,
    REFUSING,
    STEADY,
    WHOLE,
    WRONG,
    Pair,
    batch_for,
    copies,
    misaligned,
    same,
    walked_back,
)

COPIES = {
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    "pickle": lambda thing: pickle.loads(pickle.dumps(thing)),
}


class Machine(Pair):
    """What may happen to them, in any order."""

    def reset_if_large(self, seed):
        """Set parameters anew that grew so large that the next steps would overflow."""
        if not all(np.abs(array).max() < 1e3 for array in self.params.values()):
            self.set_parameters(seed, "in place")

    # --- Asking ---------------------------------------------------------------------------------------------

    @rule(given=BATCHES, out=st.sampled_from([None, "c", "fortran", "strided", "misaligned"]))
    def predicts(self, given, out):
        x, _ = self.batch(given)
        shape = given["rows"], self.net.sizes[-1]
        makes = {
            None: lambda: None,
            "c": lambda: np.empty(shape, self.dtype),
            "fortran": lambda: np.empty(shape, self.dtype, order="F"),
            "strided": lambda: np.empty((shape[0], 2 * shape[1]), self.dtype)[:, ::2],
            "misaligned": lambda: misaligned(np.empty(shape, self.dtype)),
        }
        outs = [makes[out]() for _ in self.both]
        one, other = (net.predict(x, out=array) for net, array in zip(self.both, outs, strict=True))
        assert out is None or (one is outs[0] and other is outs[1])
        assert np.array_equal(one, other)
        assert (one.dtype, one.shape) == (self.dtype, shape)
        assert close(one, self.model().scores(x))

    @rule(given=BATCHES)
    def judges(self, given):
        x, t = self.batch(given)
        if LOSSES[self.loss].binary and self.net.sizes[-1] == 1:
            right = np.mean((self.net.predict(x) > 0) == (np.reshape(np.array(t, self.dtype), (-1, 1)) > 0.5))
            assert self.net.accuracy(x, t) == self.twin.accuracy(x, t) == right
            return
        if not LOSSES[self.loss].classifies:
            for net in self.both:
                with pytest.raises(TypeError, match="outputs are numbers|outputs stands for yes or no"):
                    net.accuracy(x, t)
            return
        one, other = (net.predict_proba(x) for net in self.both)
        assert np.array_equal(one, other)
        scores = self.net.predict(x)
        assert close(one, softmax(Bounded(scores.astype(float), np.zeros(scores.shape)), self.dtype))
        labels = np.array(t) if np.ndim(t) == 1 else np.array(t, self.dtype).argmax(axis=1)
        right = (scores.argmax(axis=1) == labels).mean()
        assert self.net.accuracy(x, t) == self.twin.accuracy(x, t) == right

    @rule(given=BATCHES, ask=st.sampled_from(["loss", "gradient"]))
    def goes_through_the_layers(self, given, ask):
        x, t = self.batch(given)
        one, other = (getattr(net, ask)(x, t) for net in self.both)
        loss, self.gradient = self.model().loss_and_gradient(x, t)
        self.memory = WHOLE
        if ask == "loss":
            assert one == other
            assert close(one, loss)
        else:
            assert same(one, other)
            assert all(close(one[key], self.gradient[key]) for key in one)

    @rule()
    def goes_back(self):
        one, other = map(walked_back, self.both)
        assert (one is None) == (other is None)
        if one is not None:
            assert same(one, other)
        if self.memory != PARTS:
            assert (one is not None) == (self.memory == WHOLE)
        if self.gradient is not None:
            assert all(close(one[key], self.gradient[key]) for key in one)

    @rule()
    def told_to_forget(self):
        for net in self.both:
            net.clear_cache()
        self.clears()

    # --- Learning -------------------------------------------------------------------------------------------

    @rule(given=BATCHES, name=st.sampled_from(list(OPTIMIZERS)), anew=st.booleans())
    def takes_a_step(self, given, name, anew):
        x, t = self.batch(given)
        for optimizer in self.rules[name] if anew else []:
            optimizer.state.clear()
            optimizer.steps = 0
        optimizer, others = self.rules[name]
        wanted, bounds = self.model().loss_and_gradient(x, t)
        gradients = self.twin.gradient(x, t)
        assert all(close(gradients[key], bounds[key]) for key in gradients)
        self.params, states = moved(others, self.params, gradients)
        one, other = self.net.train_step(x, t, optimizer), self.twin.train_step(x, t, others)
        assert one == other
        assert close(one, wanted)
        for key, state in states.items():
            for array, *pair in zip(
                state, optimizer.state.get(key, ()), others.state.get(key, ()), strict=True
            ):
                assert all(np.array_equal(array, each, equal_nan=True) for each in pair)
        self.clears()
        self.reset_if_large(given["seed"])

    @rule(
        given=BATCHES,
        name=st.sampled_from(list(OPTIMIZERS)),
        length=st.sampled_from([{"epochs": 1}, {"epochs": 2}, {"iterations": 1}, {"iterations": 3}]),
        batch_size=st.integers(1, 50),
        validated=st.booleans(),
    )
    def is_fitted(self, given, name, length, batch_size, validated):
        x, t = self.batch(given)
        runs = [
            net.fit(
                x, t, **length, batch_size=batch_size, optimizer=optimizer, seed=given["seed"],
                validation=(x, t) if validated else None,
            )
            for net, optimizer in zip(self.both, self.rules[name], strict=True)
        ]  # fmt: skip
        for attribute in ("loss", "train_accuracy", "validation_loss", "validation_accuracy", "evaluated_at"):
            one, other = (getattr(run, attribute) for run in runs)
            assert np.array_equal(one, other, equal_nan=True)
        self.params = copies(self.twin.params)
        self.clears()
        self.reset_if_large(given["seed"])

    # --- Being changed --------------------------------------------------------------------------------------

    @rule(
        seed=st.integers(0, 2**32 - 1),
        how=st.sampled_from(["in place", "assigned", "added", "array", "fortran", "layer"]),
        which=st.sampled_from(["Wb", "W", "b"]),
    )
    def set_parameters(self, seed, how, which="Wb"):
        rng = np.random.default_rng(seed)
        for n in range(1, len(self.params) // 2 + 1):
            for name in which:
                key = f"{name}{n}"
                self.params[key] = rng.normal(size=self.params[key].shape).astype(self.dtype)
            for net in self.both:
                layer = net.layers[f"Affine{n}"]
                if how == "layer":
                    net.layers[f"Affine{n}"] = bp.Affine(*(self.params[f"{name}{n}"].copy() for name in "Wb"))
                    continue
                for name in which:
                    array = self.params[f"{name}{n}"]
                    if how == "in place":
                        net.params[f"{name}{n}"][...] = array
                    elif how == "assigned":
                        net.params[f"{name}{n}"] = array.tolist()
                    elif how == "added":
                        net.params[f"{name}{n}"] *= 0
                        net.params[f"{name}{n}"] += array
                    else:
                        setattr(layer, name, np.array(array, order="F" if how == "fortran" else "C"))
        self.changed()

    @precondition(lambda self: self.activations)
    @rule(place=st.integers(0, 2), kind=st.sampled_from(list(LAYERS)))
    def gets_another_activation(self, place, kind):
        n = place % len(self.activations)
        self.activations[n] = kind
        for net in self.both:
            net.layers[list(net.layers)[2 * n + 1]] = LAYERS[kind]()
        self.changed()

    @rule(kind=st.sampled_from(STEADY))
    def gets_another_loss(self, kind):
        self.loss = kind
        for net in self.both:
            net.lastLayer = LOSSES[kind]()
        self.changed()

    # --- Being copied ---------------------------------------------------------------------------------------

    @rule(how=st.sampled_from(list(COPIES)), with_copy=st.booleans(), optimizers=st.booleans())
    def is_copied(self, how, with_copy, optimizers):
        twins = [COPIES[how](net) for net in self.both]
        if how == "copy":
            assert all(twins[0].params[key] is self.net.params[key] for key in self.params)
        else:
            self.left = [*self.left, (self.net if with_copy else twins[0], copies(self.params))][-3:]
        if with_copy:
            self.net, self.twin = twins
        if optimizers and how != "copy":
            self.rules = COPIES[how](self.rules)

    @rule(there=st.sampled_from(["float32", "float64"]))
    def changes_its_type_and_back(self, there):
        self.net, self.twin = (net.astype(there).astype(self.dtype) for net in self.both)
        for key, array in self.params.items():
            self.params[key] = array.astype(there).astype(self.dtype)
        self.clears()

    @rule(note=st.text(max_size=5))
    def is_saved_and_loaded(self, note):
        self.net.metadata["note"] = note
        path = self.folder / "net.safetensors"
        if "halve" in self.activations:
            with pytest.raises(
                TypeError, match=r"save: layers\['.*'\] is a Halve, .*save its params instead"
            ):
                self.net.save(path)
            return
        self.net.save(path)
        self.net = bp.Network.load(path)
        self.twin.clear_cache()
        assert self.net.metadata == {"note": note}
        self.clears()

    # --- What goes wrong ------------------------------------------------------------------------------------

    @rule(
        given=BATCHES,
        wrong=st.sampled_from(list(WRONG)),
        call=st.sampled_from(list(REFUSING)),
        name=st.sampled_from(list(OPTIMIZERS)),
        seed=st.none() | st.integers(0, 2**32 - 1),
    )
    def refuses(self, given, wrong, call, name, seed):
        given |= {"layout": "c", "target_layout": "c"}
        if seed is not None:
            for net in self.both:
                net.loss(*batch_for(net, self.loss, given | {"seed": seed}))
        x, t = batch_for(self.net, self.loss, given)
        if wrong == "label" and not LOSSES[self.loss].classifies:
            wrong = "fewer targets"  # of one output, any number is a target
        if call not in ("threads", "out"):
            x, t = WRONG[wrong](x, t)
        for net, optimizer in zip(self.both, self.rules[name], strict=True):
            before, history = walked_back(net), net.history
            assert seed is None or before is not None
            with pytest.raises((ValueError, TypeError)):
                REFUSING[call](net, x, t, optimizer)
            after = walked_back(net)
            # What it keeps is the pass that it had, or none; never parts of two.
            assert after is None or same(after, before)
            assert net.history is history
            net.clear_cache()
        self.clears()

    @rule(given=BATCHES, name=st.sampled_from(list(OPTIMIZERS)), number=st.sampled_from([np.nan, np.inf]))
    def sees_what_is_no_number(self, given, name, number):
        x, t = batch_for(self.net, self.loss, given | {"stored": "f8", "layout": "c"})
        x[0, 0] = number
        assert np.array_equal(self.net.predict(x), self.twin.predict(x), equal_nan=True)
        twins, optimizers = copy.deepcopy(self.both), copy.deepcopy(self.rules[name])
        losses = [net.train_step(x, t, rule) for net, rule in zip(twins, optimizers, strict=True)]
        assert np.array_equal(*losses, equal_nan=True)
        assert same(twins[0].params, twins[1].params)


@pytest.fixture(autouse=True, scope="module")
def _folder(tmp_path_factory):
    Machine.folder = tmp_path_factory.mktemp("machine")


TestMachine = Machine.TestCase
TestMachine.settings = settings(max_examples=2 * settings.default.max_examples, stateful_step_count=50)
