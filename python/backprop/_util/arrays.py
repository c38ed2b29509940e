"""What users pass in, as the kernels want it: checked, one floating-point type, C-contiguous.

a) Layers follow NumPy: float32 with float64 computes in float64, integers and booleans become float64, Python
   numbers take the type of the arrays beside them. float16 computes in float32. Masked values are refused.
b) What is already right is used in place, anything else is copied once per call and never kept in its place.
"""

import sys
import weakref
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from backprop._util.frames import array_of_column, array_of_frame, is_frame, require_values

Array = NDArray[Any]

# How far to look for memory that two arrays with strange steps have in common; beyond that they count as sharing it.
MAX_WORK = 10_000
FLOAT32 = np.dtype(np.float32)
FLOAT64 = np.dtype(np.float64)


def plural(count: int, noun: str) -> str:
    """`1 row`, `2 rows`."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def real_array(owner: str, name: str, value: ArrayLike) -> Array:
    """`value` as an array of real numbers that float64 can hold."""
    if type(value) is not np.ndarray:
        require_no_mask(owner, name, value)
    try:
        array = value if type(value) is np.ndarray else _array_of(owner, name, value)
    except ValueError as error:  # ragged lists
        if str(error).startswith(owner):
            raise
        raise ValueError(f"{owner}: {name} is not an array: {error}") from None
    if array.dtype.kind not in "fiub" or array.dtype.itemsize > 8:
        raise TypeError(
            f"{owner}: {name} has dtype {array.dtype}, wanted real numbers, float64 at most{_way_out(name, array)}"
        )
    return array


def _array_of(owner: str, name: str, value: Any) -> Array:
    """What is no array of NumPy's own class, as one."""
    if isinstance(value, (np.ndarray, list, tuple, int, float)):
        return np.asarray(value)
    if is_frame(value):
        return array_of_frame(owner, name, value)
    if hasattr(value, "null_count"):  # a column of polars
        require_values(owner, name, value)
    column = array_of_column(owner, name, value)
    if column is not None:
        return column
    if hasattr(value, "__dlpack__") and not hasattr(value, "__array__"):
        try:
            return np.from_dlpack(value)
        except (BufferError, RuntimeError, TypeError) as error:
            raise TypeError(
                f"{owner}: {name} is a {type(value).__name__}, of which NumPy makes no array: {error}; "
                "wanted numbers in the memory of the CPU"
            ) from None
    return np.asarray(value)


def require_no_mask(owner: str, name: str, value: Any) -> None:
    """Raise where something is masked: what NumPy makes of it has the number under the mask."""
    masked = sys.modules.get("numpy.ma")
    if masked is None:  # imported with the first masked array
        return
    parts = value if isinstance(value, (list, tuple)) else (value,)
    if any(isinstance(part, masked.MaskedArray) and masked.is_masked(part) for part in parts):
        raise ValueError(
            f"{owner}: {name} has masked values, wanted an array without; leave them out, or fill them in (.filled)"
        )


def _way_out(name: str, array: Array) -> str:
    """What makes numbers of such an array, if something does."""
    if not array.ndim:
        sparse = hasattr(array.item(), "toarray")
        return f"; it is a sparse matrix, {name}.toarray() makes an array of it" if sparse else ""
    first = array.reshape(-1)[0] if array.size else None
    if name == "t" and array.ndim == 1 and isinstance(first, (str, bytes)):
        return "; classes, t = numpy.unique(t, return_inverse=True) numbers labels"
    return f"; {name}.astype(float) makes them that" if array.dtype.kind in "OUSTf" else ""


def common_type(owner: str, **values: ArrayLike) -> np.dtype[Any]:
    """float32 or float64: the type that these values are computed in."""
    strong = [value for value in values.values() if type(value) not in (bool, int, float)]
    types = [real_array(owner, "an operand", value).dtype for value in strong]
    single = [dtype.kind == "f" and dtype.itemsize <= 4 for dtype in types]
    return FLOAT32 if single and all(single) else FLOAT64


def floats(owner: str, dtype: np.dtype[Any] | None = None, **values: ArrayLike) -> list[Array]:
    """The named values as C-contiguous arrays of one floating-point type (by default `common_type`)."""
    wanted = dtype
    for value in values.values():
        if type(value) is not np.ndarray:
            break
        if wanted is None and (value.dtype is FLOAT32 or value.dtype is FLOAT64):
            wanted = value.dtype
        flags = value.flags
        if value.dtype is not wanted or not (flags.c_contiguous and flags.aligned):
            break
    else:
        # What a network's layers give each other: to look closer would take as long as a small kernel.
        return list(values.values())  # type: ignore[arg-type]  # they are arrays
    arrays = {name: real_array(owner, name, value) for name, value in values.items()}
    wanted = common_type(owner, **values) if dtype is None else dtype
    return [readable(array, wanted) for array in arrays.values()]


def readable(array: Array, dtype: DTypeLike) -> Array:
    """`array` of one type and in one run of memory, each number where its type begins."""
    run = np.asarray(array, dtype=dtype, order="C")
    return run if run.flags.aligned else run.copy()


def is_floating(value: Any) -> bool:
    """Whether it is an array of floating-point numbers."""
    return isinstance(value, np.ndarray) and value.dtype.kind == "f"


def shares(one: Any, other: Any) -> bool:
    """Whether two arrays have memory in common."""
    if not isinstance(one, np.ndarray) or not isinstance(other, np.ndarray):
        return False
    if not np.may_share_memory(one, other):
        return False
    try:
        return bool(np.shares_memory(one, other, max_work=MAX_WORK))  # type: ignore[arg-type]  # any number is
    except np.exceptions.TooHardError:
        return True


