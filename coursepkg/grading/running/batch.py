"""Running a batch: which notebooks still have to be graded, by how many processes, and where results go.

Only the first process writes. Grading processes are given whole notebooks and give back results; one that a
crowded machine kept waiting until time was over is graded once more, with others of the kind, before that counts.
"""

from __future__ import annotations

import ctypes
import fcntl
import multiprocessing
import os
import signal
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass, replace
from multiprocessing.util import Finalize
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tqdm import tqdm

from coursepkg.grading.running.class_list import (
    ClassList,
    class_list,
    read_class,
    read_roster_again,
    with_earlier,
    with_work,
    write_class,
)
from coursepkg.grading.running.grader import Graded, Grader, Work, nothing_readable
from coursepkg.grading.running.results import (
    HAND,
    INFRASTRUCTURE_ERROR,
    BadResult,
    Result,
    read_result,
    remove_partial_files,
    result_path,
    set_aside,
    write_result,
)
from coursepkg.grading.running.serving import Lost
from coursepkg.grading.specification.assignment import NONE, Assignment, BadAssignment, asked_in
from coursepkg.grading.specification.chapters import Chapters
from coursepkg.grading.submissions.archives import Archive, Folder, short
from coursepkg.grading.submissions.choosing import Wanted, chapter_of
from coursepkg.grading.submissions.contents import load, nothing_found
from coursepkg.grading.submissions.counting import mark_of, settle_time, what_counts
from coursepkg.grading.submissions.learners import Download, HandedIn, discover
from coursepkg.grading.submissions.roster import Person, Roster

if TYPE_CHECKING:
    from coursepkg.grading.running.cluster import Cluster

_AHEAD = 2  # notebooks in waiting for each process
_DEATH_SIGNAL = 1


class Busy(OSError):
    """Another run is writing into the same folder."""


@dataclass(frozen=True)
class Batch:
    """What to grade, and how.

    Attributes
    ----------
    specs, results : Path
        Specifications, and where results go.
    secret : bytes
        Hidden inputs derive from it.
    tier : str
        Tier of the sandbox.
    jobs : int
        Processes on this machine; a cluster decides for itself.
    assignment : Assignment, optional
        What was asked (default: the chapters that most learners handed in).
    released : bool
        Whether notebooks were handed out with its name in them.
    roster : Roster, optional
        Who should have handed in.
    extensions : tuple of Person
        Who of them may hand in until when.
    zone : str
        The time zone of times that name none; "" for the assignment's.
    """

    specs: Path
    results: Path
    secret: bytes
    tier: str
    jobs: int = 1
    assignment: Assignment | None = None
    released: bool = False
    roster: Roster | None = None
    extensions: tuple[Person, ...] = ()
    zone: str = ""


@dataclass(frozen=True)
class Ran:
    """What a run came to: how many results have each status ("kept" were there already), and who handed in.

    ``guessed`` says that nobody named the assignment, so that it was taken from what most handed in.
    """

    counts: Counter[str]
    assignment: Assignment
    people: ClassList
    guessed: bool = False


def run(batch: Batch, tree: Folder | Archive, *, cluster: Cluster | None = None, quiet: bool = False) -> Ran:
    """Grade all submissions in ``tree`` that are not graded yet.

    Parameters
    ----------
    batch : Batch
        What to grade, and how.
    tree : Folder or Archive
        Submissions.
    cluster : Cluster, optional
        Grade there, and not on this machine.
    quiet : bool
        Show no progress bar.

    Raises
    ------
    SpecError, Busy, BrokenProcessPool
        If the specifications cannot be loaded, another run is writing, or a grading process died.
    BadAssignment
        If nothing was handed in, or nothing that tells what was asked.
    """
    chapters = Chapters(batch.specs)
    new_roster = batch.roster is not None
    batch, before = _going_on(batch)
    download = discover(tree, _known(batch.roster, before))
    if not download.learners:
        found = f"; found: {', '.join(map(short, download.left_aside[:5]))}" if download.left_aside else ""
        raise BadAssignment(f"there is no folder, zip or notebook of any learner here{found}")
    batch.results.mkdir(parents=True, exist_ok=True)
    with _alone_in(batch.results):
        remove_partial_files(batch.results)
        assignment = batch.assignment or what_most_handed_in(tree, download, chapters)
        assignment = replace(assignment, zone=batch.zone or assignment.zone)
        grading = _Run(replace(batch, assignment=assignment), chapters, tree, cluster, quiet)
        for learner in download.learners:
            settle_time(tree, learner, grading.wanted, numbered=download.layout == "Canvas")
        people = class_list(with_earlier(download, before), assignment, batch.roster, released=batch.released)
        if batch.roster is not None and assignment.late != NONE:
            work = {one.student: mark_of(tree, one) for one in download.learners if one.submitted is None}
            people = with_work(people, work, before, new_roster=new_roster)
        grading.go_on_from(before, download)

        def keep() -> None:
            write_class(batch.results, assignment, people.at(grading.handed_in, grading.pending), batch.roster)

        keep()
        try:
            return Ran(grading.all(download), assignment, people, batch.assignment is None)
        finally:
            keep()


