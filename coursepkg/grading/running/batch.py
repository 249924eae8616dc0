"""Running a batch: which notebooks still have to be graded, by how many processes, and where results go.

Only the first process writes. Grading processes are given whole notebooks and give back results; one that ran out of
time is graded once more, alone, before that counts, since a crowded machine is not the learner's fault.
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
from dataclasses import dataclass
from multiprocessing.util import Finalize
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tqdm import tqdm

from coursepkg.grading.running.grader import Graded, Grader, Work, chapter_of_text, nothing_readable
from coursepkg.grading.running.results import (
    HAND,
    INFRASTRUCTURE_ERROR,
    BadResult,
    Result,
    read_result,
    remove_partial_files,
    result_path,
    write_result,
)
from coursepkg.grading.running.serving import Lost
from coursepkg.grading.specification.chapters import Chapters
from coursepkg.grading.submissions.archives import Archive, Folder
from coursepkg.grading.submissions.contents import by_chapter, load
from coursepkg.grading.submissions.learners import HandedIn, discover

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
    """

    specs: Path
    results: Path
    secret: bytes
    tier: str
    jobs: int = 1


def run(batch: Batch, tree: Folder | Archive, *, cluster: Cluster | None = None, quiet: bool = False) -> Counter[str]:
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

    Returns
    -------
    Counter
        How many results have each status; "kept" counts those that were there already.

    Raises
    ------
    SpecError, Busy, BrokenProcessPool
        If the specifications cannot be loaded, another run is writing, or a grading process died.
    """
    chapters = Chapters(batch.specs)
    batch.results.mkdir(parents=True, exist_ok=True)
    with _alone_in(batch.results):
        remove_partial_files(batch.results)
        return _Run(batch, chapters, tree, cluster, quiet).all()


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
        self.alone: list[Work] = []
        self.frames = Grader(chapters, batch.secret, batch.tier)

    def all(self) -> Counter[str]:
        learners = discover(self.tree)
        pool: Executor = self.cluster or _pool(self.batch)
        try:
            if self.cluster is not None:
                self.cluster.prepare(self.batch.specs, self.batch.secret, self.batch.tier)
            with tqdm(total=len(learners), unit="learner", disable=True if self.quiet else None) as bar:
                self._spread(pool, learners, bar)
            for work in self.alone:
                self._store(self._result(pool.submit(_grade, work), work), final=True, work=work)
        finally:
            pool.shutdown(cancel_futures=True)
        return self.counts

    def _spread(self, pool: Executor, learners: Sequence[HandedIn], bar: Any) -> None:
        waiting: dict[Future[Graded], Work] = {}
        for learner in learners:
            for work in self._works(learner):
                if len(waiting) >= _AHEAD * max(self.cluster.width if self.cluster else self.batch.jobs, 1):
                    self._collect(waiting, FIRST_COMPLETED)
                waiting[pool.submit(_grade, work)] = work
            bar.update()
        while waiting:
            self._collect(waiting, FIRST_COMPLETED)

    def _collect(self, waiting: dict[Future[Graded], Work], until: str) -> None:
        done, _ = wait(waiting, return_when=until)
        for future in done:
            work = waiting.pop(future)
            self._store(self._result(future, work), final=False, work=work)

    def _result(self, future: Future[Graded], work: Work) -> Graded:
        try:
            return future.result()
        except Lost as error:
            return self.frames.lost(work, str(error))

    def _store(self, graded: Graded, *, final: bool, work: Work) -> None:
        if graded.out_of_time and not final:
            self.alone.append(work)
            return
        for result, times in zip(graded.results, graded.times, strict=True):
            if self._is_kept(result):  # a mark that a person gave stays
                self.counts["kept"] += 1
                continue
            write_result(self.batch.results, result, times)
            self.counts[result.status] += 1

    def _works(self, learner: HandedIn) -> Iterator[Work]:
        """The notebooks of a learner that have to be graded."""
        contents = load(self.tree, learner)
        pointed = {name: chapter_of_text(data) for name, data in contents.notebooks}
        chosen, notes = by_chapter(contents.notebooks, self.chapters, pointed)
        flags = tuple([*learner.notes, *contents.refused, *notes])
        if not chosen:
            found = f"; found: {', '.join(contents.others[:5])}" if contents.others else ""
            words = flags or (f"no notebook was handed in{found}",)
            result = nothing_readable(learner.student, learner.name, words, self.batch.tier)
            write_result(self.batch.results, result)
            self.counts[result.status] += 1
            return
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
        return old.status != INFRASTRUCTURE_ERROR and all(getattr(old, name) == getattr(frame, name) for name in same)


# --- grading processes -----------------------------------------------------------------------------------------------

_grader: Grader | None = None


def _pool(batch: Batch) -> Executor:
    return ProcessPoolExecutor(batch.jobs, multiprocessing.get_context("spawn"), _begin, (batch, os.getpid()))


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


__all__ = ["Batch", "BrokenProcessPool", "Busy", "run"]
