"""Every layer and node over odd and wrong inputs: the answer for the same numbers in a plain array, or an error."""

import inspect
import warnings

import numpy as np
import pytest

import backprop as bp
from backprop.layers.base import pass_forward
from tests import reference
from tests.bounds import ulps, unit_roundoff
from tests.contracts.guarded import far_apart
from tests.functions import ACTIVATIONS as ROWS
from tests.registry import ACTIVATIONS, DOMAINS, LOSSES, LOSSES_IN_PARTS, activation_numbers
from tests.strategies import DTYPES

W, b = np.linspace(-1, 1, 12).reshape(4, 3), np.linspace(0, 1, 3)
LABELS, NUMBERS = np.array([2, 0, 1, 3, 1]), np.linspace(-2, 2, 20).reshape(5, 4)

# A maker for each layer, and what forward takes beside x.
LAYERS = {
    **{cls.__name__: (cls, ()) for cls in ACTIVATIONS.values()},
    "Exp": (bp.Exp, ()),
    "Reciprocal": (bp.Reciprocal, ()),
    "SigmoidOfNodes": (bp.SigmoidOfNodes, ()),
    "Add": (bp.Add, (np.float32(2),)),
    "Multiply": (bp.Multiply, (np.float32(2),)),
    "Subtract": (bp.Subtract, (np.float32(2),)),
    "Divide": (bp.Divide, (np.float32(2),)),
    "Maximum": (bp.Maximum, (np.float32(1.2),)),
    "Log": (bp.Log, ()),
    "Power": (lambda: bp.Power(3), ()),
    "Sum": (bp.Sum, ()),
    "Max": (bp.Max, ()),
    "Dot": (bp.Dot, (W.astype("f4"),)),
    "Affine": (lambda: bp.Affine(W.astype("f4"), b.astype("f4")), ()),
    "LayerNorm": (lambda: bp.LayerNorm(4), ()),
    "RMSNorm": (lambda: bp.RMSNorm(4), ()),
    "BatchNorm": (lambda: bp.BatchNorm(4), ()),
    "Dropout": (lambda: bp.Dropout(0.5, seed=0), ()),
    "Softmax": (bp.Softmax, ()),
    "LogSoftmax": (bp.LogSoftmax, ()),
    **{
        cls.__name__: (cls, (LABELS if cls.classifies else NUMBERS.clip(*DOMAINS[kind]),))
        for kind, cls in LOSSES.items()
    },
    **{cls.__name__: (cls, (NUMBERS[:, :2],)) for cls in LOSSES_IN_PARTS.values()},
}
OF_LOSSES = [cls.__name__ for cls in (LOSSES | LOSSES_IN_PARTS).values()]
OF_ROWS = ["Softmax", "LogSoftmax"]
ANY_SHAPE = [
    name
    for name in LAYERS
    if name not in ("Sum", "Max", "Dot", "Affine", "LayerNorm", "RMSNorm", "BatchNorm", *OF_ROWS, *OF_LOSSES)
]
every_layer = pytest.mark.parametrize("name", LAYERS)


def results(name, x):
    """What forward and backward give, and the gradients that a layer keeps."""
    make, others = LAYERS[name]
    layer = make()
    out = pass_forward(layer, x, *others, training=True)
    back = layer.backward(np.asarray(out) * 2 if np.ndim(out) else 2.0)
    gradients = [np.asarray(part) for part in (back if isinstance(back, tuple) else (back,))]
    return [
        np.asarray(out),
        *gradients,
        *(getattr(layer, f"d{key}") for key in getattr(layer, "parameter_names", None) or ()),
    ]


def same(one, other):
    return all(
        a.dtype == c.dtype and a.shape == c.shape and a.tobytes() == c.tobytes()
        for a, c in zip(one, other, strict=True)
    )


def read_only(array):
    array = array.copy()
    array.setflags(write=False)
    return array


def unaligned(array):
    raw = np.zeros(array.nbytes + 1, np.uint8)
    view = np.ndarray(array.shape, array.dtype, raw.data, 1)
    view[...] = array
    return view


