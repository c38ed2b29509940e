"""A whole network in one call; `bpcore.plan` is the build for the chosen instruction-set level."""

from typing import Any

from numpy import float64, int64
from numpy.typing import NDArray

ACTIVATIONS: dict[str, int]

class Plan:
    dtype: str
    training: bool
    def __init__(
        self,
        dtype: str,
        layers: list[tuple[NDArray[Any], NDArray[Any], str]],
        mean: NDArray[Any] | None,
        scale: NDArray[Any] | None,
    ) -> None: ...
    @property
    def inputs(self) -> int: ...
    @property
    def outputs(self) -> int: ...
    def scores(self, x: NDArray[Any], out: NDArray[Any], threads: int) -> None: ...
    def right(self, x: NDArray[Any], labels: NDArray[int64], threads: int) -> int: ...
    def train(
        self,
        x: NDArray[Any],
        t: NDArray[Any],
        indices: NDArray[int64],
        lr: float,
        losses: NDArray[float64],
        threads: int,
    ) -> None: ...
