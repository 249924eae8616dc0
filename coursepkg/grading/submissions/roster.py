"""The roster: who should have handed in, as the institution's own export lists it.

Canvas's gradebook, Moodle's grading worksheet or list of participants, Gradescope's roster, or a plain CSV file with a
column ``id``. In a file of another form, any column in which all entries differ can be an id. A learner is found by id;
by name only where none of a download's ids is in the file at all, as with Moodle's list of participants.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from pathlib import Path

from coursepkg.grading.submissions.learners import HandedIn
from coursepkg.grading.submissions.sheets import Sheet, id_in, read_sheet, unescaped

ID_COLUMNS = (
    "id", "ID", "SID", "SIS User ID", "SIS Login ID", "Email", "email", "Email address", "ID number", "Identifier",
    "Username",
)  # fmt: skip
NAME_COLUMNS = (
    "name", "Name", "Student", "Full name", "Vollständiger Name", "Nom complet", "Nombre completo", "Nome completo",
)  # fmt: skip
PARTS_OF_NAMES = (("First name", "Last name"), ("First name", "Surname"), ("First Name", "Last Name"))
NOT_MOODLES_OWN = ("ID number", "Username")  # its files carry the numbers of participants, which are others
MOODLE = "Moodle"  # as downloads of its are called
TIME_COLUMNS = ("submitted", "Last modified (submission)")
EXTENSION_COLUMNS = ("extension", "Extension")
_NOBODY = ("points possible", "student, test", "test student")  # rows of Canvas's that are no learners
_STATUS = "Status"  # of Moodle's worksheet
_GRANTED = re.compile(r"Extension granted until:\s*(.+)")
_ELSEWHERE = timezone(timedelta(hours=1))
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_PARTICIPANT = re.compile(r"(\D{4,}?)(\d+)")
_TIMES = (
    "%A, %B %d, %Y, %I:%M %p",
    "%A, %d %B %Y, %I:%M %p",
    "%A, %d %B %Y, %H:%M",
    "%d %B %Y, %I:%M %p",
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%d %H:%M",
)


@dataclass(frozen=True)
class Person:
    """One row of a roster: what stands in each column of ids, and a name.

    ``submitted`` is when they handed in and ``extension`` until when they may, both as it is written there.
    """

    cells: tuple[str, ...]
    name: str
    submitted: str = ""
    extension: str = ""

    @property
    def ids(self) -> tuple[str, ...]:
        """All that could be the learner's id."""
        return tuple(dict.fromkeys(filter(None, self.cells)))


@dataclass(frozen=True)
class Roster:
    """A class, the ids that stand in more than one row, and the names in rows that have none.

    ``foreign`` are the columns whose numbers never stand for a learner in a download of Moodle's, and ``extensions``
    the rows of a list of its own, which says who may hand in until when.
    """

    people: tuple[Person, ...]
    twice: tuple[str, ...]
    without_id: tuple[str, ...] = ()
    foreign: tuple[int, ...] = ()
    extensions: tuple[Person, ...] = ()

    @property
    def columns(self) -> int:
        """In how many columns ids stand."""
        return max((len(person.cells) for person in self.people), default=0)


@dataclass(frozen=True)
class Attendance:
    """A download beside a roster.

    Attributes
    ----------
    rows : mapping of str to Person
        The row of each learner who handed in, by the learner's id; of several under one name the latest.
    missing : tuple of Person
        Who handed in nothing: no learner's id is in their row.
    unknown : tuple of str
        Ids that handed in and stand in no row, or in several under different names.
    by_name : bool
        Whether names had to do, since no id was found.
    bare : mapping of str to str
        Ids that the roster has without the zeros in front, or with them, and how it has them.
    """

    rows: Mapping[str, Person]
    missing: tuple[Person, ...]
    unknown: tuple[str, ...]
    by_name: bool
    bare: Mapping[str, str] = field(default_factory=dict)


def read_roster(path: Path) -> Roster:
    """Read a roster.

    Raises
    ------
    ValueError
        If the file cannot be read, or no column can hold ids.
    """
    sheet = read_sheet(path, (*ID_COLUMNS, *NAME_COLUMNS, *(part for parts in PARTS_OF_NAMES for part in parts)))
    columns = [name for name in sheet.header if name in ID_COLUMNS] or _distinct(sheet)
    if not columns:
        raise ValueError(
            f"{path.name} has no column of ids; it should have one of {', '.join(ID_COLUMNS[:6])} ..., and has "
            f"{', '.join(sheet.header[:8])}"
        )
    numbered = _numbered(sheet)
    people = [_person(row, sheet, columns, numbered) for row in sheet.rows if not _is_nobody(row, sheet)]
    without = tuple(person.name or "?" for person in people if not person.ids)
    people = [person for person in people if person.ids]
    counts = (Counter(filter(None, cells)) for cells in zip(*(person.cells for person in people), strict=True))
    several = {identity for column in counts for identity, count in column.items() if count > 1}
    twice = {next(filter(several.__contains__, person.ids), "") for person in people} - {""}  # one for each person
    foreign = tuple(k for k, name in enumerate(columns) if name in NOT_MOODLES_OWN)
    return Roster(tuple(people), tuple(sorted(twice)), without, foreign)


