"""How fast is a class graded? Beside nbgrader and otter-grader, on the same notebooks, as ratios per submission.

    python benchmarks/grading.py                              # ours alone: 400 notebooks of ten exercises
    python benchmarks/grading.py --only-honest                # only what the bars are about: no hostile ones, no Dask
    python benchmarks/grading.py --peers PYTHON               # and the others, found in the environment of PYTHON
    python benchmarks/grading.py --peers PYTHON --store       # and keep the numbers in benchmarks/results/grading.json

PYTHON is an interpreter that has ``nbgrader`` and ``otter-grader`` (what is missing is skipped, loudly). The class is
generated: 40 % right, 35 % partly right, 15 % wrong, 10 % hostile, answers taken from the specification of chapter 03.
Each notebook has ten answer cells and, for nbgrader, a test cell behind each; the three graders get the same files and
the same tests, ours run in a sandbox, theirs in the learner's kernel. Each grader's marks are compared with what the
notebooks deserve before a number counts. The others get no hostile notebook: an endless loop alone would cost nbgrader
half a minute for each test and otter-grader would wait for ever, and several would get full marks.

The clock is processor time of all processes of a grader, start and sandbox included, and the bars apply to it. Wall
time is told as well, with the load; it counts that ours uses two processes and the others one. Each is used in the way
that its manual says is for a class: nbgrader with all notebooks in one call, otter-grader with one call for each
notebook, since it grades many at a time in Docker alone.

With Dask installed, a part of the class is graded on a local cluster as well, to see what scheduler and workers cost.
``--store`` also brings ``instructor/grading.md`` and ``instructor/scale.md`` up to date, where these numbers say what a
class takes, and what 100,000 notebooks would take.
"""

from __future__ import annotations

import argparse
import ctypes
import importlib.util
import json
import os
import platform
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import textwrap
import time
import tracemalloc
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "grading" / "sandbox"))

from generated_class import QUICK, SLOW, SPECS, HandedIn, fill_in, generate, notebook_name  # noqa: E402

from coursepkg.grading.judging.calling import LocalCall  # noqa: E402
from coursepkg.grading.judging.judge import judge  # noqa: E402
from coursepkg.grading.running.results import read_results  # noqa: E402
from coursepkg.grading.specification.build import source_of  # noqa: E402
from coursepkg.grading.specification.chapters import load_chapter  # noqa: E402
from coursepkg.grading.specification.compiling import compile_check  # noqa: E402
from coursepkg.grading.specification.exercise import Exercise  # noqa: E402
from coursepkg.grading.specification.nbgrader_source import source_notebook  # noqa: E402
from coursepkg.grading.submissions.archives import Folder  # noqa: E402
from coursepkg.grading.submissions.learners import discover  # noqa: E402

CHAPTER = "03"
BARS = {"nbgrader": 25.0, "otter-grader": 60.0}
RESULT = ROOT / "benchmarks" / "results" / "grading.json"
PAGE, COST_PAGE = ROOT / "instructor" / "scale.md", ROOT / "instructor" / "grading.md"
MARK = "<!-- counted from benchmarks/results/grading.json -->"
HONEST = "coursepkg, honest ones alone"
MANY, CORES = 100_000, (4, 16, 64, 256)
HIDDEN_SEED = 5
ADOPT_ORPHANS = 36  # prctl's PR_SET_CHILD_SUBREAPER
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
TEST = """\
assert check("{id}", {function}).passed
### BEGIN HIDDEN TESTS
import json as _json
from coursepkg.grading.judging.calling import LocalCall as _LocalCall
from coursepkg.grading.judging.judge import judge as _judge
_hidden = _json.loads({hidden!r})
assert _judge(_hidden, _LocalCall({function}, _hidden["driver"])).passed
### END HIDDEN TESTS"""
HIDDEN_TESTS = re.compile(r"\n### BEGIN HIDDEN TESTS.*### END HIDDEN TESTS", re.DOTALL)
OTTER_TEST = """\
import json
from otter.test_files import test_case
from coursepkg.grading.judging.calling import LocalCall
from coursepkg.grading.judging.judge import judge

OK_FORMAT = False
name = "{name}"
points = {points}
CHECKS = [json.loads(text) for text in {checks!r}]

@test_case(points={points}, hidden=True)
def test_all(env):
    for check in CHECKS:
        assert judge(check, LocalCall(env["{function}"], check["driver"])).passed
"""


