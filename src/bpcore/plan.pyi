"""A whole network in one call; `bpcore.plan` is the build for the chosen instruction-set level."""

from collections.abc import Mapping
from typing import Any, TypeAlias

from numpy import float64, int64, uint8
from numpy.typing import NDArray

from bpcore.errors import Interval

_Array: TypeAlias = NDArray[Any]
# What an update rule keeps: of each parameter, in their order, so many arrays.
_State: TypeAlias = list[tuple[_Array, ...]]
# Of each row its weight in the loss, and what it adds to what that is divided by.
_RowWeights: TypeAlias = tuple[NDArray[float64], NDArray[float64]]

# What each is called, and its number; of a rule the settings that it reads.
ACTIVATIONS: dict[str, int]
LOSSES: dict[str, int]
RULES: dict[str, dict[str, Interval | None]]
SETTINGS: dict[str, int]
TRANSFORMS: dict[str, int]
# The numbers that each takes, in their order.
ACTIVATION_NUMBERS: dict[str, tuple[str, ...]]
# The number that each takes; "" where it takes none.
LOSS_OPTIONS: dict[str, str]
TRANSFORM_OPTIONS: dict[str, str]

class Update:
    step: int
    def __init__(
        self,
        rule: str,
        numbers: tuple[float, ...],
        clip_norm: float = 0,
        max_norm: float = 0,
        decays_vectors: bool = False,
        made_of: dict[str, Any] | None = None,
    ) -> None: ...
    def is_of(self, settings: dict[str, Any]) -> bool: ...
    def tie(self, plan: Plan, state: _State | None, entries: dict[str, tuple[_Array, ...]]) -> None: ...
    def renew(self, plan: Plan, attributes: dict[str, Any]) -> bool: ...
    @property
    def state(self) -> _State | None: ...
    @property
    def rule(self) -> str: ...
    @property
    def states(self) -> int: ...

class Tuning:
    most: int
    is_exact: bool
    is_wide: bool
    threads: int
    column_parts: int
    seconds: dict[tuple[int, int], float]
    is_trying: bool
    @property
    def best(self) -> tuple[int, int] | None: ...
    def __init__(self, most: int, is_exact: bool = False, is_wide: bool = False) -> None: ...
    def count(self, left: int) -> int: ...
    def record(self, steps: int, seconds: float) -> int: ...

class SparseMatrix:
    def __init__(
        self, indptr: NDArray[int64], indices: NDArray[uint8], data: _Array, columns: int
    ) -> None: ...

class Plan:
    dtype: str
    tunings: dict[int, Tuning]
    training: bool
    weighs: bool
    state: _State | None
    caches: list[tuple[dict[str, Any], str]] | None
    def __init__(
        self,
        dtype: str,
        layers: list[tuple[Any, ...]],
        loss: tuple[str, float] | tuple[str, float, NDArray[float64] | None, bool],
        mean: _Array | None,
        scale: _Array | None,
        made_of: list[tuple[dict[str, Any], str, object]],
        caches: list[tuple[dict[str, Any], str]] | None = None,
        entrance: tuple[Any, ...] | None = None,
    ) -> None: ...
    @property
    def inputs(self) -> int: ...
    @property
    def reaches_inputs(self) -> bool: ...
    @property
    def outputs(self) -> int: ...
    def is_valid(self) -> bool: ...
    def blend(self, other: Plan, tau: float) -> bool: ...
    def averages(self, other: Plan) -> bool: ...
    def predict(self, x: object, out: _Array | None = None) -> _Array | None: ...
    def predict_into(self, x: _Array, out: _Array, threads: int | None = None) -> None: ...
    def count_correct(self, x: _Array, labels: NDArray[int64], threads: int | None = None) -> int: ...
    def input_gradient_into(
        self,
        x: _Array,
        out: _Array,
        dout: _Array | None = None,
        t: _Array | None = None,
        threads: int | None = None,
    ) -> None: ...
    def train(
        self,
        x: _Array | SparseMatrix,
        t: _Array,
        indices: NDArray[int64],
        update: Update,
        losses: NDArray[float64],
        threads: int | None = None,
        state: _State | None = None,
        column_parts: int = 0,
        row_weights: _RowWeights | None = None,
        average: Plan | None = None,
        share: float = 0,
        rates: NDArray[float64] | None = None,
    ) -> int: ...
    def loss_and_gradient(
        self,
        x: _Array,
        t: _Array,
        gradient: _Array,
        threads: int | None = None,
        row_weights: _RowWeights | None = None,
    ) -> float: ...
    def step(
        self,
        x: object,
        t: object,
        update: Update,
        threads: int | None = None,
        state: _State | None = None,
        counter: dict[str, Any] | None = None,
        column_parts: int = 0,
        row_weights: _RowWeights | None = None,
    ) -> float | None: ...

class Segment(Plan):
    @property
    def rows(self) -> int: ...
    def forward(self, x: _Array, copies: bool = True) -> _Array | None: ...
    def forth_and_back(
        self, x: _Array, t: _Array, row_weights: _RowWeights | None = None
    ) -> tuple[float, _Array, _Array | None] | None: ...
    def back(self, dout: _Array) -> _Array | None: ...
    def gradients(self) -> list[_Array]: ...
    def is_ready(self, update: Update, state: _State | None = None) -> bool: ...
    def move(self, update: Update) -> None: ...
    def is_apart(self, array: object) -> bool: ...
    def forget(self) -> int: ...

def are_values(mapping: Mapping[Any, Any], objects: list[Any]) -> bool: ...