def read_extensions(path: Path) -> tuple[Person, ...]:
    """Who may hand in until when: a table with ids as in the roster, and a column ``extension``.

    Raises
    ------
    ValueError
        If the file cannot be read, or holds none.
    """
    people = tuple(person for person in read_roster(path).people if person.extension)
    if not people:
        raise ValueError(f"{path.name} grants nobody an extension; it should have an id and a date in `extension`")
    return people


def extended(roster: Roster) -> tuple[Roster, tuple[str, ...]]:
    """The roster with the extensions of its list, and the ids in that list that belong to nobody or to several."""
    people, lost = list(roster.people), list[str]()
    for one in roster.extensions:
        rows = [k for k, person in enumerate(people) if not set(person.ids).isdisjoint(one.ids)]
        if len({_letters(people[k].name) for k in rows}) != 1:
            lost.append(one.ids[0])
            continue
        for k in rows:
            people[k] = replace(people[k], extension=one.extension)
    return replace(roster, people=tuple(people)), tuple(lost)


def _distinct(sheet: Sheet) -> list[str]:
    columns = {name: [row[name].strip() for row in sheet.rows] for name in sheet.header if name}
    return [name for name, cells in columns.items() if all(cells) and len(set(cells)) == len(cells)]


def _numbered(sheet: Sheet) -> str:
    """The column in which Moodle's worksheet says "Participant 123" where learners' files say 123, or "".

    Its name and its word are in the language of whoever downloaded it ("Teilnehmer/in123"), the same word in each row.
    A login such as "stud001" stays as it is.
    """
    for name in sheet.header:
        found = [_PARTICIPANT.fullmatch(cell) for row in sheet.rows if (cell := row[name].strip())]
        words = {match[1] if match else "" for match in found}
        if len(words) == 1 and "" not in words and (name == "Identifier" or re.search(r"[\s/]", words.pop())):
            return name
    return ""


def _is_nobody(row: Mapping[str, str], sheet: Sheet) -> bool:
    return any(row[name].strip().lower() in _NOBODY for name in sheet.header if name in NAME_COLUMNS)


def _person(row: Mapping[str, str], sheet: Sheet, columns: Sequence[str], numbered: str) -> Person:
    cells = tuple(_identity(row[column], column == numbered) for column in columns)
    name = next((row[column].strip() for column in NAME_COLUMNS if column in sheet.header), "")
    for parts in PARTS_OF_NAMES:
        if not name and set(parts) <= set(sheet.header):
            name = " ".join(row[part].strip() for part in parts)
    submitted = next((row[column].strip() for column in TIME_COLUMNS if column in sheet.header), "")
    told = next((row[column].strip() for column in EXTENSION_COLUMNS if column in sheet.header), "")
    granted = _GRANTED.search(row[_STATUS]) if not told and _STATUS in sheet.header else None
    return Person(cells, unescaped(name), submitted, granted[1].strip() if granted else told)


def _identity(text: str, numbered: bool) -> str:
    """An id as learners' files carry it."""
    value = id_in(text)
    found = _PARTICIPANT.fullmatch(value) if numbered else None
    return found[2] if found else normal(value)


def normal(text: str) -> str:
    """An id or a name as it is compared: letters composed, addresses in small letters, one blank between words."""
    value = " ".join(unicodedata.normalize("NFC", text).split())
    return value.lower() if "@" in value else value


def without_zeros(ids: Iterable[str], others: Iterable[str]) -> dict[str, str]:
    """Which of the others each number is that one side has lost its leading zeros of, where that is clear on both.

    Examples
    --------
    >>> without_zeros(["00123", "0077", "077"], ["123", "77"])
    {'00123': '123'}
    """
    mine, theirs = _by_number(ids), _by_number(others)
    clear = ((mine[n], theirs[n]) for n in mine.keys() & theirs.keys() if len(mine[n]) == len(theirs[n]) == 1)
    return {one: other for (one,), (other,) in clear if one != other}