def main(words: list[str] | None = None) -> int:
    """Measure, print, and store if asked to."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peers", metavar="PYTHON", help="an interpreter with nbgrader and otter-grader")
    parser.add_argument("--size", type=int, default=400, help="notebooks for us")
    parser.add_argument("--honest", type=int, default=300, help="of these, honest notebooks to compare with the others")
    parser.add_argument("--slow", type=int, default=len(SLOW), help="notebooks with an endless answer")
    parser.add_argument("--cluster", type=int, default=100, help="of the honest, notebooks for a local Dask cluster")
    parser.add_argument("--nbgrader", type=int, default=16, help="of the honest, notebooks for nbgrader")
    parser.add_argument("--otter", type=int, default=4, help="of the honest, notebooks for otter-grader")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--only-honest", action="store_true", help="nothing but the row that the bars are about")
    parser.add_argument("--store", action="store_true", help=f"write {RESULT.relative_to(ROOT)}")
    options = parser.parse_args(words)
    if options.store and options.only_honest:
        parser.error("what is stored holds all rows")
    with tempfile.TemporaryDirectory() as name:
        report = measured(Path(name), options)
    print(as_markdown(report))
    if options.store:
        RESULT.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
        write_pages(report)
    return 0


def measured(folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    """All rows that are asked for; a count of 0 leaves one out."""
    exercises = load_chapter(SPECS / f"ex_{CHAPTER}")
    course = Course(folder / "course", exercises, options.peers)
    rng = np.random.default_rng(0)
    everyone = generate(CHAPTER, options.size, rng, notebook=course.released, attacks=QUICK)
    honest = [learner for learner in everyone if learner.kind != "hostile"]
    rows = []
    if not options.only_honest:
        rows.append(ours(folder / "all", everyone, exercises, options.jobs, "coursepkg"))
        rows[0] |= listing(folder / "listing") | {"check_cpu_seconds": slowest_check(exercises)}
    rows.append(ours(folder / "honest", honest[: options.honest], exercises, options.jobs, HONEST))
    if not options.only_honest:
        rows.append(ours(folder / "one", honest[:1], exercises, 1, "coursepkg, one notebook alone"))
        rows += others(folder, course, honest, exercises, options)
    return {"settings": settings(course, options.jobs), "rows": rows, "ratios": ratios(rows)}


def others(
    folder: Path, course: Course, honest: list[HandedIn], exercises: list[Exercise], options: argparse.Namespace
) -> list[dict[str, Any]]:
    """Rows that take long: endless answers, a cluster, the other graders."""
    rows = []
    if options.slow:
        shares, rng = {"hostile": 1.0}, np.random.default_rng(1)
        slow = generate(CHAPTER, options.slow, rng, notebook=course.released, shares=shares, attacks=SLOW)
        rows.append(ours(folder / "slow", slow, exercises, options.jobs, "coursepkg, endless ones"))
    if options.cluster and importlib.util.find_spec("distributed"):
        rows.append(cluster(folder / "cluster", honest[: options.cluster]))
    elif options.cluster:
        print("DASK IS NOT MEASURED: distributed is not installed", file=sys.stderr)
    if options.nbgrader and course.has("nbgrader"):
        rows.append(nbgrader(course, honest[: options.nbgrader], exercises))
    if options.otter and course.has("otter"):
        rows.append(otter(course, honest[: options.otter], exercises))
    return rows


def write_pages(report: dict[str, Any]) -> None:
    """Bring the two pages for instructors up to date."""
    for page, text in ((PAGE, scale(report)), (COST_PAGE, cost(report))):
        head, _, tail = page.read_text(encoding="utf-8").split(MARK)
        page.write_text(MARK.join([head, f"\n\n{text}\n\n", tail]), encoding="utf-8")


# --- ours ------------------------------------------------------------------------------------------------------------


def hand_in(folder: Path, learners: list[HandedIn]) -> list[str]:
    """Write what learners hand in, and a secret; returns the words that grade it."""
    for learner in learners:
        path = folder / "submitted" / learner.student / notebook_name(CHAPTER)
        path.parent.mkdir(parents=True)
        path.write_bytes(learner.data)
    (folder / "secret").write_text("a secret of the benchmark, and of nobody else")
    words = ["grade", "batch", str(folder / "submitted"), "--secret", str(folder / "secret")]
    return [sys.executable, "-m", "coursepkg", *words, "--out", str(folder / "results")]


def ours(folder: Path, learners: list[HandedIn], exercises: list[Exercise], jobs: int, name: str) -> dict[str, Any]:
    """Grade as anybody would, from the command line, with the proof of the sandbox and the start included."""
    command, results = hand_in(folder, learners), folder / "results"
    with clock() as spent:
        spent["peak_bytes"] = called([*command, "--jobs", str(jobs)], ROOT)
    points = {exercise.id: exercise.points for exercise in exercises}
    marks = {(result.student, result.exercise): result.points for result in read_results(results)}
    for learner in learners:
        for exercise, right in learner.right.items():
            if marks[learner.student, exercise] != points[exercise] * right:
                raise SystemExit(f"{learner.student} deserves otherwise in {exercise} ({learner.ideas})")
    files = [path for path in results.rglob("*") if path.is_file()]
    blocks = sum(path.stat().st_blocks * 512 for path in results.rglob("*"))
    return {
        "grader": name, "notebooks": len(learners), **spent, "files": len(files) / len(learners),
        "bytes": sum(path.stat().st_size for path in files) / len(learners), "disk_bytes": blocks / len(learners),
        "handed_in_bytes": sum(len(learner.data) for learner in learners) / len(learners),
    }  # fmt: skip


def listing(folder: Path, size: int = 2000) -> dict[str, float]:
    """What one learner more costs the process that hands notebooks out: to be listed, and kept in mind."""
    for number in range(size):
        path = folder / f"learner{number:06}" / notebook_name(CHAPTER)
        path.parent.mkdir(parents=True)
        path.touch()
    began = time.process_time()
    discover(Folder(folder))
    seconds = time.process_time() - began
    tracemalloc.start()
    kept = discover(Folder(folder)).learners
    current, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return {"listing_cpu_seconds": seconds / len(kept), "listing_bytes": current / len(kept)}


def slowest_check(exercises: list[Exercise]) -> float:
    """Processor time of the slowest check in a notebook, of those of the chapter."""
    times = []
    for exercise in exercises:
        compiled = compile_check(exercise)
        began = time.process_time()
        for _ in range(5):
            judge(compiled, LocalCall(exercise.reference, exercise.driver))
        times.append((time.process_time() - began) / 5)
    return max(times)


def cluster(folder: Path, learners: list[HandedIn]) -> dict[str, Any]:
    """Grade on two workers of a local scheduler: what scheduler and workers themselves spend, beside grading."""
    from distributed import Client

    command, listed, started = hand_in(folder, learners), folder / "scheduler.json", []
    try:
        for words in (["scheduler", "--port", "0", "--host", "127.0.0.1"], *[["worker", "--nthreads", "1"]] * 2):
            more = ["--no-dashboard", "--scheduler-file", str(listed), *["--no-nanny"] * (words[0] == "worker")]
            started.append(
                subprocess.Popen(
                    [sys.executable, "-m", "dask", *words, *more], cwd=folder, env=ENVIRONMENT,
                    stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                )
            )  # fmt: skip
            while not listed.is_file() or not listed.stat().st_size:
                time.sleep(0.05)
        address = json.loads(listed.read_text(encoding="utf-8"))["address"]
        with Client(address, timeout=60, set_as_default=False) as client:
            client.wait_for_workers(2, timeout=120)
        before = [own_seconds(process.pid) for process in started]
        began = time.perf_counter()
        called([*command, "--scheduler", address], ROOT)
        wall = time.perf_counter() - began
        spent = [own_seconds(process.pid) - old for process, old in zip(started, before, strict=True)]
    finally:
        for process in started:
            process.kill()
            process.wait()
    return {
        "grader": "dask", "notebooks": len(learners), "wall_seconds": wall,
        "scheduler_cpu_seconds": spent[0], "workers_cpu_seconds": sum(spent[1:]),
    }  # fmt: skip


def own_seconds(process: int) -> float:
    """Processor time of a process itself, without its children."""
    fields = Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


# --- the others ------------------------------------------------------------------------------------------------------


class Course:
    """The chapter as an nbgrader course and as otter-grader's tests, and the notebook that learners are given."""

    options = ("--course-dir", ".", "--CourseDirectory.course_id=benchmark")

    def __init__(self, folder: Path, exercises: list[Exercise], python: str | None):
        self.folder, self.python = folder, python
        self.versions: dict[str, str] = {}
        for module in ("nbgrader", "otter") if python else ():
            self._find(module)
        source = self._source(exercises)
        self.released = source
        if self.has("nbgrader"):
            path = folder / "source" / "ps1" / "ps1.ipynb"
            path.parent.mkdir(parents=True)
            path.write_text(json.dumps(source), encoding="utf-8")
            self.call("nbgrader", "generate_assignment", "ps1", *self.options)
            self.released = json.loads((folder / "release" / "ps1" / "ps1.ipynb").read_text(encoding="utf-8"))
        else:
            self.released = without_hidden_tests(source)

    def _find(self, module: str) -> None:
        package = {"otter": "otter-grader"}.get(module, module)
        code = f"import importlib.metadata as m; print(m.version({package!r}))"
        found = subprocess.run([str(self.python), "-c", code], capture_output=True, text=True, check=False)
        if found.returncode:
            print(f"{package} IS NOT MEASURED: {self.python} does not have it", file=sys.stderr)
        else:
            self.versions[package] = found.stdout.strip()

    def has(self, module: str) -> bool:
        """Whether a peer can be measured."""
        return {"otter": "otter-grader"}.get(module, module) in self.versions

    def call(self, program: str, *words: str) -> int:
        """Run a peer's program in the course's folder, with our package to be imported and a home of its own."""
        scripts = Path(str(self.python)).parent
        home = self.folder / "home"
        home.mkdir(parents=True, exist_ok=True)
        path = f"{scripts}{os.pathsep}{os.environ['PATH']}"
        return called([str(scripts / program), *words], self.folder, PATH=path, HOME=str(home), PYTHONPATH=str(ROOT))

    def _source(self, exercises: list[Exercise]) -> dict[str, Any]:
        """The solution notebook with a test cell behind each answer, visible and hidden tests in it."""
        path = ROOT / "solutions" / notebook_name(CHAPTER)
        notebook = source_notebook(json.loads(path.read_text(encoding="utf-8")), {e.id: e.points for e in exercises})
        known = {f"ex-{exercise.id.replace('.', '-')}": exercise for exercise in exercises}
        cells = []
        for cell in notebook["cells"]:
            cells.append(cell)
            marks = cell["metadata"].get("nbgrader", {})
            if (exercise := known.get(marks.get("grade_id", ""))) is not None:
                del marks["points"]
                marks["grade"] = False
                cells.append(test_cell(exercise))
        return {**notebook, "cells": cells}


