# cython: language_level=3, cdivision=True, overflowcheck=False, nonecheck=False, profile=False, linetrace=False
# cython: boundscheck=False, initializedcheck=False, wraparound=False
"""Rows of numbers, which may be anywhere in memory, and addresses."""

from cython cimport floating
from libc.stdint cimport uintptr_t

ctypedef const void* Address

cdef struct Rows:
    # Row n begins `offset` numbers behind pointers[first + n] or, if these are NULL, behind base + (first + n)·stride.
    # Of sparse rows, which the dense layer alone takes, it is row first + n.
    const void* base
    Py_ssize_t stride            # numbers
    Address* pointers
    Py_ssize_t first
    Py_ssize_t offset
    const void* sparse           # SparseRows (sparse.pxd) whose places are 64 bits wide, or NULL


cdef inline Rows rows_of(const floating* base, Py_ssize_t stride) noexcept nogil:
    """Rows at one stride."""
    return Rows(base=base, stride=stride, pointers=NULL, first=0, offset=0, sparse=NULL)


cdef inline Rows rows_at(Address* pointers) noexcept nogil:
    """Rows at arbitrary addresses."""
    return Rows(base=NULL, stride=0, pointers=pointers, first=0, offset=0, sparse=NULL)


cdef inline Rows sparse_rows_of(const void* sparse) noexcept nogil:
    """Rows of which only what is stored is read."""
    return Rows(base=NULL, stride=0, pointers=NULL, first=0, offset=0, sparse=sparse)


cdef inline Rows rows_from(const Rows rows, Py_ssize_t row, Py_ssize_t column) noexcept nogil:
    """The submatrix that begins at that row and column."""
    cdef Rows part = rows
    part.first = part.first + row
    part.offset = part.offset + column
    return part


cdef inline const floating* row_address(const Rows rows, Py_ssize_t n, const floating* _) noexcept nogil:
    """The address of row n."""
    if rows.pointers is not NULL:
        return <const floating*> rows.pointers[rows.first + n] + rows.offset
    return <const floating*> rows.base + (rows.first + n) * rows.stride + rows.offset


cdef inline Py_ssize_t misalignment(const floating* numbers) noexcept nogil:
    """How many numbers behind the beginning of a cache line the address is."""
    return (<uintptr_t> numbers & 63) // sizeof(floating)


cdef inline void* aligned(void* memory) noexcept nogil:
    """The next address that is a multiple of 64; the memory is 64 bytes longer than what is used of it."""
    return <void*> ((<uintptr_t> memory + 63) & ~(<uintptr_t> 63))
