# What was compiled in, and what the processor can do at most.

cdef enum:
    MAX_ROUNDS = 1000000000    # seconds of multiply_adds, which nothing interrupts


def has_threads():
    """Whether OpenMP is compiled in."""
    return BP_OPENMP


def multiply_adds(dtype, rounds, threads=1):
    """Do nothing but fused multiply-adds in registers, on each of `threads` threads; returns how many operations.

    It measures the peak of the processor. A multiply-add counts as two operations.
    `dtype` is "float32" or "float64", `rounds` 1 to 10^9, and `threads` at most what OpenMP allows.
    """
    if dtype not in ("float32", "float64"):
        raise ValueError(f"multiply_adds: dtype is {dtype!r}, wanted 'float32' or 'float64'")
    if whole_number("multiply_adds: rounds", rounds) > MAX_ROUNDS:
        raise ValueError(f"multiply_adds: rounds is {rounds}, wanted at most {MAX_ROUNDS}")
    if whole_number("multiply_adds: threads", threads) > bp_max_threads():
        raise ValueError(f"multiply_adds: threads is {threads}, wanted at most {bp_max_threads()}, as OpenMP allows")
    cdef Py_ssize_t lanes = BP_VECTOR_BYTES // (4 if dtype == "float32" else 8), each = rounds
    cdef bint single = dtype == "float32"
    cdef double total = 0
    cdef int count = threads, _rank
    with nogil:
        for _rank in prange(count, num_threads=count, schedule="static"):
            total += bp_multiply_addsf(each) if single else bp_multiply_adds(each)
    if total != total:
        raise ArithmeticError("multiply_adds: the sums are no numbers")
    return 2 * count * each * BP_TILE_ROWS * BP_TILE_VECTORS * lanes


for function in (has_threads, multiply_adds):
    function.__module__ = "bpcore.kernels"    # whatever the level
del function
