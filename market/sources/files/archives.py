"""Bytes out of a CSV, gzip or zip file, in bounded blocks of whole lines, whatever the file claims to be."""

from __future__ import annotations

import gzip
import zipfile
import zlib
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_ZIP: Final = b"PK\x03\x04"
_EMPTY_ZIP: Final = b"PK\x05\x06"
_GZIP: Final = b"\x1f\x8b"
_BLOCK: Final = 1 << 20


class FileRefusedError(ValueError):
    """Nothing of this file is imported; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a file may unfold to before it is refused [bytes]."""

    unpacked: int = 2 << 30
    # CSV of numbers packs 3 to 12 times; deflate's own limit is 1,032.
    ratio: int = 100
    # Small files may pack better: the ratio counts from here on.
    ratio_from: int = 16 << 20
    members: int = 2_000
    line: int = 4_096
    faults: int = 10_000


LIMITS: Final = Limits()


@dataclass(frozen=True, slots=True)
class Member:
    """One CSV inside a file; ``name`` is its own name, or the file's."""

    name: str
    number: int
    blocks: Iterator[bytes]


def members(path: Path, limits: Limits = LIMITS) -> Iterator[Member]:
    """Yield the CSV members of a file, each as blocks of whole lines; consume one before asking for the next.

    Raises FileRefusedError for what is truncated, damaged, encrypted, too large or not text.
    """
    with _refusing(path.name), path.open("rb") as file:
        magic = file.read(4)
        file.seek(0)
        size = path.stat().st_size
        if magic in {_ZIP, _EMPTY_ZIP}:
            yield from _zip_members(file, path.name, limits)
        elif magic.startswith(_GZIP):
            with gzip.open(file) as stream:
                yield Member(path.name, 0, _blocks(stream, path.name, size, limits))
        else:
            yield Member(path.name, 0, _blocks(file, path.name, None, limits))


def _zip_members(file: IO[bytes], name: str, limits: Limits) -> Iterator[Member]:
    with _refusing(name), zipfile.ZipFile(file) as archive:
        infos = [info for info in archive.infolist() if not info.is_dir() and not info.filename.startswith("__MACOSX/")]
    if not infos:
        raise FileRefusedError(f"{name}: the archive holds no file.")
    if len(infos) > limits.members:
        raise FileRefusedError(f"{name}: the archive holds {len(infos):,} files; {limits.members:,} are allowed.")
    _check_size(name, sum(info.file_size for info in infos), sum(info.compress_size for info in infos), limits)
    with zipfile.ZipFile(file) as archive:
        for number, info in enumerate(infos):
            with _refusing(name), archive.open(info) as stream:
                yield Member(
                    info.filename.rsplit("/", 1)[-1], number, _blocks(stream, name, info.compress_size, limits)
                )


def _blocks(stream: IO[bytes] | gzip.GzipFile, name: str, packed: int | None, limits: Limits) -> Iterator[bytes]:
    """Read to the end in blocks that end with a line; check every bound on the way, not the header's word for it."""
    unpacked, rest = 0, b""
    while True:
        with _refusing(name):
            block = stream.read(_BLOCK)
        if not block:
            break
        unpacked += len(block)
        _check_size(name, unpacked, packed, limits)
        if b"\x00" in block:
            raise FileRefusedError(f"{name}: this is not a text file (it holds NUL bytes).")
        head, newline, tail = (rest + block).rpartition(b"\n")
        rest = tail
        if max(len(rest), _longest_line(head)) > limits.line:
            raise FileRefusedError(
                f"{name}: a line is longer than {limits.line:,} bytes; this is not a table of market data."
            )
        if newline:
            yield head + newline
    if rest:
        yield rest + b"\n"


def _longest_line(lines: bytes) -> int:
    ends = np.flatnonzero(np.frombuffer(lines, dtype=np.uint8) == ord("\n"))
    return int(np.diff(ends, prepend=-1, append=len(lines)).max()) - 1


def _check_size(name: str, unpacked: int, packed: int | None, limits: Limits) -> None:
    if unpacked > limits.unpacked:
        raise FileRefusedError(f"{name}: unpacks to more than {limits.unpacked:,} bytes; split it into smaller files.")
    if packed is not None and unpacked > limits.ratio_from and unpacked > limits.ratio * packed:
        raise FileRefusedError(
            f"{name}: unpacks to more than {limits.ratio} times its size; no table of market data does."
        )


@contextmanager
def _refusing(name: str) -> Iterator[None]:
    """Turn what the unpackers raise on a damaged archive into a refusal."""
    try:
        yield
    except EOFError as error:
        raise FileRefusedError(f"{name}: the archive is truncated; fetch the file again.") from error
    except (zipfile.BadZipFile, gzip.BadGzipFile, zlib.error) as error:
        raise FileRefusedError(
            f"{name}: the archive is truncated or damaged ({error}); fetch the file again."
        ) from error
    except NotImplementedError as error:
        raise FileRefusedError(f"{name}: packed in a way that is not understood ({error}); use deflate.") from error
    except RuntimeError as error:
        raise FileRefusedError(f"{name}: the archive can not be opened ({error}).") from error
    except OSError as error:
        raise FileRefusedError(f"{name}: can not be read ({error}).") from error
