"""The networks of the book's chapter 6: `MultiLayerNet`, and `MultiLayerNetExtend`, which drops and normalises.

a) Both are a `Network`: a plan predicts and trains where it can, what they were given is checked, `params` is a view.
b) The penalty of the weights is part of `loss`, `gradient` and `numerical_gradient`, and of what `fit` records. A
   plan knows nothing of it, so a network that has one trains layer by layer.
"""

from collections.abc import Sequence
from typing import Any, NoReturn

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from backprop._util.arguments import float_type
from backprop._util.arrays import Array
from backprop._util.names import named_arguments
from backprop._util.settings import fraction, non_negative, switch
from backprop.book.arguments import checked_units, initial_stds
from backprop.book.dropout import Dropout
from backprop.book.layers import BatchNormalization
from backprop.network.arguments import OneActivation
from backprop.network.network import Network


class MultiLayerNet(Network):
    """The book's network of affine layers and activations, softmax with loss on top, and an L2 penalty.

    `0.5·weight_decay_lambda·Σ W²`, over the weights of all affine layers, is added to the loss, and its gradient
    to theirs. Initial weights come from `np.random`'s global state, in the book's order, so that after `np.random.seed`
    they are the book's, bit for bit; biases are 0.

    Parameters
    ----------
    input_size : int
    hidden_size_list : sequence of int
        Units of each hidden layer.
    output_size : int
    activation : str, default "relu"
        "relu" or "sigmoid", or another one that `Network` takes.
    weight_init_std : str or float, default "relu"
        "relu" or "he": normal with He's standard deviation, `sqrt(2 / inputs)`; "sigmoid" or "xavier": the book's form
        of Xavier's, `sqrt(1 / inputs)`; or a standard deviation.
    weight_decay_lambda : float, default 0
        Strength of the penalty, at least 0.
    dtype : float32 or float64, default float64

    Attributes
    ----------
    params : Parameters
        `W1`, `b1`, `W2`, …
    layers : Layers
        `Affine1`, `Activation_function1`, `Affine2`, …

    Notes
    -----
    Differences from the book's class: the loss adds no 1e-7 to probabilities; `numerical_gradient` takes steps of 1e-5,
    the book's 1e-4; `gradient` leaves the penalty's part out of the layers' `dW`, as the book's does, but what it
    returns are new arrays. A file of `save` holds a `Network` without the penalty, and `graph.from_network` draws none.

    Examples
    --------
    >>> from backprop.book import SGD, MultiLayerNet
    >>> (x, t), _ = bp.load_digits()
    >>> np.random.seed(0)
    >>> network = MultiLayerNet(input_size=64, hidden_size_list=[50, 50], output_size=10, weight_decay_lambda=0.1)
    >>> before, optimizer = network.loss(x, t), SGD(lr=0.1)
    >>> for _ in range(20):
    ...     optimizer.update(network.params, network.gradient(x, t))
    >>> network.loss(x, t) < before
    True
    """

    @named_arguments
    def __init__(
        self,
        input_size: int,
        hidden_size_list: Sequence[int],
        output_size: int,
        activation: OneActivation | Sequence[OneActivation] = "relu",
        weight_init_std: str | float = "relu",
        weight_decay_lambda: float = 0,
        *,
        dtype: DTypeLike = np.float64,
    ) -> None:
        owner = type(self).__name__
        sizes = checked_units(owner, input_size, hidden_size_list, output_size)
        stds = initial_stds(owner, weight_init_std, sizes[:-1], float_type(owner, dtype))
        self.weight_decay_lambda = weight_decay_lambda
        super().__init__(sizes, activation, dtype=dtype, weight_init=stds)
        layers = list(self.layers.items())
        self.layers.clear()
        for n, (key, layer) in enumerate(layers):  # of each two the second is an activation
            self.layers[key if n % 2 == 0 else f"Activation_function{n // 2 + 1}"] = layer

    @property
    def weight_decay_lambda(self) -> float:
        """Strength of the penalty; it may be changed between steps."""
        return self._weight_decay_lambda

    @weight_decay_lambda.setter
    def weight_decay_lambda(self, value: float) -> None:
        self._weight_decay_lambda = non_negative(type(self).__name__, "weight_decay_lambda", value)

    @property
    def last_layer(self) -> Any:
        """`lastLayer` by its name in the book's chapter 6."""
        return self.lastLayer

    @last_layer.setter
    def last_layer(self, value: Any) -> None:
        self.lastLayer = value

    @property
    def input_size(self) -> int:
        """Numbers of a sample."""
        return self.sizes[0]

    @property
    def hidden_size_list(self) -> list[int]:
        """Units of each hidden layer."""
        return list(self.sizes[1:-1])

    @property
    def hidden_layer_num(self) -> int:
        """How many hidden layers there are."""
        return len(self.sizes) - 2

    @property
    def output_size(self) -> int:
        """Numbers that come out for a sample."""
        return self.sizes[-1]

    def loss(
        self,
        x: ArrayLike,
        t: ArrayLike,
        training: bool | None = None,
        *,
        sample_weight: ArrayLike | None = None,
    ) -> float:
        """Mean loss of the batch and the penalty; the layers keep what `backward` needs.

        Parameters
        ----------
        x : array of shape (B, I) or (B, …) with I elements a sample
        t : integer labels of shape (B,), or weights of shape (B, K), one-hot rows for example
        training, sample_weight : optional
            As for `Network.loss`.
        """
        return super().loss(x, t, training, sample_weight=sample_weight) + self._penalty()

    def _penalty(self) -> float:
        """What is added to the loss; of a float32 network too its sum is one in float64."""
        squares = (float(np.square(W, dtype=np.float64).sum()) for W in self._weights().values())
        return 0.5 * self.weight_decay_lambda * sum(squares)

    def _weights(self) -> dict[str, Array]:
        """What the penalty is of, where there is one: the parameters of two dimensions."""
        if not self.weight_decay_lambda:
            return {}
        return {key: array for key, array in self.params.items() if array.ndim == 2}

    def _gradient_of_pass(self) -> dict[str, Array]:
        grads = super()._gradient_of_pass()
        weights = self._weights()
        return grads | {key: grads[key] + self.weight_decay_lambda * W for key, W in weights.items()}

    def _overrides(self, method: str) -> bool:
        # What the classes of this module override computes what a Network does, but for the penalty.
        ours = next(kind for kind in type(self).__mro__ if kind.__module__ == __name__)
        own = getattr(type(self), method) is not getattr(ours, method)
        return own or (method == "loss" and self.weight_decay_lambda > 0)

    @classmethod
    def standardised(
        cls, x: ArrayLike, sizes: Sequence[int], t: ArrayLike | None = None, **options: Any
    ) -> NoReturn:
        """Raise TypeError: this network takes its inputs as they are."""
        raise TypeError(
            f"{cls.__name__}.standardised: the book's network takes its inputs as they are; "
            "bp.Network.standardised(x, sizes) makes one that scales them"
        )


