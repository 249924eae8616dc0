"""The workshops' plans: minutes counted from the notebooks that they use, and pages held to them.

``instructor/workshops/NAME.toml`` says what a session uses (sections of chapters, exercises, talk, breaks) and how many
minutes it is given. This file counts what those parts need: words to read, predictions, cells and their measured
seconds, lines to type, the exercises' own minutes, and a stated factor for a room. The tables in
``instructor/workshop-NAME.md`` are written from both.

    python -m tools.workshops                 # write the tables into the pages
    python -m tools.workshops --check         # write nothing; exit 1 and say what differs
    python -m tools.workshops --show half-day # the sum of each step, with what it is made of
    python -m tools.workshops --measure       # run the chapters and store the seconds of each cell
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
import tomllib
from collections.abc import Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # so that this file also runs by its path

from tools.notebook_file import ROOT, read, tags
from tools.reading import FENCE, FOLDED, MINUTES_A_CELL, MINUTES_A_PREDICTION, WORDS_A_MINUTE
from tools.typing_along import KEY, typed_lines

PLANS = ROOT / "instructor" / "workshops"
SECONDS = PLANS / "cell_seconds.json"
FOR_A_ROOM = {"chapter": 1.25, "exercises": 1.5}  # what a room needs, to what one person at a desk needs
MINUTES_A_LINE = 0.4  # to type a line of code that somebody else types and explains
SLACK = 1.75  # a step is given at most so many times what it needs, plus the next two
SPARE_MINUTES = 10
LATE = 20
NEAR, NEAR_SHARE = 2.0, 0.1  # minutes by which a stored sum may differ from one counted now


class PlanError(ValueError):
    """A plan that names something that does not exist, or that does not fit into its time."""


# --- what a chapter is made of ---------------------------------------------------------------------------------------


@dataclass
class Load:
    """What a part of a chapter asks of a reader, to be added up."""

    words: int = 0
    predictions: int = 0
    cells: int = 0
    lines: int = 0
    seconds: float = 0.0
    exercises: float = 0.0

    def __add__(self, other: Load) -> Load:
        return Load(*(getattr(self, name) + getattr(other, name) for name in self.__dataclass_fields__))

    @property
    def reading(self) -> float:
        """Minutes for one person: words, predictions, cells, lines to type, and the time that the cells run."""
        by_hand = MINUTES_A_PREDICTION * self.predictions + MINUTES_A_CELL * self.cells + MINUTES_A_LINE * self.lines
        return self.words / WORDS_A_MINUTE + by_hand + self.seconds / 60

    @property
    def in_a_room(self) -> float:
        """Minutes for a room, which asks, compares and waits for the last one."""
        return FOR_A_ROOM["chapter"] * self.reading + FOR_A_ROOM["exercises"] * self.exercises


@dataclass
class Section:
    """A heading of a chapter with its own text and cells, up to the next heading; `folded` for the second reading."""

    title: str
    level: int
    load: Load = field(default_factory=Load)
    folded: bool = False


def chapter_path(chapter: str) -> Path:
    """The notebook of a chapter, by its two digits."""
    found = sorted((ROOT / "notebooks").glob(f"{chapter}_*.ipynb"))
    if not found:
        raise PlanError(f"there is no chapter {chapter!r}")
    return found[0]


@cache
def sections(chapter: str) -> tuple[Section, ...]:
    """All sections of a chapter in order, each with its own load; a text cell may hold several."""
    found = [Section("", 0)]
    for cell in read(chapter_path(chapter)).cells:
        if cell.cell_type == "code":
            lines = typed_lines(cell.source) if KEY in tags(cell) else 0
            found[-1].load += Load(cells=1, lines=lines, seconds=seconds_of(chapter, cell.id))
            continue
        for mark, title, text in _split(cell.source):
            if title:
                found.append(Section(title, mark, folded="second-reading" in tags(cell) or FOLDED in cell.metadata))
            words = len(re.sub(r"<[^>]+>", " ", text).split())
            found[-1].load += Load(words=words, predictions=text.count("**Predict"))
    return tuple(found)


def _split(source: str) -> Iterator[tuple[int, str, str]]:
    """The parts of a text cell: (level, heading, text); the first may have no heading."""
    fenced = [match.span() for match in FENCE.finditer(source)]
    marks = [
        match
        for match in re.finditer(r"^(#{1,6}) (.*)$", source, re.M)
        if not any(start <= match.start() < end for start, end in fenced)
    ]
    starts = [0, *(match.start() for match in marks)]
    ends = [*starts[1:], len(source)]
    yield 0, "", source[: ends[0]]
    for match, end in zip(marks, ends[1:], strict=True):
        yield len(match[1]), match[2].strip(), source[match.start() : end]


def load_of(chapter: str, titles: Sequence[str], *, without: Sequence[str] = ()) -> Load:
    """What some sections of a chapter ask for: each with what stands below it, without second readings."""
    parts = sections(chapter)
    names = [part.title for part in parts]
    missing = [title for title in [*titles, *without] if title not in names]
    if missing:
        raise PlanError(f"chapter {chapter} has no section {', '.join(map(repr, missing))}; it has {names[1:]}")
    total, taken = Load(), set()
    dropped = {number for title in without for number in _below(parts, names.index(title))}
    for title in titles:
        for number in _below(parts, names.index(title)):
            if number not in taken and number not in dropped:
                taken.add(number)
                total += parts[number].load
    return total


def _below(parts: Sequence[Section], start: int) -> Iterator[int]:
    """The section at `start` and all under it; one that is folded is left out with all that is under it."""
    folded_under = 0
    for number in range(start, len(parts)):
        part = parts[number]
        if number > start and part.level <= parts[start].level:
            return
        if folded_under and part.level <= folded_under:
            folded_under = 0
        if part.folded and number > start and not folded_under:
            folded_under = part.level
        if not folded_under:
            yield number


@cache
def exercise_minutes() -> dict[str, float]:
    """Minutes of every exercise, as its specification states them."""
    return {entry["id"]: float(entry["minutes"]) for entry in _compiled()}


@cache
def ideas() -> dict[tuple[str, str], dict[str, str]]:
    """Every wrong idea of every bank, by exercise and name: what it looks like, why, where to look again."""
    return {(entry["id"], idea["id"]): idea for entry in _compiled() for idea in entry["misconceptions"]}


@cache
def _compiled() -> list[dict[str, Any]]:
    paths = sorted((ROOT / "exercises" / ".checks").glob("ex_*.json"))
    return [entry for path in paths for entry in json.loads(path.read_text(encoding="utf-8"))["exercises"]]


# --- measured seconds ------------------------------------------------------------------------------------------------


@cache
def _stored_seconds() -> dict[str, dict[str, float]]:
    stored: dict[str, dict[str, float]] = json.loads(SECONDS.read_text(encoding="utf-8"))["chapters"]
    return stored


def seconds_of(chapter: str, identity: str) -> float:
    """Seconds that a cell took when the chapters were measured; 0 for a cell that is newer than that."""
    return _stored_seconds().get(chapter, {}).get(identity, 0.0)


def measure() -> None:
    """Run every chapter in a clean kernel, and store how long each cell took, where that is a twentieth of a second."""
    found = {path.name[:2]: _cell_seconds(path) for path in sorted((ROOT / "notebooks").glob("[0-9]*.ipynb"))}
    data = {
        "about": "Processor seconds of each cell by its id, one thread, Linux; cells under 0.05 s are left out.",
        "date": date.today().isoformat(),
        "chapters": found,
    }
    SECONDS.write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")


def _cell_seconds(path: Path) -> dict[str, float]:
    from jupyter_client.manager import AsyncKernelManager
    from nbclient import NotebookClient

    from tools.notebook_run import private_kernel

    notebook, before, found = deepcopy(read(path)), 0.0, {}
    with private_kernel(AsyncKernelManager) as (manager, environment):

        def starts(cell: Any, cell_index: int) -> None:
            nonlocal before
            before = _processor_seconds(manager.provisioner.pid)

        def ended(cell: Any, cell_index: int, **_: Any) -> None:
            found[cell.id] = round(_processor_seconds(manager.provisioner.pid) - before, 2)

        client = NotebookClient(
            notebook, km=manager, kernel_name="python3", timeout=600, on_cell_execute=starts, on_cell_executed=ended
        )
        client.execute(cwd=str(path.parent), env=environment, cleanup_kc=True)
    print(f"{path.name}: {sum(found.values()):.1f} s in {len(found)} cells", flush=True)
    return {identity: seconds for identity, seconds in found.items() if seconds >= 0.05}


def _processor_seconds(pid: int) -> float:
    """What a process and its ended children have used so far; wall time would measure who else is on the machine."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")


