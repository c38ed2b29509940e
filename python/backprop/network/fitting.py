"""`fit`, the face of training; `backprop.training` does it."""

import os
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from numpy.typing import ArrayLike

from backprop._util.names import named_arguments
from backprop.optimizers.base import Optimizer

if TYPE_CHECKING:
    from datetime import timedelta

    from backprop.training.fit import AnyCallback
    from backprop.training.history import History
    from backprop.training.metrics import AnyMetric
    from backprop.training.schedules import Schedule
    from backprop.training.stopping import EarlyStopping


class Fitting:
    """The part of a network that trains it; the rest is `Network`."""

    @named_arguments
    def fit(
        self: Any,
        x: ArrayLike,
        t: ArrayLike | None = None,
        *,
        epochs: int | None = None,
        iterations: int | None = None,
        batch_size: int | None = None,
        accumulate: int | None = None,
        optimizer: Optimizer | str | None = None,
        schedule: "Schedule | str | None" = None,
        sample_weight: ArrayLike | None = None,
        class_weight: Any = None,
        validation: tuple[ArrayLike, ...] | None = None,
        validation_fraction: float | None = None,
        metrics: "Sequence[AnyMetric] | AnyMetric" = (),
        early_stopping: "EarlyStopping | int | None" = None,
        shuffle: bool = True,
        seed: int | None = None,
        threads: int | None = None,
        progress: bool = False,
        callbacks: "Sequence[AnyCallback]" = (),
        track_accuracy: bool = False,
        ema: Any = None,
        ema_decay: float | None = None,
        continue_from: "History | None" = None,
        checkpoint: "str | os.PathLike[str] | None" = None,
        every: "int | timedelta | None" = None,
        resume: "str | os.PathLike[str] | bool | None" = None,
    ) -> "History":
        """Train on mini-batches.

        Parameters
        ----------
        x : array of shape (N, I) or (N, …) with I elements a sample, any real type; or a sparse matrix (N, I)
            That is a `scipy.sparse.csr_array` or `csr_matrix`, whose columns ascend in each row, for a network whose
            first layer is `Affine` and whose `input_mean` is 0. What it does not store takes no part: the bits are
            those of the array, the sign of a 0 apart, unless a weight is infinite or NaN.
        t : integer labels of shape (N,), or weights of shape (N, K); for squared error numbers of shape (N, K)
            It is copied; x is read where it is, if the network can, and must not change meanwhile. An `np.memmap` of
            more than 64 MB is read in blocks of 256 KB: an epoch takes them in a random order, 64 MB at once, and the
            samples of these in a random order; `np.asarray(x)` is shuffled wholly. A table of pandas or polars stands
            for its numbers.

            Without t, x has batches: pairs (x, t) or (x, t, sample_weight). A sequence, which has `__len__` and
            `__getitem__`, is gone through in another order each epoch, and read ahead in a thread of its own; an
            iterable as it comes, for `epochs` if it has `__len__`; an iterator once, to its end without `iterations`.
        epochs : int
            Passes over the data, shuffled without replacement; a last short batch is kept.
        iterations : int
            Steps, each on a batch drawn with replacement, as in the notes. Exactly one of the two is given.
        batch_size : int, optional
            100 if it is not given.
        accumulate : int, optional
            How many batches a step has the gradient of, which go through the network one after the other: a step with
            the loss of `accumulate * batch_size` samples in the memory of one batch. Batch normalisation normalises
            each batch for itself.
        optimizer : Optimizer or str, default `SGD(0.1)`
            A name such as "adam" is that optimizer with its defaults. "lbfgs" is for small data: L-BFGS on all of it
            at once, in float64, for at most `iterations`, fewer where it has converged. Each counts as an epoch; the
            recorded accuracy is that of all of x after it. What is about batches, epochs or several calls then has no
            meaning and is refused, as are dropout and callbacks that change parameters. It needs SciPy (extra
            `sklearn`).
        schedule : Schedule or str, optional
            What the learning rate becomes, step by step: `bp.schedules`. The optimizer's own rate is what it begins
            with, and has it again when `fit` returns.
        sample_weight : array of shape (N,), optional
            As for `loss`: each batch's loss is divided by the sum of its samples' weights.
        class_weight : "balanced", mapping of int to float, or sequence of K floats, optional
            What the samples of each class weigh, times their `sample_weight`; "balanced" lets all classes weigh the
            same: N / (classes · samples of the class). Validation data is not weighed so.
        validation : (x, t) or (x, t, sample_weight), optional
            Data whose loss and accuracy are recorded after every epoch; some of it is tried before the first step.
        validation_fraction : float, optional
            In its place: the share of x that is kept for it, drawn by `seed`, of each class its share.
        metrics : str, callable or sequence of these, optional
            What else is recorded of the validation data, in `history.others`: "balanced_accuracy", "mae", "rmse",
            "r2" (the mean over the outputs), or a function `f(t, y)` of labels, or of numbers, and what is predicted.
            Where scikit-learn is installed (extra `sklearn`) the names of its scorers, too: "f1_macro", "roc_auc",
            "neg_median_absolute_error". Its numbers are highest at their best, and NaN where it has none of what is
            predicted.
        early_stopping : EarlyStopping or int, optional
            Stop where so many epochs have brought no gain, and take the best weights: `EarlyStopping`.
        shuffle : bool, default True
            False takes the samples in their order, with `epochs`.
        seed : int, optional
            Of the order of the samples. The same seed gives the same bits.
        threads : int, optional
            See `bpcore.set_num_threads`.
        progress : bool, default False
            Show a progress bar on stderr with loss, metrics, steps and samples a second and the time left; where that
            is neither a terminal nor a notebook, ten lines.
        callbacks : sequence of Callback or callable
            A function is called as `callback(network, history)` after every epoch (with `iterations`: after every
            N // batch_size steps); training stops when one returns True. It may train the network itself, by
            `train_step` or another `fit`. A `Callback` is told more.
        track_accuracy : bool, default False
            Record the accuracy on all of x after every epoch, which costs a pass over it, and not the running accuracy
            of the epoch's batches, each before its step, which costs nothing. A subclass's `accuracy` is asked so.
        ema : Network, optional
            A copy of this network, `copy.deepcopy(net)`, that takes the exponential moving average of its weights:
            after every step `ema.blend(net, 1 - ema_decay)`, bit for bit, running statistics too. It begins at what it
            has; this network trains as without it. The validation data is evaluated on it.
        ema_decay : float, default 0.999
            From 0 to below 1: about 1 / (1 - ema_decay) steps are averaged over.
        continue_from : History, optional
            What an earlier `fit` of this network returned, or left in `net.history` when it was interrupted: the run
            goes on where it was, bit for bit, for so many epochs or iterations more. It has its optimizer, order of
            samples and what else tells how it trains, which may not be given again; the data, callbacks and metrics
            are given again. The earlier history stays as it is.
        checkpoint : path, optional
            Where the run is saved, over and over, and at its end: network, optimizer, schedule, place in the order of
            the samples, history, in one file. It is replaced when the next is whole, and the one before stays beside
            it: "run.safetensors" has "run.previous.safetensors". `Network.load` reads the network, as `fit` would have
            left it then. A file that is there is not replaced by another run: FileExistsError.
        every : int or datetime.timedelta, optional
            After how many steps, or how long, a checkpoint is written; after each epoch if it is not given.
        resume : path or True, optional
            The checkpoint of a run that goes on from it, to the bits that it would have had, on any number of threads
            and any processor with FMA. The network is made as it was, data and metrics are given again, and so may be
            all other arguments, which have to be as they were; `epochs` and `iterations` are those of the whole run
            and may be more. True: from `checkpoint`, if it is there.

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
        # With all that only a training needs.
        if isinstance(optimizer, str) and optimizer.lower() == "lbfgs":
            from backprop.training.lbfgs import fit_lbfgs as train
        else:
            from backprop.training.fit import fit

            train = partial(fit, optimizer=optimizer)
        return train(
            self,
            x,
            t,
            epochs=epochs,
            iterations=iterations,
            batch_size=batch_size,
            accumulate=accumulate,
            schedule=schedule,
            sample_weight=sample_weight,
            class_weight=class_weight,
            validation=validation,
            validation_fraction=validation_fraction,
            metrics=metrics,
            early_stopping=early_stopping,
            shuffle=shuffle,
            seed=seed,
            threads=threads,
            progress=progress,
            callbacks=callbacks,
            track_accuracy=track_accuracy,
            ema=ema,
            ema_decay=ema_decay,
            continue_from=continue_from,
            checkpoint=checkpoint,
            every=every,
            resume=resume,
        )


# Errors name the class that users have.
Fitting.fit.__wrapped__.__qualname__ = "Network.fit"  # type: ignore[attr-defined]
