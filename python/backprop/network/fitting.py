"""How a network is trained."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

from numpy.typing import ArrayLike

from backprop._util.names import named_arguments
from backprop.optimizers.base import Optimizer
from backprop.training.step import train_step

if TYPE_CHECKING:
    from backprop.training.fit import Callback
    from backprop.training.history import History
    from backprop.training.protocol import Trainable


class Fitting:
    """The part of a network that trains it; the rest of it is `Network`."""

    def train_step(self, x: ArrayLike, t: ArrayLike, optimizer: Optimizer) -> float:
        """One step: loss, gradient, update. Returns the loss before the update.

        While another thread trains the network it raises a RuntimeError and changes nothing.
        """
        return train_step(cast("Trainable", self), x, t, optimizer)

    @named_arguments
    def fit(
        self,
        x: ArrayLike,
        t: ArrayLike,
        *,
        epochs: int | None = None,
        iterations: int | None = None,
        batch_size: int = 100,
        optimizer: Optimizer | str | None = None,
        validation: tuple[ArrayLike, ArrayLike] | None = None,
        seed: int | None = None,
        threads: int | None = None,
        progress: bool = False,
        callbacks: Sequence["Callback"] = (),
        track_accuracy: bool = False,
    ) -> "History":
        """Train on mini-batches.

        Parameters
        ----------
        x : array of shape (N, I) or (N, …) with I elements a sample, any real type
        t : integer labels of shape (N,), or weights of shape (N, K); for squared error numbers of shape (N, K)
            It is copied; x is read where it is, if the network can, and must not change meanwhile.
        epochs : int
            Passes over the data, shuffled without replacement; a last short batch is kept.
        iterations : int
            Steps, each on a batch drawn with replacement, as in the notes. Exactly one of the two is given.
        batch_size : int, default 100
        optimizer : Optimizer or str, default `SGD(0.1)`
            A name such as "adam" is that optimizer with its defaults.
        validation : (x, t), optional
            Data whose loss and accuracy are recorded after every epoch; some of it is tried before the first step.
        seed : int, optional
            Of the order of the samples. The same seed gives the same bits.
        threads : int, optional
            See `bpcore.set_num_threads`.
        progress : bool, default False
            Show a progress bar on stderr; where that is no terminal, ten lines.
        callbacks : sequence of callable
            Called as `callback(network, history)` after every epoch (with `iterations`: after every
            N // batch_size steps); training stops when one returns True. It may train the network itself, by
            `train_step` or another `fit`.
        track_accuracy : bool, default False
            Record the accuracy on all of x after every epoch, which costs a pass over it, and not the running accuracy
            of the epoch's batches, each before its step, which costs nothing. A subclass's `accuracy` is asked so.

        Returns
        -------
        History

        Raises
        ------
        RuntimeError
            Another thread trains the network, by `fit` or a step. Nothing is changed then.

        Warns
        -----
        RuntimeWarning
            Once, when the loss of a step or of the validation data is not finite: which step, and which number of x
            or t is not finite, if one is; or when the last steps have left parameters that are not.
        """
        from backprop.training.fit import fit  # with all that only a training needs

        return fit(
            cast("Trainable", self),
            x,
            t,
            epochs=epochs,
            iterations=iterations,
            batch_size=batch_size,
            optimizer=optimizer,
            validation=validation,
            seed=seed,
            threads=threads,
            progress=progress,
            callbacks=callbacks,
            track_accuracy=track_accuracy,
        )