def _by_number(ids: Iterable[str]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for each in ids:
        if each.isdecimal():
            found.setdefault(_bare(each), set()).add(each)
    return found


def _bare(text: str) -> str:
    return text.lstrip("0") if text.isdecimal() else text


def deciding(columns: Sequence[Sequence[str]], students: Set[str]) -> list[int]:
    """Which columns say who is who: the one in which most ids of learners stand, and those of addresses.

    Numbers of different kinds must not be mixed: one learner's number at the institution can be another's on the
    platform. Where as many stand in several, zeros in front are not minded.

    Examples
    --------
    >>> deciding([["502", "503"], ["501", "502"], ["a@x.org", "b@x.org"]], {"502", "503"})
    [0, 2]
    """
    addresses = [k for k, cells in enumerate(columns) if any("@" in cell for cell in cells)]
    others = [k for k in range(len(columns)) if k not in addresses]
    bare = set(map(_bare, students))

    def counts(k: int) -> tuple[int, int]:
        return len(students & set(columns[k])), len(bare & set(map(_bare, columns[k])))

    best = max(others, key=counts, default=None)
    return sorted([*addresses, *([] if best is None else [best])])


def attendance(roster: Roster, learners: Sequence[HandedIn], layout: str = "") -> Attendance:
    """Lay a download, which was read as ``layout``, beside a roster."""
    students = {normal(one.student) for one in learners}
    usable = [k for k in range(roster.columns) if layout != MOODLE or k not in roster.foreign]
    decided = deciding([[person.cells[k] for person in roster.people] for k in usable], students)
    chosen = [usable[k] for k in decided]
    rows = _rows(roster.people, lambda person: {person.cells[k] for k in chosen if person.cells[k]})
    bare = without_zeros(students, rows)
    here = {one.student: rows.get(bare.get(normal(one.student), normal(one.student)), []) for one in learners}
    found = _clear({student: _latest(people) for student, people in here.items()})
    by_name = not found and bool(learners)
    if by_name:
        rows = _rows(roster.people, lambda person: (_letters(person.name),))
        here = {one.student: rows.get(_letters(one.name), []) for one in learners}
        found = _clear({student: people[0] if len(people) == 1 else None for student, people in here.items()})
    seen = {id(person) for people in here.values() for person in people}
    missing = {(person.ids, _letters(person.name)): person for person in roster.people if id(person) not in seen}
    return Attendance(
        found,
        tuple(missing.values()),
        tuple(learner.student for learner in learners if learner.student not in found),
        by_name and bool(found),
        {} if by_name else {one: other for one, other in bare.items() if one in found},
    )


def _rows(people: Iterable[Person], keys: Callable[[Person], Iterable[str]]) -> dict[str, list[Person]]:
    rows: dict[str, list[Person]] = {}
    for person in people:
        for key in keys(person):
            rows.setdefault(key, []).append(person)
    return rows


def _latest(rows: Sequence[Person]) -> Person | None:
    """Of several rows of one id the one with the latest time; None if they are of different people."""
    if len({_letters(person.name) for person in rows}) != 1:
        return None
    return max(rows, key=lambda person: moment(person.submitted, UTC) or datetime.min.replace(tzinfo=UTC))


def _clear(rows: Mapping[str, Person | None]) -> dict[str, Person]:
    """The rows of learners that no other learner has."""
    counts = Counter(id(person) for person in rows.values() if person is not None)
    return {student: person for student, person in rows.items() if person is not None and counts[id(person)] == 1}


def _letters(name: str) -> str:
    """A name without blanks, commas and case, its words sorted: "Lee, Ann" is "Ann Lee"."""
    return " ".join(sorted(re.findall(r"\w+", normal(name).lower())))


def moment(text: str, zone: tzinfo | None) -> datetime | None:
    """A time of a roster; None where it cannot be read.

    Parameters
    ----------
    text : str
        As platforms and people write it.
    zone : tzinfo or None
        Where it has no offset: the zone of whoever exported it, None for this machine's. Each time gets the offset of
        its own day; in the hour that comes twice it is taken for the earlier one.
    """
    text = re.sub(r"\s+", " ", text.replace("\u202f", " ")).strip()
    found = _parsed(text)
    if found is None or found.tzinfo is not None:
        return found
    try:
        return found.astimezone() if zone is None else found.replace(tzinfo=zone)
    except (OverflowError, OSError):  # no year that a machine's clock has
        return None


def last_moment(text: str, zone: tzinfo | None) -> datetime | None:
    """As ``moment``; a day without a time means its last minute."""
    return moment(f"{text} 23:59" if _DAY.fullmatch(text) else text, zone)


def is_zoneless(text: str) -> bool:
    """Whether a time that can be read says nothing about its zone."""
    found = moment(text, UTC)
    return found is not None and moment(text, _ELSEWHERE) != found


def _parsed(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        pass
    for form in _TIMES:
        try:
            return datetime.strptime(text, form)
        except ValueError:
            continue
    return None
