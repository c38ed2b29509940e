"""A whole network in one call, compiled for the chosen instruction-set level."""

from bpcore._core import (
    ACTIVATIONS,
    LOSS_OPTIONS,
    LOSSES,
    RULES,
    SETTINGS,
    TRANSFORM_OPTIONS,
    TRANSFORMS,
    Plan,
    Tuning,
    Update,
    are_values,
)

__all__ = [
    "ACTIVATIONS",
    "LOSSES",
    "LOSS_OPTIONS",
    "RULES",
    "SETTINGS",
    "TRANSFORMS",
    "TRANSFORM_OPTIONS",
    "Plan",
    "Tuning",
    "Update",
    "are_values",
]
