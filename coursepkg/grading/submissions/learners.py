"""Whose work it is: a download's layout (Moodle's, Canvas's, Gradescope's, plain), decided once for all of it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import PurePosixPath

from coursepkg.grading.submissions.archives import Archive, Folder, Refused, short

MAX_METADATA = 20_000_000
MOODLE = re.compile(r"(?P<name>.+?)_(?P<id>\d+)_assignsubmission_(?:file|onlinetext)_?(?P<file>.*)", re.DOTALL)
CANVAS = re.compile(
    r"(?P<name>[^_]+)(?P<late>_LATE)?_(?P<id>\d+)_(?P<attempt>\d+)_(?P<file>.+\.\w+)", re.IGNORECASE | re.DOTALL
)
_METADATA = "submission_metadata.yml"
_GRADESCOPES = re.compile(r"assignment_\d+_export")
_IGNORED = {"__MACOSX", ".ipynb_checkpoints", "__pycache__"}


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
    """

    student: str
    name: str
    files: list[str] = field(default_factory=list)
    entries: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    submitted: datetime | None = None
    late: bool = False


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


@dataclass(frozen=True)
class _Owner:
    student: str
    name: str
    submitted: datetime | None = None
    late: bool = False


_Owners = Mapping[str, Sequence[_Owner]]


def discover(tree: Folder | Archive) -> Download:
    """Who handed in what, told from the names alone.

    Known layouts: Gradescope's folders beside ``submission_metadata.yml``, Moodle's
    ``Name_123_assignsubmission_file``, Canvas's ``name_123_456_file.ipynb``, and a folder, zip or notebook per learner
    (nbgrader's ``submitted`` folder is one). Which it is, is decided once for the whole download, so that no name of a
    single file can make its owner somebody else. One folder around everything is looked into.

    Returns
    -------
    Download
        Several files of one learner come together, and ``notes`` says so where that was not to be expected.
    """
    names = [name for name in tree.names() if not is_ignored(name)]
    base = _around(names)
    inside: dict[str, list[str]] = {}
    for name in names:
        inside.setdefault(name.removeprefix(base).partition("/")[0], []).append(name)
    for name in tree.empty():  # somebody's, who handed in nothing
        if not is_ignored(name) and name.startswith(base) and (rest := name.removeprefix(base)):
            inside.setdefault(rest.partition("/")[0], [])
    folders = {top for top, files in inside.items() if not files or any("/" in f.removeprefix(base) for f in files)}
    layout, owners = _layout(tree, base, inside, folders)
    found: dict[str, HandedIn] = {}
    left_aside = sorted({name.partition("/")[0] for name in tree.names() if is_hidden(name)})
    entries = 0
    for top, files in inside.items():
        people = owners.get(top) or ([_by_name(top)] if top in folders or _is_work(top) else [])
        for owner in people:
            learner = found.setdefault(owner.student, HandedIn(owner.student, owner.name))
            learner.files += files
            learner.entries.append(top)
            learner.late = learner.late or owner.late
            learner.submitted = max(filter(None, [learner.submitted, owner.submitted]), default=None)
        entries += bool(people)
        if not people and top != _METADATA:
            left_aside.append(top)
    learners = [found[student] for student in sorted(found)]
    for learner in learners:
        _note_oddities(learner, owners)
    remarks = [f"not read: {words}" for words in tree.refused]
    if _METADATA in inside and layout != "Gradescope":
        remarks.append(f"{_METADATA} is not believed: it names folders that are not here, so folders give the ids")
    return Download(layout, learners, entries, left_aside, base, tuple(remarks))


def _note_oddities(learner: HandedIn, owners: _Owners) -> None:
    by_name = [top for top in learner.entries if top not in owners]
    if len(by_name) > 1:
        learner.notes.append(f"{' and '.join(map(short, sorted(by_name)))} were taken for one learner's")
    elif owners and by_name:
        learner.notes.append(f"{short(by_name[0])} is not named as this download names what was handed in")


def is_hidden(name: str) -> bool:
    """Whether a name begins with a dot, and is none that systems make by themselves: somebody's work may be in it."""
    top = name.partition("/")[0]
    return top.startswith(".") and top not in (".DS_Store", ".git", *_IGNORED) and not top.startswith("._")


def is_ignored(name: str) -> bool:
    parts = PurePosixPath(name).parts
    return not parts or bool(_IGNORED & set(parts)) or parts[0].startswith(".") or parts[-1] == ".DS_Store"


