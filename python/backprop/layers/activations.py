"""Activations: those of sections 0088 and 0089, and what else stands between the layers of a network."""

from typing import Any

from backprop._util.arrays import Array
from backprop._util.names import named_arguments
from backprop._util.settings import finite, non_negative, positive
from backprop.layers.descriptors import Option
from backprop.layers.elementwise import Activation

__all__ = [
    "Elu",
    "Gelu",
    "GeluTanh",
    "Hardswish",
    "Hardtanh",
    "LeakyRelu",
    "Mish",
    "Relu",
    "Selu",
    "Sigmoid",
    "Silu",
    "Softplus",
    "Tanh",
]


class Relu(Activation):
    """Rectified linear unit: `out = x` where `x > 0`, else 0. Its derivative at 0 is 0; NaN passes through.

    Attributes
    ----------
    mask : ndarray of bool or None
        True where the last `x` was at most 0.

    Examples
    --------
    >>> relu = bp.Relu()
    >>> relu.forward([[1.0, -0.5], [-2.0, 3.0]])
    array([[1., 0.],
           [0., 3.]])
    >>> relu.backward([[10.0, 20.0], [30.0, 40.0]])
    array([[10.,  0.],
           [ 0., 40.]])
    """

    kind, keeps, label, signed = "relu", "mask", "ReLU", False
    derivatives = ("{d}·({x}>0)",)
    mask: Array | None


class Sigmoid(Activation):
    """Logistic function `out = 1 / (1 + exp(-x))`, computed by the sign of x so that no x overflows.

    Its derivative is `out * (1 - out)`.

    Attributes
    ----------
    out : ndarray or None
        What `forward` last returned.
    """

    kind, keeps, signed = "sigmoid", "out", False
    derivatives = ("{d}·{out}(1−{out})",)
    # A sigmoid's slope is a quarter at most: four was a little better where targets are curved, worse where they are
    # linear.
    initial_gain = 3.0
    out: Array | None


class Tanh(Activation):
    """Hyperbolic tangent; its derivative is `1 - out * out`.

    Attributes
    ----------
    out : ndarray or None
        What `forward` last returned.
    """

    kind, keeps = "tanh", "out"
    derivatives = ("{d}·(1−{out}²)",)
    out: Array | None


class LeakyRelu(Activation):
    """Leaky ReLU (Maas, Hannun and Ng 2013): `out = x` where `x > 0`, else `negative_slope·x`.

    Its derivative at 0 is `negative_slope`.

    Parameters
    ----------
    negative_slope : float, default 0.01
        At least 0. It may be changed between steps, as the numbers of other activations may.

    Attributes
    ----------
    out : ndarray or None
        What `forward` last returned.

    Examples
    --------
    >>> bp.LeakyRelu(0.1).forward([-2.0, 3.0])
    array([-0.2,  3. ])
    """

    kind, keeps, label = "leaky_relu", "out", "leaky ReLU"
    derivatives = ("{d}·({x}>0 ? 1 : slope)",)
    negative_slope: float = Option(non_negative)  # type: ignore[assignment]  # what a layer has
    out: Array | None

    @named_arguments
    def __init__(self, negative_slope: float = 0.01) -> None:
        super().__init__()
        self.negative_slope = negative_slope


class Elu(Activation):
    """Exponential linear unit (Clevert et al. 2015): `out = x` from 0 on, else `alpha·(exp(x) - 1)`.

    Its derivative is 1 where `x > 0`, else `out + alpha`.

    Parameters
    ----------
    alpha : float, default 1.0
        Positive: how far below 0 it goes.

    Attributes
    ----------
    out : ndarray or None
        What `forward` last returned.
    """

    kind, keeps, label = "elu", "out", "ELU"
    derivatives = ("{d}·({x}>0 ? 1 : {out}+α)",)
    alpha: float = Option(positive)  # type: ignore[assignment]
    out: Array | None

    @named_arguments
    def __init__(self, alpha: float = 1.0) -> None:
        super().__init__()
        self.alpha = alpha


class Selu(Activation):
    """Scaled ELU (Klambauer et al. 2017): `out = λ·x` from 0 on, else `λ·α·(exp(x) - 1)`.

    λ = 1.0507… and α = 1.6733… are such that the outputs of many layers tend to mean 0 and variance 1, where weights
    have the variance 1 / inputs, as the initial weights here have. Its derivative is λ where `x > 0`, else `out + λ·α`.

    Attributes
    ----------
    out : ndarray or None
        What `forward` last returned.
    """

    kind, keeps, label = "selu", "out", "SELU"
    derivatives = ("{d}·({x}>0 ? λ : {out}+λα)",)
    initial_gain = 3**0.5  # uniform within ±√3 has the variance 1
    out: Array | None


