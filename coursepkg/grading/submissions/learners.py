"""Whose work it is: a download's layout (Moodle's, Canvas's, Gradescope's, plain), decided once for all of it."""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Sequence, Set
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import PurePosixPath

from coursepkg.grading.submissions.archives import Archive, Folder, short
from coursepkg.grading.submissions.platforms import (
    METADATA,
    Owner,
    Owners,
    canvases,
    is_work,
    layout_of,
    moodle_owner,
    moodles,
)

NBGRADERS = "submitted"  # its folder of all that was handed in
_GRADESCOPES = re.compile(r"assignment_\d+_export")
_COURSES = re.compile(r"\d\d_\w+.*\.ipynb", re.IGNORECASE)  # how the course names its own notebooks
_IGNORED = {"__MACOSX", ".ipynb_checkpoints", "__pycache__"}


@dataclass(frozen=True)
class Part:
    """One folder or file at the top of a download: what is in it, when it came, and if it is marked as late."""

    files: list[str]
    submitted: datetime | None = None
    late: bool = False


@dataclass
class HandedIn:
    """What one learner handed in: where it lies, not yet read.

    Attributes
    ----------
    student, name : str
        The learner's id, and the name to show.
    files : list of str
        Paths inside the folder or archive that was given to ``discover``.
    entries : list of str
        The folders and files at the top of the download that are this learner's.
    notes : list of str
        What a person should know about how they were found.
    submitted : datetime, optional
        When it was handed in, where the download says so.
    late : bool
        Whether the download marks it as late.
    parts : dict of str to Part
        What each of the entries holds; their times may differ, and then the latest is taken at first.
    """

    student: str
    name: str
    files: list[str] = field(default_factory=list)
    entries: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    submitted: datetime | None = None
    late: bool = False
    parts: dict[str, Part] = field(default_factory=dict)


@dataclass(frozen=True)
class Download:
    """All that was handed in.

    Attributes
    ----------
    layout : str
        "Moodle", "Canvas", "Gradescope" or "plain".
    learners : list of HandedIn
        By id.
    entries : int
        How many folders, zips and notebooks at its top belong to learners.
    left_aside : list of str
        What lies at its top and belongs to nobody.
    around : str
        The one folder in which everything lies, "" if there is none.
    remarks : tuple of str
        What a person should know about the download as a whole.
    """

    layout: str
    learners: list[HandedIn]
    entries: int
    left_aside: list[str]
    around: str = ""
    remarks: tuple[str, ...] = ()


def discover(tree: Folder | Archive, known: Set[str] = frozenset()) -> Download:
    """Who handed in what, told from the names alone.

    Known layouts: Gradescope's folders beside ``submission_metadata.yml``, Moodle's
    ``Name_123_assignsubmission_file``, Canvas's ``name_123_456_file.ipynb``, and a folder, zip or notebook per learner
    (nbgrader's ``submitted`` folder is one). Which it is, is decided once for the whole download, so that no name of a
    single file can make its owner somebody else. One folder around everything is looked into.

    Parameters
    ----------
    tree : Folder or Archive
        The download.
    known : set of str
        Ids and names of learners, where they are known: they tell one learner's folder from a folder of learners.

    Returns
    -------
    Download
        Several files of one learner come together, and ``notes`` says so where that was not to be expected.
    """
    known = set(map(composed, known))
    names = [name for name in tree.names() if not is_ignored(name)]
    base = _around(names, known)
    inside: dict[str, list[str]] = {}
    for name in names:
        inside.setdefault(name.removeprefix(base).partition("/")[0], []).append(name)
    for name in tree.empty():  # somebody's, who handed in nothing
        if not is_ignored(name) and name.startswith(base) and (rest := name.removeprefix(base)):
            inside.setdefault(rest.partition("/")[0], [])
    folders = {top for top, files in inside.items() if not files or any("/" in f.removeprefix(base) for f in files)}
    layout, owners = layout_of(tree, base, inside, folders)
    found: dict[str, HandedIn] = {}
    left_aside = sorted({name.partition("/")[0] for name in tree.names() if is_hidden(name)})
    entries = 0
    for top, files in inside.items():
        people = owners.get(top) or ([_by_name(top)] if top in folders or is_work(top) else [])
        for owner in people:
            student = composed(owner.student)
            learner = found.setdefault(student, HandedIn(student, composed(owner.name)))
            learner.files += files
            learner.entries.append(top)
            learner.parts[top] = Part(files, owner.submitted, owner.late)
            learner.late = learner.late or owner.late
            learner.submitted = max(filter(None, [learner.submitted, owner.submitted]), default=None)
        entries += bool(people)
        if not people and top != METADATA:
            left_aside.append(top)
    learners = [found[student] for student in sorted(found)]
    for learner in learners:
        _note_oddities(learner, owners)
    remarks = [f"not read: {words}" for words in tree.refused]
    if METADATA in inside and layout != "Gradescope":
        remarks.append(f"{METADATA} is not believed: it names folders that are not here, so folders give the ids")
    return Download(layout, learners, entries, left_aside, base, tuple(remarks))


def _note_oddities(learner: HandedIn, owners: Owners) -> None:
    by_name = [top for top in learner.entries if top not in owners]
    if len(by_name) > 1:
        learner.notes.append(f"{' and '.join(map(short, sorted(by_name)))} were taken for one learner's")
    elif owners and by_name:
        learner.notes.append(f"{short(by_name[0])} is not named as this download names what was handed in")


def composed(text: str) -> str:
    """An id or a name as it is kept: systems write the same letters in one piece or in two ("é")."""
    return unicodedata.normalize("NFC", text)


def is_hidden(name: str) -> bool:
    """Whether a name begins with a dot, and is none that systems make by themselves: somebody's work may be in it."""
    top = name.partition("/")[0]
    return top.startswith(".") and top not in (".DS_Store", ".git", *_IGNORED) and not top.startswith("._")


def is_ignored(name: str) -> bool:
    parts = PurePosixPath(name).parts
    return not parts or bool(_IGNORED & set(parts)) or parts[0].startswith(".") or parts[-1] == ".DS_Store"


def _around(names: Sequence[str], known: Set[str]) -> str:
    """The one folder in which everything lies, if that folder holds learners and is not one itself.

    Somebody's folder and a class's look alike: where the roster knows the name of either, it decides. Else a folder is
    a class's if it holds several folders or zips with work, or several notebooks of which none is named as the course
    names its own.
    """
    tops = {name.partition("/")[0] for name in names}
    if len(tops) != 1 or any("/" not in name for name in names):
        return ""
    [top] = tops
    if composed(top) in known or moodle_owner(top):
        return ""
    inner = [name.removeprefix(f"{top}/") for name in names]
    if METADATA in inner and not _GRADESCOPES.fullmatch(top):  # a learner alone could hand in such a list, too
        inner.remove(METADATA)
    learners = {name.partition("/")[0] for name in inner if is_work(name)}
    sure = (
        top == NBGRADERS
        or METADATA in inner
        or not known.isdisjoint(map(composed, (*learners, *(os.path.splitext(name)[0] for name in learners))))
        or moodles(name.partition("/")[0] for name in inner)
        or canvases(inner, set())
    )
    own = any(_COURSES.match(name) for name in learners)
    return f"{top}/" if sure or (len(learners) > 1 and not own) else ""


def _by_name(top: str) -> Owner:
    """The learner whose folder, zip or notebook has their name."""
    name = os.path.splitext(top)[0] if is_work(top) else top
    return Owner(name, name)
