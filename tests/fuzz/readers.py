"""Every reader of foreign files on arbitrary bytes: it returns valid data, or says what is wrong with which file.

`judge` holds one reader to that on one input; `python -m tests.fuzz.readers TARGET` lets atheris (a package for
fuzzing: `pip install atheris`) look for inputs that break it. What it finds belongs into corpus/TARGET.
"""

import argparse
import contextlib
import io
import json
import sys
import tempfile
import tracemalloc
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

CORPUS = Path(__file__).parent / "corpus"
# What readers say no with. Their subclasses, as UnicodeDecodeError, are leaks: they do not name the file.
REFUSALS = (ValueError, TypeError, FileNotFoundError)
# Memory that any input may take, and what a byte of it may: deflate packs at most 1,032 bytes into one.
BYTES, BYTES_A_BYTE = 32 << 20, 2 * 1032
# Characters of a message, however long the file is.
CHARACTERS = 900


def judge(name: str, data: bytes, folder: Path) -> bool:
    """Whether the reader of this name takes these bytes; raises if it breaks its word."""
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        tracing = tracemalloc.is_tracing()
        tracemalloc.start()
        tracemalloc.reset_peak()
        before = tracemalloc.get_traced_memory()[0]
        try:
            TARGETS[name](data, folder)
            taken = True
        except REFUSALS as error:
            refuse_leak(error, folder)
            taken = False
        finally:
            peak = tracemalloc.get_traced_memory()[1] - before
            if not tracing:
                tracemalloc.stop()
    assert not warned, f"it warned: {warned[0].message}"
    assert peak <= BYTES + BYTES_A_BYTE * len(data), f"{peak} bytes of memory for {len(data)} bytes of input"
    return taken


def refuse_leak(error: Exception, folder: Path) -> None:
    """Tell an answer to the user from an error that got out."""
    message = str(error)
    if type(error) not in REFUSALS or f"{folder}/" not in message:
        raise AssertionError(
            f"{type(error).__name__} got out, or does not name the file: {message}"
        ) from error
    assert len(message) <= CHARACTERS, f"a message of {len(message)} characters"


def write(folder: Path, name: str, data: bytes) -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


# --- Data -----------------------------------------------------------------------------------------------------


def idx(data: bytes, folder: Path) -> None:
    from backprop.data.idx import TYPES, read_idx

    array = read_idx(write(folder, "file-idx", data))
    assert array.dtype.isnative
    assert array.dtype in [np.dtype(code).newbyteorder("=") for code in TYPES.values()]
    assert data[:2] == b"\x1f\x8b" or 4 + 4 * array.ndim + array.nbytes == len(data)


def mnist(data: bytes, folder: Path) -> None:
    """The four files of a data set, from one input: two bytes say where the images end and the labels begin."""
    from backprop.data.mnist import load_mnist

    split = 2 + int.from_bytes(data[:2], "big")
    for part in ("train", "t10k"):
        write(folder, f"{part}-images-idx3-ubyte", data[2:split])
        write(folder, f"{part}-labels-idx1-ubyte", data[split:])
    for x, t in load_mnist(one_hot_label=True, root=folder):
        assert x.dtype == t.dtype == np.float32
        assert x.shape == (len(t), 784)
        assert t.shape == (len(x), 10)
        assert (t.sum(axis=1) == 1).all()
        assert 0 <= x.min(initial=0) <= x.max(initial=1) <= 1


def table(path: Path) -> None:
    from backprop.data.tables import read_features, read_table

    read = read_table(path)
    assert read.x.dtype == np.float64
    assert read.x.shape == (len(read.t), len(read.features))
    assert read.x.size
    assert np.isfinite(read.x).all()
    assert read.t.dtype == np.int64
    assert np.array_equal(np.unique(read.t), np.arange(len(read.classes)))
    assert all(read.classes)
    assert len(set(read.classes)) == len(read.classes) >= 2
    "".join((*read.classes, *read.features, read.target)).encode()  # or they could not be printed
    # Without names, counted from the end, which says that the first row is a sample.
    named = read.has_header or path.suffix == ".npz"
    target = read.target if named else f"{int(read.target) - len(read.features) - 1}"
    known = {"header": read.has_header, "classes": read.classes}
    assert np.array_equal(read_features(path, read.features, target, **known), read.x)


def csv(data: bytes, folder: Path) -> None:
    table(write(folder, "data.csv", data))


def npz(data: bytes, folder: Path) -> None:
    table(write(folder, "data.npz", data))