class MultiLayerNetExtend(MultiLayerNet):
    """`MultiLayerNet` with the book's batch normalisation before each activation and its dropout behind each.

    The layers are those of this package: `BatchNormalization` and `Dropout` as the book writes them, with masks
    from `np.random`'s global state. A network with one of them runs layer by layer, and `save` refuses it until
    `register_layer` has given their classes names.

    Parameters
    ----------
    input_size, hidden_size_list, output_size, activation, weight_init_std, weight_decay_lambda
        Those of `MultiLayerNet`.
    use_dropout : bool, default False
    dropout_ration : float, default 0.5
        The share that is dropped, from 0 to below 1; the book spells it so.
    use_batchnorm : bool, default False
    dtype : float32 or float64, default float64

    Attributes
    ----------
    params : Parameters
        `W1`, `b1`, `gamma1`, `beta1`, `W2`, …
    layers : Layers
        `Affine1`, `BatchNorm1`, `Activation_function1`, `Dropout1`, `Affine2`, …

    Notes
    -----
    `gradient` and `numerical_gradient` are those of the loss in training. The numerical one has the masks that the next
    `gradient` draws and moves no running mean; the book's draws new masks, and moves them, at every evaluation.

    Examples
    --------
    >>> from backprop.book import MultiLayerNetExtend
    >>> network = MultiLayerNetExtend(64, [50], 10, use_dropout=True, use_batchnorm=True)
    >>> list(network.layers)
    ['Affine1', 'BatchNorm1', 'Activation_function1', 'Dropout1', 'Affine2']
    >>> list(network.params)
    ['W1', 'b1', 'gamma1', 'beta1', 'W2', 'b2']
    """

    @named_arguments
    def __init__(
        self,
        input_size: int,
        hidden_size_list: Sequence[int],
        output_size: int,
        activation: OneActivation | Sequence[OneActivation] = "relu",
        weight_init_std: str | float = "relu",
        weight_decay_lambda: float = 0,
        use_dropout: bool = False,
        dropout_ration: float = 0.5,
        use_batchnorm: bool = False,
        *,
        dtype: DTypeLike = np.float64,
    ) -> None:
        owner = type(self).__name__
        dropped, normalised = (
            switch(owner, name, value)
            for name, value in (("use_dropout", use_dropout), ("use_batchnorm", use_batchnorm))
        )
        ratio = fraction(owner, "dropout_ration", dropout_ration)
        super().__init__(
            input_size,
            hidden_size_list,
            output_size,
            activation,
            weight_init_std,
            weight_decay_lambda,
            dtype=dtype,
        )
        for n, units in enumerate(self.hidden_size_list, start=1):
            if normalised:
                gamma, beta = np.ones(units, self.dtype), np.zeros(units, self.dtype)
                self.layers.insert_after(f"Affine{n}", f"BatchNorm{n}", BatchNormalization(gamma, beta))
            if dropped:
                self.layers.insert_after(f"Activation_function{n}", f"Dropout{n}", Dropout(ratio))

    def predict(self, x: ArrayLike, train_flg: bool = False) -> Array:  # type: ignore[override]  # the book's
        """Scores of the last affine layer, (B, K).

        Parameters
        ----------
        x : array of shape (B, I) or (B, …) with I elements a sample
        train_flg : bool, default False
            Whether the pass is one of training: units are dropped, running means and variances move.
        """
        if switch(f"{type(self).__name__}.predict", "train_flg", train_flg):
            return self.forward(x, training=True)
        return super().predict(x)

    def loss(
        self,
        x: ArrayLike,
        t: ArrayLike,
        train_flg: bool | None = None,
        *,
        sample_weight: ArrayLike | None = None,
    ) -> float:
        """Mean loss of the batch and the penalty; the layers keep what `backward` needs.

        Parameters
        ----------
        x : array of shape (B, I) or (B, …) with I elements a sample
        t : integer labels of shape (B,), or weights of shape (B, K), one-hot rows for example
        train_flg : bool, optional
            As for `predict`. By default False, but where a gradient or a step asks for the loss.
        sample_weight : array of shape (B,), optional
            As for `Network.loss`.
        """
        if train_flg is not None:
            train_flg = switch(f"{type(self).__name__}.loss", "train_flg", train_flg)
        return super().loss(x, t, train_flg, sample_weight=sample_weight)
