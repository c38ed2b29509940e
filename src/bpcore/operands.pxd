# cython: language_level=3, cdivision=True, overflowcheck=False, nonecheck=False, profile=False, linetrace=False
# cython: boundscheck=False, initializedcheck=False, wraparound=False
"""What a matrix product is of: rows of numbers, which may lie anywhere, and a shape."""

from cython cimport floating
from libc.stdint cimport uintptr_t

ctypedef const void* Address

cdef enum:
    COLLIDING_BYTES = 1024    # multiples of it between rows leave at most a quarter of a cache's sets


cdef struct Rows:
    # Row n begins `skip` numbers behind at[first + n] or, if `at` is NULL, behind base + (first + n)·apart.
    const void* base
    Py_ssize_t apart            # numbers
    Address* at
    Py_ssize_t first
    Py_ssize_t skip


cdef struct Shape:
    # c is (M, N), a is (M, K), b is (K, N). The rows of `a` in memory run along k or, if it is transposed, along M.
    Py_ssize_t M, N, K
    bint transposed
    Py_ssize_t b_row, b_column, c_row    # strides in numbers; b_row or b_column is 1
    Py_ssize_t panel                     # 0, or b is in panels so far apart, and b_row their width
    # NULL, or where the last columns lie, so far apart and each in one run: those of b or, if it is transposed, of c.
    # All rows of the other columns then have whole vectors.
    void* tail
    Py_ssize_t tail_row
    # NULL, or memory to bring together in what tiles read of a transposed `a`; so much for each thread.
    void* copies
    Py_ssize_t copies_bytes


cdef inline Shape shape_of(
    Py_ssize_t M, Py_ssize_t N, Py_ssize_t K, bint transposed, Py_ssize_t b_row, Py_ssize_t b_column, Py_ssize_t c_row
) noexcept nogil:
    """The shape of a product whose matrices lie without panels or tails of their own."""
    return Shape(
        M=M, N=N, K=K, transposed=transposed, b_row=b_row, b_column=b_column, c_row=c_row, panel=0, tail=NULL,
        tail_row=0, copies=NULL, copies_bytes=0,
    )


cdef inline Rows rows_of(const floating* base, Py_ssize_t apart) noexcept nogil:
    """Rows at equal distances."""
    return Rows(base=base, apart=apart, at=NULL, first=0, skip=0)


cdef inline Rows rows_at(Address* at) noexcept nogil:
    """Rows at addresses of their own."""
    return Rows(base=NULL, apart=0, at=at, first=0, skip=0)


cdef inline Rows begin(const Rows rows, Py_ssize_t row, Py_ssize_t column) noexcept nogil:
    """The same rows from that row and column on."""
    cdef Rows part = rows
    part.first = part.first + row
    part.skip = part.skip + column
    return part


cdef inline Rows part_of(const Rows a, const Shape s, Py_ssize_t r, Py_ssize_t k) noexcept nogil:
    """`a` from its row r and its term k on."""
    return begin(a, k, r) if s.transposed else begin(a, r, k)


cdef inline const floating* row_address(const Rows rows, Py_ssize_t n, const floating* _) noexcept nogil:
    """The address of row n."""
    if rows.at is not NULL:
        return <const floating*> rows.at[rows.first + n] + rows.skip
    return <const floating*> rows.base + (rows.first + n) * rows.apart + rows.skip


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


cdef inline bint collide(const floating* _, Py_ssize_t apart) noexcept nogil:
    """Whether rows so many numbers apart share few sets of the caches, so that not many of them stay there."""
    return apart * <Py_ssize_t> sizeof(floating) % COLLIDING_BYTES == 0


cdef inline Py_ssize_t off_line(const floating* numbers) noexcept nogil:
    """How many numbers lie between the last cache line's begin and there."""
    return (<uintptr_t> numbers & 63) // sizeof(floating)


cdef inline void* aligned(void* memory) noexcept nogil:
    """The next address that is a multiple of 64; the memory is 64 bytes longer than what is used of it."""
    return <void*> ((<uintptr_t> memory + 63) & ~(<uintptr_t> 63))