def hidden_check(exercise: Exercise) -> dict[str, Any]:
    """Hidden inputs; for the others they are the same for all learners, since they cannot be otherwise."""
    return compile_check(exercise, np.random.default_rng(HIDDEN_SEED))


def test_cell(exercise: Exercise) -> dict[str, Any]:
    """A cell that nbgrader grades by: the check that the learner sees, and hidden inputs."""
    name = exercise.id.replace(".", "-")
    hidden = json.dumps(hidden_check(exercise))
    marks = {
        "grade": True, "solution": False, "task": False, "locked": True, "schema_version": 3, "cell_type": "code",
        "grade_id": f"test-{name}", "points": exercise.points,
    }  # fmt: skip
    source = TEST.format(id=exercise.id, function=exercise.function, hidden=hidden)
    return {
        "cell_type": "code", "id": f"test-{name}", "source": source, "outputs": [], "execution_count": None,
        "metadata": {"nbgrader": marks},
    }  # fmt: skip


def without_hidden_tests(source: dict[str, Any]) -> dict[str, Any]:
    """The notebook as nbgrader would release it, but for the solutions, which are filled in anyway."""
    notebook = fill_in(source, {})
    for cell in notebook["cells"]:
        cell["source"] = HIDDEN_TESTS.sub("", source_of(cell))
    return notebook


