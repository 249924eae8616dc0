"""What one learner handed in: the notebooks in folders and zips, and which of them counts for which chapter."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from coursepkg.grading.submissions.archives import MAX_ARCHIVE, MAX_ENTRIES, Archive, Folder, Refused, short
from coursepkg.grading.submissions.learners import CANVAS, MOODLE, HandedIn, is_ignored

MAX_NOTEBOOK = 20_000_000
MAX_NOTEBOOKS = 50
_NUMBERED = re.compile(r"(\d\d)(?!\d)")
_UNTOUCHED = b": write your answer here"
_ATTEMPT = re.compile(r"(.*?)(?:-(\d+)| \((\d+)\))?\.ipynb", re.IGNORECASE | re.DOTALL)


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
            notes.append(f"{short(name)} belongs to no chapter")
            continue
        if named and named != chapter:
            notes.append(f"{short(name)} is named as chapter {named}, and its exercises are of chapter {chapter}")
        if chapter in chosen:
            chosen[chapter] = _later(chosen[chapter], (name, data))
            notes.append(f"several notebooks for chapter {chapter}; {short(chosen[chapter][0])} counts")
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
