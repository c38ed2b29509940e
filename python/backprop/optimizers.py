"""Optimizers: how parameters move against their gradients, in place.

a) `update(params, grads)` works on any two mappings of the same keys, a plain dict of arrays or a network's `params`.
b) Names, arguments and meaning are PyTorch's; the book's `Momentum`, `Nesterov` and `AdaGrad` are other names for them.
c) Every operation is rounded on its own in the type of w, so each rule gives the bits of the NumPy lines that stand in
   `bpcore.reference`, whether `update` ran it or a network's compiled plan. So does every setting, within its range: in
   float32 an `eps` below 1.2e-38 counts as that, a learning rate above 3.4e38 too, and no momentum becomes 1.
d) What a rule keeps between steps belongs to the optimizer, by the parameters' names, and starts at 0. One call of
   `update`, or one step of `fit`, is one step.
"""

from collections import deque
from collections.abc import Callable, Mapping
from inspect import unwrap
from itertools import starmap
from operator import call, setitem
from typing import Any, ClassVar, Protocol
from weakref import ref

import numpy as np

from backprop._arrays import Array
from backprop._elsewhere.arguments import SAME, VALUES
from backprop._names import Answers, did_you_mean, named_arguments
from backprop._settings import INFINITY, require, taken
from backprop._updates import kept, pair, require_separate
from bpcore import kernels
from bpcore.plan import RULES, Plan

Settings = tuple[int, float, float, float, float, int]


class Optimizer(Protocol):
    """Anything with `update(params, grads)`."""

    def update(self, params: Mapping[str, Array], grads: Mapping[str, Array]) -> None:
        """Change each array of `params` in place by its gradient in `grads`."""