MADE = {
    "read-only": read_only,
    "every second": lambda a: np.repeat(a, 2, axis=1)[:, ::2],
    "backwards": lambda a: np.ascontiguousarray(a[::-1, ::-1])[::-1, ::-1],
    "Fortran": np.asfortranarray,
    "far apart": far_apart,
    "unaligned": unaligned,
    "swapped": lambda a: a.astype(a.dtype.newbyteorder()),
    "lists": lambda a: a.astype(float).tolist(),
    "of a class": lambda a: a.view(type("Own", (np.ndarray,), {})),
}


@pytest.mark.parametrize("made", MADE)
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@every_layer
def test_layouts(name, dtype, made):
    if made == "lists":
        dtype = np.dtype(float)
    plain = np.linspace(0.3, 3, 20).reshape(5, 4).astype(dtype)
    x = MADE[made](plain)
    before = np.array(x).tobytes()
    assert same(results(name, x), results(name, plain))
    assert np.array(x).tobytes() == before


@pytest.mark.parametrize("kind", ["?", "u1", "i1", "u2", "i4", "i8", "u8", "f2"])
@every_layer
def test_other_real_types(name, kind):
    x = np.arange(1, 21).reshape(5, 4).astype(kind)
    assert same(results(name, x), results(name, x.astype("f4" if kind == "f2" else "f8")))


@pytest.mark.parametrize("kind", ["g", "F", "D", "O", "U3", "S4", "M8[s]", "m8[s]", "V4"])
@every_layer
def test_types_that_are_no_real_numbers(name, kind):
    make, others = LAYERS[name]
    with pytest.raises(TypeError, match=r"x has dtype .*, wanted real numbers, float64 at most"):
        make().forward(np.zeros((5, 4), kind), *others)


@every_layer
def test_none_and_text(name):
    make, others = LAYERS[name]
    for value in (None, "x", object(), {"a": 1}):
        with pytest.raises(TypeError, match=r"x has dtype .*, wanted real numbers"):
            make().forward(value, *others)


@pytest.mark.parametrize("name", ANY_SHAPE)
@pytest.mark.parametrize("shape", [(), (0,), (0, 3), (3, 0, 2), (1, 1, 1, 1), (2, 3, 4)])
def test_any_shape(name, shape):
    x = np.full(shape, 0.7)
    out, *gradients = results(name, x)
    assert out.shape == gradients[0].shape == shape
    if x.size and name != "Dropout":
        assert len({*out.reshape(-1).tolist()}) == 1


@pytest.mark.parametrize("name", OF_ROWS)
@pytest.mark.parametrize("shape", [(0,), (4,), (0, 3), (3, 0), (3, 0, 2), (1, 1, 1, 1), (2, 3, 4)])
def test_rows_are_along_the_last_axis(name, shape):
    x = np.linspace(-1, 1, int(np.prod(shape))).reshape(shape)
    out, dx = results(name, x)
    rows = results(name, x.reshape(-1 if x.size else 0, shape[-1]))
    assert out.shape == dx.shape == shape
    assert same([out, dx], [one.reshape(shape) for one in rows])
    with pytest.raises(ValueError, match=f"{name}.forward: x is the number 1.0, wanted an array"):
        LAYERS[name][0]().forward(1.0)


@pytest.mark.parametrize("name", OF_LOSSES)
@pytest.mark.parametrize("shape", [(), (4,), (0, 4), (5, 0), (5, 4, 1)])
def test_losses_are_of_rows(name, shape):
    make, others = LAYERS[name]
    with pytest.raises(ValueError, match=rf"{name}.forward: x has shape .*, wanted \(batch, .*\), not empty"):
        make().forward(np.ones(shape), *others)


