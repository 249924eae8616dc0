"""Whose work it is: a download's layout (Moodle's, Canvas's, Gradescope's, plain), decided once for all of it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from coursepkg.grading.submissions.archives import Archive, Folder, Refused, short

MAX_METADATA = 20_000_000
MOODLE = re.compile(r"(?P<name>.+?)_(?P<id>\d+)_assignsubmission_(?:file|onlinetext)_?(?P<file>.*)")
CANVAS = re.compile(
    r"(?P<name>[^_]+)(?:_LATE)?_(?P<id>\d+)_(?P<attempt>\d+)_(?P<file>.+\.(?:ipynb|zip))", re.IGNORECASE
)
_METADATA = "submission_metadata.yml"
_IGNORED = {"__MACOSX", ".ipynb_checkpoints", "__pycache__"}


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
    names = [name for name in tree.names() if not is_ignored(name)]
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
            found[student].notes.append(f"{' and '.join(map(short, sorted(tops)))} were taken for one learner's")
        elif owners:
            found[student].notes.append(f"{short(tops[0])} is not named as this download names what was handed in")
    return [found[student] for student in sorted(found)]


def is_ignored(name: str) -> bool:
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
    found = {top: match for top in tops if (match := MOODLE.fullmatch(top))}
    return {top: [(match["id"], match["name"])] for top, match in found.items()}


def _canvas(tops: Iterable[str], folders: Set[str]) -> Owners:
    """Canvas names loose files by learner and by file, each with a number of its own: "homework_2026_11" is a date."""
    files = [top for top in tops if top not in folders and top.lower().endswith((".ipynb", ".zip"))]
    found = {top: match for top in files if (match := CANVAS.fullmatch(top))}
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
