"""What one learner handed in: the notebooks in folders and zips, inside one another as they may be."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import PurePosixPath

from coursepkg.grading.submissions.archives import MAX_ARCHIVE, MAX_ENTRIES, Archive, Folder, Refused, short
from coursepkg.grading.submissions.learners import CANVAS, MOODLE, HandedIn, is_ignored

MAX_NOTEBOOK = 20_000_000
MAX_NOTEBOOKS = 50


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
                raise Refused(f"{short(name)} is a link")
            if name.lower().endswith(".ipynb"):
                notebooks.append((_plain_name(name), tree.read(name, MAX_NOTEBOOK)))
            elif name.lower().endswith(".zip"):
                notebooks += _inside(Archive(tree.read(name, MAX_ARCHIVE), name), others)
            else:
                others.append(short(PurePosixPath(name).name))
        except Refused as error:
            refused.append(str(error))
            if name.lower().endswith(".ipynb"):
                notebooks.append((_plain_name(name), b""))  # its chapter is known by its name
    if len(notebooks) > MAX_NOTEBOOKS:
        return Contents([], [*refused, f"there are more than {MAX_NOTEBOOKS} notebooks"])
    return Contents(sorted(notebooks), refused, others)


def _inside(archive: Archive, others: list[str], *, deep: bool = True) -> list[tuple[str, bytes]]:
    """The notebooks in a zip, and in zips inside it; the names of its other files are added to ``others``."""
    names = [name for name in archive.names() if not is_ignored(name)]
    notebooks = [name for name in names if name.lower().endswith(".ipynb")]
    if len(notebooks) > MAX_NOTEBOOKS:
        raise Refused(f"an archive holds more than {MAX_NOTEBOOKS} notebooks")
    found = [(_plain_name(name), archive.read(name, MAX_NOTEBOOK)) for name in notebooks]
    for name in names:
        if deep and name.lower().endswith(".zip"):
            found += _inside(Archive(archive.read(name, MAX_ARCHIVE), name), others, deep=False)
        elif name not in notebooks:
            others.append(short(PurePosixPath(name).name))
    return found


def _plain_name(name: str) -> str:
    """The file's own name, without what Moodle or Canvas put before it."""
    own = PurePosixPath(name).name
    for pattern in (MOODLE, CANVAS):
        if "/" not in name and (found := pattern.fullmatch(own)) and found["file"]:
            return found["file"]
    return own