def nbgrader(course: Course, learners: list[HandedIn], exercises: list[Exercise]) -> dict[str, Any]:
    """``nbgrader autograde``, all notebooks in one call."""
    for learner in learners:
        path = course.folder / "submitted" / learner.student / "ps1" / "ps1.ipynb"
        path.parent.mkdir(parents=True)
        path.write_bytes(learner.data)
        checks = path.parent / ".checks"
        shutil.copytree(ROOT / "exercises" / ".checks", checks)
    with clock() as spent:
        spent["peak_bytes"] = course.call("nbgrader", "autograde", "ps1", *course.options)
    course.call("nbgrader", "export", "--to", "grades.csv", course.options[-1])
    rows = [line.split(",") for line in (course.folder / "grades.csv").read_text(encoding="utf-8").splitlines()]
    head = rows[0]
    marks = {row[head.index("student_id")]: float(row[head.index("score")]) for row in rows[1:]}
    compare("nbgrader", marks, learners, exercises)
    return {"grader": "nbgrader", "notebooks": len(learners), **spent}


def otter(course: Course, learners: list[HandedIn], exercises: list[Exercise]) -> dict[str, Any]:
    """``otter run``, one call for each notebook."""
    tests = course.folder / "tests"
    tests.mkdir()
    for exercise in exercises:
        checks = [json.dumps(compile_check(exercise)), json.dumps(hidden_check(exercise))]
        name = f"q{exercise.id.replace('.', '_')}"
        values = {"name": name, "points": exercise.points, "function": exercise.function, "checks": checks}
        (tests / f"{name}.py").write_text(OTTER_TEST.format(**values), encoding="utf-8")
    course.call("otter", "generate", "-t", "tests", "-o", "autograder.zip", "--no-environment")
    marks = {}
    total: dict[str, float] = {}
    for learner in learners:
        (course.folder / "work.ipynb").write_bytes(learner.data)
        with clock() as spent:
            spent["peak_bytes"] = course.call("otter", "run", "-a", "autograder.zip", "work.ipynb")
        total = {key: max(total.get(key, 0), value) if key == "peak_bytes" else total.get(key, 0) + value
                 for key, value in spent.items()}  # fmt: skip
        report = json.loads((course.folder / "results.json").read_text(encoding="utf-8"))
        marks[learner.student] = sum(test.get("score", 0) for test in report["tests"])
    compare("otter-grader", marks, learners, exercises)
    return {"grader": "otter-grader", "notebooks": len(learners), **total}


