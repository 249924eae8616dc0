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
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

MAX_NOTEBOOK = 20_000_000
MAX_ARCHIVE = 100_000_000
MAX_ENTRIES = 1000
MAX_NOTEBOOKS = 50
MAX_METADATA = 20_000_000
_MOODLE = re.compile(r"(?P<name>.+?)_(?P<id>\d+)_assignsubmission_(?:file|onlinetext)_?(?P<file>.*)")
_CANVAS = re.compile(
    r"(?P<name>[^_]+)(?:_LATE)?_(?P<id>\d+)_(?P<attempt>\d+)_(?P<file>.+\.(?:ipynb|zip))", re.IGNORECASE
)
_METADATA = "submission_metadata.yml"
_NUMBERED = re.compile(r"(\d\d)(?!\d)")
_UNTOUCHED = b": write your answer here"
_ATTEMPT = re.compile(r"(.*?)(?:-(\d+)| \((\d+)\))?\.ipynb", re.IGNORECASE | re.DOTALL)
_IGNORED = {"__MACOSX", ".ipynb_checkpoints", "__pycache__"}


class Refused(ValueError):
    """A file that is not read; the message says why."""


@dataclass
class HandedIn:
    """What one learner handed in: where it lies, not yet read.

    ``files`` are paths inside the folder or archive that was given to ``discover``, ``notes`` what a person should know
    about how they were found.
    """

    student: str
    name: str
    files: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Contents:
    """Notebooks of one learner by file name, what could not be read, and the names of other files."""

    notebooks: list[tuple[str, bytes]]
    refused: list[str]
    others: list[str] = field(default_factory=list)


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
            for info in self._zip.infolist():
                info.filename = info.filename.replace("\\", "/")  # as some systems write them
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
    if path.is_absolute() or ".." in path.parts or re.match("[A-Za-z]:", info.filename):
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

    Known layouts: Gradescope's folders beside ``submission_metadata.yml``, Moodle's
    ``Name_123_assignsubmission_file``, Canvas's ``name_123_456_file.ipynb``, and a folder, zip or notebook per learner
    (nbgrader's ``submitted`` folder is one). Which it is, is decided once for the whole download, so that no name of a
    single file can make its owner somebody else. One folder around everything is looked into.

    Returns
    -------
    list of HandedIn
        By id; several files of one learner come together, and ``notes`` says so where that was not to be expected.
    """
    names = [name for name in tree.names() if not _is_ignored(name)]
    base = _around(names)
    entries: dict[str, list[str]] = {}
    for name in names:
        entries.setdefault(name.removeprefix(base).partition("/")[0], []).append(name)
    folders = {top for top, inside in entries.items() if any("/" in name.removeprefix(base) for name in inside)}
    owners = _gradescope(tree, base, folders) or _moodle(entries) or _canvas(entries, folders) or {}
    found: dict[str, HandedIn] = {}
    plain: dict[str, list[str]] = {}
    for top, inside in entries.items():
        for student, shown in owners.get(top) or [_by_name(top, top in folders)]:
            if student:
                found.setdefault(student, HandedIn(student, shown)).files += inside
                if top not in owners:
                    plain.setdefault(student, []).append(top)
    for student, tops in plain.items():
        if len(tops) > 1:
            found[student].notes.append(f"{' and '.join(map(_short, sorted(tops)))} were taken for one learner's")
        elif owners:
            found[student].notes.append(f"{_short(tops[0])} is not named as this download names what was handed in")
    return [found[student] for student in sorted(found)]


def _is_ignored(name: str) -> bool:
    parts = PurePosixPath(name).parts
    return bool(_IGNORED & set(parts)) or parts[0].startswith(".") or parts[-1] == ".DS_Store"


def _around(names: Sequence[str]) -> str:
    """The one folder in which everything lies, if that folder holds learners and is not one itself."""
    tops = {name.partition("/")[0] for name in names}
    if len(tops) != 1 or any("/" not in name for name in names):
        return ""
    [top] = tops
    inner = [name.removeprefix(f"{top}/") for name in names]
    learners = {name.partition("/")[0] for name in inner if "/" in name and name.lower().endswith((".ipynb", ".zip"))}
    listed = _METADATA in inner
    marked = bool(_moodle(name.partition("/")[0] for name in inner) or _canvas(inner, set()))
    return f"{top}/" if len(learners) > 1 or listed or marked else ""


Owners = dict[str, list[tuple[str, str]]]


def _by_name(top: str, is_folder: bool) -> tuple[str, str]:
    """Id and name of a learner whose folder, zip or notebook has their name."""
    stem, ending = os.path.splitext(top)
    if is_folder:
        return top, top
    return (stem, stem) if ending.lower() in (".ipynb", ".zip") else ("", "")


def _moodle(tops: Iterable[str]) -> Owners:
    found = {top: match for top in tops if (match := _MOODLE.fullmatch(top))}
    return {top: [(match["id"], match["name"])] for top, match in found.items()}


def _canvas(tops: Iterable[str], folders: Set[str]) -> Owners:
    """Canvas names loose files by learner and by file, each with a number of its own: "homework_2026_11" is a date."""
    files = [top for top in tops if top not in folders and top.lower().endswith((".ipynb", ".zip"))]
    found = {top: match for top in files if (match := _CANVAS.fullmatch(top))}
    ids = {(match["id"], match["name"]) for match in found.values()}
    one_to_one = len(ids) == len({learner for learner, _ in ids}) == len({name for _, name in ids})
    distinct = len({match["attempt"] for match in found.values()}) == len(found)
    if not (one_to_one and distinct) or 2 * len(found) < len(files):
        return {}
    return {top: [(match["id"], match["name"])] for top, match in found.items()}


def _gradescope(tree: Folder | Archive, base: str, folders: Set[str]) -> Owners:
    """Who belongs to which of Gradescope's folders; a group's work counts for each of its members.

    The list is YAML of one fixed form, of which three kinds of lines matter. It is believed only where Gradescope puts
    it, beside the folders, and only if it names those and no others: a learner could hand in such a file, too.
    """
    try:
        text = tree.read(f"{base}{_METADATA}", MAX_METADATA).decode("utf-8", "replace")
    except (Refused, KeyError):
        return {}
    people: dict[str, list[dict[str, str]]] = {}
    current: list[dict[str, str]] = []
    for line in text.splitlines():
        if head := re.fullmatch(r"(\S.*?):\s*", line):
            current = people.setdefault(head[1].strip("'\""), [])
        elif entry := re.fullmatch(r"\s+(-\s+)?:(name|sid|email):\s*(.*?)\s*", line):
            if entry[1]:
                current.append({})
            if current:
                current[-1][entry[2]] = entry[3].strip("'\"")
    if not set(people) <= folders:
        return {}
    members = {
        folder: [(one.get("sid") or one.get("email") or folder, one.get("name") or folder) for one in listed_people]
        for folder, listed_people in people.items()
        if listed_people
    }
    return {_METADATA: [("", "")], **members} if members else {}


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
    others: list[str] = []
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
                notebooks += _inside(Archive(tree.read(name, MAX_ARCHIVE), name), others)
            else:
                others.append(_short(PurePosixPath(name).name))
        except Refused as error:
            refused.append(str(error))
            if name.lower().endswith(".ipynb"):
                notebooks.append((_plain_name(name), b""))  # its chapter is known by its name
    if len(notebooks) > MAX_NOTEBOOKS:
        return Contents([], [*refused, f"there are more than {MAX_NOTEBOOKS} notebooks"])
    return Contents(sorted(notebooks), refused, others)


def _inside(archive: Archive, others: list[str], *, deep: bool = True) -> list[tuple[str, bytes]]:
    """The notebooks in a zip, and in zips inside it; the names of its other files are added to ``others``."""
    names = [name for name in archive.names() if not _is_ignored(name)]
    notebooks = [name for name in names if name.lower().endswith(".ipynb")]
    if len(notebooks) > MAX_NOTEBOOKS:
        raise Refused(f"an archive holds more than {MAX_NOTEBOOKS} notebooks")
    found = [(_plain_name(name), archive.read(name, MAX_NOTEBOOK)) for name in notebooks]
    for name in names:
        if deep and name.lower().endswith(".zip"):
            found += _inside(Archive(archive.read(name, MAX_ARCHIVE), name), others, deep=False)
        elif name not in notebooks:
            others.append(_short(PurePosixPath(name).name))
    return found


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

    The exercises in a notebook say which chapter it is; only where there are none does a name that begins with a
    chapter's number. Of several, the later attempt counts where the platform numbers them ("x-1.ipynb" after
    "x.ipynb" in Canvas), and otherwise the one in which most exercises were begun.

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
        found = _NUMBERED.match(name)
        named, pointed = found[1] if found and found[1] in chapters else "", checked.get(name, "")
        chapter = pointed if pointed in chapters else named
        if not chapter:
            notes.append(f"{_short(name)} belongs to no chapter")
            continue
        if named and named != chapter:
            notes.append(f"{_short(name)} is named as chapter {named}, and its exercises are of chapter {chapter}")
        if chapter in chosen:
            chosen[chapter] = _later(chosen[chapter], (name, data))
            notes.append(f"several notebooks for chapter {chapter}; {_short(chosen[chapter][0])} counts")
        else:
            chosen[chapter] = (name, data)
    return chosen, notes


def _later(first: tuple[str, bytes], second: tuple[str, bytes]) -> tuple[str, bytes]:
    """Which of two notebooks counts; the second one's attempt is not the earlier one."""
    if _attempt(first)[0] == _attempt(second)[0]:
        return second
    left = [notebook[1].count(_UNTOUCHED) for notebook in (first, second)]
    return first if left[0] < left[1] else second


def _attempt(notebook: tuple[str, bytes]) -> tuple[str, int, bytes]:
    found = _ATTEMPT.fullmatch(notebook[0])
    if found is None:
        return notebook[0], 0, notebook[1]
    return found[1], int((found[2] or found[3] or "0")[:9]), notebook[1]
