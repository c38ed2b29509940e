"""Files that the package writes: whole or not at all, and nothing but a regular file is replaced.

a) A file is written beside its place under a name of its own, brought to the disk, then moved there. A symbolic link
   stays and its target is replaced; the permissions of a file that is replaced stay, and its owner and group where
   the process may give files away. A hard link becomes a file of its own; extended attributes go.
b) A character device is written to. What else is no regular file is refused, and so is a file that is read-only.
c) Every error names the path as it was given, never the temporary one.
"""

import contextlib
import errno
import os
import secrets
import stat
from pathlib import Path

KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a FIFO",
    stat.S_IFSOCK: "a socket",
    stat.S_IFBLK: "a block device",
    stat.S_IFCHR: "a character device",
}


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
    if found is not None and not stat.S_ISREG(found.st_mode) and not stat.S_ISCHR(found.st_mode):
        raise _no_regular_file(given, found.st_mode)
    if found is not None and not (found.st_mode & stat.S_IWUSR and os.access(path, os.W_OK)):
        raise PermissionError(f"{given}: cannot be written, the file is read-only")
    if found is None or stat.S_ISREG(found.st_mode):
        folder = _real(path).parent
        if not folder.is_dir():
            raise FileNotFoundError(f"{given}: there is no folder {folder}")
        if not os.access(folder, os.W_OK | os.X_OK):
            raise PermissionError(f"{given}: cannot be written, the folder {folder} is read-only")
    return found


def write_atomically(path: str | os.PathLike[str], content: bytes) -> None:
    """Write `content` to `path`; a file that is there is replaced only when the new one is whole.

    Raises
    ------
    OSError
        As `check_writable`, or the disk is full.
    """
    found = check_writable(path)
    try:
        if found is not None and stat.S_ISCHR(found.st_mode):
            with expanded(path).open("wb") as device:
                device.write(content)
        else:
            _replace(_real(expanded(path)), content, found)
    except OSError as error:
        raise OSError(error.errno, error.strerror or str(error), os.fspath(path)) from None


def _real(path: Path) -> Path:
    """The path with its symbolic links followed, the last one too: what has to be replaced."""
    return Path(os.path.realpath(path))


def _replace(path: Path, content: bytes, found: os.stat_result | None) -> None:
    # Not by `tempfile`: its files are their owner's alone, and what others may do by the umask cannot be found out
    # without changing it for a moment, for every thread of the process.
    temporary = path.parent / f".backprop-{secrets.token_hex(8)}"  # of a length that any file system takes
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666 if found is None else 0o600)
    try:
        with open(handle, "wb") as file:  # noqa: PTH123  # a descriptor
            if found is not None:
                os.fchmod(file.fileno(), _given_to_owner(file.fileno(), found))
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


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
