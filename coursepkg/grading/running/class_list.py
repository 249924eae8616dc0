"""The class as a whole: who handed in, how that was found, who is missing; kept in the results as ``class.json``.

Beside it lie ``assignment.json``, out of which points are given, and ``roster.json``. A later run into the same
folder goes on from there: it needs neither named again, and learners who are not in its download stay in the class.
No learner's folder takes one of these names, whatever their id is. Results of before have them with a dot in front.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, tzinfo
from pathlib import Path
from typing import Any

from coursepkg.grading.running.results import ASSIGNMENT, CLASS, ROSTER, BadResult, put
from coursepkg.grading.specification.assignment import NONE, Assignment, BadAssignment, zone_named
from coursepkg.grading.submissions.archives import short
from coursepkg.grading.submissions.learners import Download, HandedIn
from coursepkg.grading.submissions.roster import (
    Attendance,
    Person,
    Roster,
    attendance,
    extended,
    is_zoneless,
    last_moment,
    moment,
    normal,
)

FORMAT = 1


@dataclass(frozen=True)
class Entry:
    """One learner: what of the download is theirs, when it came (ISO 8601, "" if unknown), if it is marked as late.

    ``chapters`` are those of which a notebook was handed in: each of their exercises has a result. ``work`` is a mark
    of the files that were there when the roster with its time was read, ``until`` the end of an extension (ISO 8601).
    """

    id: str
    name: str
    entries: tuple[str, ...] = ()
    submitted: str = ""
    late: bool = False
    notes: tuple[str, ...] = ()
    chapters: tuple[str, ...] = ()
    work: str = ""
    until: str = ""


@dataclass(frozen=True)
class ClassList:
    """Who handed in, and who did not.

    Attributes
    ----------
    layout : str
        How the download was read ("Moodle").
    released : bool
        Whether notebooks were handed out with the assignment's name in them.
    folders : int
        How many folders and files at its top are learners'.
    learners, missing : tuple of Entry
        Who handed in, and who did not though the roster has them.
    unknown, twice : tuple of str
        Ids that the roster does not have, and ids that it has twice.
    without_id : tuple of str
        Names in rows of the roster that have no id.
    rostered : int or None
        How many the roster has; None without one.
    left_aside : tuple of str
        What in the download is nobody's.
    remarks : tuple of str
        What a person should know about the download as a whole.
    pending : tuple of str
        Ids of those whose work is not graded yet: a run that was stopped did not come to them.
    """

    layout: str
    folders: int
    released: bool
    learners: tuple[Entry, ...]
    missing: tuple[Entry, ...] = ()
    unknown: tuple[str, ...] = ()
    twice: tuple[str, ...] = ()
    without_id: tuple[str, ...] = ()
    rostered: int | None = None
    left_aside: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    pending: tuple[str, ...] = ()

    def at(self, chapters: Mapping[str, tuple[str, ...]], pending: Collection[str]) -> ClassList:
        """The class as far as grading has come: the chapters of each learner, and who is not graded yet."""
        learners = tuple(replace(one, chapters=tuple(chapters.get(one.id, ()))) for one in self.learners)
        return replace(self, learners=learners, pending=tuple(one.id for one in learners if one.id in pending))

    @property
    def merged(self) -> int:
        """How many folders came to a learner who has another one already."""
        return len({(top, one.id) for one in self.learners for top in one.entries}) - len(self.learners)

    def closing_line(self) -> str:
        """One line that adds up: "62 folders, 61 learners, 1 merged, 3 missing"."""
        shared = sum(len(one.entries) for one in self.learners) - self.folders
        parts = [_count(self.folders, "folder"), _count(len(self.learners), "learner")]
        parts += [f"{self.merged} merged"] if self.merged else []
        parts += [f"{shared} more in groups"] if shared else []
        if self.rostered is not None:
            parts.append(f"{len(self.missing)} missing")
            parts += [f"{len(self.unknown)} unknown"] if self.unknown else []
            parts += [f"{len(self.twice)} twice on the roster"] if self.twice else []
            parts += [f"{len(self.without_id)} without an id"] if self.without_id else []
        return ", ".join(parts)

    def details(self) -> list[str]:
        """The names behind the numbers of the closing line, and every merge."""
        lines = list(self.remarks)
        for one in self.learners:
            if len(one.entries) > 1:
                lines.append(f"merged for {short(one.name)}: {', '.join(map(short, one.entries))}")
        for words, names in (
            ("missing", [one.name for one in self.missing]),
            ("handed in and not on the roster", list(self.unknown)),
            ("twice on the roster", list(self.twice)),
            ("on the roster without an id, so not looked for", list(self.without_id)),
            ("belongs to nobody", list(self.left_aside)),
        ):
            lines += [f"{words}: {', '.join(map(short, names))}"] if names else []
        return lines


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}{'' if number == 1 else 's'}"


def class_list(
    download: Download, assignment: Assignment, roster: Roster | None = None, *, released: bool = False
) -> ClassList:
    """Who handed in, from the download and the roster."""
    zone, zone_words = _zone(assignment)
    roster, nobodys = extended(roster) if roster is not None else (None, ())
    beside = attendance(roster, download.learners, download.layout) if roster is not None else None
    rows = beside.rows if beside is not None else {}
    learners = []
    timeless: list[tuple[str, str]] = []
    zoneless = False
    for learner in download.learners:
        row = rows.get(learner.student)
        written = row.submitted if row is not None else ""
        submitted = learner.submitted or moment(written, zone)
        zoneless = zoneless or (submitted is not None and learner.submitted is None and is_zoneless(written))
        until = last_moment(row.extension, zone) if row is not None else None
        in_time = download.layout == "Canvas" and not learner.late  # it marks each file that is late
        notes = [] if in_time else _about_time(learner, submitted, written, assignment, until)
        name = row.name if row is not None and row.name else learner.name
        if notes and not learner.late:
            timeless.append((name, notes[0]))
        if row is not None and row.extension.strip(" -"):
            notes.append(_about_extension(row.extension, until))
        if roster is not None and not {normal(learner.student), *(row.ids if row else ())}.isdisjoint(roster.twice):
            notes.append("stands twice on the roster")
        learners.append(
            Entry(
                learner.student,
                name,
                tuple(learner.entries),
                "" if submitted is None else submitted.isoformat(),
                learner.late,
                tuple(notes),
                until="" if until is None else until.isoformat(),
            )
        )
    remarks = []
    if download.around:
        remarks.append(f"everything lies in the folder {short(download.around)}, so what it holds was read as learners")
    remarks += download.remarks
    if timeless:
        remarks.append(
            f"no time is known for {len(timeless)} of {len(learners)} learners, such as {short(timeless[0][0])}: "
            f"{timeless[0][1]}"
        )
    if zoneless and assignment.late != NONE:
        remarks.append(f"times without an offset were read as those of {zone_words}")
    if roster is not None and beside is not None:
        remarks += _about_roster(roster, beside, nobodys)
        extensions = [f"{short(one.name)} until {one.until}" for one in learners if one.until]
        remarks += [f"with an extension: {', '.join(extensions)}"] if extensions else []
    return ClassList(
        download.layout,
        download.entries,
        released,
        tuple(learners),
        _missing(beside.missing, {one.id for one in learners}) if beside is not None else (),
        beside.unknown if beside is not None else (),
        roster.twice if roster is not None else (),
        roster.without_id if roster is not None else (),
        len(roster.people) if roster is not None else None,
        tuple(download.left_aside),
        tuple(remarks),
    )


def _zone(assignment: Assignment) -> tuple[tzinfo | None, str]:
    """The zone of times without an offset, None for this machine's, and what it is called.

    A machine in another zone than the date it is due knows less than that date.
    """
    due = assignment.due
    if assignment.zone:
        return zone_named(assignment.zone), assignment.zone
    if due is None or due.replace(tzinfo=None).astimezone().utcoffset() == due.utcoffset():
        return None, "this machine's time zone; --timezone names another"
    words = "as the date it is due has it; if the clocks change before or after it, name the zone with --timezone"
    return due.tzinfo, f"{due.tzinfo}, {words}"


def _about_roster(roster: Roster, beside: Attendance, nobodys: Sequence[str]) -> Iterator[str]:
    if beside.by_name:
        yield "no id of the download is on the roster, so learners were found on it by name"
    if beside.bare:
        one, other = min(beside.bare.items())
        yield (
            f"{_count(len(beside.bare), 'id')} found on the roster by number, such as {short(one)} as {short(other)}: "
            "a spreadsheet took zeros off"
        )
    for identity in roster.twice:
        names = list(dict.fromkeys(person.name for person in roster.people if identity in person.ids))
        if len(names) > 1:
            yield f"{short(identity)} stands on the roster for {', '.join(map(short, names))}, so for none of them"
    if nobodys:
        yield f"the extensions of {', '.join(map(short, nobodys))} are of nobody on the roster, and count for nothing"


def _missing(people: Iterable[Person], taken: Collection[str]) -> tuple[Entry, ...]:
    """Those who handed in nothing, under an id that is nobody else's: numbers of several kinds may be alike."""
    people = list(people)
    counts = Counter(identity for one in people for identity in one.ids)
    found = []
    for one in people:
        free = (each for each in one.ids if each not in taken and counts[each] == 1)
        found.append(Entry(next(free, f"{one.name} ({one.ids[0]})"), one.name or one.ids[0]))
    return tuple(found)