def archive(folder: Path, **members: bytes) -> Path:
    path = folder / "data.npz"
    with zipfile.ZipFile(path, "w") as file:
        for name, content in members.items():
            file.writestr(f"{name}.npy", content)
    return path


def npy(array: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def features(data: bytes, folder: Path) -> None:
    """An archive's `x`, without the checksums around it that hardly a change of a byte survives."""
    table(archive(folder, x=data, t=npy(np.arange(3))))


def labels(data: bytes, folder: Path) -> None:
    """An archive's `t`, likewise."""
    table(archive(folder, x=npy(np.ones((3, 2))), t=data))


# --- Networks -------------------------------------------------------------------------------------------------


def network(data: bytes, folder: Path) -> None:
    """A file of weights: read, used, saved, read again, and given to `backprop predict`."""
    from backprop.network import Network

    path = write(folder, "net", data)
    net = Network.load(path)
    assert net.predict(np.ones((2, net.sizes[0]))).shape == (2, net.sizes[-1])
    assert all(type(key) is str for key in net.metadata)
    net.save(folder / "again")
    again = Network.load(folder / "again")
    assert (repr(again), again.metadata) == (repr(net), net.metadata)
    assert all(np.array_equal(again.params[key], net.params[key], equal_nan=True) for key in net.params)
    samples = write(folder, "data.csv", b"0,1,2,a,b,c\n1,2,3,1,2,3\n4,5,6,4,5,6\n")
    predict(path, samples, (False, True) if net.lastLayer.classifies else (False,))


def predict(model: Path, samples: Path, probabilities: tuple[bool, ...]) -> None:
    from backprop.cli import UserError
    from backprop.cli.predict import run

    for proba in probabilities:
        # Encodes as a terminal does.
        with contextlib.redirect_stdout(io.TextIOWrapper(io.BytesIO(), "utf-8")):
            try:
                assert run(argparse.Namespace(model=model, data=samples, proba=proba, target=None)) == 0
            except UserError as error:
                assert error.__cause__ is not None
                raise error.__cause__ from None


TENSORS = {
    "W1": np.ones((3, 2), np.float32),
    "b1": np.ones(2, np.float32),
    "input_mean": np.array(0.0),
    "input_scale": np.array(1.0),
}


def description(data: bytes, folder: Path) -> None:
    """The text in a file of weights whose tensors are those of a network with the sizes 3 and 2."""
    from safetensors.numpy import save

    network(save(TENSORS, {"backprop": data.decode("utf-8", "replace")}), folder)


def names(data: bytes, folder: Path) -> None:
    """What such a file says of features and classes, a line each."""
    feature_names, _, classes = data.decode("utf-8", "replace").partition("\n")
    usual = {"format": "backprop network 1", "sizes": [3, 2], "activation": "relu", "loss": "softmax"}
    metadata = {"features": feature_names, "classes": classes}
    description(json.dumps(usual | {"dtype": "float32", "metadata": metadata}).encode(), folder)


def tensors(data: bytes, folder: Path) -> None:
    """The list of tensors at the head of a file of weights, with the zeros of 48 bytes behind it."""
    network(len(data).to_bytes(8, "little") + data + bytes(48), folder)


TARGETS: dict[str, Callable[[bytes, Path], None]] = {
    target.__name__: target
    for target in (idx, mnist, csv, npz, features, labels, network, description, names, tensors)
}


# --- Fuzzing --------------------------------------------------------------------------------------------------


def main() -> None:
    """Fuzz one target; leaves with a status other than 0 at the first finding."""
    import atheris

    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.readers", description=main.__doc__)
    parser.add_argument("target", choices=TARGETS)
    parser.add_argument("corpus", nargs="?", type=Path, help="where inputs worth keeping go, findings too")
    parser.add_argument("--seconds", type=int, default=15, help="how long (15; 0: until it is interrupted)")
    arguments, flags = parser.parse_known_intermixed_args()

    with atheris.instrument_imports(include=["backprop"]):
        pass

    corpus = arguments.corpus or Path(tempfile.mkdtemp(prefix=f"fuzz-{arguments.target}-"))
    corpus.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=f"judged-{arguments.target}-"))
    limits = [
        f"-max_total_time={arguments.seconds}",
        "-timeout=10",
        "-rss_limit_mb=1024",
        "-max_len=4096",
        "-len_control=0",
    ]
    seeds = CORPUS / arguments.target
    command = [sys.argv[0], *limits, f"-artifact_prefix={corpus}/", *flags, str(corpus), str(seeds)]
    tracemalloc.start()  # for all inputs: Python loses some memory each time it is started and stopped
    atheris.Setup(command, lambda data: judge(arguments.target, data, folder) and None)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
