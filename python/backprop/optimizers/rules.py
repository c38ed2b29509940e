"""The update rules: a class each, with its settings, its state and the kernel that runs it.

`weight_decay` is added to the gradients of all parameters, `g + weight_decay·w` (L2), as PyTorch has it; AdamW has the
decoupled form.
"""

from typing import Any, ClassVar

from backprop._util.names import named_arguments
from backprop._util.settings import Check, fraction, non_negative, positive, switch, two_fractions
from backprop.optimizers.base import UpdateRule, register

__all__ = ["SGD", "AdaGrad", "Adagrad", "Adam", "AdamW", "Momentum", "Nesterov", "RMSprop"]


class SGD(UpdateRule):
    """Stochastic gradient descent: `w -= lr·g`; with momentum `v = momentum·v + g`, `w -= lr·v`.

    Nesterov's form looks ahead: `w -= lr·(momentum·v + g)` (Sutskever et al. 2013, as PyTorch has it). `state` has v.

    Parameters
    ----------
    lr : float, default 0.01
        Learning rate, a positive finite number.
    momentum : float, default 0
        How much of the velocity v stays from step to step, from 0 to below 1.
    nesterov : bool, default False
        Needs momentum.
    weight_decay : float, default 0

    Examples
    --------
    >>> params, grads = {"w": np.array([1.0, 2.0])}, {"w": np.array([10.0, -10.0])}
    >>> bp.SGD(0.1).update(params, grads)
    >>> params["w"]
    array([0., 3.])
    """

    kind = "sgd"
    settings: ClassVar[dict[str, Check]] = {
        "lr": positive,
        "momentum": fraction,
        "nesterov": switch,
        "weight_decay": non_negative,
    }
    lr: float
    momentum: float
    nesterov: bool
    weight_decay: float

    @named_arguments
    def __init__(
        self, lr: float = 0.01, momentum: float = 0.0, nesterov: bool = False, weight_decay: float = 0.0
    ) -> None:
        super().__init__(lr=lr, momentum=momentum, nesterov=nesterov, weight_decay=weight_decay)

    @property
    def state_size(self) -> int:  # type: ignore[override]  # that of the other rules is always the same
        """How many arrays it keeps for each parameter."""
        return 1 if self.momentum else 0

    def _require_together(self, **new: Any) -> None:
        now = {**vars(self), **new}
        if now.get("nesterov", False) and not now["momentum"]:
            raise ValueError(
                f"{type(self).__name__}: nesterov is True, momentum is 0; wanted momentum above 0"
            )

    def compiled(self) -> tuple[str, tuple[float, ...]]:  # noqa: D102  # as in UpdateRule
        if not self.momentum:
            return "sgd", (self.lr, self.weight_decay)
        return "nesterov" if self.nesterov else "momentum", (self.lr, self.momentum, self.weight_decay)


@named_arguments
def Momentum(lr: float = 0.01, momentum: float = 0.9, weight_decay: float = 0.0) -> SGD:  # noqa: N802  # the book's
    """SGD with momentum, by the book's name."""
    return SGD(lr, momentum=momentum, weight_decay=weight_decay)


@named_arguments
def Nesterov(lr: float = 0.01, momentum: float = 0.9, weight_decay: float = 0.0) -> SGD:  # noqa: N802
    """SGD with Nesterov's momentum, by the book's name."""
    return SGD(lr, momentum=momentum, nesterov=True, weight_decay=weight_decay)


register("momentum", Momentum)
register("nesterov", Nesterov)


class Adagrad(UpdateRule):
    """Adagrad (Duchi et al. 2011): `h += g²`, `w -= lr·g / (sqrt(h) + eps)`. `state` has h.

    Parameters
    ----------
    lr : float, default 0.01
    eps : float, default 1e-10
    weight_decay : float, default 0
    """

    kind = "adagrad"
    settings: ClassVar[dict[str, Check]] = {"lr": positive, "eps": positive, "weight_decay": non_negative}
    state_size = 1
    lr: float
    eps: float
    weight_decay: float

    @named_arguments
    def __init__(self, lr: float = 0.01, eps: float = 1e-10, weight_decay: float = 0.0) -> None:
        super().__init__(lr=lr, eps=eps, weight_decay=weight_decay)

    def compiled(self) -> tuple[str, tuple[float, ...]]:  # noqa: D102
        return "adagrad", (self.lr, self.eps, self.weight_decay)


