"""Layers of one's own: which of their arrays are trained, and what is said of parameters kept in another way."""

import copy
import pickle

import numpy as np
import pytest

import backprop as bp


class Scale:
    """A layer as one writes it: what it keeps of a pass is called as one likes."""

    def __init__(self, units):
        self.gamma, self.dgamma = np.ones(units, np.float32), None

    def forward(self, inputs):
        self.x = inputs
        return inputs * self.gamma

    def backward(self, grad):
        self.dgamma = (grad * self.x).sum(axis=0)
        self.dx = grad * self.gamma
        return self.dx


class Plain(Scale):
    """Nothing to train, though what it keeps of a pass stands beside its gradient."""

    def __init__(self, units):
        pass

    def forward(self, inputs):
        self.x = inputs
        self.y = np.abs(inputs)
        return self.y

    def backward(self, grad):
        self.dy = grad
        self.dx = grad * np.sign(self.x)
        return self.dx


class Copied(Plain):
    def forward(self, inputs):
        return super().forward(np.array(inputs)).copy()


class Viewed(Plain):
    def forward(self, inputs):
        return super().forward(inputs[:, ::-1][:, ::-1])


class Slots(Scale):
    __slots__ = ("dgamma", "dx", "gamma", "x")


class Late(Scale):
    """It learns its size from the first batch."""

    def __init__(self, units):
        self.gamma = self.dgamma = None

    def forward(self, inputs):
        if self.gamma is None:
            self.gamma = np.ones(inputs.shape[1], inputs.dtype)
        return super().forward(inputs)


def layer_of(kind, units):
    layer = kind.__new__(kind)
    layer.__init__(units)
    return layer


@pytest.fixture
def data():
    rng = np.random.default_rng(0)
    return rng.normal(size=(50, 6)).astype(np.float32), rng.integers(0, 2, 50)


def network(first=None, middle=None):
    net = bp.Network([6, 6, 2], seed=1)
    layers = list(net.layers.items())
    if first is not None:
        net.layers["First"] = first
        net.layers.move_to_end("First", last=False)
    if middle is not None:
        net.layers[layers[1][0]] = middle
    return net


@pytest.mark.parametrize("kind", [Plain, Copied, Viewed])
@pytest.mark.parametrize("place", ["first", "middle"])
def test_what_a_layer_keeps_of_a_pass_is_no_parameter(kind, place, data):
    x, t = data
    before = x.copy()
    net = network(**{place: kind(6)})
    names = list(net.params)
    adam = bp.Adam(0.1)
    for rows in (50, 50, 30, 50):
        net.train_step(x[:rows], t[:rows], adam)
        assert list(net.gradient(x[:rows], t[:rows])) == names == list(net.params)
    net.fit(x, t, epochs=2, batch_size=15, optimizer=bp.SGD(0.5), seed=0)
    assert np.array_equal(x, before)
    assert list(adam.state) == names
    assert net.sizes == (6, 6, 2)
    for twin in (copy.deepcopy(net), pickle.loads(pickle.dumps(net)), net.astype(np.float64)):
        assert list(twin.params) == names
    assert bp.check_gradients(net, x[:5], t[:5]).passed


@pytest.mark.parametrize("kind", [Scale, Slots, Late])
@pytest.mark.parametrize("place", ["first", "middle"])
def test_what_stays_beside_its_gradient_is_trained_from_the_first_step_on(kind, place, data):
    x, t = data
    net = network(**{place: kind(6)})
    gradient = net.astype(np.float64).gradient(x, t)
    net.train_step(x, t, bp.SGD(0.5))
    assert np.allclose(net.params["gamma1"], 1 - 0.5 * gradient["gamma1"], rtol=1e-4)
    assert sorted(net.params) == ["W1", "W2", "b1", "b2", "gamma1"]
    net.train_step(x[:20], t[:20], bp.SGD(0.5))
    assert sorted(net.params) == ["W1", "W2", "b1", "b2", "gamma1"]
    report = bp.check_gradients(net, x[:5], t[:5])
    assert report.passed
    assert "gamma1" in {array.name for array in report.arrays}


def test_the_name_of_an_argument_is_no_obstacle(data):
    class Gate(Scale):
        def __init__(self, units):
            self.inputs, self.dinputs = np.ones(units, np.float32), None

        def forward(self, inputs):
            self.x = inputs
            return inputs * self.inputs

        def backward(self, grad):
            self.dinputs = (grad * self.x).sum(axis=0)
            return grad * self.inputs

    net = network(middle=Gate(6))
    net.train_step(*data, bp.SGD(0.5))
    assert (net.layers["Relu1"].inputs != 1).all()


