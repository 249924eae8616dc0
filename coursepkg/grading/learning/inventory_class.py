"""The ten questions of a whole class, before and after: how hard each was, what it tells, and which wrong idea moved.

Nobody's name is needed. Each learner makes up a code and writes it on both sheets, so that the two find each other.
What is read is a table with the columns ``code``, ``time`` ("before" or "after") and 1 to 10, with a letter or nothing.

Difficulty and discrimination are those of classical test theory (Crocker and Algina, "Introduction to Classical and
Modern Test Theory", 1986): the share of right answers, and the correlation of a question with the rest of the sheet.
The gain is Hake's (American Journal of Physics 66, 1998): how much of what could be won was won. KR-20 is Kuder and
Richardson's reliability (Psychometrika 2, 1937).
"""

from __future__ import annotations

import csv
import io
import re
import stat
import statistics
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from coursepkg.grading.learning.inventory_questions import QUESTIONS, Question

BEFORE, AFTER = "before", "after"
EXAMPLE = "AB12CD"  # the code in an empty table
NUMBERS = tuple(question.number for question in QUESTIONS)
COLUMNS = ("code", "time", *map(str, NUMBERS))
ENOUGH = 10  # so many sheets are needed before a correlation is worth a look
LONGEST = 40  # characters of what was given that a message repeats
HIDDEN_AMONG = 5  # in a smaller class one learner's answers can be guessed from the table
_CODE = re.compile(r"[A-Z0-9-]{3,24}")


class SheetError(ValueError):
    """A table of answers that cannot be read; the message names the file, the row, and what is expected."""


@dataclass(frozen=True)
class Sheet:
    """One learner's letters at one time; a question that was left open has none."""

    code: str
    time: str
    letters: dict[int, str]

    def right(self, question: Question) -> bool:
        return self.letters.get(question.number) == question.answer

    @property
    def score(self) -> int:
        return sum(map(self.right, QUESTIONS))


# --- reading and writing ---------------------------------------------------------------------------------------------


def empty_table() -> str:
    """A table to fill in from sheets of paper: the head, and one row for each time as an example to overwrite."""
    return _written([[EXAMPLE, time, *[""] * len(NUMBERS)] for time in (BEFORE, AFTER)])


def table(sheets: Iterable[Sheet]) -> str:
    """Sheets as a table that :func:`read` understands."""
    return _written([sheet.code, sheet.time, *(sheet.letters.get(n, "") for n in NUMBERS)] for sheet in sheets)


