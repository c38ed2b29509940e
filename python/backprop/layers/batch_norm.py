"""Batch normalisation: a layer that takes the statistics of the batch in training, and running ones otherwise."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from backprop._util.arguments import float_type
from backprop._util.arrays import Array, floats, plural, require_cache, same_shape, samples
from backprop._util.names import named_arguments
from backprop._util.settings import from_0_to_1, positive
from backprop.layers.base import Layer, restored
from backprop.layers.descriptors import Option, OtherName, Parameter
from bpcore import kernels

__all__ = ["BatchNorm"]

OWN = ("gamma", "beta", "running_mean", "running_var")


class BatchNorm(Layer):
    """Batch normalisation (Ioffe and Szegedy 2015): `out = gamma·z + beta`, z of each feature over the batch.

    `z = (x - mean) / sqrt(variance + eps)`. In training mean and variance are those of the batch, and the running ones
    move towards them: `running = (1 - momentum)·running + momentum·batch`. Otherwise they are the running ones, and a
    sample's output does not depend on the others of its batch.

    Parameters
    ----------
    features : int
        How many numbers a sample has.
    eps : float, default 1e-5
        Positive: what keeps z finite where all samples have the same number.
    momentum : float, default 0.1
        From 0, which leaves the running statistics as they are, to 1, which makes them those of the last batch. As in
        PyTorch; what Keras and the book call momentum is 1 minus it.
    dtype : float32 or float64, default float32
        The type of the parameters and the running statistics; that of the network.

    Attributes
    ----------
    gamma, beta : ndarray of shape (features,)
        At first 1 and 0.
    running_mean, running_var : ndarray of shape (features,)
        At first 0 and 1; training changes them in place. No parameters: files, copies and `blend` have them, gradients
        and optimizers do not.
    z : ndarray of shape (B, features) or None
        The last input, normalised.
    dgamma, dbeta : ndarray or None
        Gradients of gamma and beta, new arrays at every `backward`: `Σ dout·z` and `Σ dout`.

    Notes
    -----
    The variance of z has the divisor B, the one that running_var moves towards B - 1, as in PyTorch. A batch of one
    sample has no such variance: its z is 0, so that the output is beta, and the running statistics stay. PyTorch
    raises an error there.

    Examples
    --------
    >>> net = bp.Network([4, 8, 3], seed=0)
    >>> net.layers.insert_after("Affine1", "BatchNorm1", bp.BatchNorm(8))
    >>> list(net.layers)
    ['Affine1', 'BatchNorm1', 'Relu1', 'Affine2']
    >>> layer, x = bp.BatchNorm(1, dtype=float), np.array([[1.0], [3.0]])
    >>> layer.forward(x, training=True).round(3)
    array([[-1.],
           [ 1.]])
    >>> layer.running_mean, layer.running_var
    (array([0.2]), array([1.1]))
    """

    kind, parameter_names, keeps_shape = "batch_norm", ("gamma", "beta"), True
    caches = ("z", "scale", "dgamma", "dbeta")
    buffers = counters = ("running_mean", "running_var")
    gamma: Array = Parameter(1)  # type: ignore[assignment]  # what a layer has
    beta: Array = Parameter(1)  # type: ignore[assignment]
    running_mean: Array = Parameter(1)  # type: ignore[assignment]
    running_var: Array = Parameter(1)  # type: ignore[assignment]
    eps: float = Option(positive)  # type: ignore[assignment]
    momentum: float = Option(from_0_to_1)  # type: ignore[assignment]
    weight, bias, moving_mean, moving_variance = map(OtherName, OWN)

    @named_arguments
    def __init__(
        self, features: int, eps: float = 1e-5, momentum: float = 0.1, dtype: DTypeLike = np.float32
    ) -> None:
        if isinstance(features, bool) or not hasattr(features, "__index__") or features < 1:
            raise ValueError(f"BatchNorm: features is {features!r}, wanted a whole number of 1 or more")
        wanted = float_type("BatchNorm", dtype)
        self.eps, self.momentum = eps, momentum
        for name, value in zip(OWN, (1, 0, 0, 1), strict=True):
            setattr(self, name, np.full(features, value, wanted))
        vars(self).update(dict.fromkeys(self.caches))
        self._shape: tuple[int, ...] = ()
        self._of_batch = False

    def forward(self, x: ArrayLike, training: bool = False) -> Array:
        """Return the rows, normalised, of shape (B, features); x is (B, …) with that many elements a sample.

        In training by the statistics of the batch, towards which the running ones move.

        Raises
        ------
        ValueError
            In training, where running_mean or running_var is read-only; x or an array has another number of features.
        """
        rows, own = samples("BatchNorm.forward", x), {name: vars(self)[name] for name in OWN}
        for name, array in own.items():
            if rows.shape[1] != len(array):
                raise ValueError(
                    f"BatchNorm.forward: x has {plural(rows.shape[1], 'column')}, {name} has "
                    f"{plural(len(array), 'element')}"
                )
            if training and name in self.buffers and not array.flags.writeable:
                raise ValueError(
                    f"BatchNorm.forward: {name} is read-only, wanted an array that training can change"
                )
        shape = rows.shape if rows is x else np.shape(x)
        given: dict[str, Any] = {"x": rows, **own}
        rows, gamma, beta, mean, var = floats("BatchNorm.forward", **given)
        out, z, scale = np.empty_like(rows), np.empty_like(rows), np.empty_like(gamma)
        if training:
            kernels.batch_norm_forward(rows, gamma, beta, mean, var, self.eps, self.momentum, out, z, scale)
            for name, moved in zip(self.buffers, (mean, var), strict=True):
                if moved is not own[name]:  # which is of another type, or lies otherwise
                    own[name][...] = moved
        else:
            kernels.batch_norm_inference(rows, gamma, beta, mean, var, self.eps, out, z, scale)
        self._shape, self._of_batch = shape, training
        vars(self).update(z=z, scale=scale)
        return out

    def backward(self, dout: ArrayLike) -> Array:
        """Return `dx` in the shape of the input; set the gradients of gamma and beta.

        Of a pass in training they see that mean and variance follow from x, of another these are constants.
        """
        z, scale = (require_cache("BatchNorm.backward", vars(self)[name]) for name in ("z", "scale"))
        z, scale, gamma, dout = floats("BatchNorm.backward", z=z, scale=scale, gamma=self.gamma, dout=dout)
        same_shape("BatchNorm.backward", dout, z.shape)
        dx, dgamma, dbeta = np.empty_like(z), np.empty_like(gamma), np.empty_like(gamma)
        kernels.batch_norm_backward(dout, z, scale, gamma, dx, dgamma, dbeta)
        if not self._of_batch:
            kernels.multiply(dout, np.broadcast_to(gamma * scale, dout.shape), dx)
        vars(self).update(dgamma=dgamma, dbeta=dbeta)
        return dx.reshape(self._shape)

    def options(self) -> dict[str, Any]:
        """The arguments of the constructor that the parameters do not tell."""
        return {"eps": self.eps, "momentum": self.momentum}

    @classmethod
    def parameter_shapes(
        cls, options: Mapping[str, Any], inputs: int | None, outputs: int | None
    ) -> dict[str, tuple[int | None, ...]]:
        """The shapes of gamma and beta."""
        return {"gamma": (inputs,), "beta": (inputs,)}

    @classmethod
    def buffer_shapes(
        cls, options: Mapping[str, Any], inputs: int | None
    ) -> dict[str, tuple[int | None, ...]]:
        """The shapes of the running statistics."""
        return dict.fromkeys(cls.buffers, (inputs,))

    @classmethod
    def of(cls, options: Mapping[str, Any], arrays: Mapping[str, Array]) -> Any:
        """Make the layer of these parameters."""
        gamma = arrays["gamma"]
        # A file whose options name them, too, is wrong.
        return restored(cls, dict(features=len(gamma), dtype=gamma.dtype, **options), arrays)

    def __repr__(self) -> str:
        numbers = f"{len(self.gamma)}, eps={self.eps:g}, momentum={self.momentum:g}"
        return f"{type(self).__name__}({numbers}, dtype={self.gamma.dtype})"
