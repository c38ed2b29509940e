"""Rules that go down the gradient itself, or its sign: SGD, with momentum and Nesterov's, Lion and Rprop."""

from typing import Any, ClassVar, Unpack

from backprop._util.names import named_arguments_and
from backprop._util.settings import Check, fraction, growth, positive, size_range, switch, two_fractions
from backprop.optimizers.base import UpdateRule, register
from backprop.optimizers.limits import LIMITS, Limits

__all__ = ["SGD", "Lion", "Momentum", "Nesterov", "Rprop"]


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
    **limits
        Further penalties and limits: see `backprop.optimizers.Limits`.

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
    }
    lr: float
    momentum: float
    nesterov: bool

    @named_arguments_and(LIMITS)
    def __init__(
        self,
        lr: float = 0.01,
        momentum: float = 0.0,
        nesterov: bool = False,
        weight_decay: float = 0.0,
        **limits: Unpack[Limits],
    ) -> None:
        super().__init__(limits, lr=lr, momentum=momentum, nesterov=nesterov, weight_decay=weight_decay)

    @property
    def state_size(self) -> int:  # type: ignore[override]  # that of the other rules is always the same
        """How many arrays it keeps for each parameter."""
        return 1 if self.momentum else 0

    def _require_together(self, **new: Any) -> None:
        super()._require_together(**new)
        now = {**vars(self), **new}
        if now.get("nesterov", False) and not now["momentum"]:
            raise ValueError(
                f"{type(self).__name__}: nesterov is True, momentum is 0; wanted momentum above 0"
            )

    def _rule(self) -> tuple[str, tuple[float, ...]]:
        if not self.momentum:
            return "sgd", (self.lr,)
        return "nesterov" if self.nesterov else "momentum", (self.lr, self.momentum)


@named_arguments_and(LIMITS)
def Momentum(  # noqa: N802  # the book's
    lr: float = 0.01, momentum: float = 0.9, weight_decay: float = 0.0, **limits: Unpack[Limits]
) -> SGD:
    """SGD with momentum, by the book's name."""
    return SGD(lr, momentum=momentum, weight_decay=weight_decay, **limits)


@named_arguments_and(LIMITS)
def Nesterov(  # noqa: N802
    lr: float = 0.01, momentum: float = 0.9, weight_decay: float = 0.0, **limits: Unpack[Limits]
) -> SGD:
    """SGD with Nesterov's momentum, by the book's name."""
    return SGD(lr, momentum=momentum, nesterov=True, weight_decay=weight_decay, **limits)


register("momentum", Momentum)
register("nesterov", Nesterov)


class Lion(UpdateRule):
    """Lion (Chen et al. 2023): `w = w·(1 − lr·weight_decay) − lr·sign(beta1·m + (1 − beta1)·g)`.

    Then `m = beta2·m + (1 − beta2)·g`: every weight moves by the learning rate, which is a third to a tenth of Adam's.
    `state` has m.

    Parameters
    ----------
    lr : float, default 0.0001
    betas : (float, float), default (0.9, 0.99)
        Each from 0 to below 1.
    weight_decay : float, default 0
        Decoupled; three to ten times that of AdamW.
    **limits
        Further penalties and limits: see `backprop.optimizers.Limits`.
    """

    kind = "lion"
    settings: ClassVar[dict[str, Check]] = {"lr": positive, "betas": two_fractions}
    state_size = 1
    lr: float
    betas: tuple[float, float]

    @named_arguments_and(LIMITS)
    def __init__(
        self,
        lr: float = 0.0001,
        betas: tuple[float, float] = (0.9, 0.99),
        weight_decay: float = 0.0,
        **limits: Unpack[Limits],
    ) -> None:
        super().__init__(limits, lr=lr, betas=betas, weight_decay=weight_decay)

    def _rule(self) -> tuple[str, tuple[float, ...]]:
        return "lion", (self.lr, *self.betas)


class Rprop(UpdateRule):
    """Rprop (Riedmiller and Braun 1993, as PyTorch has it): `w -= sign(g)·size`, a size for every weight.

    The size is lr at first, grows while the sign of g stays and shrinks where it changes, where that step is left out.
    For steps on all of the data: with batches signs change by chance. `state` has (last g, size).

    Parameters
    ----------
    lr : float, default 0.01
    etas : (float, float), default (0.5, 1.2)
        What a size is multiplied by where the sign changes, and where it stays.
    step_sizes : (float, float), default (1e-6, 50)
        The least and the largest size.
    weight_decay : float, default 0
    **limits
        Further penalties and limits: see `backprop.optimizers.Limits`.
    """

    kind = "rprop"
    settings: ClassVar[dict[str, Check]] = {"lr": positive, "etas": growth, "step_sizes": size_range}
    state_size = 2
    lr: float
    etas: tuple[float, float]
    step_sizes: tuple[float, float]

    @named_arguments_and(LIMITS)
    def __init__(
        self,
        lr: float = 0.01,
        etas: tuple[float, float] = (0.5, 1.2),
        step_sizes: tuple[float, float] = (1e-6, 50.0),
        weight_decay: float = 0.0,
        **limits: Unpack[Limits],
    ) -> None:
        super().__init__(limits, lr=lr, etas=etas, step_sizes=step_sizes, weight_decay=weight_decay)

    def _rule(self) -> tuple[str, tuple[float, ...]]:
        return "rprop", (self.lr, *self.etas, *self.step_sizes)
