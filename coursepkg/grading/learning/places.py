"""Links from what a check says to where it can be read: "notebook 06, 'Phase 3: send back'" opens that heading.

The words stay as the specifications have them. Headings are looked up in the notebooks beside the exercises when they
are needed, and a place that is not found stays plain text.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from urllib.parse import quote

Links = dict[str, str]
_PACKAGE = Path(__file__).resolve().parents[2]
_PLACE = re.compile(r"(?:(?:notebook|chapter) (\d\d)\b)?(?:(?:^|,? )sections? (\d+)\b)?(?:[,:]? ?(.+))?")
_QUOTED = re.compile(r"'(.+?)'(?!\w)")
_EXERCISE = re.compile(r"exercise (\d\d\.\d+)\b")
_NUMBER = re.compile(r"(\d+(?:\.\d+)?) · ")


@dataclass(frozen=True)
class Heading:
    """A heading of a notebook; ``section`` is the number of the section that it stands in ("" before the first)."""

    level: int
    title: str
    section: str
    cell: str

    @property
    def bare(self) -> str:
        """The title without its number, in lower case."""
        return _NUMBER.sub("", self.title, count=1).casefold()


def headings(notebook: Path) -> tuple[Heading, ...]:
    """All headings of a notebook, in order; none if it cannot be read."""
    try:
        return _headings(os.fspath(notebook), notebook.stat().st_mtime_ns)
    except (OSError, ValueError, KeyError, TypeError):
        return ()


@lru_cache(maxsize=32)
def _headings(path: str, changed: int) -> tuple[Heading, ...]:
    found: list[Heading] = []
    section = ""
    for cell in json.loads(Path(path).read_text(encoding="utf-8"))["cells"]:
        if cell["cell_type"] != "markdown":
            continue
        for level, title in _titles("".join(cell["source"])):
            if level == 2:
                number = _NUMBER.match(title)
                section = number[1] if number else ""
            found.append(Heading(level, title, section, cell.get("id", "")))
    return tuple(found)


def _titles(text: str) -> Iterator[tuple[int, str]]:
    fenced = False
    for line in text.splitlines():
        fenced ^= line.startswith("```")
        found = re.fullmatch(r"(#+) +(.*?)[ #]*", line)
        if found and not fenced:
            yield len(found[1]), re.sub(r"[*`]", "", found[2])


# --- what words refer to ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Place:
    """What a text about a place names: a chapter, a section of it, titles in quotes, and what else it says."""

    chapter: str
    section: str
    quoted: tuple[str, ...]
    rest: str


def place(words: str, chapter: str) -> Place | None:
    """The place in the course's notebooks that these words name, or None.

    Parameters
    ----------
    words : str
        "notebook 06, section 2, 'The loop learns XOR'", "section 3: the road", "'Units cancel'. Why is that?"
    chapter : str
        The chapter that is meant where the words name none.
    """
    found = _PLACE.match(words)
    assert found is not None  # everything in it may be missing
    named, section, rest = found[1] or "", found[2] or "", found[3] or ""
    quoted: list[str] = []
    if rest.startswith("'"):
        first = _QUOTED.match(rest)
        while first is not None:
            quoted.append(first[1])
            after = rest[first.end() :]
            rest = after.removeprefix(" and ")
            first = _QUOTED.match(rest) if rest != after else None
    if not (named or section or quoted):
        return None
    return Place(named or chapter, section, tuple(quoted), rest)


def heading_of(found: Place, all_headings: Iterable[Heading]) -> Heading | None:
    """The heading that a place means: the title in quotes, else what is said after the section, else the section."""
    inside = [item for item in all_headings if found.section in ("", item.section)]
    if found.quoted:
        wanted = _NUMBER.sub("", found.quoted[0], count=1).casefold()
        for fits in (wanted.__eq__, lambda title: wanted in title):
            if (match := next((item for item in inside if fits(item.bare)), None)) is not None:
                return match
    elif (match := next((item for item in inside if item.bare == found.rest.casefold()), None)) is not None:
        return match
    # Words in quotes that are no title are quoted from the section, if one is given; else the place is not found.
    return inside[0] if inside and (found.section or not found.quoted) else None


# --- links -----------------------------------------------------------------------------------------------------------


class Course:
    """The notebooks around a folder of compiled checks, as links from the working folder.

    Parameters
    ----------
    checks : Path
        The folder of compiled checks.
    """

    def __init__(self, checks: Path):
        self.here = Path(os.path.realpath("."))
        exercises = Path(os.path.realpath(checks)).parent
        above = (exercises.parent, self.here, *self.here.parents)
        self._lessons = next((folder for root in above if (folder := root / "notebooks").is_dir()), None)
        # A notebook's own folder first: from `solutions/`, links stay there.
        self._exercises = [self.here, exercises]

    def lesson(self, chapter: str) -> Path | None:
        """The notebook of a chapter."""
        return _notebook(self._lessons, chapter) if self._lessons is not None else None

    def title(self, chapter: str) -> str:
        """What a chapter is called: the first heading of its notebook."""
        for path in (self.lesson(chapter), *(_notebook(folder, chapter) for folder in self._exercises)):
            if path is not None and (found := headings(path)):
                return found[0].title
        return f"chapter {chapter}"

    def to_words(self, words: str, chapter: str) -> str | None:
        """The link for a text about a place ("notebook 06, 'Phase 3: send back'"), or None."""
        if (exercise := _EXERCISE.match(words)) is not None:
            return self.to_exercise(exercise[1])
        found = place(words, chapter)
        path = self.lesson(found.chapter) if found is not None else None
        if found is None or path is None:
            return None
        heading = heading_of(found, headings(path))
        return self._link(path, heading) if heading is not None else None

    def to_exercise(self, exercise_id: str) -> str | None:
        """The link to an exercise, or None."""
        for folder in self._exercises:
            path = _notebook(folder, exercise_id.split(".")[0])
            for heading in headings(path) if path is not None else ():
                if path is not None and heading.title.startswith(f"{exercise_id} · "):
                    return self._link(path, heading)
        return None

    def links(self, texts: Iterable[str], chapter: str) -> Links:
        """The texts that are found as places, each with its link."""
        found = ((words, self.to_words(words, chapter)) for words in dict.fromkeys(texts))
        return {words: link for words, link in found if link is not None}

    def _link(self, path: Path, heading: Heading) -> str | None:
        if path.is_relative_to(_PACKAGE):
            return None  # a notebook inside the installed package is not for opening
        try:
            relative = os.path.relpath(path, self.here)
        except ValueError:  # on another drive
            return path.as_uri()
        return quote(Path(relative).as_posix()) + fragment(heading)


def fragment(heading: Heading) -> str:
    """The part of a link behind the file's name.

    JupyterLab names a heading by its text, with dashes for blanks ("#Phase-3:-send-back"), and then finds it only if
    the text is plain ASCII. Elsewhere ("4 · Signals through depth") the link goes to the heading's cell.
    """
    name = heading.title.replace(" ", "-")
    if heading.cell and (not name.isascii() or re.search("[^A-Za-z0-9.,:;!?()_-]", name)):
        return f"#cell-id={heading.cell}"
    return "#" + quote(name, safe=".,:;!?()")


@lru_cache(maxsize=64)
def _notebook(folder: Path, chapter: str) -> Path | None:
    return next(iter(sorted(folder.glob(f"{chapter}_*.ipynb"))), None) if re.fullmatch(r"\d\d", chapter) else None
