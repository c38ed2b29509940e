"""Looking inside a network: what each layer gives out, its derivatives by the inputs, all parameters as one vector."""

import copy
from itertools import combinations
from typing import Any, cast

import numpy as np
from numpy.typing import ArrayLike

from backprop._util.arrays import Array, plural, real_array
from backprop._util.names import named_arguments
from backprop.layers.base import pass_forward
from backprop.network import input_gradients
from backprop.network.layers import Layers
from backprop.network.parameters import Parameters
from backprop.network.protocol import NetworkLike


class Inspectable:
    """The part of a network that shows what is in it; the rest of it is `Network`."""

    dtype: np.dtype[Any]
    params: Parameters
    _layers: Layers

    def _inputs(self, x: ArrayLike) -> Array:
        """`x` as the first layer takes it."""
        raise NotImplementedError("a network knows its inputs")

    def activations(self, x: ArrayLike) -> dict[str, Array]:
        """What each layer gives out for a batch, by the layer's name; the last are the scores.

        The layers keep what they hold: a `backward` still belongs to the pass before.

        Parameters
        ----------
        x : array of shape (B, I) or (B, …) with I elements a sample

        Returns
        -------
        dict of str to ndarray
            In the order of `net.layers`, each of the shape that the layer gives, (B, outputs) as a rule.

        Examples
        --------
        >>> net = bp.Network([4, 8, 3], seed=0)
        >>> {name: out.shape for name, out in net.activations(np.ones((5, 4))).items()}
        {'Affine1': (5, 8), 'Relu1': (5, 8), 'Affine2': (5, 3)}
        """
        outputs: dict[str, Array] = {}
        flowing = self._inputs(x)
        for name, layer in self._layers.items():
            flowing = outputs[name] = pass_forward(copy.copy(layer), flowing, training=False)
        return outputs

    def jacobian(self, x: ArrayLike) -> Array:
        """The derivative of each output of `predict(x)` by each number of its row of x, (N, K, I).

        Of x as it is given: what `input_scale` does to it is in the derivatives. Dropout does nothing. It takes one
        pass forward and K back, of many rows at a time, on several threads if there is much to do; the layers keep what
        they hold.

        Parameters
        ----------
        x : array of shape (N, I) or (N, …) with I elements a sample, any real type

        Returns
        -------
        ndarray of shape (N, K, I) and the network's type
            `[n, k, i]` is the derivative of output k of sample n by its input i. Where a function has a kink it is
            what `backward` of the layer takes there, 0 for ReLU at 0.

        Raises
        ------
        TypeError
            A layer of your own has no `backward`, or a subclass's `predict` returns something else than its layers.

        Notes
        -----
        Each row of the outputs is taken to depend on its own row of x alone, as with all layers of this package. In
        PyTorch it is `vmap(jacrev(net))(x)`.

        Examples
        --------
        >>> net = bp.Network([3, 2], input_scale=[1, 10, 1], dtype="float64", seed=0)
        >>> J = net.jacobian(np.ones((5, 3)))
        >>> J.shape, bool(np.allclose(J[0], net.params["W1"].T * [1, 10, 1]))
        ((5, 2, 3), True)
        """
        return input_gradients.jacobian(cast(NetworkLike, self), x)

    @named_arguments
    def input_gradient(
        self, x: ArrayLike, t: ArrayLike | None = None, *, dout: ArrayLike | None = None
    ) -> Array:
        """The gradient by x of `loss(x, t)`, or of `(dout * predict(x)).sum()`: for saliency and adversarial examples.

        Of x as it is given: what `input_scale` does to it is in the gradient. Dropout does nothing. Exactly one of `t`
        and `dout` is given; the layers keep what they hold.

        Parameters
        ----------
        x : array of shape (N, I) or (N, …) with I elements a sample, any real type
        t : targets as for `loss`, optional
            The loss is the mean over the samples: N times the gradient has in each row that of the sample's own loss.
        dout : array of shape (N, K), optional
            The gradient of what `predict(x)` returns: each row is multiplied by its sample's Jacobian,
            `dout[n] @ jacobian(x)[n]`, which is not made. 1 for one class and 0 for the others gives that score's.

        Returns
        -------
        ndarray of shape (N, I) and the network's type

        Raises
        ------
        TypeError
            Both or none of `t` and `dout` are given, one of them is no array of real numbers, or as for `jacobian`.
        ValueError
            They do not fit to x.

        Notes
        -----
        As in `gradient`, where a subclass has a `loss` of its own, that is what keeps the pass, and what goes back is
        the gradient of `lastLayer`: terms that it adds to the loss are not in it.

        Examples
        --------
        A step up the loss for each image, each pixel by at most 1 of 16 shades (FGSM, Goodfellow et al. 2015):

        >>> (x, t), _ = bp.load_digits()
        >>> net = bp.Network([64, 30, 10], input_scale=1/16, seed=0)
        >>> history = net.fit(x, t, epochs=5, optimizer="adam", seed=0)
        >>> moved = x + np.sign(net.input_gradient(x, t))
        >>> net.loss(moved, t) > net.loss(x, t)
        True
        """
        return input_gradients.input_gradient(cast(NetworkLike, self), x, t, dout)

    @named_arguments
    def get_flat_params(self, out: Array | None = None) -> Array:
        """All parameters one after the other, in the order of `net.params`, each row by row: a copy.

        Parameters
        ----------
        out : ndarray of shape (P,) and the network's type, optional
            Takes them, P in number, and is returned.

        Raises
        ------
        ValueError
            `out` is something else, is read-only, or shares memory with a parameter.
        """
        arrays = list(self.params.values())
        total = sum(array.size for array in arrays)
        if out is None:
            out = np.empty(total, self.dtype)
        if not isinstance(out, np.ndarray) or out.shape != (total,) or out.dtype != self.dtype:
            got = f"{out.dtype} {out.shape}" if isinstance(out, np.ndarray) else f"a {type(out).__name__}"
            raise ValueError(f"get_flat_params: out is {got}, wanted an array of {self.dtype} ({total},)")
        if not out.flags.writeable:
            raise ValueError("get_flat_params: out is read-only, wanted an array that can be written to")
        if any(np.may_share_memory(out, array) for array in arrays):
            raise ValueError(
                "get_flat_params: out shares memory with a parameter, wanted an array of its own"
            )
        first = 0
        for array in arrays:
            out[first : first + array.size] = array.reshape(-1)
            first += array.size
        return out

    def set_flat_params(self, v: ArrayLike) -> None:
        """Copy into the parameters, in place, what `get_flat_params` gives, or other numbers in its order.

        Parameters
        ----------
        v : array of shape (P,)
            Real numbers. The layers keep their arrays, and an optimizer what it has of them.

        Raises
        ------
        TypeError
            `v` is no array of real numbers.
        ValueError
            It has another shape, a parameter is read-only, or two share memory, which would get two values.
        """
        arrays = dict(self.params)
        total = sum(array.size for array in arrays.values())
        values = real_array("set_flat_params", "v", v)
        if values.shape != (total,):
            raise ValueError(
                f"set_flat_params: v has shape {values.shape}, wanted ({total},), the network's "
                f"{plural(total, 'parameter')} in one row"
            )
        for key, array in arrays.items():
            if not array.flags.writeable:
                raise ValueError(f"set_flat_params: {key} is read-only; nothing was changed")
        for (key, array), (other, twin) in combinations(arrays.items(), 2):
            if np.shares_memory(array, twin):
                raise ValueError(
                    f"set_flat_params: {key} and {other} share memory, which would get two values"
                )
        # Of a view of a parameter, too, all is read before anything is written.
        values = np.array(values, self.dtype)
        first = 0
        for array in arrays.values():
            array[...] = values[first : first + array.size].reshape(array.shape)
            first += array.size