class Rule(Answers):
    """An optimizer whose rule is compiled: what all of the project's own share.

    Attributes
    ----------
    lr : float
        Learning rate. It may be changed between steps, as every other setting may; all are checked then too.
    steps : int
        Steps taken so far.
    moments : dict of str to tuple of ndarray
        What the rule keeps for each parameter, in the parameter's shape and type; see the rule.
    """

    kept: int
    _table = "OF_OPTIMIZER"
    # The constructor's arguments.
    _settings: ClassVar[tuple[str, ...]] = ("lr",)

    def __init__(self, lr: float) -> None:
        self.lr = lr
        self.steps = 0
        self.moments: dict[str, tuple[Array, ...]] = {}
        self._bound: tuple[ref[Plan], list[Any], list[Any], list[int]] | None = None

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, taken(self, self._settings, name, value, type(self).__module__ == __name__))

    def update(self, params: Mapping[str, Array], grads: Mapping[str, Array]) -> None:
        """Take one step: move `params[key]` by `grads[key]` for every key of `grads`.

        All is looked at first: a call that raises has moved nothing. Where Ctrl-C interrupts it, the step is taken and
        counted, or neither.

        Parameters
        ----------
        params : mapping of str to ndarray
            float32 or float64, in any layout. What stands under two names, as weights that two layers share, is moved
            for each of them.
        grads : mapping of str to array
            Real numbers in the parameters' shapes.

        Raises
        ------
        KeyError
            There is a gradient of no parameter.
        TypeError
            A parameter is no array of float32 or float64, a gradient is complex or no array of numbers.
        ValueError
            A shape differs, a parameter is read-only, a gradient shares memory with a parameter, a setting or what the
            rule keeps is not what it can be.
        """
        owner = f"{type(self).__name__}.update"
        self.require_settings()
        pairs = {key: pair(owner, params, key, grad) for key, grad in grads.items()}
        moments = {key: self._moments_of(key, w) for key, (w, _) in pairs.items()}
        ws, gs = ({key: both[n] for key, both in pairs.items()} for n in range(2))
        require_separate(owner, ws, gs, moments)
        kernel, numbers = self._kernel()
        calls: list[tuple[Any, ...]] = [(setitem, vars(self), "steps", self.steps + 1)]
        if self.kept:
            calls.append((self.moments.update, moments))
        for key, (w, g) in pairs.items():
            # Elsewhere than in one run of memory, the parameter is moved in a copy.
            in_place = w.flags.c_contiguous and w.flags.aligned
            run = w if in_place else np.empty(w.shape, w.dtype)
            arrays = (np.asarray(array).reshape(-1) for array in (run, g, *moments[key]))
            move = (kernel, *arrays, *numbers)
            calls += [move] if in_place else [(setitem, run, ..., w), move, (setitem, w, ..., run)]
        # In one call, since the handler of a signal runs between two of Python's and may raise. So it does before a
        # kernel's work, where the kernel asks how many threads to use: what was not moved then is moved all the same.
        done: list[object] = []
        try:
            done.extend(starmap(call, calls))
        finally:
            if len(done) < len(calls):
                deque(starmap(call, calls[len(done) :]), maxlen=0)

    def settings(self) -> Settings:
        """Rule, lr, decay, decay2, eps and the number of the next step, as a plan takes them."""
        raise NotImplementedError

    def moments_for(self, plan: Plan, params: Mapping[str, Array]) -> list[Any] | None:
        """What the rule keeps, as `plan`, the plan of the network whose parameters these are, takes it."""
        if self.kept == 0:
            return None
        bound = self.bound_to(plan)
        if bound is None:
            self.require_match(params)
            self.moments.update({key: self._moments_of(key, w) for key, w in params.items()})
            keys, empty = list(params), (None,) * (2 - self.kept)
            bound = [
                (*self.moments[W], *empty, *self.moments[b], *empty)
                for W, b in zip(keys[::2], keys[1::2], strict=True)
            ]
            arrays = list(self.moments.values())
            # By a weak reference: an optimizer may outlive the network, whose plan has a large workspace.
            self._bound = ref(plan), bound, arrays, list(map(id, arrays))
        return bound

    def bound_to(self, plan: Plan) -> list[Any] | None:
        """What `moments_for` of this plan has made; None where it would make it anew."""
        # The same arrays as when they were bound, and not others that came in their place.
        if (
            self._bound is None
            or self._bound[0]() is not plan
            or [*map(id, self.moments.values())] != self._bound[3]
        ):
            return None
        return self._bound[1]

    def require_settings(self) -> None:
        """Raise if a setting is not what it can be, which only an assignment past `__setattr__` brings about."""
        require(self, self._settings)

    def require_match(self, params: Mapping[str, Array]) -> None:
        """Raise if a setting is wrong, or what the rule keeps is of parameters of other shapes or types."""
        self.require_settings()
        moments = {key: self._moments_of(key, w) for key, w in params.items() if key in self.moments}
        require_separate(type(self).__name__, params, {}, moments)

    def _kernel(self) -> tuple[Callable[..., None], tuple[float, ...]]:
        """What moves one parameter, called with w, g, what the rule keeps, all flat, and these numbers."""
        raise NotImplementedError

    def _moments_of(self, key: str, w: Array) -> tuple[Array, ...]:
        """What the rule keeps for a parameter; zeros before its first step."""
        if not self.kept:
            return ()
        if key not in self.moments:
            return tuple(np.zeros(w.shape, dtype=w.dtype) for _ in range(self.kept))
        return kept(type(self).__name__, key, w, self.moments[key], self.kept)

    def __getstate__(self) -> dict[str, Any]:
        """Leave the plan out of copies and pickles."""
        return self.__dict__ | {"_bound": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Take what a copy or a pickle has, if it can be."""
        vars(self).update(state)
        self.require_settings()


class SGD(Rule):
    """Stochastic gradient descent: `w -= lr·g`; with momentum `v = momentum·v + g`, `w -= lr·v`.

    Nesterov's form looks ahead: `w -= lr·(momentum·v + g)` (Sutskever et al. 2013, as PyTorch has it). `moments` has v.

    Parameters
    ----------
    lr : float, default 0.01
        Learning rate, a positive finite number.
    momentum : float, default 0
        How much of the velocity v stays from step to step, from 0 to below 1.
    nesterov : bool, default False
        Needs momentum.

    Examples
    --------
    >>> params, grads = {"w": np.array([1.0, 2.0])}, {"w": np.array([10.0, -10.0])}
    >>> bp.SGD(0.1).update(params, grads)
    >>> params["w"]
    array([0., 3.])
    """

    _settings = ("lr", "momentum", "nesterov")

    @named_arguments
    def __init__(self, lr: float = 0.01, momentum: float = 0.0, nesterov: bool = False) -> None:
        super().__init__(lr)
        self.momentum, self.nesterov = momentum, nesterov

    @property
    def kept(self) -> int:  # type: ignore[override]  # the other rules always keep the same
        """How many numbers a parameter the rule keeps."""
        return 1 if self.momentum else 0

    def settings(self) -> Settings:  # noqa: D102  # as in Rule
        if not (0 < self.lr < INFINITY and 0 <= self.momentum < 1):
            self.require_settings()
        if not self.momentum:
            return SGD_RULE, self.lr, 0.0, 0.0, 0.0, self.steps + 1
        return (
            NESTEROV_RULE if self.nesterov else MOMENTUM_RULE,
            self.lr,
            self.momentum,
            0.0,
            0.0,
            self.steps + 1,
        )

    def _kernel(self) -> tuple[Callable[..., None], tuple[float, ...]]:
        if self.momentum:
            return unwrap(kernels.momentum_update), (self.lr, self.momentum, self.nesterov)
        return unwrap(kernels.sgd_update), (self.lr,)

    def __repr__(self) -> str:
        momentum = f", momentum={self.momentum:g}" if self.momentum else ""
        return f"{type(self).__name__}(lr={self.lr:g}{momentum}{', nesterov=True' if self.nesterov else ''})"


class Adagrad(Rule):
    """Adagrad (Duchi et al. 2011): `h += g²`, `w -= lr·g / (sqrt(h) + eps)`. `moments` has h.

    Parameters
    ----------
    lr : float, default 0.01
    eps : float, default 1e-10
    """

    kept = 1
    _settings = ("lr", "eps")

    @named_arguments
    def __init__(self, lr: float = 0.01, eps: float = 1e-10) -> None:
        super().__init__(lr)
        self.eps = eps

    def settings(self) -> Settings:  # noqa: D102
        if not (0 < self.lr < INFINITY and 0 < self.eps < INFINITY):
            self.require_settings()
        return RULES["adagrad"], self.lr, 0.0, 0.0, self.eps, self.steps + 1

    def _kernel(self) -> tuple[Callable[..., None], tuple[float, ...]]:
        return unwrap(kernels.adagrad_update), (self.lr, self.eps)

    def __repr__(self) -> str:
        return f"Adagrad(lr={self.lr:g}, eps={self.eps:g})"


class RMSprop(Rule):
    """RMSprop (Tieleman and Hinton 2012): `h = alpha·h + (1 − alpha)·g²`, `w -= lr·g / (sqrt(h) + eps)`.

    `moments` has h.

    Parameters
    ----------
    lr : float, default 0.01
    alpha : float, default 0.99
        How much of the mean of squares stays from step to step, from 0 to below 1.
    eps : float, default 1e-8
    """

    kept = 1
    _settings = ("lr", "alpha", "eps")

    @named_arguments
    def __init__(self, lr: float = 0.01, alpha: float = 0.99, eps: float = 1e-8) -> None:
        super().__init__(lr)
        self.alpha = alpha
        self.eps = eps

    def settings(self) -> Settings:  # noqa: D102
        if not (0 < self.lr < INFINITY and 0 <= self.alpha < 1 and 0 < self.eps < INFINITY):
            self.require_settings()
        return RULES["rmsprop"], self.lr, self.alpha, 0.0, self.eps, self.steps + 1

    def _kernel(self) -> tuple[Callable[..., None], tuple[float, ...]]:
        return unwrap(kernels.rmsprop_update), (self.lr, self.alpha, self.eps)

    def __repr__(self) -> str:
        return f"RMSprop(lr={self.lr:g}, alpha={self.alpha:g}, eps={self.eps:g})"


class Adam(Rule):
    """Adam (Kingma and Ba 2015): `w -= lr·(m/c1) / (sqrt(v/c2) + eps)`, m and v running means of g and g².

    `m = beta1·m + (1 − beta1)·g`, `v = beta2·v + (1 − beta2)·g²`; after t steps `c1 = 1 − beta1^t` and
    `c2 = 1 − beta2^t` undo that both began at 0. `moments` has (m, v).

    Parameters
    ----------
    lr : float, default 0.001
    betas : (float, float), default (0.9, 0.999)
        Each from 0 to below 1.
    eps : float, default 1e-8

    Examples
    --------
    >>> (x, t), _ = bp.load_digits()
    >>> net, adam = bp.Network([64, 20, 10], seed=0), bp.Adam(0.002)
    >>> losses = [net.train_step(x[:100], t[:100], adam) for _ in range(50)]
    >>> losses[-1] < losses[0], adam.steps
    (True, 50)
    """

    kept = 2
    _settings = ("lr", "betas", "eps")

    @named_arguments
    def __init__(
        self, lr: float = 0.001, betas: tuple[float, float] = (0.9, 0.999), eps: float = 1e-8
    ) -> None:
        super().__init__(lr)
        self.betas = betas
        self.eps = eps

    def settings(self) -> Settings:  # noqa: D102
        beta1, beta2 = self.betas
        if not (0 < self.lr < INFINITY and 0 <= beta1 < 1 and 0 <= beta2 < 1 and 0 < self.eps < INFINITY):
            self.require_settings()
        return RULES["adam"], self.lr, beta1, beta2, self.eps, self.steps + 1

    def _kernel(self) -> tuple[Callable[..., None], tuple[float, ...]]:
        return unwrap(kernels.adam_update), (self.lr, *self.betas, self.eps, self.steps + 1)

    def __repr__(self) -> str:
        return f"Adam(lr={self.lr:g}, betas={self.betas}, eps={self.eps:g})"


@named_arguments
def Momentum(lr: float = 0.01, momentum: float = 0.9) -> SGD:  # noqa: N802  # the book's name
    """SGD with momentum, by the book's name."""
    return SGD(lr, momentum=momentum)


@named_arguments
def Nesterov(lr: float = 0.01, momentum: float = 0.9) -> SGD:  # noqa: N802
    """SGD with Nesterov's momentum, by the book's name."""
    return SGD(lr, momentum=momentum, nesterov=True)


AdaGrad = Adagrad
SGD_RULE, MOMENTUM_RULE, NESTEROV_RULE = RULES["sgd"], RULES["momentum"], RULES["nesterov"]
BY_NAME: dict[str, Callable[..., Rule]] = {
    "sgd": SGD,
    "momentum": Momentum,
    "nesterov": Nesterov,
    "adagrad": Adagrad,
    "rmsprop": RMSprop,
    "adam": Adam,
}


def chosen(owner: str, optimizer: Any, names: bool = True) -> Optimizer:
    """An optimizer, or the one of a name with its defaults; raises for anything else.

    Where a call takes one step, a name would begin anew at each: it is refused without `names`.
    """
    if isinstance(optimizer, str) and names:
        if optimizer.lower() not in BY_NAME:
            hint = did_you_mean(optimizer, BY_NAME, instead=VALUES["optimizer"], same=SAME)
            raise ValueError(
                f"{owner}: optimizer is {optimizer!r}, wanted an optimizer, such as SGD(0.1), or one of "
                f"{', '.join(map(repr, BY_NAME))}{hint}"
            )
        return BY_NAME[optimizer.lower()]()
    if isinstance(optimizer, type):
        raise TypeError(
            f"{owner}: optimizer is the class {optimizer.__name__}, wanted an instance, such as {optimizer.__name__}()"
        )
    if not callable(getattr(optimizer, "update", None)):
        raise TypeError(
            f"{owner}: optimizer is {optimizer!r}, wanted an optimizer, such as SGD(0.1), an object with "
            "update(params, grads)"
        )
    found: Optimizer = optimizer
    return found
