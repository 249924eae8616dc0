"""Work as it was handed in: folders, zips, and the layouts in which Moodle, Canvas and Gradescope give it out.

All of it was written by others. Nothing is unpacked on disk, no link is followed, and an archive with a path that
leads out of it, with a link, or that grows without end is refused as a whole.
"""

from __future__ import annotations

import io
import os
import re
import stat
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

MAX_NOTEBOOK = 20_000_000
MAX_ARCHIVE = 100_000_000
MAX_ENTRIES = 1000
MAX_NOTEBOOKS = 50
_MOODLE = re.compile(r"(?P<name>.+?)_(?P<id>\d+)_assignsubmission_(?:file|onlinetext)_?(?P<file>.*)")
_CANVAS = re.compile(r"(?P<name>[^_]+)(?:_LATE)?_(?P<id>\d+)_\d+_(?P<file>.+\.(?:ipynb|zip))", re.IGNORECASE)
_ATTEMPT = re.compile(r"(.*?)(?:-(\d+)| \((\d+)\))?\.ipynb", re.IGNORECASE | re.DOTALL)
_IGNORED = {"__MACOSX", ".ipynb_checkpoints", "__pycache__"}


class Refused(ValueError):
    """A file that is not read; the message says why."""


@dataclass
class HandedIn:
    """What one learner handed in: where it lies, not yet read.

    ``files`` are paths inside the folder or archive that was given to ``discover``.
    """

    student: str
    name: str
    files: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Contents:
    """Notebooks of one learner by file name, and what could not be read."""

    notebooks: list[tuple[str, bytes]]
    refused: list[str]


# --- folders and archives behind one face ----------------------------------------------------------------------------


class Folder:
    """Files beneath a folder; links and special files are listed, and refused when read."""

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

    def read(self, name: str, most: int) -> bytes:
        """The bytes of a regular file.

        Raises
        ------
        Refused
            For links, special files, and files with more than ``most`` bytes.
        """
        try:
            handle = os.open(self.path / name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError as error:
            link = (self.path / name).is_symlink()
            raise Refused(f"{_short(name)} is a link" if link else f"{_short(name)}: {error.strerror}") from None
        with open(handle, "rb") as file:
            if not stat.S_ISREG(os.fstat(handle).st_mode):
                raise Refused(f"{_short(name)} is no ordinary file")
            return _capped(file.read(most + 1), name, most)


class Archive:
    """Members of a zip file, read in memory; refused as a whole if anything in it is out of order."""

    def __init__(self, data: bytes | Path, label: str):
        try:
            self._zip = zipfile.ZipFile(io.BytesIO(data) if isinstance(data, bytes) else data)
            self._members = {info.filename: info for info in self._zip.infolist() if not info.is_dir()}
        except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, EOFError) as error:
            raise Refused(f"{_short(label)} is no zip file that can be read ({error})") from None
        if len(self._zip.infolist()) > MAX_ENTRIES and isinstance(data, bytes):
            raise Refused(f"{_short(label)} holds more than {MAX_ENTRIES} entries")
        for info in self._zip.infolist():
            if problem := _problem(info):
                raise Refused(f"{_short(label)} holds an entry {problem}: {_short(info.filename)}")
        self._left = MAX_ARCHIVE if isinstance(data, bytes) else None

    def names(self) -> list[str]:
        """Paths of all members, in order."""
        return sorted(self._members)

    def read(self, name: str, most: int) -> bytes:
        """The bytes of a member; raises ``Refused`` if they are damaged or more than ``most``."""
        most = most if self._left is None else min(most, self._left)
        try:
            with self._zip.open(self._members[name]) as file:
                data = _capped(file.read(most + 1), name, most)
        except (zipfile.BadZipFile, OSError, EOFError, RuntimeError, NotImplementedError, ValueError) as error:
            raise error if isinstance(error, Refused) else Refused(f"{_short(name)} is damaged ({error})") from None
        except Exception as error:  # noqa: BLE001 - zlib and others have exceptions of their own
            raise Refused(f"{_short(name)} is damaged ({type(error).__name__})") from None
        if self._left is not None:
            self._left -= len(data)
        return data


def _problem(info: zipfile.ZipInfo) -> str | None:
    path = PurePosixPath(info.filename)
    if path.is_absolute() or ".." in path.parts or "\\" in info.filename or re.match("[A-Za-z]:", info.filename):
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
        raise Refused(f"{_short(name)} has more than {most / 1e6:.0f} MB")
    return data


def _short(name: str) -> str:
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


# --- whose is it? ----------------------------------------------------------------------------------------------------


def discover(tree: Folder | Archive) -> list[HandedIn]:
    """Who handed in what, told from the names alone.

    Known layouts: a folder or zip per learner (nbgrader's ``submitted`` folder is one), loose notebooks, Moodle's
    ``Name_123_assignsubmission_file``, Canvas's ``name_123_456_file.ipynb``, and Gradescope's folders beside
    ``submission_metadata.yml``.

    Returns
    -------
    list of HandedIn
        By id; several files of one learner come together.
    """
    names = [name for name in tree.names() if not _is_ignored(name)]
    base, people = _gradescope(tree, names)
    found: dict[str, HandedIn] = {}
    for name in names:
        top, _, rest = name.removeprefix(base).partition("/")
        if people and not rest:
            continue
        for student, shown in people.get(top) or [_owner(top, bool(rest))]:
            if student:
                found.setdefault(student, HandedIn(student, shown)).files.append(name)
    return [found[student] for student in sorted(found)]