def _going_on(batch: Batch) -> tuple[Batch, ClassList | None]:
    """The batch, with what of an earlier run is not named: the assignment, its zone, the roster and its extensions.

    Who handed in then comes with it.
    """
    try:
        earlier = read_class(batch.results)
    except BadResult:
        if batch.assignment is None:
            raise
        earlier = None  # written anew
    if earlier is not None:
        kept = _kept_roster(batch)
        roster, extensions = batch.roster or kept, batch.extensions or (kept.extensions if kept is not None else ())
        batch = replace(batch, roster=roster, extensions=extensions, zone=batch.zone or earlier[0].zone)
        if batch.assignment is None:
            batch = replace(batch, assignment=earlier[0], released=earlier[1].released)
    if batch.extensions and batch.roster is None:
        raise BadAssignment("extensions belong to people on the roster; name it, too, with --roster")
    if batch.roster is not None:
        batch = replace(batch, roster=replace(batch.roster, extensions=batch.extensions))
    return batch, earlier[1] if earlier is not None else None


def _kept_roster(batch: Batch) -> Roster | None:
    try:
        return read_roster_again(batch.results)
    except BadResult:
        if batch.roster is None:
            raise
        return None  # written anew


def _known(roster: Roster | None, before: ClassList | None) -> set[str]:
    """Ids and names of the learners that the roster or an earlier run has."""
    known = {each for person in roster.people for each in (*person.ids, person.name)} if roster is not None else set()
    return known | {each for one in before.learners for each in (one.id, one.name)} if before is not None else known


def what_most_handed_in(tree: Folder | Archive, download: Download, chapters: Chapters) -> Assignment:
    """The assignment to take where none is named: the chapters that more than half as many handed in as the commonest.

    Raises
    ------
    BadAssignment
        If there is none.
    """
    found: Counter[str] = Counter()
    for learner in download.learners:
        found.update({chapter_of(name, data) for name, data in load(tree, learner).notebooks} & set(chapters))
    common = [chapter for chapter in chapters if 2 * found[chapter] > max(found.values(), default=0)]
    if not common:
        raise BadAssignment("no notebook holds exercises of a known chapter; say what was asked with --assignment")
    return asked_in(chapters, common)


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise Busy(f"another run is writing into {folder}") from None
    finally:
        os.close(handle)