def read_only_copy(array: Array) -> Array:
    """A copy of an array, not empty, that nobody can make writable."""
    return np.frombuffer(array.tobytes(), array.dtype).reshape(array.shape)


def resize_guards(array: Array) -> list[object]:
    """What, while it exists, makes NumPy refuse to resize an array, or whoever owns its memory."""
    references: list[object] = []
    owner: object = array
    while isinstance(owner, np.ndarray):
        references.append(weakref.ref(owner))
        owner = owner.base
    return references


def parameter(owner: str, name: str, value: Any, ndim: int) -> Array:
    """A weight or bias: an array that can be updated in place, so of floating-point type already."""
    if type(value) is not np.ndarray:
        require_no_mask(owner, name, value)
    if not isinstance(value, np.ndarray):
        raise TypeError(f"{owner}: {name} is a {type(value).__name__}, wanted a NumPy array")
    if value.dtype not in (FLOAT32, FLOAT64):
        raise TypeError(f"{owner}: {name} has dtype {value.dtype}, wanted float32 or float64")
    if value.ndim != ndim:
        raise ValueError(f"{owner}: {name} has {plural(value.ndim, 'dimension')}, wanted {ndim}")
    return value


def samples(owner: str, x: ArrayLike) -> Array:
    """`x` as rows, one a sample: what stands behind the first axis is flattened."""
    array = real_array(owner, "x", x)
    if array.ndim < 2:
        raise ValueError(
            f"{owner}: x has {plural(array.ndim, 'dimension')}, wanted (batch, features); "
            "one sample is x[numpy.newaxis]"
        )
    return array if array.ndim == 2 else array.reshape(array.shape[0], int(np.prod(array.shape[1:])))


def class_targets(owner: str, t: ArrayLike, shape: tuple[int, int], dtype: DTypeLike) -> Array:
    """Targets for scores of `shape`: (N,) int64 labels, or (N, K) weights of type `dtype`.

    Labels have one dimension and integers or booleans, False and True being 0 and 1; weights have two and the shape
    of the scores. Nothing else is guessed at: labels of shape (N, 1) are refused, since broadcasting them gives a
    wrong loss silently.
    """
    array = real_array(owner, "t", t)
    rows, classes = shape
    if array.ndim == 1:
        if array.dtype.kind not in "iub":
            raise TypeError(
                f"{owner}: t has one dimension and dtype {array.dtype}, wanted integer labels "
                "(t.astype(int) where they are whole)"
            )
        if len(array) != rows:
            raise ValueError(f"{owner}: x has {plural(rows, 'row')}, t has {plural(len(array), 'label')}")
        check_labels(owner, array, classes)
        return readable(array, np.int64)
    if array.shape != shape:
        raise ValueError(
            f"{owner}: t has shape {array.shape}, wanted {(rows,)} labels or {shape} weights for x of shape {shape}"
        )
    return readable(array, dtype)


def number_targets(owner: str, t: ArrayLike, shape: tuple[int, ...], dtype: DTypeLike) -> Array:
    """Targets that are numbers, (N, K) of type `dtype`; of one output they may be (N,)."""
    array = real_array(owner, "t", t)
    if array.ndim == 1 and shape[1] == 1:
        array = array[:, np.newaxis]
    if array.shape != shape:
        also = f" or {shape[:1]}" if shape[1] == 1 else ""
        raise ValueError(f"{owner}: t has shape {np.shape(t)}, wanted {shape}{also} numbers")
    return readable(array, dtype)


def any_targets(owner: str, t: ArrayLike, rows: int) -> Array:
    """Targets for a loss that does not say what it takes: as they are, in an array of that many rows."""
    array = np.asarray(t)
    if array.ndim == 0 or len(array) != rows:
        raise ValueError(f"{owner}: x has {plural(rows, 'row')}, t has shape {array.shape}")
    return array


def labels_of(t: Array) -> Array:
    """Labels, or the index of the highest weight of each row: −1 where all weights are 0, for such a row has none."""
    if t.ndim == 1:
        return t
    return np.where(t.any(axis=1), t.argmax(axis=1), -1)


def check_labels(owner: str, labels: Array, classes: int, name: str = "t") -> None:
    """Every label is from 0 to classes − 1."""
    # Two passes without arrays of answers: all of a training's labels are looked at before its first step.
    if len(labels) and (labels.min() < 0 or labels.max() >= classes):
        first = int(((labels < 0) | (labels >= classes)).argmax())
        raise ValueError(
            f"{owner}: {name}[{first}] is {labels[first]}, wanted a label from 0 to {classes - 1}"
        )


def same_shape(owner: str, dout: Array, shape: tuple[int, ...]) -> None:
    """The gradient that comes in has the shape of what went out."""
    if dout.shape != shape:
        raise ValueError(f"{owner}: dout has shape {dout.shape}, wanted {shape} as forward returned it")


def number(owner: str, name: str, value: Any) -> float:
    """`value` as one real number."""
    array = real_array(owner, name, value)
    if array.ndim:
        raise ValueError(f"{owner}: {name} has shape {array.shape}, wanted a number")
    return float(array)


def require_cache(owner: str, value: Any) -> Any:
    """What forward kept for backward; raises where there was no forward."""
    if value is None:
        raise RuntimeError(f"{owner}: there is no forward pass to go back through; call forward first")
    return value