# --- plans -----------------------------------------------------------------------------------------------------------


@dataclass
class Step:
    """A row of a plan: what is done, for how long, what it is made of, and what may be left out of it when late."""

    what: str
    minutes: int
    kind: str
    where: str = ""
    episode: int = 0
    load: Load = field(default_factory=Load)
    talk: float = 0.0
    spare: int = 0
    spare_how: str = ""

    @property
    def needs(self) -> float:
        """Minutes that this step needs in a room; what is said freely or is a break needs what it is given."""
        return self.load.in_a_room + self.talk if self.kind == "counted" else float(self.minutes)


@dataclass
class Session:
    """Some hours in one piece."""

    title: str
    minutes: int
    steps: list[Step]


@dataclass
class Plan:
    """A workshop: its sessions in order, and the wrong ideas that its episodes speak of."""

    name: str
    sessions: list[Session]
    ideas: dict[int, list[dict[str, str]]]

    @property
    def steps(self) -> list[Step]:
        return [step for session in self.sessions for step in session.steps]


def plan(name: str) -> Plan:
    """Read a plan and look up everything that it names.

    Raises
    ------
    PlanError
        If it names a section, an exercise or an idea that does not exist, gives a step less than it needs or far more,
        or if a session's steps do not add up to its length or spare too little for a late start.
    """
    data = tomllib.loads((PLANS / f"{name}.toml").read_text(encoding="utf-8"))
    sessions = [_session(each) for each in data["session"]]
    told: dict[int, list[dict[str, str]]] = {}
    for entry in data["idea"]:
        key = (entry["exercise"], entry["name"])
        if key not in ideas():
            raise PlanError(f"{name}: the bank of {key[0]} has no idea {key[1]!r}")
        told.setdefault(entry["episode"], []).append(entry | ideas()[key])
    made = Plan(name, sessions, told)
    problems = list(_problems(made))
    if problems:
        raise PlanError("\n".join(f"{name}: {problem}" for problem in problems))
    return made


