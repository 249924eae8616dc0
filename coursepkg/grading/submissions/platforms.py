"""How Moodle, Canvas and Gradescope name what was handed in: whose a folder or file at the top of a download is."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePosixPath

from coursepkg.grading.submissions.archives import Archive, Folder, Refused

MAX_METADATA = 20_000_000
METADATA = "submission_metadata.yml"
# Numbers have 20 digits at most: platforms' have fewer, and a name that somebody made up may have thousands.
_MOODLE = re.compile(r"(?P<name>.+?)_(?P<id>\d{1,20})_assignsubmission_(?:file|onlinetext)_?(?P<file>.*)", re.DOTALL)
_CANVAS = re.compile(
    r"(?:(?P<anonymous_late>LATE_)?anon_(?!LATE_)(?P<anonymous>[A-Z0-9]{1,40})"
    r"|(?P<name>.+?)(?P<late>_LATE)?_(?P<id>\d{1,20}))"
    r"_(?:(?P<attempt>\d{1,20})_(?P<file>.+\.\w+)|(?P<typed>(?:text|link)\.html))",
    re.IGNORECASE | re.DOTALL,
)


@dataclass(frozen=True)
class Owner:
    """Whose something is.

    Attributes
    ----------
    student, name : str
        The learner's id, and the name to show.
    submitted : datetime, optional
        When it was handed in, where the platform says so.
    late : bool
        Whether the platform marks it as late.
    file : str
        The name that the learner gave it, where the platform keeps it behind its own.
    attempt : int
        The platform's number of the file, higher for a later one; 0 if it has none.
    """

    student: str
    name: str
    submitted: datetime | None = None
    late: bool = False
    file: str = ""
    attempt: int = 0


Owners = Mapping[str, Sequence[Owner]]


def is_work(name: str) -> bool:
    """Whether a file is one that is graded: a notebook, or a zip that may hold one."""
    return name.lower().endswith((".ipynb", ".zip"))


def layout_of(
    tree: Folder | Archive, base: str, inside: Mapping[str, Sequence[str]], folders: Set[str]
) -> tuple[str, Owners]:
    """The layout of a whole download, and whose each of its top entries is.

    Parameters
    ----------
    tree : Folder or Archive
        The download.
    base : str
        The folder around everything, as it begins each path, or "".
    inside : mapping of str to list of str
        The entries at the top, and the files of each.
    folders : set of str
        Which of the entries are folders.

    Returns
    -------
    layout : str
        "Moodle", "Canvas", "Gradescope" or "plain".
    owners : dict
        Of those entries that are named as this platform names them.
    """
    if owners := _gradescope(tree, base, folders):
        return "Gradescope", owners
    moodle, canvas = moodles(inside), canvases(inside, folders)
    if len(canvas) >= len(moodle) > 0 or (canvas and not moodle):  # one file may be named like the other's, not most
        return "Canvas", canvas
    return ("Moodle", moodle) if moodle else ("plain", {})


def own_name(name: str) -> str:
    """The name that a learner gave a file, without what Moodle or Canvas put before it."""
    last = PurePosixPath(name).name
    owner = moodle_owner(last) or canvas_owner(last)
    return owner.file if "/" not in name and owner is not None and owner.file else last


# --- Moodle ----------------------------------------------------------------------------------------------------------


def moodle_owner(top: str) -> Owner | None:
    """Whose an entry is, if it is named as Moodle does: ``Ann Lee_123_assignsubmission_file``."""
    found = _MOODLE.fullmatch(top)
    return Owner(found["id"], found["name"], file=found["file"]) if found else None


def moodles(tops: Iterable[str]) -> Owners:
    """The owners of those entries that are named as Moodle does."""
    return {top: [owner] for top in tops if (owner := moodle_owner(top))}


# --- Canvas ----------------------------------------------------------------------------------------------------------


def canvas_owner(top: str) -> Owner | None:
    """Whose a file is, if it is named as Canvas does: ``leeann_LATE_501_9001_homework.ipynb``.

    What was typed in has no number of its own (``leeann_501_text.html``), and where learners are anonymous, their
    names are not there (``anon_x7K2p_9001_homework.ipynb``).
    """
    found = _CANVAS.fullmatch(top)
    if found is None:
        return None
    student = found["anonymous"] or found["id"]
    name = f"anon {student}" if found["anonymous"] else found["name"]
    late = bool(found["late"] or found["anonymous_late"])
    return Owner(student, name, late=late, file=found["file"] or "", attempt=int(found["attempt"] or 0))


def canvases(tops: Iterable[str], folders: Set[str]) -> Owners:
    """The owners of those entries that are named as Canvas does, if most are; else nobody.

    Canvas gives each file a number of its own, so "anna_2026_11_homework" is a date. It takes underscores out of most
    names; one that has some is believed where others have none.
    """
    files = [top for top in tops if top not in folders]
    found = {top: owner for top in files if (owner := canvas_owner(top)) and not _is_date(owner)}
    sure = {top for top, owner in found.items() if "_" not in owner.name and (owner.attempt or not is_work(top))}
    ids = {(found[top].student, found[top].name) for top in sure}
    one_name_each = len(ids) == len({student for student, _ in ids})  # and several may have the same name
    numbers = [owner.attempt for owner in found.values() if owner.attempt]
    distinct = len(set(numbers)) == len(numbers)
    works = [top for top in files if is_work(top)]
    if not (one_name_each and distinct) or 2 * sum(top in sure for top in works) < len(works) or not sure:
        return {}
    return {top: [owner] for top, owner in found.items()}


def _is_date(owner: Owner) -> bool:
    return owner.student.isdecimal() and 1900 < int(owner.student) < 2200 and 0 < owner.attempt < 32


# --- Gradescope ------------------------------------------------------------------------------------------------------


def _gradescope(tree: Folder | Archive, base: str, folders: Set[str]) -> Owners:
    """Who belongs to which of Gradescope's folders; a group's work counts for each of its members.

    The list is YAML of one fixed form, of which a few kinds of lines matter. It is believed only where Gradescope puts
    it, beside the folders, and only if it names those and no others: a learner could hand in such a file, too.
    """
    try:
        text = tree.read(f"{base}{METADATA}", MAX_METADATA).decode("utf-8", "replace")
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
            Owner(one.get("sid") or one.get("email") or folder, one.get("name") or folder, times.get(folder))
            for one in members
        ]
        for folder, members in people.items()
        if members
    }
    return {METADATA: (), **owners} if owners else {}


def _moment(text: str) -> datetime | None:
    """A time as Gradescope writes it: ``2026-01-31 12:00:00.123456789 -08:00``, or with Z."""
    found = re.fullmatch(r"(\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d)(?:\.\d+)?\s*(Z|UTC|[+-]\d\d:?\d\d)", text)
    if found is None:
        return None
    zone = found[2].replace("UTC", "+00:00").replace("Z", "+00:00")
    try:
        return datetime.fromisoformat(found[1] + zone)
    except ValueError:  # 31 November
        return None
