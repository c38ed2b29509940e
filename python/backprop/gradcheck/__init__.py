"""Proof that a gradient is right: `check_gradients` for any layer, network or function."""

from backprop.gradcheck.checking import assert_gradients, check_gradients
from backprop.gradcheck.numerical import numerical_gradient
from backprop.gradcheck.report import GradientError, GradientReport

__all__ = [
    "GradientError",
    "GradientReport",
    "assert_gradients",
    "check_gradients",
    "numerical_gradient",
]