class Softplus(Activation):
    """Softplus, `out = log(1 + exp(beta·x)) / beta`: ReLU without its corner, and above 0 everywhere.

    Its derivative is `sigmoid(beta·x)`. Exact for large x, where other libraries return x from a threshold on.

    Parameters
    ----------
    beta : float, default 1.0
        Positive: the larger, the nearer to ReLU.

    Attributes
    ----------
    x : ndarray or None
        What `forward` last got.
    """

    kind, label, signed = "softplus", "softplus", False
    derivatives = ("{d}·sigmoid(β{x})",)
    beta: float = Option(positive)  # type: ignore[assignment]
    x: Array | None

    @named_arguments
    def __init__(self, beta: float = 1.0) -> None:
        super().__init__()
        self.beta = beta


class Hardtanh(Activation):
    """x between two bounds: `out = max(min_val, min(x, max_val))`. Its derivative is 0 at the bounds and beyond.

    `Hardtanh(0, 6)` is what others call ReLU6.

    Parameters
    ----------
    min_val, max_val : float, default -1.0 and 1.0
        Finite, the first below the second.

    Attributes
    ----------
    out : ndarray or None
        What `forward` last returned.
    """

    kind, keeps, label = "hardtanh", "out", "hardtanh"
    derivatives = ("{d}·(min<{x}<max)",)
    min_val: float = Option(finite)  # type: ignore[assignment]
    max_val: float = Option(finite)  # type: ignore[assignment]
    out: Array | None

    @named_arguments
    def __init__(self, min_val: float = -1.0, max_val: float = 1.0) -> None:
        super().__init__()
        self.min_val, self.max_val = min_val, max_val

    def __setattr__(self, name: str, value: Any) -> None:
        before = dict(vars(self))
        super().__setattr__(name, value)
        try:
            self._require_order()
        except ValueError:
            vars(self).clear()
            vars(self).update(before)
            raise

    def _numbers(self) -> list[Any]:
        # `vars` goes past the check of what is assigned.
        self._require_order()
        return super()._numbers()

    def _require_order(self) -> None:
        low, high = vars(self).get("min_val"), vars(self).get("max_val")
        if low is not None and high is not None and not low < high:
            raise ValueError(
                f"Hardtanh: min_val is {low:g}, max_val is {high:g}; wanted min_val below max_val"
            )


class Gelu(Activation):
    """Gaussian error linear unit (Hendrycks and Gimpel 2016): `out = x·Φ(x)`, Φ the normal distribution function.

    Its derivative is `Φ(x) + x·φ(x)`, φ the normal density. Computed by erf, within 4 ULP.

    Attributes
    ----------
    x : ndarray or None
        What `forward` last got.

    Examples
    --------
    >>> bp.Gelu().forward([-1.0, 0.0, 1.0]).round(4)
    array([-0.1587,  0.    ,  0.8413])
    """

    kind, keeps, label = "gelu", "x", "GELU"
    derivatives = ("{d}·(Φ({x})+{x}·φ({x}))",)
    x: Array | None


class GeluTanh(Activation):
    """The form of GELU by tanh: `out = x·(1 + tanh(u)) / 2`, `u = √(2/π)·(x + 0.044715·x³)`.

    It differs from `Gelu` by 0.0005 at most. Other libraries call it `approximate="tanh"`.

    Attributes
    ----------
    x : ndarray or None
        What `forward` last got.
    """

    kind, keeps, label = "gelu_tanh", "x", "GELU (tanh)"
    derivatives = ("{d}·gelu_tanh′({x})",)
    x: Array | None


class Silu(Activation):
    """Sigmoid linear unit (Elfwing, Uchibe and Doya 2017), or swish: `out = x·sigmoid(x)`.

    Its derivative is `s·(1 + x·(1 - s))`, s the sigmoid. Of -inf it is 0, the limit.

    Attributes
    ----------
    x : ndarray or None
        What `forward` last got.
    """

    kind, label = "silu", "SiLU"
    derivatives = ("{d}·silu′({x})",)
    x: Array | None


class Mish(Activation):
    """Mish (Misra 2019): `out = x·tanh(softplus(x))`. Of -inf it is 0, the limit.

    Attributes
    ----------
    x : ndarray or None
        What `forward` last got.
    """

    kind = "mish"
    derivatives = ("{d}·mish′({x})",)
    x: Array | None


class Hardswish(Activation):
    """Swish made of lines (Howard et al. 2019): `out = x·max(0, min(x + 3, 6)) / 6`. Of -inf it is 0, the limit.

    Its derivative is 0 up to -3, 1 from 3 on, and `x / 3 + 1/2` in between.

    Attributes
    ----------
    x : ndarray or None
        What `forward` last got.
    """

    kind = "hardswish"
    derivatives = ("{d}·hardswish′({x})",)
    x: Array | None