def _session(data: dict[str, Any]) -> Session:
    return Session(data["title"], data["minutes"], [_step(each) for each in data["step"]])


def _step(data: dict[str, Any]) -> Step:
    load = Load()
    for part in data.get("uses", []):
        used = load_of(part["chapter"], part["sections"], without=part.get("without", ()))
        load += used if data.get("typing") else replace(used, lines=0)
    for identity in data.get("exercises", []):
        if identity not in exercise_minutes():
            raise PlanError(f"there is no exercise {identity!r}")
        load += Load(exercises=exercise_minutes()[identity])
    counted = "uses" in data or "exercises" in data
    kind = "counted" if counted else data.get("kind", "talk")
    return Step(
        data["what"], data["minutes"], kind, data.get("where", ""), data.get("episode", 0), load,
        float(data.get("talk", 0)), data.get("spare", 0), data.get("spare_how", ""),
    )  # fmt: skip


def _problems(made: Plan) -> Iterator[str]:
    for session in made.sessions:
        total = sum(step.minutes for step in session.steps)
        if total != session.minutes:
            yield f"the steps of {session.title!r} take {total} minutes, and it has {session.minutes}"
        spare = sum(step.spare for step in session.steps)
        if spare < LATE:
            yield f"{session.title!r} can spare {spare} minutes, and somebody may be {LATE} late"
        for step in session.steps:
            if step.needs > step.minutes + 0.5:
                yield f"{step.what!r} has {step.minutes} minutes and needs {step.needs:.0f}"
            if step.kind == "counted" and step.minutes > SLACK * step.needs + SPARE_MINUTES:
                yield f"{step.what!r} has {step.minutes} minutes and needs only {step.needs:.0f}"
            if step.spare > step.minutes or bool(step.spare) != bool(step.spare_how):
                yield f"{step.what!r} spares {step.spare} of {step.minutes} minutes: {step.spare_how!r}"


# --- pages -----------------------------------------------------------------------------------------------------------


def page(name: str) -> Path:
    return ROOT / "instructor" / f"workshop-{name}.md"


def names() -> list[str]:
    """The workshops that there are."""
    return sorted(path.stem for path in PLANS.glob("*.toml"))


def clock(minutes: int) -> str:
    return f"{minutes // 60}:{minutes % 60:02}"


def blocks(made: Plan) -> dict[str, str]:
    """The generated parts of a page by their names."""
    made_of = {"plan": _plan_table(made), "late": _late_table(made), "sums": _sums_table(made)}
    return made_of | {f"ideas {number}": _ideas_table(told) for number, told in made.ideas.items()}


def _plan_table(made: Plan) -> str:
    lines: list[str] = []
    for session in made.sessions:
        if len(made.sessions) > 1:
            lines += [f"**{session.title}**", ""]
        lines += ["| from | min | what | where |", "| --- | --- | --- | --- |"]
        at = 0
        for step in session.steps:
            what = f"*{step.what}*" if step.kind == "break" else step.what
            lines.append(f"| {clock(at)} | {step.minutes} | {what} | {step.where} |")
            at += step.minutes
        lines += [f"| {clock(at)} | | End | |", ""]
    return "\n".join(lines).rstrip()