def compare(name: str, marks: dict[str, float], learners: list[HandedIn], exercises: list[Exercise]) -> None:
    """Nothing is measured that did not do the work."""
    points = {exercise.id: exercise.points for exercise in exercises}
    for learner in learners:
        deserved = sum(points[exercise] for exercise, right in learner.right.items() if right)
        if marks.get(learner.student) != deserved:
            raise SystemExit(f"{name} gives {learner.student} {marks.get(learner.student)} points, not {deserved}")


# --- clock and report ------------------------------------------------------------------------------------------------


def called(command: list[str], folder: Path, **environment: str) -> int:
    """Run a program, and return the bytes of its largest process; what it says is shown only if it fails.

    Processes of the sandbox are not among these: what they may take is a limit, and hostile ones take it.
    """
    with tempfile.TemporaryFile("w+", encoding="utf-8") as said:
        process = subprocess.Popen(
            command, cwd=folder, env=ENVIRONMENT | environment, stdout=said, stderr=subprocess.STDOUT
        )
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            said.seek(0)
            raise SystemExit(f"{' '.join(command)} ended with {process.returncode}:\n{said.read()[-4000:]}")
    return usage.ru_maxrss * 1024


@contextmanager
def clock() -> Any:
    """Processor and wall seconds of all processes that were started beneath this one.

    What a process leaves behind unwaited for, as bubblewrap does with what runs in it, falls to this one and counts.
    """
    spent: dict[str, float] = {}
    ctypes.CDLL(None).prctl(ADOPT_ORPHANS, 1, 0, 0, 0)
    own = children()
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    yield spent
    spent["wall_seconds"] = time.perf_counter() - began
    while orphans := children() - own:
        os.waitpid(orphans.pop(), 0)
    ctypes.CDLL(None).prctl(ADOPT_ORPHANS, 0, 0, 0, 0)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent["cpu_seconds"] = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def children() -> set[int]:
    """The processes whose parent this one is."""
    return set(map(int, Path(f"/proc/self/task/{os.getpid()}/children").read_text(encoding="utf-8").split()))


