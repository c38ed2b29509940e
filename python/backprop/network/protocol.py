"""What the modules of this package ask of a network; `Network` is built on them and is above them."""

from typing import TYPE_CHECKING, Any, Protocol

from numpy.typing import ArrayLike

from backprop._util.arrays import Array
from backprop.network.layers import Layers
from backprop.network.parameters import Parameters
from backprop.training.protocol import Trainable

if TYPE_CHECKING:
    from backprop.network.spec import NetworkSpec


class NetworkLike(Trainable, Protocol):
    """A network as its plan, its evaluation and what shows it see it; `Network` describes what it has."""

    input_mean: Array
    input_scale: Array
    metadata: dict[str, Any]

    @property
    def layers(self) -> Layers: ...
    @property
    def params(self) -> Parameters: ...
    @property
    def sizes(self) -> tuple[int, ...]: ...
    @property
    def loss_name(self) -> str: ...
    @property
    def spec(self) -> "NetworkSpec": ...
    @property
    def is_planned(self) -> bool: ...
    def _rows(self, x: ArrayLike) -> Array: ...
    def _inputs(self, x: ArrayLike) -> Array: ...
    def _numbered(self, owner: str, t: ArrayLike) -> ArrayLike: ...
