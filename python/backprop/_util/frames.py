"""Tables of pandas and polars as arrays of numbers; neither package is imported.

A column that holds no numbers is refused by its name: what its values mean as numbers would be a guess.
"""

from typing import Any

import numpy as np

from backprop._util.messages import shown

NUMBERS, TEXTS = "fiub", "OSUT"


def is_frame(value: Any) -> bool:
    """Whether it is a table with named columns."""
    return all(hasattr(value, name) for name in ("columns", "dtypes", "to_numpy"))


def array_of_frame(owner: str, name: str, frame: Any) -> "np.ndarray[Any, Any]":
    """A table as an array, of float64 if its columns have several types.

    Raises
    ------
    TypeError
        A column has no numbers.
    ValueError
        A column has missing values that are marked as such. NaN is a number.
    """
    is_polars = hasattr(frame, "get_columns")
    if not is_polars and all(isinstance(one, np.dtype) and one.kind in NUMBERS for one in frame.dtypes):
        array = np.asarray(frame)  # at once: a table of images has hundreds of columns
        if array.dtype.kind in NUMBERS:
            return array
    columns = frame.get_columns() if is_polars else [frame.iloc[:, n] for n in range(len(frame.columns))]
    for label, column in zip(frame.columns, columns, strict=True):
        kind = np.asarray(column[:1]).dtype.kind if is_polars else getattr(column.dtype, "kind", "O")
        if kind not in NUMBERS:
            raise TypeError(
                f"{owner}: column {shown(label)} of {name} has dtype {column.dtype}, wanted real numbers; "
                f"{_way_out(name, label, kind, is_polars)}"
            )
        require_values(owner, f"column {shown(label)} of {name}", column)
    array = np.asarray(frame)
    if array.dtype.kind in NUMBERS:
        return array
    return np.stack([column.to_numpy().astype(np.float64) for column in columns], axis=1)


def array_of_column(owner: str, name: str, column: Any) -> "np.ndarray[Any, Any] | None":
    """A column of pandas whose type has missing values, as an array; None for anything else."""
    kind = getattr(getattr(column, "dtype", None), "kind", "O")
    if kind not in NUMBERS or not hasattr(column, "isna"):
        return None
    require_values(owner, name, column)
    return np.asarray(column.to_numpy(), dtype=getattr(column.dtype, "numpy_dtype", column.dtype))


def require_values(owner: str, what: str, column: Any) -> None:
    """Raise where values are missing, and marked as that: NumPy would make NaN, or objects, of them."""
    if hasattr(column, "null_count"):
        missing = int(column.null_count())
    elif hasattr(column.dtype, "na_value") and column.dtype.na_value is not np.nan:
        missing = int(column.isna().sum())
    else:
        return
    if missing:
        raise ValueError(
            f"{owner}: {what} has {missing} missing values, wanted numbers; leave such rows out, or fill them in"
        )


def _way_out(name: str, label: Any, kind: str, is_polars: bool) -> str:
    """What makes numbers of a column, or leaves it out."""
    one = shown(label)
    if kind in TEXTS:
        made = f"{name}.to_dummies({one})" if is_polars else f"pandas.get_dummies({name}, columns=[{one}])"
        return f"{made} makes a column of 0 and 1 of each category"
    return f"{name}.drop({one}) leaves it out" if is_polars else f"{name}.drop(columns={one}) leaves it out"
