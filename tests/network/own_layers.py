"""Networks with layers that no plan knows, written as users write them, and what is left of their training."""

import numpy as np

import backprop as bp
from backprop.layers.buffers import buffers_of
from backprop.network.plan import NoPlan

STEPS = 5  # the first two show what the layers are


class Squash:
    """A layer without parameters, written as one writes it."""

    def forward(self, x):
        self.y = x / (1 + np.abs(x))
        return self.y

    def backward(self, dout):
        return dout * (1 - np.abs(self.y)) ** 2


class Scale:
    """A layer with two parameters."""

    def __init__(self, units, dtype):
        self.gamma = np.linspace(0.5, 1.5, units).astype(dtype)
        self.beta = np.linspace(-0.25, 0.25, units).astype(dtype)

    def forward(self, x):
        self.x = x
        return x * self.gamma + self.beta

    def backward(self, dout):
        self.dgamma, self.dbeta = (dout * self.x).sum(axis=0), dout.sum(axis=0)
        return dout * self.gamma


class Spoils(Squash):
    """It writes to what it gets and to what it gave, as `backward` of others allows by then."""

    def forward(self, x):
        y = super().forward(x.copy())
        x[...] = np.nan
        return y

    def backward(self, dout):
        dx = super().backward(dout.copy())
        dout[...] = self.y[...] = np.nan
        return dx


class Steps:
    """It gives out arrays that lie otherwise in memory, and are read-only."""

    def forward(self, x):
        y = np.asfortranarray(x)
        y.setflags(write=False)
        return y

    def backward(self, dout):
        return np.repeat(dout, 2, axis=1)[:, ::2]


class Widens:
    """Twice as many numbers come out, in a cube."""

    def forward(self, x):
        return np.stack([x, -x], axis=2)

    def backward(self, dout):
        return np.ascontiguousarray(dout[:, :, 0] - dout[:, :, 1])


class Copies(Squash):
    """The array that it returned before is the one that it returns, with other numbers."""

    buffer = None

    def forward(self, x):
        if self.buffer is None or self.buffer.shape != x.shape:
            self.buffer = np.empty_like(x)
        self.buffer[...] = super().forward(x)
        return self.buffer


class Noise:
    """It draws in training, and has a dropout inside."""

    def __init__(self):
        self.dropout = bp.Dropout(0.25, seed=5)

    def forward(self, x, training=False):
        return self.dropout.forward(x, training=training)

    def backward(self, dout):
        return self.dropout.backward(dout)


def data(rows=40, inputs=6, outputs=3, dtype=np.float32):
    rng = np.random.default_rng(7)
    return rng.normal(size=(rows, inputs)).astype(dtype), rng.integers(0, outputs, rows)


def network(kind, insert, dtype=np.float32, **options):
    net = kind([6, 8, 5, 3], "tanh", dtype=dtype, seed=3, **options)
    insert(net)
    return net


def behind(name, make):
    return lambda net: net.layers.insert_after(name, "Own", make(net))


def first(make):
    return lambda net: net.layers.insert(0, "Own", make(net))


def two(net):
    net.layers.insert_after("Affine1", "Own", Squash())
    net.layers.insert_after("Tanh2", "Other", Scale(5, net.dtype))


def neighbours(net):
    net.layers.insert_after("Affine1", "Own", Scale(8, net.dtype))
    net.layers.insert_after("Own", "Other", Squash())


def mixed(net):
    net.layers.insert_after("Affine1", "Norm1", bp.LayerNorm(8, dtype=net.dtype))
    net.layers.insert_after("Tanh1", "Dropout1", bp.Dropout(0.25, seed=1))
    net.layers.insert_after("Dropout1", "Own", Scale(8, net.dtype))
    net.layers.insert_after("Own", "Norm2", bp.BatchNorm(8, dtype=net.dtype))
    net.layers.insert_after("Norm2", "Dropout2", bp.Dropout(0.25, seed=2))
    net.layers.insert_after("Affine2", "Norm3", bp.RMSNorm(5, dtype=net.dtype))
    net.layers.insert(0, "Dropout0", bp.Dropout(0.125, seed=0))


def norms(net):
    net.layers.insert(0, "Norm0", bp.BatchNorm(6, dtype=net.dtype))
    net.layers.insert_after("Affine2", "Norm2", bp.BatchNorm(5, dtype=net.dtype))
    net.layers.insert_after("Tanh2", "Own", Squash())
    net.layers.insert_after("Own", "Dropout2", bp.Dropout(0.25, seed=2))


def of_another_width(net):
    net.layers["Affine2"] = bp.Affine(np.full((16, 5), 0.125, net.dtype), np.zeros(5, net.dtype))
    net.layers.insert_after("Tanh1", "Own", Widens())


def tied(net):
    """Three layers with one weight, of which one is not ours."""
    square = np.linspace(-1, 1, 64).reshape(8, 8).astype(net.dtype)
    for n in range(2):
        net.layers.insert_after("Tanh1", f"Square{n}", bp.Affine(square, np.zeros(8, net.dtype)))
    own = Matrix()
    own.W = square
    net.layers.insert_after("Square1", "Own", own)


class Matrix:
    def forward(self, x):
        self.x = x
        return x @ self.W

    def backward(self, dout):
        self.dW = self.x.T @ dout
        return dout @ self.W.T


PLACES = {
    "first": first(lambda net: Squash()),
    "first, with parameters": first(lambda net: Scale(6, net.dtype)),
    "in the middle": behind("Affine1", lambda net: Squash()),
    "in the middle, with parameters": behind("Tanh1", lambda net: Scale(8, net.dtype)),
    "last": behind("Affine3", lambda net: Squash()),
    "last, with parameters": behind("Affine3", lambda net: Scale(3, net.dtype)),
    "two": two,
    "neighbours": neighbours,
    "normalisations and dropout": mixed,
    "batch normalisations": norms,
    "writes where it may": behind("Affine2", lambda net: Spoils()),
    "returns other layouts": behind("Tanh1", lambda net: Steps()),
    "returns one buffer": behind("Tanh1", lambda net: Copies()),
    "changes the width": of_another_width,
    "draws": behind("Tanh1", lambda net: Noise()),
    "shares a weight": tied,
}


def state_of(net, optimizer, losses):
    arrays = [np.array(losses), *net.params.values(), *buffers_of(net.layers).values()]
    arrays += [array for kept in optimizer.state.values() for array in kept]
    counts = [getattr(layer, "step", None) for layer in net.layers.values()]
    return (
        [(array.dtype, array.tobytes()) for array in arrays],
        list(optimizer.state),
        counts,
        optimizer.steps,
    )


def trained(kind, insert, rule=lambda: bp.Adam(0.01), weights=None, loss=None, dtype=np.float32, t=None):
    net = network(kind, insert, dtype)
    if loss is not None:
        net.lastLayer = loss
    x, labels = data(dtype=dtype)
    t, optimizer = labels if t is None else t, rule()
    losses = [net.train_step(x, t, optimizer, sample_weight=weights) for _ in range(STEPS)]
    # Batches of several sizes, larger ones too.
    losses += net.fit(
        np.concatenate([x, x]), np.concatenate([t, t]), epochs=1, batch_size=60, optimizer=optimizer, seed=0,
        sample_weight=None if weights is None else np.concatenate([weights, weights]),
    ).loss  # fmt: skip
    return net, state_of(net, optimizer, losses)


def goes_by_segments(net):
    return (
        isinstance(net._planned, NoPlan) and bool(net._planned.segments) and net._planned.segments.is_of_use
    )