def test_constants_beside_parameters_stay(data):
    class Shifted(Scale):
        def __init__(self, units):
            super().__init__(units)
            self.t, self.dt, self.mean = np.ones(units, np.float32), 0.1, np.zeros(units)

    net = network(middle=Shifted(6))
    net.train_step(*data, bp.SGD(0.5))
    assert sorted(net.params) == ["W1", "W2", "b1", "b2", "gamma1"]
    assert (net.layers["Relu1"].t == 1).all()


class Holder(Scale):
    """Multiplies by a parameter that `value` holds and leaves its gradient where `leave` says."""

    def __init__(self, value, leave):
        self.value, self.leave = value, leave

    def forward(self, inputs):
        self.x = inputs
        return inputs * np.float32(self.value if np.ndim(self.value) == 0 else 1)

    def backward(self, grad):
        if self.leave:
            setattr(self, self.leave, (grad * self.x).sum(axis=0 if np.ndim(self.value) else None))
        return grad


class Lists(Scale):
    def __init__(self, units, kind=list):
        W, b = np.eye(units, dtype=np.float32), np.zeros(units, np.float32)
        self.params, self.grads = kind([W, b]), [np.zeros_like(W), np.zeros_like(b)]

    def forward(self, x):
        self.x = x
        return x @ self.params[0] + self.params[1]

    def backward(self, dout):
        self.grads[0][...] = self.x.T @ dout
        self.grads[1][...] = dout.sum(axis=0)
        return dout @ self.params[0].T


class Block(Scale):
    """A residual block."""

    def __init__(self, *inner):
        self.inner = inner[0] if len(inner) == 1 else list(inner)

    def forward(self, x):
        out = x
        for layer in self.inner if isinstance(self.inner, list) else [self.inner]:
            out = layer.forward(out)
        return x + out

    def backward(self, dout):
        back = dout
        for layer in reversed(self.inner if isinstance(self.inner, list) else [self.inner]):
            back = layer.backward(back)
        return dout + back


class Wrong(Scale):
    def backward(self, grad):
        super().backward(grad)
        self.dgamma = grad * self.x
        return self.dx


def affine():
    return bp.Affine(np.eye(6, dtype=np.float32), np.zeros(6, np.float32))


