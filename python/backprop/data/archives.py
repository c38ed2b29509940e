"""NumPy archives of the user's own: arrays of plain numbers and text, never objects."""

from pathlib import Path

import numpy as np

from backprop._arrays import Array, plural
from backprop.data.cells import index_of


def read_archive(path: Path) -> dict[str, Array]:
    """Read every array of an npz file.

    Raises
    ------
    ValueError
        The file is not an archive, is damaged, or has arrays of objects.
    FileNotFoundError
        There is no such file.
    """
    import zipfile

    if not path.is_file():
        raise FileNotFoundError(f"{path}: there is no such file")
    # Opened here, since np.load leaves a file that it cannot read open.
    with path.open("rb") as file:
        try:
            with zipfile.ZipFile(file), np.load(file, allow_pickle=False) as archive:
                # What is no .npy file in the archive comes as bytes.
                return {
                    name: array for name in archive.files if isinstance(array := archive[name], np.ndarray)
                }
        except Exception as error:  # noqa: BLE001  # a header can make its reader raise anything, MemoryError too
            raise ValueError(f"{path}: not an npz archive of plain arrays: {error}") from None


def features_of(path: Path, arrays: dict[str, Array]) -> Array:
    """The array `x` as (N, features) of float64."""
    x = array_of(path, arrays, "x")
    if x.dtype.kind not in "fiub" or x.ndim < 2:
        raise ValueError(f"{path}: x is {x.dtype} {x.shape}, wanted numbers of shape (N, features)")
    if not x.size:
        raise ValueError(f"{path}: x has shape {x.shape}, wanted at least one sample and feature")
    with np.errstate(over="ignore"):  # a long double beyond float64 is refused below
        x = x.reshape(len(x), -1).astype(np.float64)
    if not np.isfinite(x).all():
        row, column = np.argwhere(~np.isfinite(x))[0]
        raise ValueError(f"{path}: x[{row}, {column}] is {x[row, column]}, wanted finite numbers")
    return x


def labels_of(path: Path, arrays: dict[str, Array], key: str, count: int) -> list[str]:
    """The labels of `count` samples as text."""
    labels = array_of(path, arrays, key)
    if labels.shape != (count,):
        raise ValueError(f"{path}: {key} has shape {labels.shape}, x has {plural(count, 'sample')}")
    if labels.dtype.kind not in "biufU":
        raise ValueError(f"{path}: {key} is {labels.dtype}, wanted whole numbers or text")
    return [str(label) for label in labels.tolist()]


def array_of(path: Path, arrays: dict[str, Array], key: str) -> Array:
    """The array of this name."""
    index_of(path, list(arrays), key)
    return arrays[key]