def _about_time(
    learner: HandedIn, submitted: datetime | None, written: str, assignment: Assignment, until: datetime | None
) -> list[str]:
    if assignment.due is None or assignment.late == NONE or submitted is not None:
        return []
    if learner.late and until is not None:
        return ["marked as late; the download does not say by how much, and there is an extension; taken as in time"]
    if learner.late:
        return ["marked as late; the download does not say by how much, so one day is counted"]
    if written.strip(" -"):
        return [f"its time {short(written)!r} cannot be read (2026-11-30T18:00+01:00 can); taken as in time"]
    return ["neither the download nor the roster says when it was handed in; taken as in time"]


def _about_extension(written: str, until: datetime | None) -> str:
    if until is None:
        return f"its extension {short(written)!r} cannot be read (2026-11-30T18:00+01:00 can) and counts for nothing"
    return f"has an extension until {until.isoformat(' ', 'minutes')}"


# --- kept beside the results -----------------------------------------------------------------------------------------


def with_earlier(download: Download, before: ClassList | None) -> Download:
    """The download, with those who handed in before and are not in it.

    Raises
    ------
    BadAssignment
        If the earlier download was another platform's: then one learner would have two ids.
    """
    if before is None:
        return download
    if before.layout != download.layout:
        raise BadAssignment(
            f"the results are of a download of {before.layout}, and this one is of {download.layout}, which names "
            "learners otherwise; give it a folder of its own"
        )
    now = {learner.student for learner in download.learners}
    earlier = [
        HandedIn(
            one.id, one.name, entries=list(one.entries), late=one.late,
            submitted=datetime.fromisoformat(one.submitted) if one.submitted else None,
        )
        for one in before.learners
        if one.id not in now
    ]  # fmt: skip
    if not earlier:
        return download
    learners = sorted((*download.learners, *earlier), key=lambda one: one.student)
    count = download.entries + len({top for one in earlier for top in one.entries})
    words = f"{len(earlier)} of the learners handed in with an earlier download"
    return replace(download, learners=learners, entries=count, remarks=(*download.remarks, words))


