# cython: language_level=3, cdivision=True, overflowcheck=False, nonecheck=False, profile=False, linetrace=False
# cython: boundscheck=False, initializedcheck=False, wraparound=False
"""What a matrix product is of: rows of numbers, which may lie anywhere, and a shape."""

from cython cimport floating
from libc.stdint cimport uintptr_t

ctypedef const void* Address

cdef enum:
    CONFLICT_BYTES = 1024    # multiples of it between rows leave at most a quarter of a cache's sets


cdef struct Rows:
    # Row n begins `skip` numbers behind at[first + n] or, if `at` is NULL, behind base + (first + n)·apart.
    const void* base
    Py_ssize_t stride            # numbers
    Address* at
    Py_ssize_t first
    Py_ssize_t skip


cdef enum Kind:
    # Which product of the affine layer it is. A function gets it as an argument of its own, so that in a module that
    # has only one of them, compilers leave out what the others need.
    FORWARD = 0       # x·W + b: the numbers of a row of b lie side by side
    INPUT = 1         # dout·Wᵀ: those of a column do
    PARAMETERS = 2    # xᵀ·dout: a is transposed


cdef struct Shape:
    # c is (M, N), a is (M, K), b is (K, N). The rows of `a` in memory run along k or, if it is transposed, along M.
    Py_ssize_t M, N, K
    Py_ssize_t rs_b, cs_b, ldc    # strides in numbers; rs_b or cs_b is 1
    Py_ssize_t panel                     # 0, or b is in panels so far apart, and rs_b their width
    # NULL, or where the last columns lie, so far apart and each in one run: those of b or, if it is transposed, of c.
    # All rows of the other columns then have whole vectors.
    void* edge
    Py_ssize_t edge_stride
    # NULL, or memory to bring together in what tiles read of a transposed `a`; so much for each thread.
    void* copies
    Py_ssize_t copies_bytes


cdef inline Shape shape_of(
    Py_ssize_t M, Py_ssize_t N, Py_ssize_t K, Py_ssize_t rs_b, Py_ssize_t cs_b, Py_ssize_t ldc
) noexcept nogil:
    """The shape of a product whose matrices lie without panels or edges of their own."""
    return Shape(
        M=M, N=N, K=K, rs_b=rs_b, cs_b=cs_b, ldc=ldc, panel=0, edge=NULL,
        edge_stride=0, copies=NULL, copies_bytes=0,
    )


cdef inline Rows rows_of(const floating* base, Py_ssize_t stride) noexcept nogil:
    """Rows at equal distances."""
    return Rows(base=base, stride=stride, at=NULL, first=0, skip=0)


cdef inline Rows rows_at(Address* at) noexcept nogil:
    """Rows at addresses of their own."""
    return Rows(base=NULL, stride=0, at=at, first=0, skip=0)


cdef inline Rows rows_from(const Rows rows, Py_ssize_t row, Py_ssize_t column) noexcept nogil:
    """The same rows from that row and column on."""
    cdef Rows part = rows
    part.first = part.first + row
    part.skip = part.skip + column
    return part


cdef inline Rows a_from(Kind kind, const Rows a, Py_ssize_t r, Py_ssize_t k) noexcept nogil:
    """`a` from its row r and its term k on."""
    return rows_from(a, k, r) if kind == PARAMETERS else rows_from(a, r, k)


cdef inline const floating* row_address(const Rows rows, Py_ssize_t n, const floating* _) noexcept nogil:
    """The address of row n."""
    if rows.at is not NULL:
        return <const floating*> rows.at[rows.first + n] + rows.skip
    return <const floating*> rows.base + (rows.first + n) * rows.stride + rows.skip


cdef inline void addresses(
    const Rows rows,
    Py_ssize_t count,
    Address* out,                # OUT  (count,)
    const floating* _,
) noexcept nogil:
    """Where the first `count` rows begin."""
    cdef Py_ssize_t n
    for n in range(count):
        out[n] = row_address(rows, n, _)


cdef inline bint cache_conflict(const floating* _, Py_ssize_t stride) noexcept nogil:
    """Whether rows so many numbers apart share few sets of the caches, so that not many of them stay there."""
    return stride * <Py_ssize_t> sizeof(floating) % CONFLICT_BYTES == 0


cdef inline Py_ssize_t misalignment(const floating* numbers) noexcept nogil:
    """How many numbers lie between the last cache line's begin and there."""
    return (<uintptr_t> numbers & 63) // sizeof(floating)


cdef inline void* aligned(void* memory) noexcept nogil:
    """The next address that is a multiple of 64; the memory is 64 bytes longer than what is used of it."""
    return <void*> ((<uintptr_t> memory + 63) & ~(<uintptr_t> 63))
