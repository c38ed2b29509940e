"""MNIST (LeCun, Cortes & Burges) and Fashion-MNIST (Xiao, Rasul & Vollgraf 2017), from their IDX files."""

import functools
import os
from pathlib import Path
from typing import Any

import numpy as np

from backprop._util.arrays import Array
from backprop._util.names import named_arguments
from backprop.data.files import DataSet, locate
from backprop.data.idx import read_checked
from backprop.data.images import CLASSES, Part, shaped

SIDE = 28
WHITE = 255

MNIST = DataSet(
    name="mnist",
    torchvision="MNIST",
    checksums={
        "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
        "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
        "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
        "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    },
    mirrors=(
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
        "https://storage.googleapis.com/cvdf-datasets/mnist/",
    ),
)
FASHION_MNIST = DataSet(
    name="fashion-mnist",
    torchvision="FashionMNIST",
    checksums={
        "train-images-idx3-ubyte": "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
        "train-labels-idx1-ubyte": "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
        "t10k-images-idx3-ubyte": "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
        "t10k-labels-idx1-ubyte": "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
    },
    mirrors=(
        "https://storage.googleapis.com/tensorflow/tf-keras-datasets/",
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
    ),
)


@named_arguments
def load_mnist(
    normalize: bool = True,
    flatten: bool = True,
    one_hot_label: bool = False,
    *,
    root: str | os.PathLike[str] | None = None,
) -> tuple[Part, Part]:
    """Handwritten digits: 60,000 images to train with and 10,000 to test with.

    The files are looked for in `root` alone if it is given, else in `$BACKPROP_DATA` and the user's cache; what
    is in neither is downloaded into the cache (extra `data`: `pip install 'bpcore[data]'`).

    Parameters
    ----------
    normalize : bool, default True
        Give float32 pixels from 0 to 1, else uint8 from 0 to 255.
    flatten : bool, default True
        Give images of shape (N, 784), else (N, 1, 28, 28).
    one_hot_label : bool, default False
        Give float32 labels of shape (N, 10), else int64 of shape (N,).
    root : path, optional
        The folder of the four IDX files, gzipped or not, or one that torchvision filled.

    Returns
    -------
    (x_train, t_train), (x_test, t_test)

    Raises
    ------
    FileNotFoundError
        The files are nowhere and cannot be downloaded; the message says where they were looked for.
    ValueError
        A file is damaged or is not what its name says.
    OSError
        A download failed at every mirror.

    Notes
    -----
    Source: http://yann.lecun.com/exdb/mnist/, CC BY-SA 3.0. What was unzipped is kept in memory for the next call.
    """
    return _load(MNIST, root, normalize=normalize, flatten=flatten, one_hot_label=one_hot_label)


@named_arguments
def load_fashion_mnist(
    normalize: bool = True,
    flatten: bool = True,
    one_hot_label: bool = False,
    *,
    root: str | os.PathLike[str] | None = None,
) -> tuple[Part, Part]:
    """Articles of clothing in the form of MNIST; parameters, result and errors are those of `load_mnist`.

    Notes
    -----
    Source: https://github.com/zalandoresearch/fashion-mnist, MIT. On Debian the package `dataset-fashion-mnist`
    has the files; `root` can name its folder, `/usr/share/datasets/fashion-mnist`.
    """
    return _load(FASHION_MNIST, root, normalize=normalize, flatten=flatten, one_hot_label=one_hot_label)


def _load(data: DataSet, root: str | os.PathLike[str] | None, **form: bool) -> tuple[Part, Part]:
    paths = locate(data, root)
    parts = []
    for part in ("train", "t10k"):
        image_file, label_file = paths[f"{part}-images-idx3-ubyte"], paths[f"{part}-labels-idx1-ubyte"]
        images = _read(image_file)
        labels = _read(label_file, (image_file, len(images)))
        if labels.max(initial=0) >= CLASSES:
            raise ValueError(f"{label_file}: has a label {labels.max()}, wanted 0 to {CLASSES - 1}")
        _check_data_set(data, label_file, labels, f"{part}-labels-idx1-ubyte")
        parts.append(shaped(images, labels, WHITE, **form))
    return parts[0], parts[1]


def _read(path: Path, labelled: tuple[Path, int] | None = None) -> Array:
    """Read an IDX file of images, or of the labels of so many in another; one to be unzipped is read once."""
    if path.suffix != ".gz":
        return _as_wanted(path, labelled)
    status = path.stat()
    return _unzipped(path.absolute(), status.st_mtime_ns, status.st_size, labelled)


@functools.lru_cache(maxsize=8)
def _unzipped(path: Path, modified: int, size: int, labelled: tuple[Path, int] | None) -> Array:
    """The content of a file as it was then, read-only."""
    array = _as_wanted(path, labelled)
    array.flags.writeable = False
    return array


def _as_wanted(path: Path, labelled: tuple[Path, int] | None) -> Array:
    """Read a file whose header says what is wanted."""

    def check(dtype: np.dtype[Any], shape: tuple[int, ...]) -> None:
        side = () if labelled is not None else (SIDE, SIDE)
        if dtype != np.uint8 or shape[1:] != side:
            wanted = "(N,)" if labelled is not None else f"(N, {SIDE}, {SIDE})"
            raise ValueError(f"holds {dtype} {shape}, wanted uint8 {wanted}")
        if labelled is not None and shape[0] != labelled[1]:
            raise ValueError(f"has {shape[0]} labels, {labelled[0]} has {labelled[1]} images")

    return read_checked(path, check)


def _check_data_set(wanted: DataSet, label_file: Path, labels: Array, name: str) -> None:
    """Refuse another data set's files, which have the same names and forms."""
    import hashlib

    header = np.array([0x0801, len(labels)], dtype=">u4").tobytes()
    checksum = hashlib.sha256(header + labels.tobytes()).hexdigest()
    for data in (MNIST, FASHION_MNIST):
        if data.name != wanted.name and data.checksums[name] == checksum:
            raise ValueError(f"{label_file}: belongs to {data.name}, wanted {wanted.name}")
