"""Adam and its kind: running means of the gradient and of its square, whose beginning at 0 is undone."""

from typing import ClassVar, Unpack

from backprop._util.names import named_arguments_and
from backprop._util.settings import Check, non_negative, positive, switch, two_fractions
from backprop.optimizers.base import UpdateRule, register
from backprop.optimizers.limits import LIMITS, Limits

__all__ = ["AMSGrad", "Adam", "AdamW", "NAdam"]


class Adam(UpdateRule):
    """Adam (Kingma and Ba 2015): `w -= lr·(m/c1) / (sqrt(v/c2) + eps)`, m and v running means of g and g².

    `m = beta1·m + (1 − beta1)·g`, `v = beta2·v + (1 − beta2)·g²`; after t steps `c1 = 1 − beta1^t` and
    `c2 = 1 − beta2^t` undo that both began at 0. `state` has (m, v).

    AMSGrad (Reddi, Kale and Kumar 2018) has the largest v so far in the place of v, which `state` has third.

    Parameters
    ----------
    lr : float, default 0.001
    betas : (float, float), default (0.9, 0.999)
        Each from 0 to below 1.
    eps : float, default 1e-8
    weight_decay : float, default 0
    amsgrad : bool, default False
    **limits
        Further penalties and limits: see `backprop.optimizers.Limits`.

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
        "amsgrad": switch,
    }
    lr: float
    betas: tuple[float, float]
    eps: float
    amsgrad: bool

    @named_arguments_and(LIMITS)
    def __init__(
        self,
        lr: float = 0.001,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        amsgrad: bool = False,
        **limits: Unpack[Limits],
    ) -> None:
        super().__init__(limits, lr=lr, betas=betas, eps=eps, amsgrad=amsgrad, weight_decay=weight_decay)

    @property
    def state_size(self) -> int:  # type: ignore[override]  # that of most rules is always the same
        """How many arrays it keeps for each parameter."""
        return 3 if self.amsgrad else 2

    def _rule(self) -> tuple[str, tuple[float, ...]]:
        return "amsgrad" if self.amsgrad else "adam", (self.lr, *self.betas, self.eps)


@named_arguments_and(LIMITS)
def AMSGrad(  # noqa: N802  # as the paper has it
    lr: float = 0.001,
    betas: tuple[float, float] = (0.9, 0.999),
    eps: float = 1e-8,
    weight_decay: float = 0.0,
    **limits: Unpack[Limits],
) -> Adam:
    """Adam with `amsgrad=True`."""
    return Adam(lr, betas, eps, weight_decay, True, **limits)


register("amsgrad", AMSGrad)


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
    amsgrad : bool, default False
    **limits
        Further penalties and limits: see `backprop.optimizers.Limits`.
    """

    kind = "adamw"

    @named_arguments_and(LIMITS)
    def __init__(
        self,
        lr: float = 0.001,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.01,
        amsgrad: bool = False,
        **limits: Unpack[Limits],
    ) -> None:
        super().__init__(lr, betas, eps, weight_decay, amsgrad, **limits)

    def _rule(self) -> tuple[str, tuple[float, ...]]:
        return "amsgradw" if self.amsgrad else "adamw", (self.lr, *self.betas, self.eps)


class NAdam(UpdateRule):
    """Adam with Nesterov's momentum (Dozat 2016, as PyTorch has it), which grows from step to step.

    At step t `mu = beta1·(1 − 0.96^(t·momentum_decay) / 2)`, M the product of all so far and mu' that of the next
    step: `w -= lr·((1 − mu)·g/(1 − M) + mu'·m/(1 − M·mu')) / (sqrt(v/c2) + eps)`, the rest as in Adam. `state` has
    (m, v).

    Parameters
    ----------
    lr : float, default 0.002
    betas : (float, float), default (0.9, 0.999)
        Each from 0 to below 1.
    eps : float, default 1e-8
    weight_decay : float, default 0
    momentum_decay : float, default 0.004
        At least 0.
    **limits
        Further penalties and limits: see `backprop.optimizers.Limits`.
    """

    kind = "nadam"
    settings: ClassVar[dict[str, Check]] = {
        "lr": positive,
        "betas": two_fractions,
        "eps": positive,
        "momentum_decay": non_negative,
    }
    state_size = 2
    lr: float
    betas: tuple[float, float]
    eps: float
    momentum_decay: float

    @named_arguments_and(LIMITS)
    def __init__(
        self,
        lr: float = 0.002,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        momentum_decay: float = 0.004,
        **limits: Unpack[Limits],
    ) -> None:
        super().__init__(
            limits, lr=lr, betas=betas, eps=eps, momentum_decay=momentum_decay, weight_decay=weight_decay
        )

    def _rule(self) -> tuple[str, tuple[float, ...]]:
        return "nadam", (self.lr, *self.betas, self.eps, self.momentum_decay)
