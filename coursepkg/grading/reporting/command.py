"""The commands ``grade report``, ``export``, ``feedback``, ``mark`` and ``nbgrader``.

Exit codes: 0 all is written, 2 wrong usage or a file that does not fit, 3 written, but some learners have no mark or
are not in the institution's export, some work is not graded, or some marks do not fit; they are named.
"""

from __future__ import annotations

import argparse
import contextlib
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

FORMATS = ("gradescope", "canvas", "moodle", "nbgrader", "lti", "csv")
SHOWN = 10
_JOURNAL = Path()  # in place of a sheet
_SPECS = Path("solutions", "specs")


def register(actions: Any) -> None:
    """Add the commands to the actions of ``grade``; each sets ``run``: from the options to the exit code."""
    report = actions.add_parser("report", help="write the class report and each learner's feedback as HTML pages")
    report.add_argument("results", type=Path, help="what `grade batch` wrote")
    report.add_argument("--out", type=Path, default=None, help="folder for the pages (default: RESULTS-report)")
    report.set_defaults(run=_report)
    export = actions.add_parser("export", help="write marks for another system")
    export.add_argument("results", type=Path)
    export.add_argument("--to", choices=FORMATS, required=True)
    export.add_argument("--template", type=Path, help="canvas, moodle: the gradebook as your institution exports it")
    export.add_argument("--assignment", help="canvas, moodle, nbgrader: the assignment that the marks are for")
    export.add_argument("--out", type=Path, default=None, help="file to write (gradescope: a folder, or a .json file)")
    export.add_argument(
        "--missing-as-zero",
        action="store_true",
        help="give 0 to the missing even if somebody not on the roster handed in",
    )
    export.set_defaults(run=_export)
    mark = actions.add_parser("mark", help="mark answers by hand, in a page of your browser or in a sheet")
    mark.add_argument("results", type=Path)
    mark.add_argument("--page", action="store_true", help="show one answer after another in a page on this machine")
    mark.add_argument("--submissions", type=Path, metavar="DOWNLOAD", help="page: show the code from this download")
    mark.add_argument("--anonymous", action="store_true", help="page: show other names in place of the learners'")
    mark.add_argument("--specs", type=Path, help="page: folder of specifications (default: solutions/specs)")
    mark.add_argument("--sheet", type=Path, default=None, help="the sheet to write (default: RESULTS-to-mark.csv)")
    mark.add_argument("--all", action="store_true", help="also list answers that have a mark and no flag")
    mark.add_argument(
        "--merge", type=Path, metavar="SHEET", nargs="?", const=_JOURNAL,
        help="take the marks into the results: those given in the page, or those of a filled-in sheet",
    )  # fmt: skip
    mark.set_defaults(run=_mark)
    feedback = actions.add_parser("feedback", help="write a zip of feedback files to upload to Moodle or Canvas")
    feedback.add_argument("results", type=Path)
    feedback.add_argument("--for", dest="platform", choices=("moodle", "canvas"), required=True)
    feedback.add_argument("--submissions", type=Path, metavar="DOWNLOAD", required=True, help="what you downloaded")
    feedback.add_argument("--out", type=Path, default=None, help="file to write (default: RESULTS-feedback-....zip)")
    feedback.set_defaults(run=_feedback)
    source = actions.add_parser("nbgrader", help="write the solutions as the source folder of an nbgrader course")
    source.add_argument("folder", type=Path, help="the course's `source` folder")
    source.add_argument("--root", type=Path, default=Path(), help="folder that holds solutions/ (default: here)")
    source.set_defaults(run=_nbgrader)


def _report(options: argparse.Namespace) -> int:
    from coursepkg.grading.reporting.gradebook import load_gradebook
    from coursepkg.grading.reporting.report import write_report

    try:
        written = write_report(options.results, options.out or _beside(options.results, "-report"))
    except (ValueError, OSError) as error:
        return _refused(error)
    print(f"wrote {written}, and each learner's page in {written.parent / 'learners'}")
    book = load_gradebook(options.results)
    _note_what_is_not_known(options.results, book.known is not None)
    return _name("not graded", book.ungraded)


def _mark(options: argparse.Namespace) -> int:
    from coursepkg.grading.reporting.gradebook import load_gradebook
    from coursepkg.grading.reporting.mark import merge_marking_sheet, write_marking_sheet

    try:
        if options.page:
            return _mark_in_page(options)
        if options.merge is _JOURNAL:
            return _merge_journal(options.results)
        if options.merge is not None:
            changed, left = merge_marking_sheet(options.results, options.merge)
            print(f"{changed} marks taken from {options.merge}")
            return _name("left out", left)
        ungraded = load_gradebook(options.results).ungraded
        sheet = options.sheet or _beside(options.results, "-to-mark.csv")
        count = write_marking_sheet(options.results, sheet, options.all)
    except (ValueError, OSError) as error:
        return _refused(error)
    print(f"wrote {sheet} with {count} answers")
    print(
        f"Fill in `points`, then run: grade mark {shlex.quote(str(options.results))} --merge {shlex.quote(str(sheet))}"
    )
    return _name("not in it", ungraded)