def with_work(people: ClassList, work: Mapping[str, str], before: ClassList | None, *, new_roster: bool) -> ClassList:
    """The class with a mark of each learner's files, and a word where they changed since their time was read.

    Parameters
    ----------
    people : ClassList
        The class.
    work : mapping of str to str
        Marks of the files, of those learners whose time is the roster's.
    before : ClassList or None
        The class as an earlier run found it.
    new_roster : bool
        Whether this run was given a roster: then its times are those of the files.
    """
    earlier = {} if before is None else {one.id: one for one in before.learners}
    learners, old = [], []
    for one in people.learners:
        now, then = work.get(one.id, ""), earlier.get(one.id)
        if now and (new_roster or then is None or not then.work):
            one = replace(one, work=now)
        elif then is not None:
            one = replace(one, work=then.work)
            if now not in ("", then.work) or (not now and _OLD_TIME in then.notes):
                old.append(one.name)
                one = replace(one, notes=(*one.notes, _OLD_TIME))
        learners.append(one)
    words = f"{_count(len(old), 'learner')} handed in again, such as {short(old[0])}: {_OLD_TIME}" if old else ""
    return replace(people, learners=tuple(learners), remarks=(*people.remarks, *filter(None, [words])))


_OLD_TIME = "its files have changed since the roster with its time was read; name the new roster with --roster"


