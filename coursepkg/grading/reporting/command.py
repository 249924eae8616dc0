"""The commands ``grade report``, ``grade export``, ``grade mark`` and ``grade nbgrader``.

Exit codes: 0 all is written, 2 wrong usage or a file that does not fit, 3 written, but some learners have no mark or
are not in the institution's export; they are named.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

FORMATS = ("gradescope", "canvas", "moodle", "nbgrader", "lti", "csv")
SHOWN = 10


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
    export.set_defaults(run=_export)
    mark = actions.add_parser("mark", help="write a sheet of answers to mark by hand, or merge it")
    mark.add_argument("results", type=Path)
    mark.add_argument("--sheet", type=Path, default=None, help="the sheet to write (default: RESULTS-to-mark.csv)")
    mark.add_argument("--all", action="store_true", help="also list answers that have a mark")
    mark.add_argument("--merge", type=Path, metavar="SHEET", help="take the marks of a filled-in sheet")
    mark.set_defaults(run=_mark)
    source = actions.add_parser("nbgrader", help="write the solutions as the source folder of an nbgrader course")
    source.add_argument("folder", type=Path, help="the course's `source` folder")
    source.add_argument("--root", type=Path, default=Path(), help="folder that holds solutions/ (default: here)")
    source.set_defaults(run=_nbgrader)


def _report(options: argparse.Namespace) -> int:
    from coursepkg.grading.reporting.report import write_report

    try:
        written = write_report(options.results, options.out or _beside(options.results, "-report"))
    except (ValueError, OSError) as error:
        return _refused(error)
    print(f"wrote {written}, and each learner's page in {written.parent / 'learners'}")
    return 0


def _mark(options: argparse.Namespace) -> int:
    from coursepkg.grading.reporting.mark import merge_marking_sheet, write_marking_sheet

    try:
        if options.merge is not None:
            print(f"{merge_marking_sheet(options.results, options.merge)} marks taken from {options.merge}")
            return 0
        sheet = options.sheet or _beside(options.results, "-to-mark.csv")
        count = write_marking_sheet(options.results, sheet, options.all)
    except (ValueError, OSError) as error:
        return _refused(error)
    print(f"wrote {sheet} with {count} answers; fill in `points`, then run `grade mark RESULTS --merge {sheet}`")
    return 0


def _export(options: argparse.Namespace) -> int:
    from coursepkg.grading.reporting.export import export

    try:
        done = export(options.results, options.to, options.out, options.template, options.assignment)
    except (ValueError, OSError) as error:
        return _refused(error)
    print(f"wrote {done.path}: {done.learners} learners")
    for remark in done.remarks:
        print(f"note: {remark}")
    for words, names in (("no mark yet", done.unmarked), ("not in the export", done.unmatched)):
        if names:
            shown = ", ".join(names[:SHOWN]) + (f" and {len(names) - SHOWN} more" if len(names) > SHOWN else "")
            print(f"{words}, left out: {shown}", file=sys.stderr)
    return 3 if done.unmarked or done.unmatched else 0


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


def _refused(error: Exception) -> int:
    print(f"Nothing was written: {error}", file=sys.stderr)
    return 2