class _Run:
    def __init__(
        self,
        batch: Batch,
        chapters: Chapters,
        tree: Folder | Archive,
        cluster: Cluster | None,
        quiet: bool,
    ):
        self.batch, self.chapters, self.tree, self.cluster, self.quiet = batch, chapters, tree, cluster, quiet
        self.counts: Counter[str] = Counter()
        self.again: list[Work] = []
        self.handed_in: dict[str, tuple[str, ...]] = {}  # chapters, by learner
        self.pending: set[str] = set()  # learners who are not graded yet
        self._open: Counter[str] = Counter()
        self.frames = Grader(chapters, batch.secret, batch.tier)
        assert batch.assignment is not None
        functions = {
            name: frozenset(exercise.function for exercise in chapters[name].exercises)
            for name in batch.assignment.chapters
        }
        asked = (exercise for name in batch.assignment.chapters for exercise in chapters[name].exercises)
        self.points = {exercise.id: float(exercise.points) for exercise in asked}
        self.wanted = Wanted(batch.assignment.name, batch.released, functions, frozenset(chapters))

    def go_on_from(self, before: ClassList | None, download: Download) -> None:
        """Know what an earlier run has found; whoever is in this download is not graded yet."""
        if before is not None:
            self.handed_in = {one.id: one.chapters for one in before.learners}
            self.pending = set(before.pending)
        self.pending |= {learner.student for learner in download.learners}

    def all(self, download: Download) -> Counter[str]:
        learners, self.numbered = download.learners, download.layout == "Canvas"
        pool: Executor = self.cluster or _pool(self.batch)
        try:
            if self.cluster is not None:
                self.cluster.prepare(self.batch.specs, self.batch.secret, self.batch.tier)
            with tqdm(total=len(learners), unit="learner", disable=True if self.quiet else None) as bar:
                self._spread(pool, learners, bar)
            again = {_submit(pool, work): work for work in self.again}
            while again:
                self._collect(again, FIRST_COMPLETED, final=True)
        except KeyboardInterrupt:
            for process in multiprocessing.active_children():  # what they are at is graded another time
                process.kill()
            raise
        finally:
            pool.shutdown(cancel_futures=True)
        return self.counts

    def _spread(self, pool: Executor, learners: Sequence[HandedIn], bar: Any) -> None:
        waiting: dict[Future[Graded], Work] = {}
        for learner in learners:
            self._open[learner.student] += 1
            for work in self._works(learner):
                self._open[learner.student] += 1
                if len(waiting) >= _AHEAD * max(self.cluster.width if self.cluster else self.batch.jobs, 1):
                    self._collect(waiting, FIRST_COMPLETED)
                waiting[_submit(pool, work)] = work
            self._done_with(learner.student)
            bar.update()
        while waiting:
            self._collect(waiting, FIRST_COMPLETED)

    def _collect(self, waiting: dict[Future[Graded], Work], until: str, *, final: bool = False) -> None:
        done, _ = wait(waiting, return_when=until)
        for future in done:
            work = waiting.pop(future)
            self._store(self._result(future, work), final=final, work=work)

    def _result(self, future: Future[Graded], work: Work) -> Graded:
        try:
            return future.result()
        except Lost as error:
            return self.frames.lost(work, str(error))

    def _store(self, graded: Graded, *, final: bool, work: Work) -> None:
        if graded.out_of_time and not final:
            self.again.append(work)
            return
        for result, times in zip(graded.results, graded.times, strict=True):
            if self._is_kept(result):  # a mark that a person gave stays
                self.counts["kept"] += 1
                continue
            write_result(self.batch.results, result, times)
            self.counts[result.status] += 1
        self._done_with(work.student)

    def _done_with(self, student: str) -> None:
        """One thing less to do for a learner; after the last one the work is graded."""
        self._open[student] -= 1
        if not self._open[student]:
            self.pending.discard(student)

    def _works(self, learner: HandedIn) -> Iterator[Work]:
        """The notebooks of a learner that have to be graded."""
        contents, chosen, notes = what_counts(self.tree, learner, self.wanted, numbered=self.numbered)
        flags = tuple([*learner.notes, *contents.refused, *notes])
        self.handed_in[learner.student] = tuple(sorted(chosen))
        if not chosen:
            if not contents.notebooks and not contents.refused:
                flags = (*flags, nothing_found(contents.others))
            result = nothing_readable(learner.student, learner.name, flags, self.batch.tier)
            set_aside(self.batch.results, learner.student, {result.exercise})  # what was handed in before it
            write_result(self.batch.results, result)
            self.counts[result.status] += 1
            return
        asked = {exercise.id for chapter in chosen for exercise in self.chapters[chapter].exercises}
        set_aside(self.batch.results, learner.student, asked)
        for chapter, (name, data) in sorted(chosen.items()):
            work = Work(learner.student, learner.name, chapter, name, data, flags)
            expected = self.frames.expected(work)
            if all(self._is_kept(result) for result in expected):
                self.counts["kept"] += len(expected)
            else:
                yield work

    def _is_kept(self, frame: Result) -> bool:
        try:
            old = read_result(result_path(self.batch.results, frame.student, frame.exercise))
        except BadResult:
            return False
        same = ["notebook_sha256", "spec_sha256", "seed_id", "sandbox", "versions", "name"]
        if HAND in old.flags:
            same = same[:2]
        if old.status == INFRASTRUCTURE_ERROR or old.max != self.points[frame.exercise]:
            return False
        return all(getattr(old, name) == getattr(frame, name) for name in same)


# --- grading processes -----------------------------------------------------------------------------------------------

_grader: Grader | None = None


def _pool(batch: Batch) -> Executor:
    return ProcessPoolExecutor(batch.jobs, multiprocessing.get_context("spawn"), _begin, (batch, os.getpid()))


def _submit(pool: Executor, work: Work) -> Future[Graded]:
    """Have a notebook graded. A process that starts for it begins deaf to Ctrl-C, which is for the first one."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        return pool.submit(_grade, work)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _begin(batch: Batch, parent: int) -> None:
    """Prepare a grading process; it ends with the one that started it, even if that is killed."""
    global _grader
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    ctypes.CDLL(None).prctl(_DEATH_SIGNAL, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)
    _grader = Grader(Chapters(batch.specs), batch.secret, batch.tier)
    Finalize(_grader, _grader.close, exitpriority=1)


def _grade(work: Work) -> Graded:
    assert _grader is not None
    return _grader.grade(work)


__all__ = ["Batch", "BrokenProcessPool", "Busy", "Ran", "run"]
