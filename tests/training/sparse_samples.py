"""Sparse matrices that the tests here have in common: what SciPy's look like, without SciPy."""

import numpy as np


class Csr:
    """What a network takes for `scipy.sparse.csr_array`."""

    format = "csr"

    def __init__(self, x, stored=None, places=np.int32, indices=np.int32):
        stored = x != 0 if stored is None else stored
        rows, columns = np.nonzero(stored)
        self.shape = x.shape
        self.indptr = np.searchsorted(rows, np.arange(len(x) + 1)).astype(places)
        self.indices, self.data = columns.astype(indices), x[stored]

    def replaced(self, **arrays):
        """The same with other arrays."""
        other = object.__new__(type(self))
        vars(other).update(vars(self) | arrays)
        return other


def sparse(rng, rows, columns, density=0.2, dtype=np.float32):
    """An array of numbers, most of them 0."""
    x = rng.normal(size=(rows, columns)) * (rng.uniform(size=(rows, columns)) < density)
    return x.astype(dtype)


def alike(one, other):
    """Whether two networks have the same numbers, of the same bits but for the sign of 0."""
    return one.params.keys() == other.params.keys() and all(
        np.array_equal(one.params[key], other.params[key]) for key in one.params
    )
