"""A whole network in one call; `bpcore.plan` is the build for the chosen instruction-set level."""

from typing import Any, TypeAlias

from numpy import float64, int64
from numpy.typing import NDArray

_Array: TypeAlias = NDArray[Any]
# What an optimizer keeps of a layer: first and second moment of W, then of b.
_Moments: TypeAlias = tuple[_Array | None, ...]
# Rule, lr, decay, decay2, eps, number of the first step.
_Update: TypeAlias = tuple[int, float, float, float, float, int]

ACTIVATIONS: dict[str, int]
HEADS: dict[str, int]
RULES: dict[str, int]

class Plan:
    dtype: str
    training: bool
    moments: list[_Moments] | None
    def __init__(
        self,
        dtype: str,
        layers: list[tuple[_Array, _Array, str]],
        head: str,
        mean: _Array | None,
        scale: _Array | None,
        witnesses: list[tuple[dict[str, Any], str, object]],
    ) -> None: ...
    @property
    def inputs(self) -> int: ...
    @property
    def outputs(self) -> int: ...
    def fits(self) -> bool: ...
    def predict(self, x: object) -> _Array | None: ...
    def scores(self, x: _Array, out: _Array, threads: int | None = None) -> None: ...
    def right(self, x: _Array, labels: NDArray[int64], threads: int | None = None) -> int: ...
    def train(
        self,
        x: _Array,
        t: _Array,
        indices: NDArray[int64],
        update: _Update,
        losses: NDArray[float64],
        threads: int | None = None,
        moments: list[_Moments] | None = None,
    ) -> int: ...
    def step(
        self,
        x: object,
        t: object,
        update: _Update,
        threads: int | None = None,
        moments: list[_Moments] | None = None,
    ) -> float | None: ...
