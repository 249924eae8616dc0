"""What one learner handed in: the notebooks in folders and zips, inside one another as they may be."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from coursepkg.grading.submissions.archives import MAX_ARCHIVE, MAX_ENTRIES, Archive, Folder, Refused, short
from coursepkg.grading.submissions.cells import MAX_BYTES, UnreadableNotebook, read_notebook, unread
from coursepkg.grading.submissions.learners import HandedIn, is_ignored
from coursepkg.grading.submissions.outputs import Bounds
from coursepkg.grading.submissions.platforms import own_name

MAX_NOTEBOOK = MAX_BYTES  # of one notebook without its outputs
MAX_NOTEBOOKS = 50
MAX_READ = 600_000_000  # of one learner, unpacked and with all outputs: some seconds of work
_SAVE = "hand in the notebook itself, the file that ends in .ipynb"
_OTHERS = {  # by the end of a name: what it is, and what to do
    ".ipynb.txt": ("a notebook with .txt behind its name", "take the .txt off, and hand it in again"),
    ".ipynb.json": ("a notebook with .json behind its name", "take the .json off, and hand it in again"),
    ".html": ("a web page made from a notebook, or another one", _SAVE),
    ".htm": ("a web page made from a notebook, or another one", _SAVE),
    ".pdf": ("a PDF", _SAVE),
    ".docx": ("a text document", _SAVE),
    ".odt": ("a text document", _SAVE),
    ".py": ("a Python file", _SAVE),
    ".rar": ("an archive of a kind that is not read", "hand in a .zip or the notebook itself"),
    ".7z": ("an archive of a kind that is not read", "hand in a .zip or the notebook itself"),
    ".gz": ("an archive of a kind that is not read", "hand in a .zip or the notebook itself"),
    ".tar": ("an archive of a kind that is not read", "hand in a .zip or the notebook itself"),
}


@dataclass(frozen=True)
class Contents:
    """Notebooks of one learner by file name, what could not be read, and the names of other files."""

    notebooks: list[tuple[str, bytes]]
    refused: list[str]
    others: list[str] = field(default_factory=list)


def load(tree: Folder | Archive, handed_in: HandedIn) -> Contents:
    """Read the notebooks of one learner, those inside zips included.

    Parameters
    ----------
    tree : Folder or Archive
        Where all submissions lie.
    handed_in : HandedIn
        One learner's files.

    Returns
    -------
    Contents
        Its notebooks are in UTF-8, and large ones without their outputs; they know the hash of the file.
    """
    refused: list[str] = []
    reading = _Reading()
    if len(handed_in.files) > MAX_ENTRIES:
        return Contents([], [f"there are more than {MAX_ENTRIES} files"])
    notebooks: list[tuple[str, bytes]] = []
    for name in handed_in.files:
        try:
            if isinstance(tree, Folder) and (tree.path / name).is_symlink():
                raise Refused(f"{short(name)} is a link")
            notebooks += reading.notebooks_of(tree, name)
        except Exception as error:  # noqa: BLE001 - one learner's file is no reason for the class to wait
            words = str(error) if isinstance(error, Refused) else unexpected(short(name), error)
            refused.append(words)
            if name.lower().endswith(".ipynb"):
                notebooks.append((own_name(name), unread(words)))  # its chapter is known by its name
    if len(notebooks) > MAX_NOTEBOOKS:
        return Contents([], [*refused, f"there are more than {MAX_NOTEBOOKS} notebooks"])
    return Contents(sorted(notebooks), refused, reading.others)


def unexpected(name: str, error: Exception) -> str:
    """What to say where reading failed in a way that nobody thought of.

    Parameters
    ----------
    name : str
        What could not be read.
    error : Exception
        What was raised.
    """
    return f"{name} could not be read: the grader itself failed ({type(error).__name__}); look at it by hand"


class _Reading:
    """Reading all of one learner's files, with bounds on what is unpacked, kept, and built from it."""

    def __init__(self) -> None:
        self.others: list[str] = []
        self._left, self._room, self._bounds = MAX_READ, MAX_ARCHIVE, Bounds()

    def notebooks_of(self, tree: Folder | Archive, name: str) -> list[tuple[str, bytes]]:
        """The notebooks in a file: it is one, or a zip with some inside, or none, and then its name is noted."""
        if name.lower().endswith(".ipynb"):
            return [(own_name(name), self._notebook(tree, name))]
        if name.lower().endswith(".zip"):
            with ExitStack() as opened:
                data = opened.enter_context(tree.open(name)) if isinstance(tree, Folder) else None
                if data is not None and os.fstat(data.fileno()).st_size > MAX_READ:
                    raise Refused(f"{short(name)} has more than {MAX_READ / 1e6:.0f} MB")
                return self._inside(Archive(data or tree.read(name, MAX_ARCHIVE), name))
        self.others.append(short(PurePosixPath(name).name))
        return []

    def _inside(self, archive: Archive, *, deep: bool = True) -> list[tuple[str, bytes]]:
        """The notebooks in a zip, and in zips inside it."""
        names = [name for name in archive.names() if not is_ignored(name)]
        notebooks = [name for name in names if name.lower().endswith(".ipynb")]
        if len(notebooks) > MAX_NOTEBOOKS:
            raise Refused(f"an archive holds more than {MAX_NOTEBOOKS} notebooks")
        found = [(own_name(name), self._notebook(archive, name)) for name in notebooks]
        for name in names:
            if deep and name.lower().endswith(".zip"):
                found += self._inside(Archive(archive.read(name, MAX_ARCHIVE), name), deep=False)
            elif name not in notebooks:
                self.others.append(short(PurePosixPath(name).name))
        return found

    def _notebook(self, tree: Folder | Archive, name: str) -> bytes:
        try:
            notebook = read_notebook(self._counted(tree, name), short(name), self._bounds)
        except UnreadableNotebook as error:
            raise Refused(str(error)) from None
        self._room -= len(notebook)
        if self._room < 0:
            raise Refused(f"the notebooks have more than {MAX_ARCHIVE / 1e6:.0f} MB together")
        return notebook

    def _counted(self, tree: Folder | Archive, name: str) -> Iterator[bytes]:
        for chunk in tree.chunks(name):
            self._left -= len(chunk)
            if self._left < 0:
                raise Refused(f"{short(name)} brings what was handed in to more than {MAX_READ / 1e6:.0f} MB")
            yield chunk


def nothing_found(others: list[str]) -> str:
    """What to say of a learner without a notebook: what was found, and what to try.

    Parameters
    ----------
    others : list of str
        Names of the files that were found.
    """
    if not others:
        return "no notebook was handed in; there is no file that can be looked into"
    found = f"no notebook was handed in; found: {', '.join(others[:5])}{', ...' if len(others) > 5 else ''}"
    for name in others:
        for end, (what, advice) in _OTHERS.items():
            if name.lower().endswith(end):
                return f"{found}; {name} is {what}: {advice}"
    return f"{found}; {_SAVE}"