WRONG_LABELS = [
    (np.array([0, 1, 2, 3, 4]), ValueError, r"t\[4\] is 4, wanted a label from 0 to 3"),
    (np.array([0, 1, -1, 3, 0]), ValueError, r"t\[2\] is -1, wanted a label"),
    (np.array([0, 1, 2, 3, 2**63], np.uint64), ValueError, r"t\[4\] is 9223372036854775808, wanted a label"),
    (np.zeros(5), TypeError, r"wanted integer labels \(t.astype\(int\) where they are whole\)"),
    (np.zeros((5, 1), int), ValueError, r"t has shape \(5, 1\), wanted \(5,\) labels or \(5, 4\) weights"),
    (np.zeros(4, int), ValueError, "x has 5 rows, t has 4 labels"),
    (np.zeros((4, 5)), ValueError, r"t has shape \(4, 5\)"),
    (np.int64(1), ValueError, r"t has shape \(\)"),
    (None, TypeError, "t has dtype object, wanted real numbers, float64 at most$"),
    (np.zeros(5, object), TypeError, r"t has dtype object, .*; t.astype\(float\) makes them that"),
    (np.array(list("abcde"), object), TypeError, r"numpy.unique\(t, return_inverse=True\) numbers labels"),
    (np.zeros((5, 4), complex), TypeError, "t has dtype complex128"),
    (list("abcde"), TypeError, r"t has dtype <U1, .*; classes, t = numpy.unique\(t, return_inverse=True\)"),
]


@pytest.mark.parametrize(("t", "error", "message"), WRONG_LABELS)
def test_wrong_labels(t, error, message):
    layer = bp.SoftmaxWithLoss()
    layer.forward(NUMBERS, LABELS)
    loss, before = layer.loss, layer.backward()
    with pytest.raises(error, match=message):
        layer.forward(NUMBERS, t)
    # The pass before is still there.
    assert layer.loss == loss
    assert np.array_equal(layer.backward(), before)


@pytest.mark.parametrize(
    "t", [LABELS.astype("u1"), LABELS.astype(">i4"), LABELS.tolist(), LABELS[::-1][::-1]]
)
def test_labels_of_any_integer_type(t):
    assert bp.SoftmaxWithLoss().forward(NUMBERS, t) == bp.SoftmaxWithLoss().forward(NUMBERS, LABELS)


@every_layer
def test_a_wrong_dout_loses_nothing(name):
    make, others = LAYERS[name]
    layer = make()
    out = layer.forward(NUMBERS, *others)
    right = np.ones_like(out) if np.ndim(out) else 1.0
    before = np.asarray(layer.backward(right)[0])
    for wrong in (np.ones((5, 1)), np.ones((2, 5, 4)), np.ones((5, 4), complex), "x", None, np.ones((0, 4))):
        with pytest.raises((TypeError, ValueError), match="dout"):
            layer.backward(wrong)
    assert np.array_equal(layer.backward(right)[0], before)


SPECIAL = [0.0, -0.0, 1.0, -1.0, np.inf, -np.inf, np.nan]


def special(dtype):
    limits = np.finfo(dtype)
    more = [limits.tiny, limits.smallest_subnormal, limits.max, 88.0, 710.0]
    x = np.array([*SPECIAL, *more, *(-value for value in more)], dtype)
    return np.concatenate([x, x[::-1], x])


def twin_forward(kind):
    """An activation in the type of x, by its twin."""

    def forward(x):
        out, masks = np.empty_like(x), [np.empty(x.shape, bool)] if ACTIVATIONS[kind].keeps == "mask" else []
        getattr(reference, f"{kind}_forward")(x, *activation_numbers(kind), out, *masks)
        return out

    return forward


def twin_backward(kind):
    """Its backward, by its twin."""

    def backward(dout, x, y):
        dx = np.empty_like(dout)
        kept = {"x": x, "out": y, "mask": x <= 0}[ACTIVATIONS[kind].keeps]
        getattr(reference, f"{kind}_backward")(dout, kept, *activation_numbers(kind), dx)
        return dx

    return backward