FORMS = {
    "lists": (lambda: Lists(6), "keeps arrays in params and grads, wanted an attribute each: self.W, self.b"),
    "tuple": (lambda: Lists(6, tuple), "keeps arrays in params and grads"),
    "block": (
        lambda: Block(affine()),
        r"nothing trains inner.W of the Affine that it holds; .* self.W = self.inner.W",
    ),
    "blocks": (lambda: Block(bp.Relu(), affine()), r"nothing trains inner\[1\].W of the Affine"),
    "block in a block": (lambda: Block(Block(affine())), r"nothing trains inner.inner.W of the Affine"),
    "own block": (lambda: Block(Scale(6)), r"nothing trains inner.gamma of the Scale"),
    "block of lists": (lambda: Block(Lists(6)), r"nothing trains inner.params\[0\] of the Lists"),
    "float": (lambda: Holder(0.25, "dvalue"), "value is a float, wanted an array of float32 or float64"),
    "NumPy float": (lambda: Holder(np.float64(0.25), "dvalue"), "value is a float64, wanted an array"),
    "integers": (lambda: Holder(np.ones(6, int), "dvalue"), "value is an array of int64, wanted an array"),
    "list of numbers": (lambda: Holder([1.0] * 6, "dvalue"), "value is a list, wanted an array"),
    "grad_": (lambda: Holder(np.ones(6), "grad_value"), "the gradient of value in grad_value, wanted dvalue"),
    "_grad": (lambda: Holder(np.ones(6), "value_grad"), "the gradient of value in value_grad, wanted dvalue"),
    "shape": (lambda: Wrong(6), r"gamma has shape \(6,\), its backward leaves dgamma of shape \(50, 6\)"),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("place", ["first", "middle"])
def test_parameters_kept_in_another_way_are_refused(form, place, data):
    make, message = FORMS[form]
    net = network(**{place: make()})
    before = [(array, array.copy()) for array in net.params.values()]
    for use in (
        lambda: net.train_step(*data, bp.SGD(0.1)),
        lambda: net.train_step(*data, bp.SGD(0.1)),
        lambda: net.fit(*data, epochs=1),
        lambda: net.gradient(*data),
        lambda: bp.check_gradients(net, *data),
    ):
        with pytest.raises(
            TypeError, match=rf"layers\['\w+'\] \({type(make()).__name__}\) would not be trained: .*{message}"
        ):
            use()
    assert all(np.array_equal(array, kept) for array, kept in before)


def test_an_array_without_a_gradient_is_warned_of_once(data):
    net = network(middle=Holder(np.ones(6), ""))
    said = r"layers\['Relu1'\] \(Holder\): value is not trained: its backward leaves no dvalue; a constant is read-only"
    with pytest.warns(UserWarning, match=said) as warned:
        net.fit(*data, epochs=3, batch_size=20)
    assert len(warned) == 1
    net.train_step(*data, bp.SGD(0.1))
    with pytest.warns(UserWarning, match=said):
        bp.check_gradients(net, *data)
    net.layers["Relu1"].value.setflags(write=False)
    bp.check_gradients(net, *data)
    assert not copy.deepcopy(net).layers["Relu1"].value.flags.writeable


def test_blocks_of_which_nothing_is_lost(data):
    class Own(Block):
        """The Affine's parameters are its own."""

        def __init__(self, inner):
            super().__init__(inner)
            self.W, self.b = inner.W, inner.b

        def backward(self, dout):
            dx = super().backward(dout)
            self.dW, self.db = self.inner.dW, self.inner.db
            return dx

    class Tied(Scale):
        """It reads the weights of a layer that stands in the network."""

        def __init__(self, other):
            super().__init__(6)
            self.other = other

    frozen = affine()
    frozen.W.setflags(write=False)
    frozen.b.setflags(write=False)
    for middle in (Own(affine()), Block(bp.Relu(), bp.Tanh()), Block(frozen)):
        net = network(middle=middle)
        net.train_step(*data, bp.SGD(0.1))
        assert bp.check_gradients(net, data[0][:5], data[1][:5]).passed
    net = network()
    net.layers["Relu1"] = Tied(net.layers["Affine1"])
    net.train_step(*data, bp.SGD(0.1))


def test_one_object_stands_under_one_name(data):
    net = bp.Network([6, 5, 5, 2], seed=0)
    layers = list(net.layers)
    for put in (
        lambda: net.layers.__setitem__("Relu2", net.layers["Relu1"]),
        lambda: net.layers.update(Relu2=net.layers["Relu1"]),
        lambda: net.layers.setdefault("Relu3", net.layers["Relu1"]),
        lambda: net.layers.__ior__({"A": (one := bp.Relu()), "B": one}),
    ):
        with pytest.raises(ValueError, match="very object of layers.* wanted another one"):
            put()
    assert list(net.layers) == layers
    net.layers.update(Relu1=net.layers["Relu2"], Relu2=net.layers["Relu1"])
    net.layers["Relu1"] = net.layers["Relu1"]
    assert bp.check_gradients(net, *data).passed


def test_weights_of_two_layers_stay_one_in_a_copy_of_another_type():
    net = bp.Network([4, 4, 4], seed=0)
    net.layers["Affine2"] = bp.Affine(net.params["W1"], net.params["b2"])
    twin = net.astype(np.float64)
    assert twin.params["W2"] is twin.params["W1"]
    assert net.params["W2"] is net.params["W1"]
    assert twin.params["W1"].dtype == np.float64


def test_layers_are_changed_as_a_whole_or_not_at_all():
    net = bp.Network([6, 5, 2], seed=0)
    relu = net.layers["Relu1"]
    with pytest.raises(TypeError, match=r"layers\['Affine2'\] is a int"):
        net.layers.update({"Relu1": bp.Tanh(), "Affine2": 3})
    assert net.layers["Relu1"] is relu
    with pytest.raises(TypeError, match=r"layers\['Affine2'\] is a int"):
        net.layers |= {"Relu1": bp.Tanh(), "Affine2": 3}
    assert net.layers["Relu1"] is relu
    net.layers |= {"Relu1": bp.Tanh()}
    assert net.activation == "tanh"
    with pytest.raises(AttributeError, match="Network.layers cannot be assigned"):
        net.layers = bp.Network([6, 5, 2]).layers
