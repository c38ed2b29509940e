"""Files that the package reads and writes: regular files alone; what is written is whole or not there.

a) A file is written beside its place under a name of its own, brought to the disk, then moved there. A symbolic link
   stays and its target is replaced; the permissions of a file that is replaced stay, and its owner and group where
   the process may give files away. A hard link becomes a file of its own; extended attributes go.
b) Who writes a temporary file holds a lock on it (`flock`), which the system drops when the process ends, also by
   SIGKILL. One without a lock was left behind: whoever writes next in the folder removes it.
c) What is no regular file is refused, and so is a file that is read-only.
d) Every error names the path as it was given, never the temporary one.
"""

import contextlib
import errno
import fcntl
import os
import re
import secrets
import stat
from collections.abc import Iterator
from io import BufferedReader, BufferedWriter
from pathlib import Path

KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a FIFO",
    stat.S_IFSOCK: "a socket",
    stat.S_IFBLK: "a block device",
    stat.S_IFCHR: "a character device",
}
TEMPORARY = re.compile(r"\.backprop-[0-9a-f]{16}")


def expanded(path: str | os.PathLike[str]) -> Path:
    """`path` with `~` as the user's home folder."""
    return Path(os.path.expanduser(os.fspath(path)))  # noqa: PTH111  # Path's own raises where there is no home


def require_file(path: Path) -> None:
    """Raise for what cannot be read as a file, and say what it is."""
    try:
        mode = path.stat().st_mode
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ENOTDIR):
            raise FileNotFoundError(f"{path}: there is no such file") from None
        raise OSError(error.errno, error.strerror, os.fspath(path)) from None
    if not stat.S_ISREG(mode):
        raise _no_regular_file(os.fspath(path), mode)
    if not os.access(path, os.R_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), os.fspath(path))


def opened(path: Path) -> BufferedReader:
    """A regular file, open for reading; raises as `require_file`.

    Its size is the one of the file that is open, whatever stands at the path by then.
    """
    require_file(path)
    # A FIFO that has taken its place in the meantime would wait for a writer.
    file = open(path, "rb", opener=lambda name, flags: os.open(name, flags | os.O_NONBLOCK))  # noqa: SIM115
    mode = os.fstat(file.fileno()).st_mode
    if not stat.S_ISREG(mode):
        file.close()
        raise _no_regular_file(os.fspath(path), mode)
    return file


def _no_regular_file(given: str, mode: int) -> OSError:
    return OSError(f"{given}: is {KINDS.get(stat.S_IFMT(mode), 'no file')}, wanted a regular file")


def check_writable(path: str | os.PathLike[str]) -> os.stat_result | None:
    """Raise the error that `write_atomically` would raise before it writes.

    Returns
    -------
    stat_result or None
        Of the file that is there, if one is.

    Raises
    ------
    OSError
        The folder does not exist or cannot be written, or what is at the path is no file that may be replaced.
    """
    given, path = os.fspath(path), expanded(path)
    try:
        found = path.stat()
    except FileNotFoundError:
        found = None
    except OSError as error:
        raise OSError(error.errno, error.strerror, given) from None
    if found is not None and not stat.S_ISREG(found.st_mode):
        raise _no_regular_file(given, found.st_mode)
    if found is not None and not (found.st_mode & stat.S_IWUSR and os.access(path, os.W_OK)):
        raise PermissionError(f"{given}: cannot be written, the file is read-only")
    folder = _real(path).parent
    if not folder.is_dir():
        raise FileNotFoundError(f"{given}: there is no folder {folder}")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise PermissionError(f"{given}: cannot be written, the folder {folder} is read-only")
    return found


def before(path: str | os.PathLike[str]) -> Path:
    """Where the file before the one at `path` may be kept: "run.safetensors" has "run.previous.safetensors"."""
    path = Path(path)
    return path.with_name(f"{path.stem}.previous{path.suffix}")


