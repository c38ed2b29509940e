"""The loss and the gradients of a batch in training, through the layers."""

from numpy.typing import ArrayLike

from backprop._util.arrays import Array
from backprop.layers.base_loss import weighted
from backprop.layers.counters import Counters
from backprop.optimizers.base import Optimizer, UpdateRule
from backprop.training.protocol import Trainable


def loss_and_gradients(
    net: Trainable, x: ArrayLike, t: ArrayLike, sample_weight: ArrayLike | None
) -> tuple[float, dict[str, Array], Array | None]:
    """The loss of a batch in training, the gradients and, where the network's own pass gave them, the scores."""
    if not net._overrides("loss") and not net._overrides("gradient"):
        loss, scores = net._loss_and_scores(x, t, None, sample_weight)
        return float(loss), net._gradient_of_pass(), scores
    # What a subclass calls the loss is what is recorded; only its own gradient has to go forward once more, with the
    # same masks.
    counters = Counters(net.layers.values())
    loss = float(net.loss(x, t, **weighted(sample_weight)))
    if not net._overrides("gradient"):
        return loss, net._gradient_of_pass(), None
    counters.restore()
    return loss, net.gradient(x, t, **weighted(sample_weight)), None


def take_step(
    net: Trainable,
    optimizer: Optimizer,
    grads: dict[str, Array],
    loss: float,
    losses: list[float],
    counters: Counters,
) -> None:
    """Let an optimizer move the parameters, and add the loss to `losses`; what fails has counted nothing."""
    taken = getattr(optimizer, "steps", None)
    try:
        optimizer.update(net.params, grads)
        losses += (loss,)
    except BaseException:
        # The handler of a signal may raise behind the update's last call: what it has counted is recorded.
        if isinstance(optimizer, UpdateRule) and optimizer.steps != taken:
            losses += (loss,)
        else:
            counters.restore()
        raise
    finally:
        net.clear_cache()
