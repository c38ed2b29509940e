"""MNIST and Fashion-MNIST: where the files are looked for, downloads, and what is loaded."""

import functools
import gzip
import hashlib
import http.server
import struct
import sys
import threading
from dataclasses import replace

import numpy as np
import pytest

import backprop as bp
from backprop.data import files, mnist

SIZES = {"train": 7, "t10k": 3}


def contents(seed=0):
    rng = np.random.default_rng(seed)
    made = {}
    for part, count in SIZES.items():
        images = rng.integers(0, 256, (count, 28, 28), dtype=np.uint8)
        labels = rng.integers(0, 10, count, dtype=np.uint8)
        made[f"{part}-images-idx3-ubyte"] = struct.pack(">IIII", 0x0803, count, 28, 28) + images.tobytes()
        made[f"{part}-labels-idx1-ubyte"] = struct.pack(">II", 0x0801, count) + labels.tobytes()
    return made


def write(folder, made, zipped=False):
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in made.items():
        packed = gzip.compress(content) if zipped else content
        (folder / (name + ".gz" if zipped else name)).write_bytes(packed)


@pytest.fixture(autouse=True)
def nowhere_else(monkeypatch, tmp_path):
    """No test here sees the user's cache or reaches a mirror."""
    monkeypatch.delenv("BACKPROP_DATA", raising=False)
    monkeypatch.setattr(files, "cache_folder", lambda name: tmp_path / "cache" / name)
    small = {name: hashlib.sha256(content).hexdigest() for name, content in contents().items()}
    monkeypatch.setattr(mnist, "MNIST", replace(mnist.MNIST, checksums=small, mirrors=()))


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("place", ["root", "root/mnist", "environment", "environment/mnist", "cache/mnist"])
def test_where_files_are_found(place, zipped, tmp_path, monkeypatch):
    write(tmp_path / place, contents(), zipped)
    if place.startswith("environment"):
        monkeypatch.setenv("BACKPROP_DATA", str(tmp_path / "environment"))
    root = tmp_path / "root" if place.startswith("root") else None
    (x_train, t_train), (x_test, t_test) = bp.load_mnist(root=root)
    assert (x_train.shape, t_train.shape, x_test.shape, t_test.shape) == ((7, 784), (7,), (3, 784), (3,))


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("place", ["root", "root/mnist", "root/MNIST/raw", "root/raw"])
@pytest.mark.parametrize("form", ["{0}", "{1}", "{0}/{0}", "{1}/{1}"])
def test_files_as_other_programs_leave_them(form, place, zipped, tmp_path):
    """Of 7-Zip and Kaggle the names have a dot; Kaggle's archive has folders, torchvision two of its own."""
    for name, content in contents().items():
        end = ".gz" if zipped else ""
        path = tmp_path / place / form.format(name + end, name.replace("-idx", ".idx") + end)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(gzip.compress(content) if zipped else content)
    (x, t), _ = bp.load_mnist(root=tmp_path / "root")
    assert (x.shape, t.shape) == ((7, 784), (7,))


def test_torchvisions_folders_are_told_apart(tmp_path, monkeypatch):
    write(tmp_path / "FashionMNIST/raw", contents(seed=2))
    with pytest.raises(FileNotFoundError, match="mnist was not found"):
        bp.load_mnist(root=tmp_path)
    assert bp.load_fashion_mnist(root=tmp_path)[0][0].shape == (7, 784)


def test_what_is_unzipped_comes_first(tmp_path):
    write(tmp_path, contents(seed=1), zipped=True)
    write(tmp_path, contents())
    (x, _), _ = bp.load_mnist(root=tmp_path, normalize=False)
    assert x.tobytes() == contents()["train-images-idx3-ubyte"][16:]


def test_a_zipped_file_is_unzipped_once(tmp_path, monkeypatch):
    write(tmp_path, contents(), zipped=True)
    opened = []
    real_class = gzip.GzipFile

    class Counted(real_class):
        def __init__(self, *args, **options):
            opened.append(options["fileobj"].name)
            super().__init__(*args, **options)

    monkeypatch.setattr(gzip, "GzipFile", Counted)
    for normalize in (True, False):
        (x, t), _ = bp.load_mnist(root=tmp_path, normalize=normalize)
        x[...], t[...] = 0, 0  # theirs alone
    (x, t), _ = bp.load_mnist(root=tmp_path, normalize=False)
    assert x.tobytes() == contents()["train-images-idx3-ubyte"][16:]
    assert t.tolist() == list(contents()["train-labels-idx1-ubyte"][8:])
    assert sorted(opened) == sorted(str(path) for path in tmp_path.glob("*.gz"))
    # Another file of the name is read.
    write(
        tmp_path,
        contents(seed=1) | {"train-labels-idx1-ubyte": contents()["train-labels-idx1-ubyte"]},
        zipped=True,
    )
    assert bp.load_mnist(root=tmp_path, normalize=False)[0][0].tobytes() != x.tobytes()


