"""What the state machine of a network is made of: arrays of every type and layout, wrong ones, and two networks."""

from functools import partial

import numpy as np
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant

import backprop as bp
from tests.network.by_hand import Model
from tests.registry import ACTIVATIONS, LOSSES, RULES, targets


class ByLayers(bp.Network):
    """A network that never uses a plan."""

    def _plan(self):
        return None


class Halve:
    """A user's own layer, which no plan can run; dividing by 2 is exact."""

    def forward(self, x):
        return x / 2

    def backward(self, dout):
        return dout / 2


LAYERS = ACTIVATIONS | {"halve": Halve}
OPTIMIZERS = {rule: partial(make, 0.1 if rule == "sgd" else 0.02) for rule, make in RULES.items()}
SCALINGS = [{}, {"input_scale": 1 / 255}, {"input_mean": 3.0}, {"input_mean": -14.62, "input_scale": 0.5}]


def misaligned(array):
    """The same numbers one byte behind where their type begins."""
    memory = bytearray(array.nbytes + 1)
    other = np.frombuffer(memory, dtype=array.dtype, offset=1).reshape(array.shape)
    other[...] = array
    return other


def read_only(array):
    array = array.copy()
    array.setflags(write=False)
    return array


LAYOUTS = {
    "c": np.ascontiguousarray,
    "fortran": np.asfortranarray,
    "backwards": lambda array: array[::-1].copy()[::-1],
    "every other": lambda array: np.repeat(array, 2, axis=-1)[..., ::2],
    "images": lambda array: array[..., np.newaxis],
    "misaligned": misaligned,
    "other byte order": lambda array: array.astype(array.dtype.newbyteorder()),
    "read-only": read_only,
    "list": lambda array: array.tolist(),
}
STORED = ["f4", "f8", "f2", "u1", "i4", "i8", "?"]
BATCHES = st.fixed_dictionaries(
    {
        "seed": st.integers(0, 2**32 - 1),
        "rows": st.integers(1, 40),
        "stored": st.sampled_from(STORED),
        "layout": st.sampled_from(list(LAYOUTS)),
        "soft": st.booleans(),
        "target_layout": st.sampled_from([name for name in LAYOUTS if name != "images"]),
    }
)


def batch_for(net, loss, given):
    """A batch as `given` says: x, t."""
    rng, (rows, inputs, outputs) = (
        np.random.default_rng(given["seed"]),
        (given["rows"], net.sizes[0], net.sizes[-1]),
    )
    small = given["stored"].startswith("f")
    x = rng.normal(size=(rows, inputs)) if small else rng.integers(0, 256, (rows, inputs))
    if not LOSSES[loss].classifies:
        t = targets(loss, rng, rows, outputs)
    elif given["soft"]:
        t = rng.dirichlet(np.ones(outputs), rows)
    else:
        t = rng.integers(0, outputs, rows).astype(rng.choice(["i8", "u1", "i4", "u8"]))
    return LAYOUTS[given["layout"]](x.astype(given["stored"])), LAYOUTS[given["target_layout"]](t)


# What a call may get that it has to refuse: a right batch made wrong.
WRONG = {
    "columns": lambda x, t: (np.concatenate([x, x[:, :1]], axis=1), t),
    "one sample": lambda x, t: (x[0], t),
    "complex": lambda x, t: (x + 1j, t),
    "label": lambda x, t: (x, np.full(len(x), 10**6)),
    "fewer targets": lambda x, t: (x, t[:-1]),
    "target dimensions": lambda x, t: (x, t[..., np.newaxis, np.newaxis]),
    "no rows": lambda x, t: (x[:0], t[:0]),
}
REFUSING = {
    "loss": lambda net, x, t, optimizer: net.loss(x, t),
    "gradient": lambda net, x, t, optimizer: net.gradient(x, t),
    "train_step": lambda net, x, t, optimizer: net.train_step(x, t, optimizer),
    "fit": lambda net, x, t, optimizer: net.fit(x, t, epochs=1, optimizer=optimizer),
    "threads": lambda net, x, t, optimizer: net.fit(x, t, epochs=1, optimizer=optimizer, threads=0),
    "out": lambda net, x, t, optimizer: net.predict(x, out=np.empty((len(x), net.sizes[-1] + 1))),
}


