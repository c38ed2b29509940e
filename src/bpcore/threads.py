"""How many threads a call may use. State of the process, in Python; the kernels ask once per call.

a) In this order: the call's own `threads=`, `set_num_threads`, `$BACKPROP_NUM_THREADS`, the CPUs that this
   process may use (affinity, cgroup quota). The kernels never go above `omp_get_max_threads()`, so that
   `OMP_NUM_THREADS` and threadpoolctl hold. More than MOST_THREADS is an error everywhere.
b) A forked child runs on one thread: the OpenMP pool of the parent does not exist in it, and waiting for it hangs.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

# A larger number is a mistake: no call gains from it.
MOST_THREADS = 1024

_chosen: int | None = None
_limit: ContextVar[int | None] = ContextVar("threads of the calls inside `limited`", default=None)
_forked = False


def whole_number(name: str, value: object, least: int = 1) -> int:
    """`value` as an int of at least 1, or of `least`, or an error that names it."""
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise TypeError(f"{name} is {value!r}, wanted a whole number of at least {least}")
    number = value.__index__()
    if number < least:
        raise ValueError(f"{name} is {_digits(number)}, wanted a whole number of at least {least}")
    return int(number)


def thread_count(name: str, value: object) -> int:
    """`value` as an int from 1 to MOST_THREADS, or an error that names it."""
    number = whole_number(name, value)
    if number > MOST_THREADS:
        raise ValueError(
            f"{name} is {_digits(number)}, wanted a whole number of at least 1 and at most {MOST_THREADS}"
        )
    return number


def _digits(number: int) -> str:
    """The digits of a number; for a very long one, how many bits it has."""
    return str(number) if number.bit_length() <= 128 else f"a number of {number.bit_length()} bits"


def set_num_threads(threads: int | None) -> None:
    """Set how many threads a call uses that does not say so itself.

    Parameters
    ----------
    threads : int or None
        1 to 1024. None goes back to `$BACKPROP_NUM_THREADS` or the CPUs this process may use.

    Raises
    ------
    TypeError, ValueError
        `threads` is not a whole number from 1 to 1024.
    """
    global _chosen
    _chosen = None if threads is None else thread_count("set_num_threads: threads", threads)


def get_num_threads() -> int:
    """How many threads a call uses that does not say so itself; 1 in a forked child."""
    if _forked:
        return 1
    limit = _limit.get()
    if limit is not None:
        return limit
    return _default if _chosen is None else _chosen


@contextmanager
def limited(threads: object) -> Iterator[None]:
    """Make `threads` the default of the calls inside, in this thread of Python alone; None changes nothing."""
    token = _limit.set(_limit.get() if threads is None else thread_count("threads", threads))
    try:
        yield
    finally:
        _limit.reset(token)


def named(threads: object) -> object:
    """The number that a call's `threads=` or `limited` names, or None."""
    return _limit.get() if threads is None else threads


def is_named(threads: object) -> bool:
    """Whether somebody has named a number: the call's `threads=`, `limited`, `set_num_threads` or the environment."""
    return named(threads) is not None or _chosen is not None or _in_environment


def resolve(threads: object) -> int:
    """The number of threads for one call's `threads=`, None standing for the default."""
    number = get_num_threads() if threads is None else thread_count("threads", threads)
    return 1 if _forked else number


def available_cpus() -> int:
    """The CPUs this process may use: its affinity, cut down to the cgroup's quota."""
    try:
        cpus = len(os.sched_getaffinity(0))
    except AttributeError:  # only Linux and some BSDs know affinity
        cpus = os.cpu_count() or 1
    quota = _cgroup_quota()
    return cpus if quota is None else max(1, min(cpus, quota))


def _cgroup_quota(root: str = "/sys/fs/cgroup") -> int | None:
    """Whole CPUs that the cgroup's quota allows, version 2 or 1; None where there is no quota."""

    def read(name: str) -> str:
        with open(f"{root}/{name}") as file:  # noqa: PTH123  # pathlib costs the import 4 ms
            return file.read().strip()

    try:
        quota, period = read("cpu.max").split()
    except (OSError, ValueError):
        try:
            quota, period = read("cpu/cpu.cfs_quota_us"), read("cpu/cpu.cfs_period_us")
        except OSError:
            return None
    if quota in ("max", "-1"):
        return None
    return max(1, int(quota) // int(period))


def _from_environment() -> int:
    text = os.environ.get("BACKPROP_NUM_THREADS", "").strip()
    if not text:
        return min(available_cpus(), MOST_THREADS)
    # Digits of other scripts are decimal, too.
    if not (text.isascii() and text.isdecimal() and len(text) <= 100 and 1 <= int(text) <= MOST_THREADS):
        raise ValueError(
            f"BACKPROP_NUM_THREADS is {text[:100]!r}, wanted a whole number of at least 1 and at most {MOST_THREADS}"
        )
    return int(text)


def _after_fork() -> None:
    global _forked
    _forked = True


_default = _from_environment()
_in_environment = bool(os.environ.get("BACKPROP_NUM_THREADS", "").strip())
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
