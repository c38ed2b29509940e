"""A whole network in one call, compiled for the chosen instruction-set level."""

from bpcore._core import (
    ACTIVATION_NUMBERS,
    ACTIVATIONS,
    LOSS_OPTIONS,
    LOSSES,
    RULES,
    SETTINGS,
    TRANSFORM_OPTIONS,
    TRANSFORMS,
    Plan,
    Segment,
    SparseMatrix,
    Tuning,
    Update,
    are_values,
)

__all__ = [
    "ACTIVATIONS",
    "ACTIVATION_NUMBERS",
    "LOSSES",
    "LOSS_OPTIONS",
    "RULES",
    "SETTINGS",
    "TRANSFORMS",
    "TRANSFORM_OPTIONS",
    "Plan",
    "Segment",
    "SparseMatrix",
    "Tuning",
    "Update",
    "are_values",
]