def _around(names: Sequence[str]) -> str:
    """The one folder in which everything lies, if that folder holds learners and is not one itself."""
    tops = {name.partition("/")[0] for name in names}
    if len(tops) != 1 or any("/" not in name for name in names):
        return ""
    [top] = tops
    inner = [name.removeprefix(f"{top}/") for name in names]
    learners = {name.partition("/")[0] for name in inner if "/" in name and _is_work(name)}
    listed = _METADATA in inner and _GRADESCOPES.fullmatch(top)  # a learner alone could hand in such a list, too
    marked = bool(_moodle(name.partition("/")[0] for name in inner) or _canvas(inner, set()))
    return f"{top}/" if len(learners) > 1 or listed or marked else ""


def _is_work(name: str) -> bool:
    return name.lower().endswith((".ipynb", ".zip"))


def _layout(
    tree: Folder | Archive, base: str, inside: Mapping[str, Sequence[str]], folders: Set[str]
) -> tuple[str, _Owners]:
    """The layout of the whole download, and whose each of its top entries is."""
    if owners := _gradescope(tree, base, folders):
        return "Gradescope", owners
    moodle, canvas = _moodle(inside), _canvas(inside, folders)
    if len(canvas) >= len(moodle) > 0 or (canvas and not moodle):  # one file may be named like the other's, not most
        return "Canvas", canvas
    return ("Moodle", moodle) if moodle else ("plain", {})


def _by_name(top: str) -> _Owner:
    """The learner whose folder, zip or notebook has their name."""
    name = os.path.splitext(top)[0] if _is_work(top) else top
    return _Owner(name, name)


def _moodle(tops: Iterable[str]) -> _Owners:
    found = {top: match for top in tops if (match := MOODLE.fullmatch(top))}
    return {top: [_Owner(match["id"], match["name"])] for top, match in found.items()}


def _canvas(tops: Iterable[str], folders: Set[str]) -> _Owners:
    """Canvas names loose files by learner and by file, each with a number of its own: "homework_2026_11" is a date."""
    files = [top for top in tops if top not in folders]
    found = {top: match for top in files if (match := CANVAS.fullmatch(top)) and not _is_date(match)}
    ids = {(match["id"], match["name"]) for match in found.values()}
    one_name_each = len(ids) == len({learner for learner, _ in ids})  # and several may have the same name
    distinct = len({match["attempt"] for match in found.values()}) == len(found)
    works = [top for top in files if _is_work(top)]
    if not (one_name_each and distinct) or 2 * sum(top in found for top in works) < len(works) or not found:
        return {}
    return {top: [_Owner(match["id"], match["name"], late=bool(match["late"]))] for top, match in found.items()}


def _is_date(match: re.Match[str]) -> bool:
    return 1900 < int(match["id"]) < 2200 and int(match["attempt"]) < 32


def _gradescope(tree: Folder | Archive, base: str, folders: Set[str]) -> _Owners:
    """Who belongs to which of Gradescope's folders; a group's work counts for each of its members.

    The list is YAML of one fixed form, of which a few kinds of lines matter. It is believed only where Gradescope puts
    it, beside the folders, and only if it names those and no others: a learner could hand in such a file, too.
    """
    try:
        text = tree.read(f"{base}{_METADATA}", MAX_METADATA).decode("utf-8", "replace")
    except (Refused, KeyError):
        return {}
    people: dict[str, list[dict[str, str]]] = {}
    times: dict[str, datetime | None] = {}
    folder, among_people = "", False  # what a learner's program printed stands in the list, too, below other keys
    for line in text.splitlines():
        if head := re.fullmatch(r"(\S.*?):\s*", line):
            folder = head[1].strip("'\"")
            people.setdefault(folder, [])
            among_people = False
        elif key := re.match(r" {1,2}:(\w+):", line):
            among_people = key[1] == "submitters"
            if key[1] == "created_at":  # of this submission; deeper ones are older
                times[folder] = _moment(line.partition("at:")[2].strip(" '\""))
        elif among_people and (entry := re.fullmatch(r" {2,4}(- +)?:(name|sid|email):\s*(.*?)\s*", line)):
            listed = people.get(folder, [])
            if entry[1]:
                listed.append({})
            if listed:
                listed[-1][entry[2]] = entry[3].strip("'\"")
    if not set(people) <= folders:
        return {}
    owners = {
        folder: [
            _Owner(one.get("sid") or one.get("email") or folder, one.get("name") or folder, times.get(folder))
            for one in members
        ]
        for folder, members in people.items()
        if members
    }
    return {_METADATA: (), **owners} if owners else {}


def _moment(text: str) -> datetime | None:
    """A time as Gradescope writes it: ``2026-01-31 12:00:00.123456789 -08:00``, or with Z."""
    found = re.fullmatch(r"(\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d)(?:\.\d+)?\s*(Z|UTC|[+-]\d\d:?\d\d)", text)
    if found is None:
        return None
    zone = found[2].replace("UTC", "+00:00").replace("Z", "+00:00")
    return datetime.fromisoformat(found[1] + zone)