def write_class(results: Path, assignment: Assignment, found: ClassList, roster: Roster | None = None) -> None:
    """Store the class, its assignment and its roster beside the results."""
    results.mkdir(parents=True, exist_ok=True)
    parts = [(ASSIGNMENT, assignment.to_json()), (CLASS, {"format": FORMAT, **asdict(found)})]
    parts += [(ROSTER, {"format": FORMAT, **asdict(roster)})] if roster is not None else []
    for name, data in parts:
        put(results / name, json.dumps(data, indent=1, ensure_ascii=False) + "\n")
        (results / f".{name}").unlink(missing_ok=True)


def read_class(results: Path) -> tuple[Assignment, ClassList] | None:
    """The assignment and the class of a folder of results; None if they are not there.

    Raises
    ------
    BadResult
        If one of them cannot be read.
    """
    if not _own(results, ASSIGNMENT).exists() and not _own(results, CLASS).exists():
        return None
    reading = _own(results, ASSIGNMENT)
    try:
        assignment = Assignment.from_json(_json(reading))
        asked = assignment.exercises
        _require_whole([(one.id, one.title) for one in asked], [one.points for one in asked])
        reading = _own(results, CLASS)
        data = _json(reading)
        if data.pop("format") != FORMAT:
            raise ValueError(f"its format is not {FORMAT}")
        fields = {key: _frozen(value) for key, value in data.items()}
        fields |= {name: tuple(map(_entry, data[name])) for name in ("learners", "missing")}
        found = ClassList(**fields)
        _require_whole([found.pending, *_texts(found)], [])
        return assignment, found
    except _DAMAGE as error:
        raise BadResult(
            f"{reading} cannot be read ({error}). Name the assignment and the roster again: `grade batch DOWNLOAD "
            "--assignment NAME --roster CLASS.csv --out RESULTS --resume` writes it anew"
        ) from None


def read_roster_again(results: Path) -> Roster | None:
    """The roster of an earlier run; None if there was none. Raises ``BadResult`` if it cannot be read."""
    path = _own(results, ROSTER)
    if not path.exists():
        return None
    try:
        data = _json(path)
        people, extensions = (tuple(map(_person, rows)) for rows in (data["people"], data.get("extensions", ())))
        every = (*people, *extensions)
        _require_whole([(*one.cells, one.name, one.submitted, one.extension) for one in every], [])
        foreign = tuple(int(k) for k in data.get("foreign", ()))
        return Roster(people, tuple(data["twice"]), tuple(data.get("without_id", ())), foreign, extensions)
    except _DAMAGE as error:
        raise BadResult(
            f"{path} cannot be read ({error}). Name the roster again: `grade batch DOWNLOAD --roster CLASS.csv "
            "--out RESULTS --resume` writes it anew"
        ) from None


_DAMAGE = (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError, BadAssignment)


def _own(results: Path, name: str) -> Path:
    """Where one of the class's own files is: results of before hid them."""
    hidden = results / f".{name}"
    return hidden if hidden.exists() and not (results / name).exists() else results / name


def _texts(found: ClassList) -> Iterator[tuple[object, ...]]:
    for one in (*found.learners, *found.missing):
        yield (one.id, one.name, one.submitted, one.until, *one.entries, *one.notes, *one.chapters)
        for time in filter(None, (one.submitted, one.until)):
            datetime.fromisoformat(time)


def _require_whole(texts: Iterable[Sequence[object]], points: Iterable[object]) -> None:
    if not all(isinstance(text, str) for row in texts for text in row):
        raise ValueError("something stands in it in place of text")
    if not all(isinstance(each, int | float) and 0 <= each < math.inf for each in points):
        raise ValueError("its points are no numbers")


def _json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8", errors="surrogatepass"))


def _person(data: Mapping[str, Any]) -> Person:
    return Person(tuple(data["cells"]), data["name"], data["submitted"], data.get("extension", ""))


def _entry(data: Mapping[str, Any]) -> Entry:
    return Entry(**{key: _frozen(value) for key, value in data.items()})


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, Sequence) and not isinstance(value, str) else value