def _late_table(made: Plan) -> str:
    lines: list[str] = []
    for session in made.sessions:
        if len(made.sessions) > 1:
            lines += [f"**{session.title}**", ""]
        lines += ["| at | what | saves |", "| --- | --- | --- |"]
        at = 0
        for step in session.steps:
            if step.spare:
                lines.append(f"| {clock(at)} | {step.what}: {step.spare_how} | {step.spare} min |")
            at += step.minutes
        lines.append("")
    return "\n".join(lines).rstrip()


def _sums_table(made: Plan) -> str:
    head = "| what | words | predictions | cells | lines to type | they run | exercises | needs | is given |"
    lines = [head, "| --- | --- | --- | --- | --- | --- | --- | --- | --- |"]
    for step in made.steps:
        if step.kind == "counted":
            load = step.load
            lines.append(
                f"| {step.what} | {load.words} | {load.predictions} | {load.cells} | {load.lines} "
                f"| {load.seconds:.0f} s | {load.exercises:.0f} min | {round(step.needs)} min | {step.minutes} min |"
            )
    factors = f"{FOR_A_ROOM['chapter']} for chapters and {FOR_A_ROOM['exercises']} for exercises"
    return "\n".join([*lines, "", f"The factor for a room is {factors}."])


def _ideas_table(told: list[dict[str, str]]) -> str:
    lines = ["| what you see | what is behind it | what to say |", "| --- | --- | --- |"]
    for idea in told:
        seen = f"{idea['exercise']}: {idea['looks_like']}"
        lines.append(f"| {_cell(seen)} | {_cell(idea['why'])} | {_cell(idea['say'])} |")
    return "\n".join(lines)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


BLOCK = re.compile(r"(<!-- made by tools/workshops\.py: ([a-z0-9 ]+) -->\n).*?(<!-- end -->)", re.S)


def filled(text: str, made: Plan) -> str:
    """A page with its generated parts as they are now.

    Raises
    ------
    PlanError
        If a part has no place in the page, or a place no part.
    """
    parts = blocks(made)
    places = [match[2] for match in BLOCK.finditer(text)]
    if sorted(places) != sorted(parts):
        raise PlanError(f"{made.name}: the page has places for {sorted(places)}, and there are {sorted(parts)}")
    return BLOCK.sub(lambda match: f"{match[1]}\n{parts[match[2]]}\n\n{match[3]}", text)


def differences(name: str) -> list[str]:
    """Lines of a page that are not what its plan says now; sums may be off by two minutes or a tenth."""
    stored = page(name).read_text(encoding="utf-8")
    new, old = filled(stored, plan(name)).splitlines(), stored.splitlines()
    if len(new) != len(old):
        return [f"{page(name).name}: {len(old)} lines, and {len(new)} now"]
    return [f"{page(name).name}: {a}\n    now: {b}" for a, b in zip(old, new, strict=True) if not _near(a, b)]


def _near(old: str, new: str) -> bool:
    number = re.compile(r"\d+")
    if old == new:
        return True
    if not re.search(r" s \| \d+ min \| \d+ min \| ", new) or number.sub("#", old) != number.sub("#", new):
        return False
    pairs = zip(map(int, number.findall(old)), map(int, number.findall(new)), strict=True)
    return all(abs(a - b) <= max(NEAR, NEAR_SHARE * b) for a, b in pairs)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 and say what differs")
    parser.add_argument("--show", metavar="NAME", help="print the sums of one plan")
    parser.add_argument("--measure", action="store_true", help="run the chapters and store the seconds of each cell")
    options = parser.parse_args(arguments)
    if options.measure:
        measure()
        return 0
    try:
        if options.show:
            print(_sums_table(plan(options.show)))
            return 0
        changed = []
        for name in names():
            if options.check:
                changed += differences(name)
                continue
            old = page(name).read_text(encoding="utf-8")
            new = filled(old, plan(name))
            if new != old:
                page(name).write_text(new, encoding="utf-8", newline="\n")
                print(f"wrote {page(name).relative_to(ROOT)}")
    except PlanError as error:
        print(error, file=sys.stderr)
        return 1
    print(
        "\n".join([*changed, "run `python -m tools.workshops`"] if changed else [f"{len(names())} plans are in step"])
    )
    return int(bool(changed))


if __name__ == "__main__":
    sys.exit(main())