def ratios(rows: list[dict[str, Any]]) -> dict[str, dict[str, float]]:
    """How many times our processor and wall time per notebook each peer takes, and the bar."""
    mine = next(row for row in rows if row["grader"] == HONEST)
    found = {}
    for row in rows:
        if row["grader"] in BARS:
            each: Callable[[str], float] = lambda key, row=row: row[key] / row["notebooks"]  # type: ignore[misc]  # noqa: E731
            found[row["grader"]] = {
                "cpu": each("cpu_seconds") / (mine["cpu_seconds"] / mine["notebooks"]),
                "wall": each("wall_seconds") / (mine["wall_seconds"] / mine["notebooks"]),
                "bar": BARS[row["grader"]],
            }
    return found


def settings(course: Course, jobs: int) -> dict[str, Any]:
    """Under what circumstances this was measured."""
    return {
        "date": time.strftime("%Y-%m-%d"), "python": platform.python_version(), "machine": platform.machine(),
        "cores": os.cpu_count(), "jobs": jobs, "chapter": CHAPTER, "exercises": 10, **course.versions,
        "load": ", ".join(f"{each:.1f}" for each in os.getloadavg()),
    }  # fmt: skip


def as_markdown(report: dict[str, Any]) -> str:
    """Two tables: seconds for each notebook, and ratios with their bars."""
    lines = ["| grader | notebooks | CPU s each | wall s each | largest process |", "|---|---:|---:|---:|---:|"]
    for row in report["rows"]:
        if row["grader"] == "dask":
            continue
        each = f"{row['cpu_seconds'] / row['notebooks']:.3f} | {row['wall_seconds'] / row['notebooks']:.3f}"
        lines.append(f"| {row['grader']} | {row['notebooks']} | {each} | {row['peak_bytes'] / 1e6:.0f} MB |")
    if slowest := report["rows"][0].get("check_cpu_seconds"):
        lines += ["", f"slowest check in a notebook: {1000 * slowest:.1f} ms"]
    lines += ["", "| per notebook | CPU, times ours | wall, times ours | bar |", "|---|---:|---:|---|"]
    for name, row in report["ratios"].items():
        reached = "reached" if row["cpu"] >= row["bar"] else "MISSED"
        lines.append(f"| {name} | {row['cpu']:.0f} | {row['wall']:.0f} | {row['bar']:.0f}, {reached} |")
    return "\n".join([*lines, "", "; ".join(f"{key} {value}" for key, value in report["settings"].items())])