def _mark_in_page(options: argparse.Namespace) -> int:
    from coursepkg.grading.reporting.marking_page import Marking, MarkingServer
    from coursepkg.grading.reporting.marking_queue import answers_to_mark, read_codes

    above = (folder / _SPECS for folder in (Path.cwd(), *Path.cwd().parents))
    specs = options.specs or next((folder for folder in above if folder.is_dir()), None)
    codes = {}
    if options.submissions is not None:
        if specs is None:
            raise ValueError("there is no folder solutions/specs here or above; name it with --specs")
        codes = read_codes(options.submissions, options.results, specs)
    answers = answers_to_mark(options.results, codes, options.all, options.anonymous)
    with MarkingServer(Marking(options.results, answers)) as server:
        print(f"{len(answers)} answers to look at. Open this address; it works on this machine alone:")
        print(f"  {server.address}", flush=True)
        print("Ctrl-C ends it. Every mark is kept at once; the same command goes on where you stopped.", flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            server.serve_forever()
    return 0


def _merge_journal(results: Path) -> int:
    from coursepkg.grading.reporting.gradebook import plain
    from coursepkg.grading.reporting.journal import Journal, journal_beside
    from coursepkg.grading.reporting.mark import merge_journal

    if not journal_beside(results).is_file():
        raise ValueError(
            f"no marks were given in the page yet; `grade mark {shlex.quote(str(results))} --page` opens it"
        )
    changed, left = merge_journal(results)
    print(f"{changed} marks written into {results}")
    words = [f"{plain(key.exercise)} of {plain(key.student)}: {why}" for key, why in left]
    return _name("left out", [*Journal(journal_beside(results)).damaged(), *words])


def _feedback(options: argparse.Namespace) -> int:
    from coursepkg.grading.reporting.feedback_files import write_feedback

    out = options.out or _beside(options.results, f"-feedback-{options.platform}.zip")
    try:
        done = write_feedback(options.results, options.platform, options.submissions, out)
    except (ValueError, OSError) as error:
        return _refused(error)
    print(f"wrote {out}: feedback for {done.learners} learners")
    for remark in done.remarks:
        print(f"note: {remark}")
    if done.unmatched:
        print(f"not in the download, left out: {_shown(done.unmatched)}", file=sys.stderr)
    return max(_name("not graded", done.ungraded), 3 if done.unmatched else 0)


def _export(options: argparse.Namespace) -> int:
    from coursepkg.grading.reporting.export import export

    try:
        done = export(
            options.results, options.to, options.out, options.template, options.assignment,
            missing_as_zero=options.missing_as_zero,
        )  # fmt: skip
    except (ValueError, OSError) as error:
        return _refused(error)
    print(f"wrote {done.path}: {done.learners} learners")
    for remark in done.remarks:
        print(f"note: {remark}")
    for words, names in (("no mark yet", done.unmarked), ("not in the export", done.unmatched)):
        if names:
            print(f"{words}, left out: {_shown(names)}", file=sys.stderr)
    _note_what_is_not_known(options.results, done.listed)
    return max(_name("not graded", done.ungraded), 3 if done.unmarked or done.unmatched else 0)


def _nbgrader(options: argparse.Namespace) -> int:
    from coursepkg.grading.specification.nbgrader_source import write_nbgrader_source

    try:
        written = write_nbgrader_source(options.root, options.folder)
    except (ValueError, OSError) as error:
        return _refused(error)
    print(f"wrote {len(written)} assignments into {options.folder}: {', '.join(written)}")
    return 0


def _beside(results: Path, ending: str) -> Path:
    resolved = results.resolve()
    return resolved.with_name(resolved.name + ending)


def _name(what: str, found: Sequence[str]) -> int:
    """Name what could not be done; the exit code that goes with it."""
    for words in found:
        print(f"{what}: {words}", file=sys.stderr)
    return 3 if found else 0


def _note_what_is_not_known(results: Path, known: bool) -> None:
    if not known:
        print(
            f"note: {results} has no class.json and assignment.json: who is missing, and when work was due, is unknown"
        )
        print("They are written by: grade batch DOWNLOAD --assignment NAME --roster CLASS.csv --out RESULTS --resume")


def _shown(names: Sequence[str]) -> str:
    return ", ".join(names[:SHOWN]) + (f" and {len(names) - SHOWN} more" if len(names) > SHOWN else "")


def _refused(error: Exception) -> int:
    print(f"Nothing was written: {error}", file=sys.stderr)
    return 2