def _written(rows: Iterable[Sequence[str]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(rows)
    return text.getvalue()


def checked_code(code: str) -> str:
    """A code as it is compared: capitals, without spaces.

    Raises
    ------
    SheetError
        If it has fewer than three letters and digits, more than 24, or anything else in it.
    """
    tidy = re.sub(r"\s", "", str(code)).upper()
    if not _CODE.fullmatch(tidy):
        raise SheetError(f"a code has 3 to 24 letters, digits or dashes, as in LE07AN; {_given(str(code))} has not")
    return tidy


@dataclass(frozen=True)
class Tables:
    """The sheets of some tables, and a line for each table that was left out: what is wrong with it, and what to do."""

    sheets: list[Sheet]
    left_out: list[str]


def read(paths: Iterable[Path]) -> list[Sheet]:
    """All sheets of these tables; of a folder, those of every ``.csv`` file in it.

    Raises
    ------
    SheetError
        If a table has other columns, a letter is no option, or a code has two different sheets for the same time.
    """
    found = gathered(paths)
    if found.left_out:
        raise SheetError(found.left_out[0])
    return found.sheets


def gathered(paths: Iterable[Path]) -> Tables:
    """The sheets of these tables, as :func:`read` gives them; a table that cannot be read is left out as a whole.

    A sheet that comes again in another table with the same letters is one: a learner may hand in after the first time
    and again at the end, when the table holds both.

    Raises
    ------
    SheetError
        If there is no table at all.
    """
    tables, left_out = [], []
    for path in paths:
        try:
            tables += _tables_of(path)
        except OSError as error:
            left_out.append(f"{_shown(path)}: the folder cannot be opened ({error.strerror})")
    if not tables and not left_out:
        raise SheetError("there is no table of answers; `grade inventory --empty answers.csv` writes an empty one")
    sheets: dict[tuple[str, str], Sheet] = {}
    for file in tables:
        try:
            sheets |= _fitting(file, sheets)
        except SheetError as error:
            left_out.append(str(error))
    return Tables(list(sheets.values()), left_out)


def _tables_of(path: Path) -> list[Path]:
    return sorted(file for file in path.iterdir() if file.suffix.lower() == ".csv") if path.is_dir() else [path]


def _fitting(file: Path, known: Mapping[tuple[str, str], Sheet]) -> dict[tuple[str, str], Sheet]:
    """The sheets of a file, one for each code and time; none says something else than a sheet that is known."""
    found: dict[tuple[str, str], Sheet] = {}
    for where, sheet in _of_file(file):
        key = sheet.code, sheet.time
        if key in found or known.get(key, sheet) != sheet:
            raise SheetError(
                f"{where}: the code {sheet.code} has two sheets from {sheet.time}; keep one of them, or write another "
                "code on both sheets of one learner if they are two"
            )
        found[key] = sheet
    if not found:
        raise SheetError(f"{_shown(file)}: there is no row below the head; write one for each sheet")
    return found


def _of_file(file: Path) -> Iterator[tuple[str, Sheet]]:
    """The sheets of a file, each with the place where it stands."""
    rows = _rows(file)
    columns = [name.strip().lower() for name in next(rows, (1, []))[1]]
    missing = [name for name in COLUMNS if name not in columns]
    if missing:
        raise SheetError(f"{_shown(file)}: the columns {', '.join(missing)} are missing; it needs {', '.join(COLUMNS)}")
    twice = [name for name in COLUMNS if columns.count(name) > 1]
    if twice:
        raise SheetError(f"{_shown(file)}: the column {twice[0]} is there twice; take one of them away")
    for line, cells in rows:
        where = f"{_shown(file)}, line {line}"
        if any(cells[len(columns) :]):
            raise SheetError(f"{where}: the row has {len(cells)} cells, and the head has {len(columns)}")
        row = dict(zip(columns, [*cells, *[""] * len(columns)], strict=False))
        time = row["time"].lower()
        if time not in (BEFORE, AFTER):
            raise SheetError(f"{where}: the time is {BEFORE!r} or {AFTER!r}, not {_given(row['time'])}")
        try:
            code = checked_code(row["code"])
        except SheetError as error:
            raise SheetError(f"{where}: {error}") from None
        sheet = Sheet(code, time, dict(_letters(row, where)))
        if sheet != Sheet(EXAMPLE, time, {}):  # an example that was left as it was is nobody's sheet
            yield where, sheet


def _rows(file: Path) -> Iterator[tuple[int, list[str]]]:
    """The rows of a table that are not empty, each with the number of its (last) line."""
    try:
        if not stat.S_ISREG(file.stat().st_mode):  # to open a pipe would wait for ever
            raise SheetError(f"{_shown(file)}: it is no file; a table is a CSV file, or a folder of such")
        text = file.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise SheetError(f"{_shown(file)}: it cannot be opened ({error.strerror})") from None
    except UnicodeDecodeError:
        raise SheetError(f"{_shown(file)}: it is no text in UTF-8; save the table as CSV in UTF-8 once more") from None
    head = text.partition("\n")[0]
    # Where a comma is part of a number, spreadsheets put semicolons between columns; some programs put tabs.
    rows = csv.reader(io.StringIO(text), delimiter=max(",;\t", key=head.count))
    try:
        for row in rows:
            cells = [cell.strip() for cell in row]
            if any(cells):
                yield rows.line_num, cells
    except csv.Error as error:
        where = f"{_shown(file)}, line {rows.line_num}"
        raise SheetError(f"{where}: it cannot be taken apart ({error}); look for a quotation mark") from None


def _letters(row: Mapping[str, str], where: str) -> Iterator[tuple[int, str]]:
    for question in QUESTIONS:
        letter = row[str(question.number)].lower()
        if letter and letter not in question.options:
            raise SheetError(
                f"{where}: question {question.number} has the options {', '.join(question.options)}, "
                f"not {_given(letter)}"
            )
        if letter:
            yield question.number, letter


def _given(text: str) -> str:
    """What was given, in quotes, cut where it goes on for ever."""
    return repr(text) if len(text) <= LONGEST else f"{text[:LONGEST]!r} (cut, it has {len(text)} characters)"


def _shown(file: Path) -> str:
    return file.name if file.name.isprintable() else repr(file.name)


# --- what they say ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Time:
    """A class at one time: sheets, mean and spread of the score, and how well the sheet agrees with itself."""

    sheets: int
    mean: float
    spread: float
    reliability: float | None


@dataclass(frozen=True)
class Item:
    """A question at one time: share of right answers, correlation with the rest of the sheet, each letter's count."""

    difficulty: float
    discrimination: float | None
    chosen: Counter[str]


@dataclass(frozen=True)
class Moved:
    """A wrong idea, among learners with both sheets: who had it, who has it still, who took it up."""

    question: Question
    letter: str
    before: int
    still: int
    new: int

    @property
    def after(self) -> int:
        return self.still + self.new

    @property
    def thought(self) -> str:
        return self.question.options[self.letter].thought


@dataclass(frozen=True)
class Report:
    """What the sheets of a class say; ``items`` by question number and time."""

    times: dict[str, Time]
    items: dict[tuple[int, str], Item]
    pairs: int
    gain: float | None
    effect: float | None
    moved: list[Moved]
    alone: dict[str, int]
    left_out: int = 0

    @property
    def notes(self) -> list[str]:
        """What a reader has to know before the numbers."""
        said = []
        if self.left_out:
            tables = "1 table was" if self.left_out == 1 else f"{self.left_out} tables were"
            said.append(f"{tables} left out. The command that wrote this page said why.")
        said += [
            f"{count} sheet{'s' * (count != 1)} from {time} found no second one with the same code."
            for time, count in self.alone.items()
            if count
        ]
        smallest = min((time.sheets for time in self.times.values()), default=0)
        if smallest < ENOUGH:
            said.append(f"Discrimination is given from {ENOUGH} sheets on.")
        if smallest < HIDDEN_AMONG:
            said.append(f"With fewer than {HIDDEN_AMONG} sheets somebody may be recognised: do not pass this page on.")
        return said


def analysed(sheets: Sequence[Sheet], left_out: int = 0) -> Report:
    """Item analysis of each time, and what moved between the two.

    Parameters
    ----------
    sheets : sequence of Sheet
        As :func:`read` gives them. Difficulty and discrimination are those of all sheets of a time. Gain, effect and
        what moved are those of learners with both.
    left_out : int
        How many tables are not among them because they could not be read.

    Returns
    -------
    Report
        ``gain`` is None if nothing could be won, ``effect`` (the mean change over the spread of the changes) if all
        changed alike.
    """
    by_time = {time: [sheet for sheet in sheets if sheet.time == time] for time in (BEFORE, AFTER)}
    times = {time: _time(found) for time, found in by_time.items() if found}
    items = {
        (question.number, time): _item(question, found)
        for question in QUESTIONS
        for time, found in by_time.items()
        if found
    }
    first, second = ({sheet.code: sheet for sheet in by_time[time]} for time in (BEFORE, AFTER))
    pairs = [(first[code], second[code]) for code in first if code in second]
    alone = {BEFORE: len(first) - len(pairs), AFTER: len(second) - len(pairs)} if first and second else {}
    changes = [after.score - before.score for before, after in pairs]
    spread = statistics.stdev(changes) if len(changes) > 1 else 0.0
    effect = statistics.mean(changes) / spread if spread else None
    return Report(times, items, len(pairs), _gain(pairs), effect, _moved(pairs), alone, left_out)


def _time(sheets: Sequence[Sheet]) -> Time:
    scores = [sheet.score for sheet in sheets]
    spread = statistics.stdev(scores) if len(scores) > 1 else 0.0
    return Time(len(sheets), statistics.mean(scores), spread, _reliability(sheets))


def _reliability(sheets: Sequence[Sheet]) -> float | None:
    """Kuder and Richardson's formula 20; None where it means nothing."""
    variance = statistics.pvariance([sheet.score for sheet in sheets])
    if len(sheets) < ENOUGH or not variance:
        return None
    shares = [statistics.mean(sheet.right(question) for sheet in sheets) for question in QUESTIONS]
    count = len(QUESTIONS)
    return count / (count - 1) * (1 - sum(share * (1 - share) for share in shares) / variance)


def _item(question: Question, sheets: Sequence[Sheet]) -> Item:
    right = [float(sheet.right(question)) for sheet in sheets]
    rest = [sheet.score - own for sheet, own in zip(sheets, right, strict=True)]
    varies = len(set(right)) > 1 and len(set(rest)) > 1
    discrimination = statistics.correlation(right, rest) if varies and len(sheets) >= ENOUGH else None
    chosen = Counter(sheet.letters.get(question.number, "") for sheet in sheets)
    return Item(statistics.mean(right), discrimination, chosen)


def _gain(pairs: Sequence[tuple[Sheet, Sheet]]) -> float | None:
    before = sum(first.score for first, _ in pairs)
    room = len(QUESTIONS) * len(pairs) - before
    return (sum(second.score for _, second in pairs) - before) / room if room else None


def _moved(pairs: Sequence[tuple[Sheet, Sheet]]) -> list[Moved]:
    """Every wrong idea that somebody had, those that most have still first."""
    found = []
    for question in QUESTIONS:
        for letter in question.options:
            if letter == question.answer:
                continue
            had = [first.letters.get(question.number) == letter for first, _ in pairs]
            has = [second.letters.get(question.number) == letter for _, second in pairs]
            still = sum(a and b for a, b in zip(had, has, strict=True))
            found.append(Moved(question, letter, sum(had), still, sum(has) - still))
    return sorted(
        (each for each in found if each.before or each.new), key=lambda m: (-m.after, -m.before, m.question.number)
    )
