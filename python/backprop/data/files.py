"""Where the files of a data set are: a folder that was named, the user's cache, or the network.

a) A file counts as found under its name, with `.gz`, with a dot before `idx` as 7-Zip and some archives have it, and
   in a folder of its own name; a folder counts as torchvision leaves it, too.
b) A download is checked by the SHA-256 of its unzipped content, since mirrors pack the same content into
   different gzip files. It is written beside its place and moved there when it is whole.
"""

import os
import sys
from dataclasses import dataclass
from pathlib import Path

from backprop._util.files import expanded, temporary

# More than any file here unpacks to; a download that goes on beyond it is not what was asked for.
LARGEST = 1 << 27


@dataclass(frozen=True)
class DataSet:
    """A data set's name, torchvision's folder of it, each unzipped file's SHA-256, and where it can be downloaded."""

    name: str
    torchvision: str
    checksums: dict[str, str]
    mirrors: tuple[str, ...]


def cache_folder(name: str) -> Path | None:
    """Where downloads of a data set are kept for this user; None where no home folder is known."""
    try:
        return _cache() / "backprop" / name
    except RuntimeError:  # neither $HOME nor the system says where it is
        return None


def _cache() -> Path:
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches"
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")


def locate(data: DataSet, root: str | os.PathLike[str] | None) -> dict[str, Path]:
    """Find every file of a data set, downloading it as the last resort.

    Parameters
    ----------
    data : DataSet
    root : path or None
        The one folder to look in. None stands for `$BACKPROP_DATA`, then the user's cache, then a download.

    Raises
    ------
    FileNotFoundError
        The files are nowhere, and pooch, which downloads them, is not installed.
    OSError
        No mirror gave the right content.
    """
    folders = _folders(data, root)
    for folder in folders:
        found = _files_in(folder, data)
        if len(found) == len(data.checksums):
            return found
    if root is not None:
        raise FileNotFoundError(_missing(data, folders))
    return _download(data, folders)


def local_folder(data: DataSet) -> Path | None:
    """Where the files are without a download: what to give as `root`, or None if no folder has all of them."""
    wanted = len(data.checksums)
    return next((folder for folder in _folders(data, None) if len(_files_in(folder, data)) == wanted), None)


def _folders(data: DataSet, root: str | os.PathLike[str] | None) -> list[Path]:
    """Where to look, the likelier first."""
    named = os.environ.get("BACKPROP_DATA") if root is None else root
    folders = []
    if named:
        folder = expanded(named)
        # The data set's own folders first: two data sets may have files of the same names.
        folders = [folder / data.name, folder / data.torchvision / "raw", folder / "raw", folder]
    cache = cache_folder(data.name)
    if root is None and cache is not None:
        folders.append(cache)
    return folders


def _files_in(folder: Path, data: DataSet) -> dict[str, Path]:
    found = {}
    for file in data.checksums:
        # What is unzipped first.
        names = [name + end for end in ("", ".gz") for name in (file, file.replace("-idx", ".idx"))]
        paths = [folder / name for name in names] + [folder / name / name for name in names]
        path = next((path for path in paths if path.is_file()), None)
        if path is not None:
            found[file] = path
    return found


def _missing(data: DataSet, folders: list[Path]) -> str:
    wanted = ", ".join(data.checksums)
    parts = [(folder, _files_in(folder, data)) for folder in folders]
    some = [
        f"; in {folder} there is no {', '.join(file for file in data.checksums if file not in found)}"
        for folder, found in parts
        if found
    ]
    places = ", ".join(map(str, folders)) or "$BACKPROP_DATA, which is not set, and there is no home folder"
    return f"{data.name} was not found in {places}; wanted there, gzipped or not: {wanted}{''.join(some)}"


def _download(data: DataSet, folders: list[Path]) -> dict[str, Path]:
    try:
        from pooch import HTTPDownloader
    except ImportError:
        raise FileNotFoundError(
            f"{_missing(data, folders)}; or let it be downloaded: pip install 'bpcore[data]'"
        ) from None
    folder = cache_folder(data.name)
    if folder is None:
        raise FileNotFoundError(
            f"{_missing(data, folders)}; to download it, a folder is needed: set HOME or XDG_CACHE_HOME"
        )
    folder.mkdir(parents=True, exist_ok=True)
    found = _files_in(folder, data)
    for file, checksum in data.checksums.items():
        if file not in found:
            try:
                found[file] = _fetch(file, checksum, data.mirrors, folder, HTTPDownloader(progressbar=False))
            except OSError as error:
                raise OSError(f"{_missing(data, folders)}; {error}") from None
    return found


def _fetch(file: str, checksum: str, mirrors: tuple[str, ...], folder: Path, download) -> Path:  # type: ignore[no-untyped-def]  # pooch ships no types
    """Bring one file into `folder` from the first mirror whose content is right."""
    answers = []
    for mirror in mirrors:
        try:
            with temporary(folder, 0o600) as (beside, content):
                download(f"{mirror}{file}.gz", content, None)
                content.flush()
                _check(beside, checksum)
                return beside.replace(folder / f"{file}.gz")
        except (OSError, ValueError) as error:  # requests' exceptions are OSErrors
            answers.append(f"{mirror}: {error}")
    raise OSError(f"{file} could not be downloaded; {'; '.join(answers)}")


def _check(path: Path, checksum: str) -> None:
    """Compare the SHA-256 of a gzip file's content."""
    import gzip
    import hashlib
    import zlib

    digest, size = hashlib.sha256(), 0
    try:
        with gzip.open(path) as file:
            while chunk := file.read(1 << 20):
                digest.update(chunk)
                size += len(chunk)
                if size > LARGEST:
                    raise ValueError(f"the content is larger than {LARGEST} bytes")
    except (gzip.BadGzipFile, zlib.error, EOFError) as error:
        raise ValueError(f"not a whole gzip file: {error}") from None
    if digest.hexdigest() != checksum:
        raise ValueError(f"the content has SHA-256 {digest.hexdigest()}, wanted {checksum}")