FORMULAS = {
    **{cls.__name__: (twin_forward(kind), twin_backward(kind)) for kind, cls in ACTIVATIONS.items()},
    "Exp": (np.exp, lambda dout, x, y: dout * y),
    "Log": (np.log, lambda dout, x, y: dout / x),
    "Reciprocal": (lambda x: 1 / x, lambda dout, x, y: -dout * (y * y)),
}


def near(got, wanted, error):
    """Whether each is as near as it has to be, or the very same: an infinity or a NaN too."""
    same = (got == wanted.astype(got.dtype)) | (np.isnan(got) & np.isnan(wanted))
    return (same | (np.abs(got - wanted) <= error)).all()


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("name", FORMULAS)
def test_special_values(name, dtype):
    forward, backward = FORMULAS[name]
    x = special(dtype)
    layer = LAYERS[name][0]()
    y = layer.forward(x)
    with np.errstate(all="ignore"), warnings.catch_warnings():
        wide = forward(x.astype(np.longdouble))
        row = ROWS[layer.kind] if getattr(layer, "kind", "") in ACTIVATIONS else None
        if row is None or not row.absolute:
            # 4 units in the last place are the limit of functions in tests/core/test_functions.py.
            limit, least = (4, 0) if row is None else (row.relative / 2, row.least)
            assert ulps(y, wide, least).max() <= limit
        else:
            assert near(y, wide, row.error(wide, dtype))
        for dout in (np.ones_like(x), x):
            dx = layer.backward(dout)
            if row is None or layer.keeps != "x":
                # The same operations in the same type: the same bits, but for which NaN it is.
                assert np.array_equal(dx, backward(dout, x, y).astype(dtype), equal_nan=True)
            else:
                # Computed in another way than the twin's, whose own error is that at 1: farther out f′ is 0 or 1.
                wanted = backward(dout.astype(float), x.astype(float), None)
                error = unit_roundoff(dtype) * (
                    row.dx_absolute * np.abs(dout) + row.dx_relative * np.abs(wanted)
                )
                assert near(dx, wanted, error + row.others(1) * np.abs(dout) + float(np.finfo(dtype).tiny))


def classes(array):
    """0 where finite, else the value: NaN, inf or −inf."""
    return np.where(np.isfinite(array), 0, array)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("rows", [1, 20])
@pytest.mark.parametrize("special", [*SPECIAL, 1e30, -1e30])
def test_special_values_in_products_and_rows(rows, special, dtype):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(rows, 4)).astype(dtype)
    x[0, 2] = x[-1, 0] = special
    layer = bp.Affine(W.astype(dtype), b.astype(dtype))
    out, dout = np.empty((rows, 3)), np.ones((rows, 3))
    dW, db = np.empty((4, 3)), np.empty(3)
    with np.errstate(all="ignore"):
        reference.affine_forward(x.astype(float), layer.W.astype(float), layer.b.astype(float), out)
        reference.affine_backward_params(x.astype(float), dout, dW, db)
    assert np.array_equal(classes(layer.forward(x)), classes(out.astype(dtype)), equal_nan=True)
    layer.backward(dout.astype(dtype))
    assert np.array_equal(classes(layer.dW), classes(dW.astype(dtype)), equal_nan=True)
    for t in (np.zeros(rows, int), np.full(rows, 2), np.full((rows, 4), 0.25)):
        head = bp.SoftmaxWithLoss()
        y, dx = np.empty((rows, 4)), np.empty((rows, 4))
        with np.errstate(all="ignore"):
            loss = reference.softmax_cross_entropy(x.astype(float), t, y, dx)
        assert np.array_equal(classes(head.forward(x, t)), classes(loss), equal_nan=True)
        assert np.array_equal(classes(head.y), classes(y), equal_nan=True)
        assert np.array_equal(classes(head.backward()), classes(dx), equal_nan=True)


def test_every_public_layer_is_here():
    layers = {
        name
        for name, value in ((name, getattr(bp, name)) for name in dir(bp))
        if inspect.isclass(value)
        and {"forward", "backward"} <= {*dir(value)}
        and not issubclass(value, bp.Network)
    }
    assert layers == {*LAYERS}
