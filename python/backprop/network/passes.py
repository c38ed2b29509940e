"""The way of a network through its layers, forward and back."""

from _thread import get_ident
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar, cast

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from backprop._util.arrays import Array, floats
from backprop.layers.base_loss import loss_of, weighted
from backprop.layers.counters import Counters, counters_held
from backprop.network.layers import Layers
from backprop.network.parameters import Parameters

T = TypeVar("T")


class Passing:
    """The part of a network that goes through its layers, which keep what `backward` needs; the rest is `Network`."""

    dtype: np.dtype[Any]
    lastLayer: Any  # noqa: N815  # the notes' name
    params: Parameters
    _layers: Layers
    # Which threads are making a gradient, whose `loss` is that of training.
    _training_threads: dict[int, bool]

    if TYPE_CHECKING:  # what the other parts have

        @property
        def layers(self) -> Layers: ...  # noqa: D102
        def astype(self, dtype: DTypeLike) -> Any: ...  # noqa: D102
        def clear_cache(self) -> None: ...  # noqa: D102
        def _inputs(self, x: ArrayLike) -> Array: ...
        def _numbered(self, owner: str, t: ArrayLike) -> ArrayLike: ...

    def forward(self, x: ArrayLike, training: bool = False) -> Array:
        """What the last layer gives out, (B, K); the layers keep what `backward` needs, as `predict` does not.

        Parameters
        ----------
        x : array of shape (B, I) or (B, …) with I elements a sample
        training : bool, default False
            As for `loss`.
        """
        return self._through(x, training)

    def _through(self, x: ArrayLike, training: bool) -> Array:
        """Go forward through all layers; where that fails they keep nothing, and nothing has counted."""
        inputs, counters = self._inputs(x), Counters(self._layers.values())
        try:
            scores: Array = self.layers.through(inputs, training)
        except BaseException:
            self.clear_cache()  # else `backward` would go back through parts of two passes
            counters.restore()
            raise
        return scores

    def backward(self, dout: ArrayLike) -> dict[str, Array]:
        """Go back through the last pass with a gradient from outside: that of a loss that the network does not have.

        Parameters
        ----------
        dout : array of shape (B, K)
            The gradient of what the last pass, of `forward` or `loss`, gave out.

        Returns
        -------
        dict of str to ndarray
            As `gradient` does.

        Examples
        --------
        Half the squared error by hand, of which `IdentityWithLoss` has the mean:

        >>> net, x, t = bp.Network([3, 2], loss="squared_error", seed=0), np.ones((4, 3)), np.zeros((4, 2))
        >>> grads = net.backward((net.forward(x) - t) / len(x))
        >>> bool(np.allclose(grads["W1"], net.gradient(x, t)["W1"]))
        True
        """
        (dout,) = floats("backward", self.dtype, dout=dout)
        self.layers.back(dout)
        return self.params.gradients()

    def loss(
        self,
        x: ArrayLike,
        t: ArrayLike,
        training: bool | None = None,
        *,
        sample_weight: ArrayLike | None = None,
    ) -> float:
        """Mean loss of the batch; the layers keep what `backward` needs.

        Parameters
        ----------
        x : array of shape (B, I) or (B, …) with I elements a sample, or a sparse matrix as for `fit`
        t : integer labels of shape (B,), or weights of shape (B, K); for squared error numbers of shape (B, K)
        training : bool, optional
            Whether layers that do something else in training, as Dropout, do that. By default only where `gradient` or
            a step asks for the loss.
        sample_weight : array of shape (B,), optional
            What each sample's loss is multiplied by, from 0 on; the sum is divided by theirs, or by the number of
            samples where the loss was made with `normalise="count"`.
        """
        return self._loss_and_scores(x, t, training, sample_weight)[0]

    def _loss_and_scores(
        self,
        x: ArrayLike,
        t: ArrayLike,
        training: bool | None = None,
        sample_weight: ArrayLike | None = None,
    ) -> tuple[float, Array]:
        """Return the loss of the batch and its scores; the layers keep what `backward` needs."""
        if training is None:
            training = self._training_threads.get(get_ident(), False)
        counters = Counters(self._layers.values())
        scores = self._through(x, training)
        try:
            loss: float = loss_of(self.lastLayer, scores, self._numbered("loss", t), sample_weight)
        except BaseException:
            self.clear_cache()
            counters.restore()
            raise
        return loss, scores

    def gradient(
        self, x: ArrayLike, t: ArrayLike, *, sample_weight: ArrayLike | None = None
    ) -> dict[str, Array]:
        """Gradient of the loss in training with respect to every parameter, by backpropagation.

        The parameters are those of `loss`.

        Returns
        -------
        dict of str to ndarray
            By the names of `params`; new arrays at every call, which are also the layers' `dW` and `db`.
        """

        def both() -> dict[str, Array]:
            self.loss(x, t, **weighted(sample_weight))
            return self._gradient_of_pass()

        return self._while_training(both)

    def _while_training(self, call: Callable[[], T]) -> T:
        """Call something; `loss` is meanwhile that of training, also where a subclass's `loss` asks for it.

        Where it raises, no pass has counted.
        """
        threads, me, counters = self._training_threads, get_ident(), Counters(self._layers.values())
        before = threads.get(me, False)
        try:
            threads[me] = True
            return call()
        except BaseException:
            counters.restore()
            raise
        finally:
            # Without a call, at which the handler of a signal could run and raise.
            threads[me] = before

    def _training_loss(self, x: ArrayLike, t: ArrayLike, sample_weight: ArrayLike | None = None) -> float:
        """The loss in training, as the next step has it; none is counted."""
        with counters_held(self._layers.values()):
            return self._while_training(lambda: self.loss(x, t, **weighted(sample_weight)))

    def _gradient_of_pass(self) -> dict[str, Array]:
        """Go back through the last pass; return the gradients."""
        self.layers.back(self.lastLayer.backward(1))
        return self.params.gradients()

    def numerical_gradient(
        self, x: ArrayLike, t: ArrayLike, h: float = 1e-5, *, sample_weight: ArrayLike | None = None
    ) -> dict[str, Array]:
        """Gradient of the loss by central differences, in float64 whatever the network's type: slow and sure.

        It is that of the loss in training. Where a layer draws masks, they are those that the next `gradient` draws.
        """
        from backprop.gradcheck.numerical import numerical_gradient

        twin = cast(Passing, self.astype(np.float64))
        return {
            key: numerical_gradient(lambda _: twin._training_loss(x, t, sample_weight), twin.params[key], h)
            for key in twin.params
        }
