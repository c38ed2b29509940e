# The entries of softmax and its logarithm as layers: threads share the rows.

cdef void log_softmax_of_call(Call* c, floating _) noexcept nogil:
    cdef Py_ssize_t width = c.sizes[K], first
    cdef int rank
    for rank in prange(c.threads if width > 0 else 0, num_threads=c.threads, schedule="static"):
        first = chunk_start(c.sizes[B], rank, c.threads, 16)
        log_softmax_rows(
            rows_of(<const floating*> arg(c, 0, _) + first * width, width), arg(c, 1, _) + first * width, width,
            chunk_start(c.sizes[B], rank + 1, c.threads, 16) - first, width,
        )


cdef void softmax_backward_of_call(Call* c, floating _) noexcept nogil:
    cdef Py_ssize_t width = c.sizes[K], r
    for r in prange(c.sizes[B], num_threads=c.threads, schedule="static"):
        softmax_row_backward(
            <const floating*> arg(c, 1, _) + r * width, <const floating*> arg(c, 0, _) + r * width,
            arg(c, 2, _) + r * width, width,
        )


cdef void log_softmax_backward_of_call(Call* c, floating _) noexcept nogil:
    cdef Py_ssize_t width = c.sizes[K], r
    for r in prange(c.sizes[B], num_threads=c.threads, schedule="static"):
        log_softmax_row_backward(
            <const floating*> arg(c, 1, _) + r * width, <const floating*> arg(c, 0, _) + r * width,
            arg(c, 2, _) + r * width, width,
        )


cdef list softmax_entries():
    """Beside `softmax` itself."""
    return [
        entry(
            "softmax_backward", "dout:BK y:BK -> dx:BK=dout,y", softmax_backward_of_call[float],
            softmax_backward_of_call[double], 0, 0,
            "dx = y·(dout − Σ dout·y) of each row, `y` as softmax gave it. `dx` may be `dout` or `y`.",
        ),
        entry(
            "log_softmax", "x:BK -> y:BK", log_softmax_of_call[float], log_softmax_of_call[double], 0, 0,
            "y = x − log Σ exp(x) along each row.",
        ),
        entry(
            "log_softmax_backward", "dout:BK y:BK -> dx:BK=dout,y", log_softmax_backward_of_call[float],
            log_softmax_backward_of_call[double], 0, 0,
            "dx = dout − exp(y)·Σ dout of each row, `y` as log_softmax gave it. `dx` may be `dout` or `y`.",
        ),
    ]
