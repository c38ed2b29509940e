"""No call may change how the process rounds, or whether it keeps subnormal numbers."""

import ctypes
import platform

import pytest

# glibc's fenv_t on x86-64 ends with MXCSR; its lowest six bits are flags that any arithmetic sets.
MXCSR, FLAGS = 28, 0x3F


def floating_point_mode() -> int:
    """The control bits of this thread's floating-point unit."""
    libm = ctypes.CDLL(None)
    environment = ctypes.create_string_buffer(64)
    libm.fegetenv(environment)
    return int.from_bytes(environment.raw[MXCSR : MXCSR + 4], "little") & ~FLAGS


@pytest.fixture(autouse=True)
def mode_is_kept():
    """Compare the mode before and after each test."""
    if platform.machine() not in ("x86_64", "AMD64") or platform.libc_ver()[0] != "glibc":
        yield
        return
    before = floating_point_mode()
    yield
    assert floating_point_mode() == before