def same(one, other):
    """Whether two mappings hold the same bits; 0 and -0 are two, all NaNs are one."""
    return one.keys() == other.keys() and all(
        np.array_equal(array, other[key], equal_nan=True)
        and not ((np.signbit(array) != np.signbit(other[key])) & (array == array)).any()
        for key, array in one.items()
    )


def copies(mapping):
    return {key: array.copy() for key, array in mapping.items()}


def walked_back(net):
    """The gradients of the last pass, or None if there is not a whole one."""
    try:
        dout = net.lastLayer.backward(1)
        for layer in reversed(net.layers.values()):
            dout = layer.backward(dout)
    except RuntimeError as error:
        assert "there is no forward pass to go back through" in str(error)
        return None
    return copies(net.params.gradients())


NOTHING, PARTS, WHOLE = "nothing", "parts", "whole"


# Parameters are set to anything here, and of their scores Poisson's loss takes the exponential, which overflows.
STEADY = [kind for kind in LOSSES if kind != "poisson"]


class Pair(RuleBasedStateMachine):
    """`net` runs plans where it can, `twin` never does; `params` is what both have to hold."""

    @initialize(
        sizes=st.lists(st.sampled_from([1, 2, 3, 5, 8, 17]), min_size=2, max_size=4),
        activations=st.lists(st.sampled_from([*ACTIVATIONS]), min_size=2, max_size=2),
        loss=st.sampled_from(STEADY),
        dtype=st.sampled_from(["float32", "float64"]),
        scaling=st.sampled_from(SCALINGS),
        seed=st.integers(0, 100),
    )
    def is_born(self, sizes, activations, loss, dtype, scaling, seed):
        self.activations = activations[: len(sizes) - 2]
        options = dict(activation=self.activations[:], loss=loss, dtype=dtype, seed=seed, **scaling)
        self.net, self.twin = bp.Network(sizes, **options), ByLayers(sizes, **options)
        self.options, self.dtype, self.loss = options, np.dtype(dtype), loss
        self.params = copies(self.twin.params)
        self.rules = {name: [make(), make()] for name, make in OPTIMIZERS.items()}
        # What a walk back through the layers has to find, and the model's gradient if nothing moved since.
        self.memory, self.gradient = NOTHING, None
        self.given, self.left = [], []
        self.probe = np.random.default_rng(seed).normal(size=(3, sizes[0])).astype(dtype)

    # --- Helpers --------------------------------------------------------------------------------------------

    @property
    def both(self):
        return self.net, self.twin

    def batch(self, given):
        x, t = batch_for(self.net, self.loss, given)
        self.given += [(array, np.array(array)) for array in (x, t)]
        return x, t

    def model(self):
        mean, scale = (self.options.get(name, one) for name, one in [("input_mean", 0), ("input_scale", 1)])
        option = tuple(self.net.lastLayer.options().values())
        return Model(self.params, self.activations, self.loss, self.dtype, mean, scale, option)

    def clears(self):
        self.memory, self.gradient = NOTHING, None

    def changed(self):
        """Something moved under the last pass."""
        self.memory, self.gradient = PARTS if self.memory == WHOLE else self.memory, None

    @invariant()
    def holds_what_it_should(self):
        for net in self.both:
            assert same(net.params, self.params)
            assert {array.dtype for array in net.params.values()} == {self.dtype}
        assert all(same(net.params, params) for net, params in self.left)
        assert all(one.steps == other.steps for one, other in self.rules.values())
        for array, before in self.given:
            assert np.array_equal(array, before)
        self.given = []

    @invariant()
    def is_asked(self):
        # After every change: what it was made of is noticed, whatever came before.
        assert np.array_equal(*(net.predict(self.probe) for net in self.both))
