"""Event files of TensorBoard, written without it.

An event file is a row of records (TFRecord): the length in 8 bytes, its checksum, the message, its checksum. A message
is an `Event` of TensorFlow's event.proto in protocol-buffer encoding: wall_time = 1 (double), step = 2 (varint),
file_version = 3 (text), summary = 5; that has values = 1, each with tag = 1 (text) and simple_value = 2 (float).
"""

import os
import secrets
import struct
import time
from collections.abc import Sequence

import numpy as np

from backprop._util.files import expanded
from backprop._util.names import named_arguments
from backprop.training.callbacks import Running
from backprop.training.logs.base import Log, Row
from backprop.training.logs.log_file import LogFile

FILE_VERSION = b"brain.Event:2"
# Castagnoli's polynomial, x³² left out, its bits from low to high (RFC 3720, appendix B.4).
POLYNOMIAL = 0x82F63B78


class TensorBoard(Log):
    """Write a curve for each recorded number as TensorBoard shows them: `tensorboard --logdir folder`.

    The curves are over the step: learning_rate, loss, train_accuracy and so on, named as for `CSVLog`; epoch and
    seconds are left out, since TensorBoard has the time of every point. Nothing needs to be installed to write them.
    Each `fit` writes a file of its own in the folder. Where a run that goes on by `continue_from` takes steps again,
    TensorBoard hides the points that were there of them.

    Parameters
    ----------
    folder : path
        It is made if it is not there. One for each run: TensorBoard names the curves after it.
    every : int, optional
        Points after each so many steps, too.

    Raises
    ------
    ValueError
        By `fit`, before the first step: the log is in use.
    OSError
        By `fit`: the folder cannot be written.
    """

    @named_arguments
    def __init__(self, folder: str | os.PathLike[str], *, every: int | None = None) -> None:
        super().__init__(folder, every)

    def __repr__(self) -> str:
        return f"TensorBoard({self.path!r}{f', every={self.every}' if self.every else ''})"

    def _open(self, run: Running, columns: Sequence[str], past: Sequence[Row]) -> int:
        folder = expanded(self.path)
        folder.mkdir(parents=True, exist_ok=True)
        # TensorBoard takes what has "tfevents" in its name, and reads files in the order of their names.
        name = f"events.out.tfevents.{time.time_ns() // 10**9:010d}.{secrets.token_hex(8)}"
        self._file = LogFile(os.fspath(folder / name), b"", _no_row, 0, (), False)
        self._file.append(record(event(time.time(), 0, file_version=FILE_VERSION)))
        if not run.step:
            return 0
        # What begins at a step anew: session_log = 7, whose status = 1 is START = 1.
        self._file.append(record(event(time.time(), run.step + 1) + _bytes(7, _varint(1, 1))))
        return run.step  # the rows up to it are in the files before

    def _write(self, values: Sequence[float | None]) -> None:
        found = dict(zip(self._columns, values, strict=True))
        step = int(found["step"] or 0)
        curves = {
            name: value
            for name, value in found.items()
            if value is not None and name not in ("epoch", "step", "seconds")
        }
        self._file.append(record(event(time.time(), step, curves=curves)))

    def _close(self) -> None:
        if "_file" in vars(self):
            self._file.close()
            del self._file


def event(
    wall_time: float, step: int, *, file_version: bytes = b"", curves: dict[str, float] | None = None
) -> bytes:
    """An `Event`, encoded."""
    found = struct.pack("<Bd", 1 << 3 | 1, wall_time) + _varint(2, step)
    if file_version:
        found += _bytes(3, file_version)
    for name, value in (curves or {}).items():
        with np.errstate(over="ignore"):
            number = struct.pack("<B4s", 2 << 3 | 5, np.array(value, "<f4").tobytes())
        found += _bytes(5, _bytes(1, _bytes(1, name.encode()) + number))
    return found


def record(message: bytes) -> bytes:
    """A message between its length and the checksums."""
    length = struct.pack("<Q", len(message))
    return length + _masked(length) + message + _masked(message)


def crc32c(data: bytes) -> int:
    """CRC-32C, of Castagnoli."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc = _TABLE[(crc ^ byte) & 0xFF] ^ crc >> 8
    return crc ^ 0xFFFFFFFF


def _masked(data: bytes) -> bytes:
    """The checksum as records have it: turned by 15 bits, and a constant added."""
    crc = crc32c(data)
    return struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)


def _varint(field: int, value: int) -> bytes:
    return bytes([field << 3]) + _groups(value)


def _bytes(field: int, content: bytes) -> bytes:
    return bytes([field << 3 | 2]) + _groups(len(content)) + content


def _groups(value: int) -> bytes:
    """A whole number in groups of 7 bits, from low to high; all but the last have the bit 128."""
    found = bytearray()
    while value > 127:
        found.append(value & 127 | 128)
        value >>= 7
    return bytes([*found, value])


def _entry(byte: int) -> int:
    for _ in range(8):
        byte = byte >> 1 ^ (POLYNOMIAL if byte & 1 else 0)
    return byte


_TABLE = tuple(map(_entry, range(256)))


def _no_row(line: bytes) -> tuple[int, bytes]:
    raise ValueError("an event file is never read")
