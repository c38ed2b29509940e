"""Proof that a gradient is right: `check_gradients` for any layer, network or function."""

from backprop.gradcheck.checking import assert_gradients, check_gradients
from backprop.gradcheck.findings import MENDING, Finding
from backprop.gradcheck.report import ArrayReport, GradientError, GradientReport, Point

__all__ = [
    "MENDING",
    "ArrayReport",
    "Finding",
    "GradientError",
    "GradientReport",
    "Point",
    "assert_gradients",
    "check_gradients",
]
