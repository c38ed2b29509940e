# The doors to updates.pxd. Parameters and what a rule keeps are changed in place.

from bpcore.updates cimport ADAGRAD, ADAM, MOMENTUM, NESTEROV, RMSPROP, SGD, Update, update_shared


cdef int move(
    Update u, floating[::1] w, const floating[::1] g, floating[::1] first, floating[::1] second, threads
) except -1:
    cdef Py_ssize_t n = w.shape[0]
    agree(g.shape[0] == n and (first is None or first.shape[0] == n) and (second is None or second.shape[0] == n))
    separate(
        meet(run(w), run(g))
        or meet(run(first), run(g))
        or meet(run(first), run(w))
        or meet(run(second), run(g))
        or meet(run(second), run(w))
        or meet(run(second), run(first))
    )
    cdef int size = team(threads, n)
    if n > 0:
        with nogil:
            update_shared(
                &u, &w[0], &g[0], NULL if first is None else &first[0], NULL if second is None else &second[0], n, size
            )
    return 0


@door("g:N -> w:N")
def sgd_update(floating[::1] w not None, const floating[::1] g not None, double lr, threads=None):
    """w -= lr·g."""
    move[floating](Update(SGD, lr, 0, 0, 0, 1), w, g, None, None, threads)


@door("g:N -> w:N v:N")
def momentum_update(
    floating[::1] w not None,
    const floating[::1] g not None,
    floating[::1] v not None,
    double lr,
    double momentum,
    bint nesterov=False,
    threads=None,
):
    """v = momentum·v + g, w -= lr·v; with nesterov w -= lr·(momentum·v + g)."""
    move[floating](Update(NESTEROV if nesterov else MOMENTUM, lr, momentum, 0, 0, 1), w, g, v, None, threads)


@door("g:N -> w:N h:N")
def adagrad_update(
    floating[::1] w not None,
    const floating[::1] g not None,
    floating[::1] h not None,
    double lr,
    double eps,
    threads=None,
):
    """h += g², w -= lr·g / (sqrt(h) + eps)."""
    move[floating](Update(ADAGRAD, lr, 0, 0, eps, 1), w, g, h, None, threads)


@door("g:N -> w:N h:N")
def rmsprop_update(
    floating[::1] w not None,
    const floating[::1] g not None,
    floating[::1] h not None,
    double lr,
    double alpha,
    double eps,
    threads=None,
):
    """h = alpha·h + (1 − alpha)·g², w -= lr·g / (sqrt(h) + eps)."""
    move[floating](Update(RMSPROP, lr, alpha, 0, eps, 1), w, g, h, None, threads)


@door("g:N -> w:N m:N v:N")
def adam_update(
    floating[::1] w not None,
    const floating[::1] g not None,
    floating[::1] m not None,
    floating[::1] v not None,
    double lr,
    double beta1,
    double beta2,
    double eps,
    step,
    threads=None,
):
    """m = beta1·m + (1 − beta1)·g, v = beta2·v + (1 − beta2)·g², w -= lr·(m/c1) / (sqrt(v/c2) + eps).

    c1 = 1 − beta1^step and c2 = 1 − beta2^step, `step` counted from 1.
    """
    number = whole_number("step", step)
    for name, beta in (("beta1", beta1), ("beta2", beta2)):
        if not 0 <= beta < 1:
            raise ValueError(f"{name} is {beta}, wanted at least 0 and below 1")
    move[floating](Update(ADAM, lr, beta1, beta2, eps, number), w, g, m, v, threads)
