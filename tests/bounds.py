"""A-priori bounds on rounding errors (Higham, Accuracy and Stability of Numerical Algorithms, chapter 3)."""

from typing import Any, NamedTuple

import numpy as np


class Bounded(NamedTuple):
    """Values and what they may be off by."""

    v: np.ndarray
    e: np.ndarray

    @property
    def most(self) -> np.ndarray:
        """The largest magnitude that may be meant."""
        return np.abs(self.v) + self.e


def unit_roundoff(dtype: Any) -> float:
    """u: half the distance from 1 to the next number."""
    return float(np.finfo(dtype).eps) / 2


def gamma(n: int, dtype: Any) -> float:
    """n·u / (1 − n·u): a sum of n rounded terms is off by at most this times the sum of their magnitudes."""
    u = unit_roundoff(dtype)
    return n * u / (1 - n * u)


def ulps(got: np.ndarray, exact: np.ndarray, least: float = 0) -> np.ndarray:
    """Distance of `got` from `exact` (in a wider type) in units of got's last place; 0 where both are equal.

    Below `least` least normal numbers a unit is that of this number.
    """
    with np.errstate(all="ignore"):
        size = np.maximum(np.abs(exact), least * float(np.finfo(got.dtype).tiny))
        spacing = np.spacing(size.astype(got.dtype)).astype(exact.dtype)
        distance = np.abs(got.astype(exact.dtype) - exact) / np.maximum(
            spacing, np.finfo(got.dtype).smallest_subnormal
        )
        same = (got == exact.astype(got.dtype)) | (np.isnan(got) & np.isnan(exact))
    return np.where(same, 0, np.where(np.isfinite(distance), distance, np.inf))
