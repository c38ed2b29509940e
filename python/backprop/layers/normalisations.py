"""Normalisations of each sample for itself: layer normalisation and RMS normalisation."""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from backprop._util.arguments import float_type
from backprop._util.arrays import Array, floats, plural, require_cache, same_shape, samples
from backprop._util.names import named_arguments
from backprop._util.settings import positive
from backprop.layers.base import Layer, restored
from backprop.layers.descriptors import Option, OtherName, Parameter
from bpcore import kernels

__all__ = ["LayerNorm", "RMSNorm"]


class RowNorm(Layer):
    """What both have in common; a class says its kind, which names its kernels, and its parameters."""

    keeps_shape = True
    eps: float = Option(positive)  # type: ignore[assignment]  # what a layer has
    _kernels: ClassVar[tuple[Callable[..., None], ...]]

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if kind := vars(cls).get("kind"):
            parts = ("forward", "backward_input", "backward_params")
            cls._kernels = tuple(getattr(kernels, f"{kind}_{part}") for part in parts)

    def _begin(self, features: int, eps: float, dtype: DTypeLike) -> None:
        owner = type(self).__name__
        if isinstance(features, bool) or not hasattr(features, "__index__") or features < 1:
            raise ValueError(f"{owner}: features is {features!r}, wanted a whole number of 1 or more")
        wanted = float_type(owner, dtype)
        self.eps = eps
        for name, value in zip(self.parameter_names or (), (1, 0), strict=False):
            setattr(self, name, np.full(features, value, wanted))
        vars(self).update(dict.fromkeys(self.caches))
        self._shape: tuple[int, ...] = ()

    def _parameters(self) -> dict[str, Array]:
        return {name: vars(self)[name] for name in self.parameter_names or ()}

    def forward(self, x: ArrayLike) -> Array:
        """Return the rows, normalised, of shape (B, features); x is (B, …) with that many elements a sample."""
        owner = f"{type(self).__name__}.forward"
        rows, own = samples(owner, x), self._parameters()
        if rows.shape[1] != len(own["gamma"]):
            raise ValueError(
                f"{owner}: x has {plural(rows.shape[1], 'column')}, gamma has {plural(len(own['gamma']), 'element')}"
            )
        self._shape = rows.shape if rows is x else np.shape(x)
        given: dict[str, Any] = {"x": rows, **own}
        rows, *arrays = floats(owner, **given)
        out, z, scale = np.empty_like(rows), np.empty_like(rows), np.empty_like(rows, shape=len(rows))
        self._kernels[0](rows, *arrays, self.eps, out, z, scale)
        vars(self).update(z=z, scale=scale)
        return out

    def backward(self, dout: ArrayLike) -> Array:
        """Return `dx` in the shape of the input; set the gradients of the parameters."""
        owner = f"{type(self).__name__}.backward"
        z, scale = (require_cache(owner, vars(self)[name]) for name in ("z", "scale"))
        z, scale, gamma, dout = floats(owner, z=z, scale=scale, gamma=vars(self)["gamma"], dout=dout)
        same_shape(owner, dout, z.shape)
        dx, gradients = np.empty_like(z), {f"d{name}": np.empty_like(gamma) for name in self._parameters()}
        self._kernels[1](dout, z, scale, gamma, dx)
        self._kernels[2](z, dout, *gradients.values())
        vars(self).update(gradients)
        return dx.reshape(self._shape)

    def options(self) -> dict[str, Any]:
        """The arguments of the constructor that the parameters do not tell."""
        return {"eps": self.eps}

    @classmethod
    def parameter_shapes(
        cls, options: Mapping[str, Any], inputs: int | None, outputs: int | None
    ) -> dict[str, tuple[int | None, ...]]:
        """The shapes of the parameters."""
        return dict.fromkeys(cls.parameter_names or (), (inputs,))

    @classmethod
    def of(cls, options: Mapping[str, Any], arrays: Mapping[str, Array]) -> Any:
        """Make the layer of these parameters."""
        # A file whose options name them, too, is wrong: it may claim any number.
        return restored(cls, dict(features=len(arrays["gamma"]), **options), arrays)

    def __repr__(self) -> str:
        gamma = vars(self)["gamma"]
        return f"{type(self).__name__}({len(gamma)}, eps={self.eps:g}, dtype={gamma.dtype})"


class LayerNorm(RowNorm):
    """Layer normalisation (Ba, Kiros and Hinton 2016): `out = gamma·z + beta`, z of each sample for itself.

    `z = (x - mean) / sqrt(variance + eps)`, with the mean and variance of the sample's numbers.

    Parameters
    ----------
    features : int
        How many numbers a sample has.
    eps : float, default 1e-5
        Positive: what keeps z finite where all numbers of a sample are equal.
    dtype : float32 or float64, default float32
        The type of gamma and beta; that of the network.

    Attributes
    ----------
    gamma, beta : ndarray of shape (features,)
        At first 1 and 0.
    z : ndarray of shape (B, features) or None
        The last input, normalised.
    dgamma, dbeta : ndarray or None
        Gradients of gamma and beta, new arrays at every `backward`: `Σ dout·z` and `Σ dout`.

    Examples
    --------
    >>> net = bp.Network([4, 8, 3], activation="gelu", seed=0)
    >>> net.layers.insert_after("Affine1", "LayerNorm1", bp.LayerNorm(8))
    >>> list(net.layers)
    ['Affine1', 'LayerNorm1', 'Gelu1', 'Affine2']
    """

    kind, parameter_names, caches = "layer_norm", ("gamma", "beta"), ("z", "scale", "dgamma", "dbeta")
    gamma: Array = Parameter(1)  # type: ignore[assignment]
    beta: Array = Parameter(1)  # type: ignore[assignment]
    weight, bias = map(OtherName, ("gamma", "beta"))

    @named_arguments
    def __init__(self, features: int, eps: float = 1e-5, dtype: DTypeLike = np.float32) -> None:
        self._begin(features, eps, dtype)


class RMSNorm(RowNorm):
    """RMS normalisation (Zhang and Sennrich 2019): `out = gamma·z`, `z = x / sqrt(mean(x²) + eps)` of each sample.

    Layer normalisation without the mean and without a shift.

    Parameters
    ----------
    features : int
        How many numbers a sample has.
    eps : float, default 1e-5
        Positive: what keeps z finite where all numbers of a sample are 0.
    dtype : float32 or float64, default float32
        The type of gamma; that of the network.

    Attributes
    ----------
    gamma : ndarray of shape (features,)
        At first 1.
    z : ndarray of shape (B, features) or None
        The last input, normalised.
    dgamma : ndarray or None
        The gradient of gamma, a new array at every `backward`: `Σ dout·z`.
    """

    kind, parameter_names, caches = "rms_norm", ("gamma",), ("z", "scale", "dgamma")
    gamma: Array = Parameter(1)  # type: ignore[assignment]
    weight = OtherName("gamma")

    @named_arguments
    def __init__(self, features: int, eps: float = 1e-5, dtype: DTypeLike = np.float32) -> None:
        self._begin(features, eps, dtype)