def write_atomically(
    path: str | os.PathLike[str], content: bytes, kept: str | os.PathLike[str] | None = None
) -> None:
    """Write `content` to `path`; a file that is there is replaced only when the new one is whole.

    Parameters
    ----------
    path : path
    content : bytes
    kept : path, optional
        In the same folder: what becomes of the file that is there, in place of what stands there. At every instant
        there is a whole file at `path`.

    Raises
    ------
    OSError
        As `check_writable`, or the disk is full.
    """
    found = check_writable(path)
    try:
        _replace(_real(expanded(path)), content, found, None if kept is None else expanded(kept))
    except OSError as error:
        raise OSError(error.errno, error.strerror or str(error), os.fspath(path)) from None


def _real(path: Path) -> Path:
    """The path with its symbolic links followed, the last one too: what has to be replaced."""
    return Path(os.path.realpath(path))


def _replace(path: Path, content: bytes, found: os.stat_result | None, kept: Path | None) -> None:
    with temporary(path.parent, 0o666 if found is None else 0o600) as (beside, file):
        if found is not None:
            os.fchmod(file.fileno(), _given_to_owner(file.fileno(), found))
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
        if found is not None and kept is not None:
            _keep(path, kept)
        beside.replace(path)
    _sync_folder(path.parent)


def _keep(path: Path, kept: Path) -> None:
    """Let the file at `path` stand at `kept` too."""
    second = path.parent / f".backprop-{secrets.token_hex(8)}"
    try:
        second.hardlink_to(path)
    except OSError:  # a file system without hard links, where for an instant `kept` alone is there
        path.replace(kept)
    else:
        second.replace(kept)


@contextlib.contextmanager
def temporary(folder: Path, mode: int) -> Iterator[tuple[Path, BufferedWriter]]:
    """A new file in a folder, to be moved to its place; removed if an error leaves it there.

    Parameters
    ----------
    folder : Path
    mode : int
        Its permissions, but for those that the umask takes.
    """
    _remove_abandoned(folder)
    path, handle = _new_and_locked(folder, mode)
    try:
        with open(handle, "wb") as file:  # noqa: PTH123  # a descriptor
            yield path, file
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def _new_and_locked(folder: Path, mode: int) -> tuple[Path, int]:
    """A new file and its descriptor, locked."""
    # Not by `tempfile`: its files are their owner's alone, and what others may do by the umask cannot be found out
    # without changing it for a moment, for every thread of the process.
    while True:
        path = folder / f".backprop-{secrets.token_hex(8)}"  # of a length that any file system takes
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, mode)
        with contextlib.suppress(
            OSError
        ):  # a file system without locks: no file there is taken for left behind
            fcntl.flock(handle, fcntl.LOCK_EX)
        if os.fstat(handle).st_nlink:
            return path, handle
        os.close(handle)  # it was removed before it was locked


def _remove_abandoned(folder: Path) -> None:
    """Remove temporary files whose writers have ended, as far as may be."""
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for path in [folder / entry.name for entry in entries if TEMPORARY.fullmatch(entry.name)]:
            with contextlib.suppress(OSError):
                handle = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK)
                try:
                    if stat.S_ISREG(os.fstat(handle).st_mode):
                        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                        path.unlink()  # names are never used again: it is this file, or gone
                finally:
                    os.close(handle)


def _given_to_owner(handle: int, found: os.stat_result) -> int:
    """Give a file to the owner and the group of another, as far as may be; returns the permissions that it may have."""
    mode = stat.S_IMODE(found.st_mode)
    try:
        os.fchown(handle, -1, found.st_gid)
    except OSError:  # what that group might do, another may do where all may
        mode &= ~(stat.S_IRWXG | stat.S_ISGID) | (mode & stat.S_IRWXO) << 3
    try:
        os.fchown(handle, found.st_uid, -1)
    except OSError:
        mode &= ~stat.S_ISUID
    return mode


def _sync_folder(folder: Path) -> None:
    """Bring a name in a folder to the disk, where the file system can and the folder may be opened.

    The file is whole all the same.
    """
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