def _is_ignored(name: str) -> bool:
    parts = PurePosixPath(name).parts
    return bool(_IGNORED & set(parts)) or parts[0].startswith(".") or parts[-1] == ".DS_Store"


def _owner(top: str, is_folder: bool) -> tuple[str, str]:
    """Id and name of the learner, from the first part of a path."""
    if moodle := _MOODLE.fullmatch(top):
        return moodle["id"], moodle["name"]
    if is_folder:
        return top, top
    if canvas := _CANVAS.fullmatch(top):
        return canvas["id"], canvas["name"]
    stem, ending = os.path.splitext(top)
    return (stem, stem) if ending.lower() in (".ipynb", ".zip") else ("", "")


def _gradescope(tree: Folder | Archive, names: Iterable[str]) -> tuple[str, dict[str, list[tuple[str, str]]]]:
    """Where Gradescope's folders lie, and who belongs to which; a group's work counts for each of its members.

    The list is YAML of one fixed form, of which three kinds of lines matter.
    """
    listed = next((name for name in names if PurePosixPath(name).name == "submission_metadata.yml"), None)
    if listed is None or listed.count("/") > 1:
        return "", {}
    people: dict[str, list[dict[str, str]]] = {}
    current: list[dict[str, str]] = []
    for line in tree.read(listed, MAX_NOTEBOOK).decode("utf-8", "replace").splitlines():
        if head := re.fullmatch(r"(\S.*?):\s*", line):
            current = people.setdefault(head[1].strip("'\""), [])
        elif entry := re.fullmatch(r"\s+(-\s+)?:(name|sid|email):\s*(.*?)\s*", line):
            if entry[1]:
                current.append({})
            if current:
                current[-1][entry[2]] = entry[3].strip("'\"")
    members = {
        folder: [(one.get("sid") or one.get("email") or folder, one.get("name") or folder) for one in listed_people]
        for folder, listed_people in people.items()
        if listed_people
    }
    return listed.removesuffix("submission_metadata.yml"), members


# --- reading one learner's work --------------------------------------------------------------------------------------


def load(tree: Folder | Archive, handed_in: HandedIn) -> Contents:
    """Read the notebooks of one learner, those inside zips included.

    Parameters
    ----------
    tree : Folder or Archive
        Where all submissions lie.
    handed_in : HandedIn
        One learner's files.
    """
    notebooks: list[tuple[str, bytes]] = []
    refused: list[str] = []
    files = handed_in.files
    if len(files) > MAX_ENTRIES:
        return Contents([], [f"there are more than {MAX_ENTRIES} files"])
    for name in files:
        try:
            if isinstance(tree, Folder) and (tree.path / name).is_symlink():
                raise Refused(f"{_short(name)} is a link")
            if name.lower().endswith(".ipynb"):
                notebooks.append((_plain_name(name), tree.read(name, MAX_NOTEBOOK)))
            elif name.lower().endswith(".zip"):
                notebooks += _inside(Archive(tree.read(name, MAX_ARCHIVE), name))
        except Refused as error:
            refused.append(str(error))
            if name.lower().endswith(".ipynb"):
                notebooks.append((_plain_name(name), b""))  # its chapter is known by its name
    if len(notebooks) > MAX_NOTEBOOKS:
        return Contents([], [*refused, f"there are more than {MAX_NOTEBOOKS} notebooks"])
    return Contents(sorted(notebooks), refused)


def _inside(archive: Archive) -> list[tuple[str, bytes]]:
    names = [name for name in archive.names() if name.lower().endswith(".ipynb") and not _is_ignored(name)]
    if len(names) > MAX_NOTEBOOKS:
        raise Refused(f"an archive holds more than {MAX_NOTEBOOKS} notebooks")
    return [(_plain_name(name), archive.read(name, MAX_NOTEBOOK)) for name in names]


def _plain_name(name: str) -> str:
    """The file's own name, without what Moodle or Canvas put before it."""
    own = PurePosixPath(name).name
    for pattern in (_MOODLE, _CANVAS):
        if "/" not in name and (found := pattern.fullmatch(own)) and found["file"]:
            return found["file"]
    return own


def by_chapter(
    notebooks: Iterable[tuple[str, bytes]], chapters: Mapping[str, object], checked: Mapping[str, str]
) -> tuple[dict[str, tuple[str, bytes]], list[str]]:
    """One notebook for each chapter, and words about those left over.

    A name that begins with the chapter's number says which it is; otherwise the exercise ids in it do. Of several, the
    one whose name comes last counts, and "x-1.ipynb" comes after "x.ipynb" (Canvas numbers what is handed in again).

    Parameters
    ----------
    notebooks : iterable of (name, bytes)
        What was handed in.
    chapters : mapping
        Known chapters ("01").
    checked : mapping
        Chapter that the text of a notebook points to, by its name.
    """
    chosen: dict[str, tuple[str, bytes]] = {}
    notes = []
    for name, data in sorted(notebooks, key=_attempt):
        chapter = name[:2] if name[:2] in chapters else checked.get(name, "")
        if chapter not in chapters:
            notes.append(f"{_short(name)} belongs to no chapter")
            continue
        if chapter in chosen:
            notes.append(f"several notebooks for chapter {chapter}; {_short(name)} counts")
        chosen[chapter] = (name, data)
    return chosen, notes


def _attempt(notebook: tuple[str, bytes]) -> tuple[str, int, bytes]:
    found = _ATTEMPT.fullmatch(notebook[0])
    if found is None:
        return notebook[0], 0, notebook[1]
    return found[1], int((found[2] or found[3] or "0")[:9]), notebook[1]