def test_home(tmp_path, monkeypatch):
    write(tmp_path, contents())
    monkeypatch.setenv("HOME", str(tmp_path))
    assert bp.load_mnist(root="~")[0][0].shape == (7, 784)
    monkeypatch.setenv("BACKPROP_DATA", "~")
    assert bp.load_mnist()[0][0].shape == (7, 784)


def test_what_is_missing_of_a_folder_is_said(tmp_path):
    write(tmp_path, dict(list(contents().items())[:3]))
    with pytest.raises(FileNotFoundError, match=f"; in {tmp_path} there is no t10k-labels-idx1-ubyte$"):
        bp.load_mnist(root=tmp_path)


@pytest.mark.parametrize("place", ["environment", "environment/mnist", "cache/mnist"])
def test_a_folder_that_has_all_files_is_found_without_a_download(place, tmp_path, monkeypatch):
    monkeypatch.setenv("BACKPROP_DATA", str(tmp_path / "environment"))
    monkeypatch.setattr(files, "_download", lambda *_: pytest.fail("it downloads"))
    assert files.local_folder(mnist.MNIST) is None
    write(tmp_path / place, dict(list(contents().items())[:3]))
    assert files.local_folder(mnist.MNIST) is None
    write(tmp_path / place, contents())
    folder = files.local_folder(mnist.MNIST)
    assert folder == tmp_path / place
    assert len(bp.load_mnist(root=folder)[0][0]) == 7


def test_root_is_the_only_place_when_it_is_given(tmp_path):
    write(tmp_path / "cache/mnist", contents())
    with pytest.raises(
        FileNotFoundError,
        match="mnist was not found in .*elsewhere/mnist, .*elsewhere/MNIST/raw, .*elsewhere; wanted",
    ):
        bp.load_mnist(root=tmp_path / "elsewhere")


def test_the_form_of_images_and_labels(tmp_path):
    made = contents()
    write(tmp_path, made)
    raw = np.frombuffer(made["train-images-idx3-ubyte"], np.uint8, offset=16).reshape(7, 28, 28)
    labels = np.frombuffer(made["train-labels-idx1-ubyte"], np.uint8, offset=8)
    (x, t), _ = bp.load_mnist(root=tmp_path)
    assert x.dtype == np.float32
    assert np.array_equal(x, raw.reshape(7, 784) / np.float32(255))
    assert t.dtype == np.int64
    assert np.array_equal(t, labels)
    (x, t), _ = bp.load_mnist(False, False, True, root=tmp_path)
    assert x.dtype == np.uint8
    assert np.array_equal(x, raw[:, None])
    assert t.dtype == np.float32
    assert np.array_equal(t, np.eye(10)[labels])


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("train-images-idx3-ubyte", struct.pack(">IIII", 0x0803, 7, 28, 28), "the file ends after 0 of the"),
        (
            "train-images-idx3-ubyte",
            struct.pack(">IIII", 0x0803, 1, 2, 2) + bytes(4),
            r"holds uint8 \(1, 2, 2\), wanted",
        ),
        ("t10k-labels-idx1-ubyte", struct.pack(">II", 0x0801, 2) + bytes(2), "has 2 labels, .* has 3 images"),
        (
            "t10k-labels-idx1-ubyte",
            struct.pack(">II", 0x0801, 3) + b"\0\x0a\0",
            "has a label 10, wanted 0 to 9",
        ),
        (
            "t10k-labels-idx1-ubyte",
            struct.pack(">III", 0x0802, 3, 1) + bytes(3),
            r"holds uint8 \(3, 1\), wanted uint8",
        ),
    ],
)
def test_files_that_are_not_what_their_name_says(name, content, message, tmp_path):
    write(tmp_path, contents() | {name: content})
    with pytest.raises(ValueError, match=f"{name}: {message}"):
        bp.load_mnist(root=tmp_path)


def test_no_images_at_all(tmp_path):
    empty = {"t10k-images-idx3-ubyte": struct.pack(">IIII", 0x0803, 0, 28, 28)}
    write(tmp_path, contents() | empty | {"t10k-labels-idx1-ubyte": struct.pack(">II", 0x0801, 0)})
    _, (x, t) = bp.load_mnist(root=tmp_path)
    assert (x.shape, t.shape) == ((0, 784), (0,))


def test_files_of_the_other_data_set(tmp_path, monkeypatch):
    write(tmp_path, contents())
    monkeypatch.setenv("BACKPROP_DATA", str(tmp_path))
    with pytest.raises(ValueError, match="train-labels-idx1-ubyte: belongs to mnist, wanted fashion-mnist"):
        bp.load_fashion_mnist()


# --- Downloads ------------------------------------------------------------------------------------------------


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture
def server(tmp_path):
    """A server on this machine, for the folder `served`."""
    (tmp_path / "served").mkdir()
    handler = functools.partial(Quiet, directory=str(tmp_path / "served"))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{running.server_address[1]}/"
        running.shutdown()


