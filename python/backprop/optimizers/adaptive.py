"""Rules with a learning rate for every weight, by the squares of its gradients: Adagrad, RMSprop, Adadelta."""

from typing import ClassVar, Unpack

from backprop._util.names import named_arguments_and
from backprop._util.settings import Check, fraction, positive, switch
from backprop.optimizers.base import UpdateRule
from backprop.optimizers.limits import LIMITS, Limits

__all__ = ["AdaGrad", "Adadelta", "Adagrad", "RMSprop"]


class Adagrad(UpdateRule):
    """Adagrad (Duchi et al. 2011): `h += g²`, `w -= lr·g / (sqrt(h) + eps)`. `state` has h.

    Parameters
    ----------
    lr : float, default 0.01
    eps : float, default 1e-10
    weight_decay : float, default 0
    **limits
        Further penalties and limits: see `backprop.optimizers.Limits`.
    """

    kind = "adagrad"
    settings: ClassVar[dict[str, Check]] = {"lr": positive, "eps": positive}
    state_size = 1
    lr: float
    eps: float

    @named_arguments_and(LIMITS)
    def __init__(
        self, lr: float = 0.01, eps: float = 1e-10, weight_decay: float = 0.0, **limits: Unpack[Limits]
    ) -> None:
        super().__init__(limits, lr=lr, eps=eps, weight_decay=weight_decay)

    def _rule(self) -> tuple[str, tuple[float, ...]]:
        return "adagrad", (self.lr, self.eps)


class RMSprop(UpdateRule):
    """RMSprop (Tieleman and Hinton 2012): `h = alpha·h + (1 − alpha)·g²`, `w -= lr·g / (sqrt(h) + eps)`.

    Centred (Graves 2013) it divides by the root of the variance, `h − m²` with `m = alpha·m + (1 − alpha)·g`. `state`
    has h or (h, m).

    Parameters
    ----------
    lr : float, default 0.01
    alpha : float, default 0.99
        How much of the mean of squares stays from step to step, from 0 to below 1.
    eps : float, default 1e-8
    weight_decay : float, default 0
    centered : bool, default False
    **limits
        Further penalties and limits: see `backprop.optimizers.Limits`.
    """

    kind = "rmsprop"
    settings: ClassVar[dict[str, Check]] = {
        "lr": positive,
        "alpha": fraction,
        "eps": positive,
        "centered": switch,
    }
    lr: float
    alpha: float
    eps: float
    centered: bool

    @named_arguments_and(LIMITS)
    def __init__(
        self,
        lr: float = 0.01,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        centered: bool = False,
        **limits: Unpack[Limits],
    ) -> None:
        super().__init__(limits, lr=lr, alpha=alpha, eps=eps, centered=centered, weight_decay=weight_decay)

    @property
    def state_size(self) -> int:  # type: ignore[override]  # that of most rules is always the same
        """How many arrays it keeps for each parameter."""
        return 2 if self.centered else 1

    def _rule(self) -> tuple[str, tuple[float, ...]]:
        return "rmsprop_centered" if self.centered else "rmsprop", (self.lr, self.alpha, self.eps)


class Adadelta(UpdateRule):
    """Adadelta (Zeiler 2012): `s = g·sqrt(d + eps) / sqrt(h + eps)`, `w -= lr·s`, h and d running means of g² and s².

    `h = rho·h + (1 − rho)·g²` comes first, `d = rho·d + (1 − rho)·s²` last. `state` has (h, d).

    Parameters
    ----------
    lr : float, default 1
    rho : float, default 0.9
        How much of the means stays from step to step, from 0 to below 1.
    eps : float, default 1e-6
    weight_decay : float, default 0
    **limits
        Further penalties and limits: see `backprop.optimizers.Limits`.
    """

    kind = "adadelta"
    settings: ClassVar[dict[str, Check]] = {"lr": positive, "rho": fraction, "eps": positive}
    state_size = 2
    lr: float
    rho: float
    eps: float

    @named_arguments_and(LIMITS)
    def __init__(
        self,
        lr: float = 1.0,
        rho: float = 0.9,
        eps: float = 1e-6,
        weight_decay: float = 0.0,
        **limits: Unpack[Limits],
    ) -> None:
        super().__init__(limits, lr=lr, rho=rho, eps=eps, weight_decay=weight_decay)

    def _rule(self) -> tuple[str, tuple[float, ...]]:
        return "adadelta", (self.lr, self.rho, self.eps)


AdaGrad = Adagrad
