# cython: language_level=3, cdivision=True, overflowcheck=False, nonecheck=False, profile=False, linetrace=False
# cython: boundscheck=False, initializedcheck=False, wraparound=False
"""The operands of a matrix product: rows of numbers, which may be anywhere in memory, and a shape."""

from cython cimport floating
from libc.stdint cimport uintptr_t

ctypedef const void* Address

cdef enum:
    CONFLICT_BYTES = 1024    # multiples of it between rows leave at most a quarter of a cache's sets


cdef struct Rows:
    # Row n begins `offset` numbers behind pointers[first + n] or, if these are NULL, behind base + (first + n)·stride.
    const void* base
    Py_ssize_t stride            # numbers
    Address* pointers
    Py_ssize_t first
    Py_ssize_t offset


cdef enum Kind:
    # Which product of the affine layer it is (oneDNN: the propagation kind). A function gets it as an argument of its
    # own, so that in a module that has only one of them, compilers leave out what the others need.
    FORWARD = 0       # x·W + b: b is stored by rows
    INPUT = 1         # dout·Wᵀ: b is stored by columns
    PARAMETERS = 2    # xᵀ·dout: a is transposed


cdef struct Shape:
    # c is (M, N), a is (M, K), b is (K, N). The rows of `a` in memory run along k or, if it is transposed, along M.
    Py_ssize_t M, N, K
    Py_ssize_t rs_b, cs_b, ldc    # strides in numbers; rs_b or cs_b is 1
    Py_ssize_t ps_b               # 0, or b is packed in panels: the stride of these, and rs_b is their width
    # NULL, or the edge columns of a padded layout, each contiguous: those of b or, if `a` is transposed, of c. All rows
    # of the other columns then consist of full vectors.
    void* edge
    Py_ssize_t edge_stride
    # NULL, or memory to pack a transposed `a` in; so much for each thread.
    void* packed_a
    Py_ssize_t packed_a_bytes


cdef inline Shape shape_of(
    Py_ssize_t M, Py_ssize_t N, Py_ssize_t K, Py_ssize_t rs_b, Py_ssize_t cs_b, Py_ssize_t ldc
) noexcept nogil:
    """The shape of a product whose matrices are neither packed nor padded."""
    return Shape(
        M=M, N=N, K=K, rs_b=rs_b, cs_b=cs_b, ldc=ldc, ps_b=0, edge=NULL,
        edge_stride=0, packed_a=NULL, packed_a_bytes=0,
    )


cdef inline Rows rows_of(const floating* base, Py_ssize_t stride) noexcept nogil:
    """Rows at one stride."""
    return Rows(base=base, stride=stride, pointers=NULL, first=0, offset=0)


cdef inline Rows rows_at(Address* pointers) noexcept nogil:
    """Rows at arbitrary addresses."""
    return Rows(base=NULL, stride=0, pointers=pointers, first=0, offset=0)


cdef inline Rows rows_from(const Rows rows, Py_ssize_t row, Py_ssize_t column) noexcept nogil:
    """The submatrix that begins at that row and column."""
    cdef Rows part = rows
    part.first = part.first + row
    part.offset = part.offset + column
    return part


cdef inline Rows a_from(Kind kind, const Rows a, Py_ssize_t r, Py_ssize_t k) noexcept nogil:
    """The submatrix of `a` that begins at row r and column k."""
    return rows_from(a, k, r) if kind == PARAMETERS else rows_from(a, r, k)


cdef inline const floating* row_address(const Rows rows, Py_ssize_t n, const floating* _) noexcept nogil:
    """The address of row n."""
    if rows.pointers is not NULL:
        return <const floating*> rows.pointers[rows.first + n] + rows.offset
    return <const floating*> rows.base + (rows.first + n) * rows.stride + rows.offset


cdef inline void row_addresses(
    const Rows rows,
    Py_ssize_t count,
    Address* out,                # OUT  (count,)
    const floating* _,
) noexcept nogil:
    """The addresses of the first `count` rows."""
    cdef Py_ssize_t n
    for n in range(count):
        out[n] = row_address(rows, n, _)


cdef inline bint cache_conflict(const floating* _, Py_ssize_t stride) noexcept nogil:
    """Whether rows at this stride compete for few sets of the caches."""
    return stride * <Py_ssize_t> sizeof(floating) % CONFLICT_BYTES == 0


cdef inline Py_ssize_t misalignment(const floating* numbers) noexcept nogil:
    """How many numbers behind the beginning of a cache line the address is."""
    return (<uintptr_t> numbers & 63) // sizeof(floating)


cdef inline void* aligned(void* memory) noexcept nogil:
    """The next address that is a multiple of 64; the memory is 64 bytes longer than what is used of it."""
    return <void*> ((<uintptr_t> memory + 63) & ~(<uintptr_t> 63))
