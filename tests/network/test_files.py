"""What the package writes: whole or not at all, and nothing but a regular file is replaced."""

import errno
import os
import socket
import stat

import pytest

import backprop as bp
from backprop import _files, graph
from backprop.data import read_features, read_idx


def save_network(path):
    bp.Network([2, 2], seed=0).save(path)


def save_drawing(path):
    graph.variable(2.0, "two").draw(path)


# The same way leads to every file of ours.
WRITERS = [save_network, save_drawing]
each_writer = pytest.mark.parametrize("write", WRITERS)


@pytest.fixture
def name(write):
    return "net.svg" if write is save_drawing else "net"


@each_writer
@pytest.mark.parametrize("kind", ["folder", "FIFO", "socket"])
def test_what_is_no_regular_file_is_refused(write, kind, name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # a socket's path may be short only
    with socket.socket(socket.AF_UNIX) as one:
        {"folder": os.mkdir, "FIFO": os.mkfifo, "socket": one.bind}[kind](name)
        before = os.lstat(name)
        with pytest.raises(OSError, match=rf"^{name}: is a {kind}, wanted a regular file"):
            write(name)
        assert os.lstat(name) == before
        assert os.listdir() == [name]


@each_writer
def test_a_device_is_written_to(write, name, tmp_path):
    device = tmp_path / name
    if os.geteuid() == 0:
        os.mknod(device, 0o666 | stat.S_IFCHR, os.makedev(1, 3))
    else:
        device.symlink_to("/dev/null")
    write(device)
    assert stat.S_ISCHR(os.stat(device).st_mode)
    assert os.listdir(tmp_path) == [name]


@each_writer
@pytest.mark.parametrize("there", [True, False])
def test_a_link_stays_and_its_target_is_replaced(write, there, name, tmp_path):
    (tmp_path / "else").mkdir()
    target, link = tmp_path / "else" / name, tmp_path / name
    if there:
        target.write_bytes(b"old")
    link.symlink_to(os.path.join("else", name))
    write(link)
    assert link.is_symlink()
    assert not target.is_symlink()
    assert len(target.read_bytes()) > 3
    assert os.listdir(tmp_path / "else") == [name]


@each_writer
@pytest.mark.parametrize("mode", [0o600, 0o664, 0o755])
def test_permissions_stay(write, mode, name, tmp_path):
    path = tmp_path / name
    path.write_bytes(b"old")
    path.chmod(mode)
    write(path)
    assert path.read_bytes() != b"old"
    assert stat.S_IMODE(path.stat().st_mode) == mode


@each_writer
def test_a_read_only_file_is_refused(write, name, tmp_path):
    path = tmp_path / name
    path.write_bytes(b"old")
    path.chmod(0o444)
    with pytest.raises(PermissionError, match=f"{name}: cannot be written, the file is read-only"):
        write(path)
    assert path.read_bytes() == b"old"


@each_writer
def test_home(write, name, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    write(f"~/{name}")
    assert os.listdir(tmp_path) == [name]


def test_home_when_reading(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    save_network("~/net")
    assert bp.Network.load("~/net").sizes == (2, 2)
    graph.variable(2.0, "two").frames("~")
    assert "frame-01.svg" in os.listdir(tmp_path)


@each_writer
@pytest.mark.parametrize("path", ["~nobody-of-this-name/{}", "gone/{}", "net/{}"])
def test_an_error_names_the_path_as_given(write, path, name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "net").write_bytes(b"a file, no folder")
    path = path.format(name)
    with pytest.raises(OSError, match=path) as caught:
        write(path)
    assert ".backprop-" not in str(caught.value)
    assert os.listdir(tmp_path) == ["net"]


@each_writer
def test_a_long_name(write, name, tmp_path):
    path = tmp_path / ("n" * (255 - len(name)) + name)  # what file systems allow
    write(path)
    assert os.listdir(tmp_path) == [path.name]
    path = tmp_path / ("n" * 256 + name)
    with pytest.raises(OSError, match=path.name) as caught:
        write(path)
    assert caught.value.errno == errno.ENAMETOOLONG


@each_writer
def test_a_full_disk(write, name, tmp_path, monkeypatch):
    def full(_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    path = tmp_path / name
    path.write_bytes(b"old")
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match=rf"{os.strerror(errno.ENOSPC)}: '{path}'"):
        write(path)
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == [name]


@each_writer
def test_a_folder_that_may_not_be_listed(write, name, tmp_path, monkeypatch):
    """What is written there is whole all the same; root may list every folder, so the system's answer is given here."""
    real = os.open

    def refused(path, flags, *more, **options):
        if os.path.isdir(path):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), os.fspath(path))
        return real(path, flags, *more, **options)

    monkeypatch.setattr(os, "open", refused)
    write(tmp_path / name)
    monkeypatch.undo()
    assert os.listdir(tmp_path) == [name]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files to others")
@each_writer
def test_the_owner_stays(write, name, tmp_path):
    path = tmp_path / name
    path.write_bytes(b"old")
    path.chmod(0o4750)
    os.chown(path, 12345, 23456)
    path.chmod(0o4750)  # to give a file to another owner drops the first of these bits
    write(path)
    after = path.stat()
    assert (after.st_uid, after.st_gid, stat.S_IMODE(after.st_mode)) == (12345, 23456, 0o4750)


@each_writer
def test_an_owner_that_cannot_stay(write, name, tmp_path, monkeypatch):
    """Whoever may write in a folder may replace another's file; what its group may do is not given to another group."""

    def refused(*_):
        raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))

    path = tmp_path / name
    path.write_bytes(b"old")
    path.chmod(0o664)
    found = path.stat()
    other = os.stat_result((*found[:4], found.st_uid + 1, found.st_gid + 1, *found[6:]))
    monkeypatch.setattr(_files, "check_writable", lambda _: other)
    monkeypatch.setattr(os, "fchown", refused)
    write(path)
    assert path.read_bytes() != b"old"
    assert stat.S_IMODE(path.stat().st_mode) == 0o644


READERS = {
    "load": lambda path: bp.Network.load(path),
    "csv": lambda path: read_features(path.with_suffix(".csv"), ["a"]),
    "npz": lambda path: read_features(path.with_suffix(".npz"), ["a"]),
    "idx": lambda path: read_idx(path),
}


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("kind", ["folder", "FIFO"])
def test_what_cannot_be_read_is_called_what_it_is(reader, kind, tmp_path):
    path = tmp_path / ("one" if reader in ("load", "idx") else f"one.{reader}")
    {"folder": os.mkdir, "FIFO": os.mkfifo}[kind](path)
    with pytest.raises(OSError, match=rf"one(.csv|.npz)?: is a {kind}, wanted a regular file"):
        READERS[reader](path)


@pytest.mark.parametrize("reader", READERS)
def test_what_is_not_there(reader, tmp_path):
    (tmp_path / "file").write_bytes(b"")
    for path in (tmp_path / "gone", tmp_path / "file" / "gone"):
        with pytest.raises(FileNotFoundError, match=r"gone(.csv|.npz)?: there is no such file"):
            READERS[reader](path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write in every folder")
def test_a_folder_that_may_not_be_written_is_found_before(tmp_path):
    tmp_path.chmod(0o555)
    with pytest.raises(PermissionError, match="the folder .* is read-only"):
        _files.check_writable(tmp_path / "net")


def test_a_loop_of_links(tmp_path):
    (tmp_path / "net").symlink_to("net")
    with pytest.raises(OSError, match=str(tmp_path / "net")):
        save_network(tmp_path / "net")
    assert (tmp_path / "net").is_symlink()
