"""What can be trained: all that the training loop asks of a network."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol, Self, TypeGuard, TypeVar

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from backprop._util.arrays import Array
from backprop._util.sparse import SparseRows
from backprop.optimizers.base import Optimizer, UpdateRule
from backprop.training.lock import Locked
from bpcore.plan import Plan

if TYPE_CHECKING:
    from backprop.training.history import History

T = TypeVar("T")


class Steps(Protocol):
    """What takes steps otherwise than a plan, or all layers one by one.

    Attributes
    ----------
    is_of_use : bool
        Whether it still does.
    """

    is_of_use: bool

    def are_valid(self) -> bool: ...
    def step(
        self,
        net: Any,
        x: ArrayLike,
        t: ArrayLike,
        optimizer: Any,
        losses: list[float],
        sample_weight: ArrayLike | None = None,
    ) -> Array | None: ...


class Scheduled(Protocol):
    """A learning-rate schedule of a run: `backprop.schedules` describes its methods."""

    state: dict[str, Any]

    def begin(self, steps_an_epoch: int, steps: int) -> Self: ...
    def rates(self, base: float, first: int, count: int) -> NDArray[np.float64]: ...
    def observe(self, step: int, value: float) -> None: ...


class Trainable(Protocol):
    """A network as the training loop sees it; `Network` describes its methods.

    Attributes
    ----------
    _layers : Locked
        Its layers, which one thread at a time trains.
    lastLayer : object
        The loss.
    """

    dtype: np.dtype[Any]
    input_scale: Array
    history: "History | None"
    lastLayer: Any  # noqa: N815  # the notes' name

    @property
    def _layers(self) -> Locked: ...
    @property
    def params(self) -> Mapping[str, Array]: ...
    def predict(self, x: ArrayLike) -> Array: ...
    def astype(self, dtype: DTypeLike) -> Self: ...
    def get_flat_params(self) -> Array: ...
    def set_flat_params(self, v: ArrayLike) -> None: ...
    def accuracy(self, x: ArrayLike, t: ArrayLike) -> float: ...
    def loss(self, x: ArrayLike, t: ArrayLike, *, sample_weight: ArrayLike | None = None) -> float: ...
    @property
    def layers(self) -> Mapping[str, Any]: ...
    def _while_training(self, call: Callable[[], T]) -> T: ...
    def gradient(
        self, x: ArrayLike, t: ArrayLike, *, sample_weight: ArrayLike | None = None
    ) -> dict[str, Array]: ...
    def train_step(
        self, x: ArrayLike, t: ArrayLike, optimizer: Optimizer, *, sample_weight: ArrayLike | None = None
    ) -> float: ...
    @property
    def sizes(self) -> tuple[int, ...]: ...
    def clear_cache(self) -> None: ...
    def plan_for(self, optimizer: Optimizer) -> Plan | None: ...
    @property
    def _planned(self) -> object: ...
    def _plan(self) -> Plan | None: ...
    def _segments(self, optimizer: Optimizer) -> Steps | None: ...
    def _sparse_segments(self, optimizer: Optimizer) -> Steps | None: ...
    def _trains_by_plan(self, optimizer: Optimizer) -> TypeGuard[UpdateRule]: ...
    def _overrides(self, method: str) -> bool: ...
    def targets_for(self, owner: str, t: ArrayLike, rows: int) -> Array: ...
    def _scores(self, x: ArrayLike) -> Array: ...
    def _readable_rows(self, x: ArrayLike) -> Array: ...
    def _sparse_rows(self, x: Any) -> SparseRows: ...
    def _loss_and_scores(
        self,
        x: ArrayLike,
        t: ArrayLike,
        training: bool | None = None,
        sample_weight: ArrayLike | None = None,
    ) -> tuple[float, Array]: ...
    def _gradient_of_pass(self) -> dict[str, Array]: ...