class RMSprop(UpdateRule):
    """RMSprop (Tieleman and Hinton 2012): `h = alpha·h + (1 − alpha)·g²`, `w -= lr·g / (sqrt(h) + eps)`.

    `state` has h.

    Parameters
    ----------
    lr : float, default 0.01
    alpha : float, default 0.99
        How much of the mean of squares stays from step to step, from 0 to below 1.
    eps : float, default 1e-8
    weight_decay : float, default 0
    """

    kind = "rmsprop"
    settings: ClassVar[dict[str, Check]] = {
        "lr": positive,
        "alpha": fraction,
        "eps": positive,
        "weight_decay": non_negative,
    }
    state_size = 1
    lr: float
    alpha: float
    eps: float
    weight_decay: float

    @named_arguments
    def __init__(
        self, lr: float = 0.01, alpha: float = 0.99, eps: float = 1e-8, weight_decay: float = 0.0
    ) -> None:
        super().__init__(lr=lr, alpha=alpha, eps=eps, weight_decay=weight_decay)

    def compiled(self) -> tuple[str, tuple[float, ...]]:  # noqa: D102
        return "rmsprop", (self.lr, self.alpha, self.eps, self.weight_decay)


class Adam(UpdateRule):
    """Adam (Kingma and Ba 2015): `w -= lr·(m/c1) / (sqrt(v/c2) + eps)`, m and v running means of g and g².

    `m = beta1·m + (1 − beta1)·g`, `v = beta2·v + (1 − beta2)·g²`; after t steps `c1 = 1 − beta1^t` and
    `c2 = 1 − beta2^t` undo that both began at 0. `state` has (m, v).

    Parameters
    ----------
    lr : float, default 0.001
    betas : (float, float), default (0.9, 0.999)
        Each from 0 to below 1.
    eps : float, default 1e-8
    weight_decay : float, default 0

    Examples
    --------
    >>> (x, t), _ = bp.load_digits()
    >>> net, adam = bp.Network([64, 20, 10], seed=0), bp.Adam(0.002)
    >>> losses = [net.train_step(x[:100], t[:100], adam) for _ in range(50)]
    >>> losses[-1] < losses[0], adam.steps
    (True, 50)
    """

    kind = "adam"
    settings: ClassVar[dict[str, Check]] = {
        "lr": positive,
        "betas": two_fractions,
        "eps": positive,
        "weight_decay": non_negative,
    }
    state_size = 2
    lr: float
    betas: tuple[float, float]
    eps: float
    weight_decay: float

    @named_arguments
    def __init__(
        self,
        lr: float = 0.001,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(lr=lr, betas=betas, eps=eps, weight_decay=weight_decay)

    def compiled(self) -> tuple[str, tuple[float, ...]]:  # noqa: D102
        return "adam", (self.lr, *self.betas, self.eps, self.weight_decay)


class AdamW(Adam):
    """Adam with decoupled weight decay (Loshchilov and Hutter 2019): `w *= 1 − lr·weight_decay`, then Adam's step.

    Parameters
    ----------
    lr : float, default 0.001
    betas : (float, float), default (0.9, 0.999)
        Each from 0 to below 1.
    eps : float, default 1e-8
    weight_decay : float, default 0.01
        The gradients and their means have no part of it.
    """

    kind = "adamw"

    @named_arguments
    def __init__(
        self,
        lr: float = 0.001,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.01,
    ) -> None:
        super().__init__(lr, betas, eps, weight_decay)

    def compiled(self) -> tuple[str, tuple[float, ...]]:  # noqa: D102
        return "adamw", (self.lr, *self.betas, self.eps, self.weight_decay)


AdaGrad = Adagrad
