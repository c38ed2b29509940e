"""What the package writes: whole or not at all, and nothing but a regular file is replaced."""

import errno
import os
import shutil
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest

import backprop as bp
from backprop import graph
from backprop._util import files as _files
from backprop.data import read_features, read_idx

ROOT = Path(__file__).parents[2]


def save_network(path):
    bp.Network([2, 2], seed=0).save(path)


def save_drawing(path):
    graph.variable(2.0, "two").draw(path)


# The same way leads to every file of ours.
WRITERS = {"network": save_network, "drawing": save_drawing}
each_writer = pytest.mark.parametrize("write", WRITERS.values())


def device(path):
    """An endless file of zeros: a node where that may be made, else a link to the system's."""
    if os.geteuid() == 0:
        os.mknod(path, 0o666 | stat.S_IFCHR, os.makedev(1, 5))
    else:
        os.symlink("/dev/zero", path)


@pytest.fixture
def name(write):
    return "net.svg" if write is save_drawing else "net"


@each_writer
@pytest.mark.parametrize("kind", ["folder", "FIFO", "socket", "character device"])
def test_what_is_no_regular_file_is_refused(write, kind, name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # a socket's path may be short only
    with socket.socket(socket.AF_UNIX) as one:
        makers = {"folder": os.mkdir, "FIFO": os.mkfifo, "socket": one.bind, "character device": device}
        makers[kind](name)
        before = os.lstat(name)
        with pytest.raises(OSError, match=rf"^{name}: is a {kind}, wanted a regular file"):
            write(name)
        assert os.lstat(name) == before
        assert os.listdir() == [name]


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


# A limit of the size of files, which the system holds to as it does to the size of a disk.
FULL = """
import os, resource, sys
from tests.network.test_files import WRITERS

write, path = WRITERS[sys.argv[1]], sys.argv[2]
_, most = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (64, most))
try:
    write(path)
except OSError as error:
    print(error.errno, error)
resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
print(*os.listdir(os.path.dirname(path)), open(path, "rb").read() == b"old")
write(path)
print(os.path.getsize(path) > 64)
"""


@pytest.mark.parametrize("write", WRITERS)
def test_a_file_that_finds_no_room(write, tmp_path):
    path = tmp_path / ("net.svg" if write == "drawing" else "net")
    path.write_bytes(b"old")
    done = subprocess.run(
        [sys.executable, "-c", FULL, write, path], cwd=ROOT, capture_output=True, text=True, check=True
    )
    said, there, whole = done.stdout.splitlines()
    assert said == f"{errno.EFBIG} [Errno {errno.EFBIG}] {os.strerror(errno.EFBIG)}: '{path}'"
    assert there == f"{path.name} True"
    assert whole == "True"


# A file system of 64 kB of its own, in a name space where one may mount it.
DISK = """
mount -t tmpfs -o size=64k none "$1" && exec "$0" -c '
import os, sys
import numpy as np, backprop as bp

small, large = bp.Network([4, 3], seed=0), bp.Network([100, 200], seed=0)
x = np.ones((2, 100))
before = large.predict(x)
os.chdir(sys.argv[1])
small.save("net")
try:
    large.save("net")
except OSError as error:
    print(error)
print(*os.listdir(), bp.Network.load("net").sizes, (large.predict(x) == before).all())
small.save("net")
' "$1"
"""
UNSHARE = ["unshare", "--user", "--map-root-user", "--mount"]


def mounts():
    """Whether this process may mount a file system for its own."""
    if shutil.which("unshare") is None:
        return False
    return (
        subprocess.run([*UNSHARE, "mount", "-t", "tmpfs", "none", "/mnt"], capture_output=True).returncode
        == 0
    )


@pytest.mark.skipif(not mounts(), reason="no file system may be mounted here")
def test_a_full_disk(tmp_path):
    done = subprocess.run(
        [*UNSHARE, "sh", "-c", DISK, sys.executable, tmp_path], capture_output=True, text=True, check=True
    )
    said, there = done.stdout.splitlines()
    assert said == f"[Errno {errno.ENOSPC}] {os.strerror(errno.ENOSPC)}: 'net'"
    assert there == "net (4, 3) True"


@each_writer
def test_file_and_folder_are_brought_to_the_disk(write, name, tmp_path, monkeypatch):
    real, synced = os.fsync, []

    def recorded(handle):
        synced.append("folder" if stat.S_ISDIR(os.fstat(handle).st_mode) else os.listdir(tmp_path))
        real(handle)

    monkeypatch.setattr(os, "fsync", recorded)
    write(tmp_path / name)
    monkeypatch.undo()
    (beside,), folder = synced
    assert beside != name, "the file, before it has its name"
    assert folder == "folder"
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


# A process that writes a file and does not get to its end.
HALF_WRITTEN = """
import sys
from pathlib import Path
from backprop._util.files import temporary

with temporary(Path(sys.argv[1]), 0o600) as (path, file):
    print(path.name, flush=True)
    sys.stdin.readline()
"""


@each_writer
def test_what_a_killed_writer_left_goes_and_what_is_being_written_stays(write, name, tmp_path):
    command = [sys.executable, "-c", HALF_WRITTEN, tmp_path]
    streams = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, **streams) as killed, subprocess.Popen(command, **streams) as running:
        left, used = killed.stdout.readline().strip(), running.stdout.readline().strip()
        write(tmp_path / name)
        assert sorted(os.listdir(tmp_path)) == sorted([name, left, used])
        killed.kill()
        killed.wait()
        write(tmp_path / name)
        assert sorted(os.listdir(tmp_path)) == sorted([name, used])
        running.communicate("\n")
    assert running.returncode == 0


def test_others_files_are_left_alone(tmp_path):
    names = [".backprop-0123456789abcde", ".backprop-notes", "x.backprop-0123456789abcdef"]
    for one in names:
        (tmp_path / one).write_bytes(b"")
    for n, make in enumerate((os.mkdir, os.mkfifo, lambda path: os.symlink("net", path))):
        names.append(f".backprop-{n:016x}")
        make(tmp_path / names[-1])
    save_network(tmp_path / "net")
    save_network(tmp_path / "net")
    assert sorted(os.listdir(tmp_path)) == sorted([*names, "net"])


READERS = {
    "load": lambda path: bp.Network.load(path),
    "csv": lambda path: read_features(path.with_suffix(".csv"), ["a"]),
    "npz": lambda path: read_features(path.with_suffix(".npz"), ["a"]),
    "idx": lambda path: read_idx(path),
}


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("kind", ["folder", "FIFO", "character device"])
@pytest.mark.parametrize("linked", [False, True])
def test_what_cannot_be_read_is_called_what_it_is(reader, kind, linked, tmp_path):
    path = tmp_path / ("one" if reader in ("load", "idx") else f"one.{reader}")
    there = tmp_path / "there" if linked else path
    {"folder": os.mkdir, "FIFO": os.mkfifo, "character device": device}[kind](there)
    if linked:
        path.symlink_to(there)
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
