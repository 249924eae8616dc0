"""A class of 200 in the formats of Canvas, Moodle and Gradescope: nobody's mark is lost, lent or merged.

The three downloads hold the same notebooks, so each notebook is graded once, for whichever platform comes first. What
comes of it depends on the notebook alone (``test_standing_sandbox.py``); whose it is, and what counts, differs.
"""

import csv
import json
import re
import zipfile
from collections import Counter
from concurrent.futures import Executor, Future
from dataclasses import replace
from datetime import datetime

import machine
import numpy as np
import pytest
from class_downloads import PLATFORMS, a_class, download
from generated_class import PROJECT, notebook_name

from coursepkg.grading import cli
from coursepkg.grading.reporting.gradebook import load_gradebook
from coursepkg.grading.running import batch
from coursepkg.grading.specification.assignment import INSIDE

CHAPTER, PER_DAY = "03", 2.0
DUE = datetime.fromisoformat("2026-12-01T23:00:00+00:00")


@pytest.fixture(scope="module")
def handed_out(tmp_path_factory):
    """A release of the chapter, and the class of 200 that worked on it."""
    folder = tmp_path_factory.mktemp("class")
    words = ["grade", "release", CHAPTER, "--root", str(PROJECT), "--out", str(folder / "hw2.zip")]
    assert cli.main([*words, "--due", DUE.isoformat(), "--late", str(PER_DAY)]) == 0
    with zipfile.ZipFile(folder / "hw2.zip") as archive:
        untouched = archive.read(f"hw2/{notebook_name(CHAPTER)}")
        asked = json.loads(archive.read(f"hw2/{INSIDE}"))["exercises"]
    released = {
        "notebook": json.loads(untouched), "name": notebook_name(CHAPTER),
        "points": {one["id"]: one["points"] for one in asked},
    }  # fmt: skip
    [solution] = (PROJECT / "solutions").glob("02_*.ipynb")
    foreign = {"untouched": untouched, "chapter": solution.read_bytes()}
    rng = np.random.default_rng(16)
    learners = a_class(CHAPTER, 200, rng, released=released, foreign=foreign, due=DUE, per_day=PER_DAY)
    (folder / "secret").write_text("a secret of the tests, and of nobody else")
    return folder, learners


class EachOnce(Executor):
    """Grading processes that are asked about a notebook once; for the next learner, its results get other names."""

    def __init__(self, pool, known):
        self.pool, self.known = pool, known

    def submit(self, grade, work):
        """The results of ``grade(work)``, as soon as those of the notebook are there."""
        notebook = work.chapter, work.notebook, work.data
        earlier = self.known.get(notebook)
        if earlier is None or (earlier.done() and earlier.result().out_of_time):
            self.known[notebook] = self.pool.submit(grade, replace(work, student="", name="", flags=()))
        mine = Future()
        self.known[notebook].add_done_callback(lambda done: self._hand_on(done, work, mine))
        return mine

    @staticmethod
    def _hand_on(done, work, mine):
        if (error := done.exception()) is not None:
            mine.set_exception(error)
            return
        results = [
            replace(result, student=work.student, name=work.name, flags=(*work.flags, *result.flags))
            for result in done.result().results
        ]
        mine.set_result(replace(done.result(), results=tuple(results)))

    def shutdown(self, wait=True, *, cancel_futures=False):
        """Wait for what is being graded, and end the processes."""
        self.pool.shutdown(wait, cancel_futures=cancel_futures)


@pytest.fixture(scope="module", autouse=True)
def each_notebook_once():
    known, pool = {}, batch._pool
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(batch, "_pool", lambda asked: EachOnce(pool(asked), known))
        yield known


def graded(folder, platform, learners, capsys):
    """Grade a download by one command; returns what was said."""
    zipped, roster = download(platform, learners, folder)
    words = ["grade", "batch", str(zipped), "--assignment", str(folder / "hw2.zip"), "--roster", str(roster)]
    words += ["--secret", str(folder / "secret"), "--specs", str(PROJECT / "solutions" / "specs"), "--jobs", "2"]
    assert cli.main([*words, "--out", str(folder / platform)]) == 0
    return capsys.readouterr().out


@pytest.mark.parametrize("platform", PLATFORMS)
def test_every_learner_of_200_gets_the_mark_that_is_theirs(platform, handed_out, capsys):
    machine.require(machine.best_tier())
    folder, learners = handed_out
    shown = graded(folder, platform, learners, capsys)
    strangers = sum(not one.rostered for one in learners)
    line = next(line for line in shown.splitlines() if "missing" in line and "learners" in line)
    folders = sum(len(one.files) for one in learners) if platform == "Canvas" else len(learners)
    merged = f", {folders - len(learners)} merged" if folders > len(learners) else ""
    assert line == f"{folders} folders, {len(learners)} learners{merged}, 3 missing, {strangers} unknown"
    book = load_gradebook(folder / platform)
    assert book.max == sum(learners[0].marks.keys() and {c.id: c.max for c in book.columns}.values())
    found = {learner.id: learner for learner in book.learners}
    assert len(found) == len(learners) + 3
    wrong = {}
    for one in learners:
        taken = min(PER_DAY, sum(one.marks.values())) if one.taken and platform == "Canvas" else one.taken
        expected = max(0.0, sum(one.marks.values()) - taken)
        got = found[one.id]
        if got.points != expected or one.flag not in " ".join(_told(got)):
            wrong[one.id] = (one.oddity, expected, got.points, one.flag, _told(got))
    assert wrong == {}


def _told(learner):
    """Everything that is said of a learner: flags, and the messages of what was judged."""
    return [*learner.flags, *(item.message for _, item in learner.items)]


def test_the_class_holds_every_oddity_several_times(handed_out):
    _, learners = handed_out
    counts = Counter(one.oddity for one in learners)
    assert len(counts) == 19
    assert min(counts.values()) >= 8


@pytest.mark.parametrize("platform", ["Canvas", "Moodle"])
def test_marks_go_back_by_one_command(platform, handed_out, capsys):
    machine.require(machine.best_tier())
    folder, learners = handed_out
    if not (folder / platform).exists():
        graded(folder, platform, learners, capsys)
    out = folder / f"{platform}-marks.csv"
    words = ["grade", "export", str(folder / platform), "--to", platform.lower(), "--out", str(out)]
    words += ["--template", str(folder / f"{platform}.csv"), "--assignment", "hw2", "--missing-as-zero"]
    assert cli.main(words) == 3  # those who are not on the roster are named, and left out
    with out.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    key, mark = ("ID", "hw2 (77)") if platform == "Canvas" else ("Identifier", "Grade")
    marks = {re.sub(r"\D", "", row[key]): row[mark] for row in rows if re.search(r"\d", row[key])}
    book = load_gradebook(folder / platform)
    rostered = {one.id for one in learners if one.rostered}
    assert {name: float(marks[name]) for name in rostered} == {
        one.id: one.points for one in book.learners if one.id in rostered
    }
    assert sum(float(mark) == 0 for name, mark in marks.items() if name not in rostered) == 3  # the missing