def scale(report: dict[str, Any]) -> str:
    """What ``MANY`` notebooks would take, as a table: arithmetic on the numbers of a report, and nothing else."""
    mine = report["rows"][0]
    rows = {row["grader"]: row for row in report["rows"]}
    seconds = mine["cpu_seconds"] / mine["notebooks"]
    lines = [
        "| for 100,000 notebooks of ten exercises | |",
        "|---|---|",
        f"| processor time for each | {1000 * seconds:.0f} ms |",
        f"| processor time in all | {MANY * seconds / 3600:.1f} hours |",
    ]
    lines += [f"| wall time on {cores} cores | {span(MANY * seconds / cores)} |" for cores in CORES]
    lines += [
        f"| memory for each core, at most | {mine['peak_bytes'] / 1e6:.0f} MB, and what answers take (1 GiB at most) |",
        f"| memory of the process that hands out | {(MANY * mine['listing_bytes']) / 1e6:.0f} MB for the list |",
        f"| time to list them | {MANY * mine['listing_cpu_seconds']:.0f} s |",
        f"| notebooks, as handed in | {MANY * mine['handed_in_bytes'] / 1e9:.1f} GB |",
        f"| results | {MANY * mine['bytes'] / 1e9:.1f} GB in {MANY * mine['files'] / 1e6:.1f} million files, "
        f"{MANY * mine['disk_bytes'] / 1e9:.1f} GB on disk |",
    ]
    if "dask" in rows:
        spent = rows["dask"]["scheduler_cpu_seconds"] / rows["dask"]["notebooks"]
        extra = rows["dask"]["workers_cpu_seconds"] / rows["dask"]["notebooks"]
        lines.append(f"| Dask's scheduler, for each | {1000 * spent:.1f} ms: enough for {seconds / spent:.0f} cores |")
        lines.append(f"| Dask's workers, for each | {1000 * extra:.1f} ms beside grading |")
    for name in BARS:
        if name in rows:
            each = rows[name]["cpu_seconds"] / rows[name]["notebooks"]
            lines.append(f"| the same with {name} | {MANY * each / 3600:.0f} hours of processor time |")
    return "\n".join(lines)


def cost(report: dict[str, Any]) -> str:
    """What a class takes, in a paragraph."""
    mine, settings = report["rows"][0], report["settings"]
    seconds = mine["cpu_seconds"] / mine["notebooks"]
    peers = " and ".join(f"{name} {settings[name]} {row['cpu']:.0f}" for name, row in report["ratios"].items())
    return textwrap.fill(
        f"On {settings['cores']} cores that other work kept busy, {mine['notebooks']} notebooks of ten exercises, "
        f"a tenth of them hostile, took {1000 * seconds:.0f} ms of processor time each, start and proof of the "
        f"sandbox included. A thousand are {span(1000 * seconds / settings['jobs'])} for {settings['jobs']} "
        f"processes that have a core each. The same notebooks "
        f"take {peers} times as long. A check in a notebook takes {1000 * mine['check_cpu_seconds']:.0f} ms at most. "
        f"Results are {mine['bytes'] / 1000:.0f} kB for each learner, in {mine['files']:.0f} small files.",
        width=118,
    )


def span(seconds: float) -> str:
    """A time in words."""
    if seconds < 90:
        return f"{seconds:.0f} seconds"
    return f"{seconds / 60:.0f} minutes" if seconds < 5400 else f"{seconds / 3600:.1f} hours"


if __name__ == "__main__":
    raise SystemExit(main())
