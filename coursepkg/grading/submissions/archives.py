"""Folders and zip files behind one face.

All of what is in them was written by others. Nothing is unpacked on disk, no link is followed, and an archive with a
path that leads out of it, with a link, or that grows without end is refused as a whole.
"""

from __future__ import annotations

import io
import os
import re
import stat
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import BinaryIO, cast

MAX_ARCHIVE = 100_000_000
MAX_ENTRIES = 1000
MAX_TABLE = 1_000 * MAX_ENTRIES  # bytes: names and marks of that many entries are far shorter
_CHUNK = 1 << 18


class Refused(ValueError):
    """A file that is not read; the message says why."""


class Folder:
    """Files beneath a folder; links and special files are listed, and refused when read."""

    refused: tuple[str, ...] = ()

    def __init__(self, path: Path):
        self.path = path

    def names(self) -> list[str]:
        """Relative paths of all files, in order."""
        found = []
        for top, folders, files in os.walk(self.path):
            links = [name for name in folders if os.path.islink(os.path.join(top, name))]
            folders[:] = sorted(set(folders) - set(links))
            found += [Path(top, name).relative_to(self.path).as_posix() for name in (*files, *links)]
        return sorted(found)

    def empty(self) -> list[str]:
        """Relative paths of folders that hold no files, down to the second level."""
        below = (path.relative_to(self.path) for pattern in ("*", "*/*") for path in self.path.glob(pattern))
        return _without_files((path.as_posix() for path in below if (self.path / path).is_dir()), self.names())

    def read(self, name: str, most: int) -> bytes:
        """The bytes of a regular file.

        Raises
        ------
        Refused
            For links, special files, and files with more than ``most`` bytes.
        """
        with self.open(name) as file:
            return _capped(file.read(most + 1), name, most)

    def chunks(self, name: str) -> Iterator[bytes]:
        """The bytes of a regular file, piece by piece; raises as ``open`` does."""
        with self.open(name) as file:
            yield from iter(lambda: file.read(_CHUNK), b"")

    def mark(self, name: str) -> str:
        """The same for the same bytes, here and in an archive; raises as ``open`` does."""
        sum_of_all = size = 0
        for chunk in self.chunks(name):
            sum_of_all, size = zlib.crc32(chunk, sum_of_all), size + len(chunk)
        return f"{sum_of_all:08x} {size}"

    def open(self, name: str) -> BinaryIO:
        """A regular file, to be read; raises ``Refused`` for links and special files."""
        try:
            handle = os.open(self.path / name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError as error:
            link = (self.path / name).is_symlink()
            raise Refused(f"{short(name)} is a link" if link else f"{short(name)}: {error.strerror}") from None
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            os.close(handle)
            raise Refused(f"{short(name)} is no ordinary file")
        return open(handle, "rb")


class _Guarded:
    """A zip says itself how long its table of contents is; while it is opened, no more than ``MAX_TABLE`` is read."""

    def __init__(self, file: BinaryIO):
        self._file, self.opening = file, True
        self.seek, self.tell, self.seekable = file.seek, file.tell, file.seekable

    def read(self, size: int = -1) -> bytes:
        if self.opening and size > MAX_TABLE:
            raise zipfile.BadZipFile(f"its table of contents has {size / 1e6:.1f} MB")
        return self._file.read(size)


class Archive:
    """Members of a zip file, read in memory.

    A learner's is refused as a whole if anything in it is out of order. In a file on disk, which holds the work of
    many, such members are left out, and ``refused`` names them: one learner's file costs nobody else anything.
    """

    def __init__(self, data: bytes | Path | BinaryIO, label: str):
        try:
            file = data if isinstance(data, Path) else _Guarded(io.BytesIO(data) if isinstance(data, bytes) else data)
            self._zip = zipfile.ZipFile(cast(BinaryIO, file) if isinstance(file, _Guarded) else file)
            if isinstance(file, _Guarded):
                file.opening = False
            for info in self._zip.infolist():
                info.filename = info.filename.replace("\\", "/")  # as some systems write them
            self._members = {info.filename: info for info in self._zip.infolist() if not info.is_dir()}
        except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, EOFError, IndexError) as error:
            raise Refused(f"{short(label)} is no zip file that can be read ({error})") from None
        if len(self._zip.infolist()) > MAX_ENTRIES and not isinstance(data, Path):
            raise Refused(f"{short(label)} holds more than {MAX_ENTRIES} entries")
        odd = {info.filename: problem for info in self._zip.infolist() if (problem := _problem(info))}
        for name, problem in odd.items():
            if not isinstance(data, Path):
                raise Refused(f"{short(label)} holds an entry {problem}: {short(name)}")
            self._members.pop(name, None)
        self.refused = tuple(f"{short(name)} is an entry {problem}" for name, problem in sorted(odd.items()))
        self._left = None if isinstance(data, Path) else MAX_ARCHIVE

    def names(self) -> list[str]:
        """Paths of all members, in order."""
        return sorted(self._members)

    def empty(self) -> list[str]:
        """Paths of folders that hold no files."""
        folders = (info.filename.rstrip("/") for info in self._zip.infolist() if info.is_dir())
        return _without_files(folders, self.names())

    def read(self, name: str, most: int) -> bytes:
        """The bytes of a member; raises ``Refused`` if they are damaged or more than ``most``."""
        most = most if self._left is None else min(most, self._left)
        with _undamaged(name), self._zip.open(self._members[name]) as file:
            data = _capped(file.read(most + 1), name, most)
        if self._left is not None:
            self._left -= len(data)
        return data

    def mark(self, name: str) -> str:
        """The same for the same bytes, as the table of contents has it."""
        info = self._members[name]
        return f"{info.CRC:08x} {info.file_size}"

    def chunks(self, name: str) -> Iterator[bytes]:
        """The bytes of a member, piece by piece and without end; raises ``Refused`` if they are damaged."""
        with _undamaged(name):
            file = self._zip.open(self._members[name])
        with file:
            while True:
                with _undamaged(name):
                    chunk = file.read(_CHUNK)
                if not chunk:
                    return
                yield chunk