def use_mirrors(monkeypatch, *mirrors):
    monkeypatch.setattr(mnist, "MNIST", replace(mnist.MNIST, mirrors=mirrors))


def test_a_download_goes_into_the_cache_from_the_first_good_mirror(server, tmp_path, monkeypatch, capfd):
    write(tmp_path / "served/good", contents(), zipped=True)
    write(tmp_path / "served/other", contents(seed=1), zipped=True)
    use_mirrors(monkeypatch, f"{server}missing/", f"{server}other/", f"{server}good/")
    (x, _), _ = bp.load_mnist()
    assert x.shape == (7, 784)
    cached = sorted(path.name for path in (tmp_path / "cache/mnist").iterdir())
    assert cached == sorted(f"{name}.gz" for name in contents())
    use_mirrors(monkeypatch)
    again, _ = bp.load_mnist()
    assert np.array_equal(again[0], x)
    assert capfd.readouterr().out == ""


def test_when_no_mirror_has_the_right_content_nothing_stays(server, tmp_path, monkeypatch):
    write(tmp_path / "served/other", contents(seed=1), zipped=True)
    write(tmp_path / "served/plain", {f"{name}.gz": b"<html>" for name in contents()})
    write(tmp_path / "served/cut", {f"{name}.gz": gzip.compress(c)[:-9] for name, c in contents().items()})
    use_mirrors(monkeypatch, *(f"{server}{name}/" for name in ("missing", "other", "plain", "cut")))
    monkeypatch.setenv("BACKPROP_DATA", str(tmp_path / "gone"))
    with pytest.raises(
        OSError, match="not found in .*gone/mnist, .*gone, .*could not be downloaded"
    ) as error:
        bp.load_mnist()
    for expected in (
        "missing/: 404",
        "other/: the content has SHA-256",
        "plain/: not a whole gzip",
        "cut/: not a whole",
    ):
        assert expected in str(error.value)
    assert list((tmp_path / "cache/mnist").iterdir()) == []


def test_a_download_that_never_ends_is_cut_off(server, tmp_path, monkeypatch):
    write(tmp_path / "served", {name: bytes(5000) for name in contents()}, zipped=True)
    use_mirrors(monkeypatch, server)
    monkeypatch.setattr(files, "LARGEST", 4000)
    with pytest.raises(OSError, match="the content is larger than 4000 bytes"):
        bp.load_mnist()


def test_an_interrupted_download_leaves_nothing(server, tmp_path, monkeypatch):
    write(tmp_path / "served", contents(), zipped=True)
    use_mirrors(monkeypatch, server)

    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(files, "_check", interrupt)
    with pytest.raises(KeyboardInterrupt):
        bp.load_mnist()
    assert list((tmp_path / "cache/mnist").iterdir()) == []


def test_without_pooch(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "pooch", None)
    monkeypatch.setenv("BACKPROP_DATA", str(tmp_path / "gone"))
    with pytest.raises(FileNotFoundError, match=r"not found in .*gone/mnist, .*gone, .*cache/mnist; wanted there.*"
                       r"train-images-idx3-ubyte.*pip install 'bpcore\[data\]'"):  # fmt: skip
        bp.load_mnist()


def test_where_the_cache_is(monkeypatch, tmp_path):
    monkeypatch.undo()
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert files.cache_folder("mnist") == tmp_path / "backprop" / "mnist"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert files.cache_folder("mnist") == tmp_path / ".cache" / "backprop" / "mnist"
    monkeypatch.setattr(sys, "platform", "darwin")
    assert files.cache_folder("mnist") == tmp_path / "Library" / "Caches" / "backprop" / "mnist"


# --- The real files -------------------------------------------------------------------------------------------


def real(load, root):
    (x_train, t_train), (x_test, t_test) = load(root=root)
    assert x_train.shape == (60_000, 784)
    assert x_test.shape == (10_000, 784)
    assert 0 <= x_train.min() < x_train.max() == 1
    return np.bincount(t_train), np.bincount(t_test)


@pytest.fixture
def real_mnist(monkeypatch):
    monkeypatch.undo()


@pytest.mark.mnist
def test_the_real_mnist(mnist_root, real_mnist):
    train, test = real(bp.load_mnist, mnist_root)
    assert train.tolist() == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    assert test.tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    for name, checksum in mnist.MNIST.checksums.items():
        packed = gzip.open if (mnist_root / f"{name}.gz").exists() else open
        path = mnist_root / (f"{name}.gz" if packed is gzip.open else name)
        with packed(path, "rb") as file:
            assert hashlib.sha256(file.read()).hexdigest() == checksum


@pytest.mark.fashion_mnist
def test_the_real_fashion_mnist(fashion_mnist_root, real_mnist):
    train, test = real(bp.load_fashion_mnist, fashion_mnist_root)
    assert train.tolist() == [6000] * 10
    assert test.tolist() == [1000] * 10
