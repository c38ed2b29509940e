"""The kernels as Python calls them, compiled for the chosen instruction-set level.

a) Inputs first, outputs last and allocated by the caller; every element of an output is written, no input is. An output
   overlaps nothing else, unless the description says that it may be an input itself.
b) float32 and float64, one type a call. Matrices are two-dimensional; elementwise kernels take any contiguous array as
   one-dimensional one (`a.reshape(-1)`).
c) `threads=None` means the process's default; small work stays on one thread.
d) A wrong call raises before anything is written, with a message that names the argument.
"""

from bpcore._core import ENTRIES, Entry, has_threads, multiply_adds

__all__ = ["Entry", *ENTRIES, "has_threads", "multiply_adds"]
globals().update(ENTRIES)
del ENTRIES