@contextmanager
def _undamaged(name: str) -> Iterator[None]:
    try:
        yield
    except (zipfile.BadZipFile, OSError, EOFError, RuntimeError, NotImplementedError, ValueError) as error:
        raise error if isinstance(error, Refused) else Refused(f"{short(name)} is damaged ({error})") from None
    except Exception as error:  # noqa: BLE001 - zlib and others have exceptions of their own
        raise Refused(f"{short(name)} is damaged ({type(error).__name__})") from None


def _without_files(folders: Iterable[str], names: Sequence[str]) -> list[str]:
    """Those of the folders in which no file lies, at any depth; of nested ones the outermost."""
    full = {str(parent) for name in names for parent in PurePosixPath(name).parents}
    found = {folder for folder in folders if folder not in full}
    return sorted(folder for folder in found if not found & set(map(str, PurePosixPath(folder).parents)))


def _problem(info: zipfile.ZipInfo) -> str | None:
    path = PurePosixPath(info.filename)
    if path.is_absolute() or ".." in path.parts or re.match("[A-Za-z]:/", info.filename):
        return "that leads out of the archive"
    if info.external_attr >> 16 and stat.S_IFMT(info.external_attr >> 16) not in (0, stat.S_IFREG, stat.S_IFDIR):
        return "that is a link or a special file"
    if info.flag_bits & 1:
        return "that is encrypted"
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        return "in an uncommon compression"
    return None


def _capped(data: bytes, name: str, most: int) -> bytes:
    if len(data) > most:
        raise Refused(f"{short(name)} has more than {most / 1e6:.0f} MB")
    return data


def short(name: str) -> str:
    clean = "".join(letter if letter.isprintable() else "?" for letter in name)
    return clean if len(clean) <= 60 else f"{clean[:28]}...{clean[-28:]}"


def open_tree(path: Path) -> Folder | Archive:
    """The folder or zip file in which all submissions lie.

    Raises
    ------
    Refused
        If it is neither.
    """
    if path.is_dir():
        return Folder(path)
    if path.is_file():
        return Archive(path, path.name)
    raise Refused(f"{path} is neither a folder nor a zip file")
