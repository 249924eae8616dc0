"""The commands ``grade release`` and ``grade batch``: handing out, and grading what comes back.

Exit codes: 0 all is graded, whatever the marks, 2 wrong usage, 3 the grader's own trouble or a sandbox that leaks.
"""

from __future__ import annotations

import argparse
import os
import shlex
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from coursepkg.grading.specification.exercise import SpecError

if TYPE_CHECKING:
    from coursepkg.grading.running.batch import Batch
    from coursepkg.grading.running.cluster import Cluster
    from coursepkg.grading.specification.assignment import Assignment
    from coursepkg.grading.submissions.archives import Archive, Folder


def register(actions: Any, project: Callable[[], Path | None]) -> None:
    """Add the commands to the actions of ``grade``; ``project`` finds the folder that holds ``solutions/``."""
    _add_release(actions, project)
    _add_batch(actions, project)


def _add_release(actions: Any, project: Callable[[], Path | None]) -> None:
    release = actions.add_parser("release", help="hand out an assignment: write the zip that learners get")
    release.add_argument("chapters", nargs="+", metavar="CHAPTER", help="whose exercises it holds: 02")
    release.add_argument("--out", type=Path, required=True, help="the zip to write; its name is the assignment's")
    release.add_argument("--due", type=datetime.fromisoformat, metavar="WHEN", help="2026-12-01T23:59+01:00")
    release.add_argument(
        "--late", default="none", metavar="RULE",
        help="what being late costs: none, cut-off (everything), or the points that each day begun takes off",
    )  # fmt: skip
    release.add_argument("--timezone", default="", metavar="ZONE", help="of your institution: Europe/Berlin")
    release.add_argument("--root", type=Path, default=None, help="folder that holds solutions/ (default: from here up)")
    release.set_defaults(run=lambda options: _release(options, options.root or project()))


def _add_batch(actions: Any, project: Callable[[], Path | None]) -> None:
    batch = actions.add_parser("batch", help="grade what many learners handed in, in the sandbox")
    batch.add_argument("submissions", type=Path, help="what your platform lets you download: a folder or a zip")
    batch.add_argument("--secret", type=Path, required=True, help="file that hidden inputs derive from; keep it")
    batch.add_argument("--out", type=Path, required=True, help="folder for the results")
    batch.add_argument(
        "--assignment", metavar="NAME",
        help="what was asked: a release (hw2, for hw2.zip), or chapters (02, or 02,03, or all)",
    )  # fmt: skip
    batch.add_argument("--roster", type=Path, metavar="FILE", help="the class, as your platform exports it (CSV)")
    batch.add_argument(
        "--extensions", type=Path, metavar="FILE", help="who may hand in until when: CSV with columns id and extension"
    )
    batch.add_argument(
        "--timezone", default="", metavar="ZONE",
        help="of times that name none: Europe/Berlin (default: the release's, else this machine's)",
    )  # fmt: skip
    where = batch.add_mutually_exclusive_group()
    where.add_argument("--jobs", type=int, help="processes (default: one for each core)")
    where.add_argument(
        "--scheduler", metavar="ADDRESS", help="grade on the cluster of a Dask scheduler (tcp://host:8786)"
    )
    batch.add_argument("--resume", action="store_true", help="go on in a folder that holds results already")
    batch.add_argument("--specs", type=Path, default=None, help="folder of specifications (default: solutions/specs)")
    batch.add_argument(
        "--i-trust-these-files",
        action="store_true",
        help="grade even where no sandbox holds; every result says so",
    )
    batch.set_defaults(run=lambda options: _batch(options, project()))


# --- handing out -----------------------------------------------------------------------------------------------------


def _release(options: argparse.Namespace, root: Path | None) -> int:
    from coursepkg.grading.specification.assignment import BadAssignment, asked_in, read_release, zone_named
    from coursepkg.grading.specification.build import BuildError
    from coursepkg.grading.specification.chapters import Chapters
    from coursepkg.grading.specification.release import release

    if root is None or not (root / "solutions" / "specs").is_dir():
        return _refused("released", "there is no folder solutions/specs here or above; name the project with --root")
    chapters = [part for word in options.chapters for part in word.split(",")]
    try:
        known = Chapters(root / "solutions" / "specs")
        due = options.due
        zone = zone_named(options.timezone) if options.timezone else None
        if due is not None and due.tzinfo is None:  # written out with its offset, without a zone this machine's
            due = due.astimezone() if zone is None else due.replace(tzinfo=zone)
        out = options.out if options.out.suffix == ".zip" else options.out.with_name(f"{options.out.name}.zip")
        assignment = asked_in(known, chapters, name=out.stem, due=due, late=options.late, zone=options.timezone)
        if out.exists() and read_release(out).exercises != assignment.exercises:
            raise BadAssignment(f"{out} holds other exercises; give this one another name, or take that away first")
        out.write_bytes(release(assignment, root))
    except (BadAssignment, BuildError, SpecError, OSError) as error:
        return _refused("released", error)
    count = len(assignment.exercises)
    print(f"wrote {out}: {count} exercises, {assignment.max:g} points", end="")
    print("" if due is None else f", due {due.isoformat()}, late rule: {assignment.late}")
    name = shlex.quote(assignment.name)
    print(f"Hand it out, keep a copy, and grade with: grade batch DOWNLOAD --assignment {name} ...")
    return 0


def _refused(what: str, error: object) -> int:
    print(f"Nothing was {what}: {error}", file=sys.stderr)
    return 2


# --- grading ---------------------------------------------------------------------------------------------------------


def _batch(options: argparse.Namespace, root: Path | None) -> int:
    from coursepkg.grading.submissions.archives import Refused, open_tree

    specs = options.specs or (root / "solutions" / "specs" if root is not None else None)
    try:
        secret = options.secret.read_bytes().strip()
        tree = open_tree(options.submissions)
    except (OSError, Refused) as error:
        return _refused("graded", error)
    jobs = options.jobs if options.jobs is not None else os.cpu_count() or 1
    wrong = {
        "the secret must have 16 bytes at least; make one with `openssl rand -hex 32 > FILE`": len(secret) < 16,
        "there is no folder solutions/specs here or above; name it with --specs": specs is None or not specs.is_dir(),
        "--jobs must be from 1 to 500": not 1 <= jobs <= 500,
        f"{options.out} is no folder": options.out.exists() and not options.out.is_dir(),
        "the results must not lie among the submissions": options.out.resolve().is_relative_to(
            options.submissions.resolve()
        ),
        f"{options.out} holds results already; add --resume to go on": not options.resume
        and any(options.out.glob("*/*.json")),
    }
    for words in (words for words, holds in wrong.items() if holds):
        return _refused("graded", words)
    assert specs is not None
    try:
        what = _what_was_asked(options, specs)
    except (ValueError, SpecError) as error:
        return _refused("graded", error)
    try:
        cluster = _cluster(options.scheduler) if options.scheduler else None
    except ImportError:
        return _refused("graded", "a cluster needs Dask; install it with `pip install distributed`")
    except OSError as error:
        print(f"Nothing was graded: {error}", file=sys.stderr)
        return 3
    tier = _proved_tier(options.i_trust_these_files, cluster)
    if tier is None:
        return 3
    from coursepkg.grading.running.batch import Batch

    return _run_batch(Batch(specs, options.out, secret, tier, jobs, **what), tree, cluster)


def _what_was_asked(options: argparse.Namespace, specs: Path) -> dict[str, Any]:
    """The assignment, and what is known of the class; raises ``BadAssignment``, ``SpecError`` or another ValueError."""
    from coursepkg.grading.running.class_list import read_class
    from coursepkg.grading.running.results import BadResult
    from coursepkg.grading.specification.assignment import BadAssignment, find_assignment, zone_named
    from coursepkg.grading.specification.chapters import Chapters
    from coursepkg.grading.submissions.roster import read_extensions, read_roster

    asked: dict[str, Any] = {"roster": None if options.roster is None else read_roster(options.roster)}
    if options.extensions is not None:
        asked["extensions"] = read_extensions(options.extensions)
    if options.timezone:
        asked["zone"] = zone_named(options.timezone).key
    try:
        before = read_class(options.out)
    except BadResult:
        if options.assignment is None:
            raise
        before = None  # it is written anew
    if options.assignment is not None:
        folders = [Path(), options.submissions.resolve().parent, options.out.resolve().parent]
        found, asked["released"] = find_assignment(options.assignment, folders, Chapters(specs))
        asked["assignment"] = found
        if before is not None and not _is_same(found, before[0], before[1].released):
            raise BadAssignment(
                f"{options.out} holds results of {before[0].name}; give {found.name} a folder of its own, or name "
                f"{before[0].name}, or nothing, to go on with it"
            )
    return asked


def _is_same(found: Assignment, before: Assignment, released: bool) -> bool:
    """Whether an assignment is the one that a folder's results are of: a release by its name, whatever it is due.

    Chapters that were graded by their numbers may be found to have been a release's.
    """
    return found.exercises == before.exercises and (found.name == before.name or not released)


def _cluster(address: str) -> Cluster:
    from coursepkg.grading.running.cluster import Cluster

    return Cluster(address)


def _proved_tier(trusted: bool, cluster: Cluster | None) -> str | None:
    from coursepkg.grading.sandbox.doctor import choose_tier, report
    from coursepkg.grading.sandbox.launch import NONE

    if cluster is not None:
        tier, words = cluster.tier()
    else:
        tier, tried = choose_tier()
        words = report(tried)
    if tier is not None:
        return tier
    print(words, file=sys.stderr)
    if trusted:
        print("No sandbox holds here; grading without one, as you asked. Every result says so.", file=sys.stderr)
        return NONE
    print(
        "Nothing was graded: no sandbox holds on this machine. Install bubblewrap, or, if you have read these files "
        "and trust them, add --i-trust-these-files.",
        file=sys.stderr,
    )
    return None


def _run_batch(batch: Batch, tree: Folder | Archive, cluster: Cluster | None) -> int:
    from coursepkg.grading.running.batch import BrokenProcessPool, Busy, run
    from coursepkg.grading.running.results import GRADED, INFRASTRUCTURE_ERROR, STUDENT_ERROR, BadResult
    from coursepkg.grading.specification.assignment import BadAssignment

    try:
        ran = run(batch, tree, cluster=cluster)
    except (BadAssignment, BadResult) as error:
        return _refused("graded", error)
    except (SpecError, SyntaxError, ImportError, Busy) as error:
        print(f"Stopped: {error}. What is graded is kept; go on with --resume.", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("Stopped. What is graded is kept; go on with --resume.", file=sys.stderr)
        return 3
    except (BrokenProcessPool, OSError) as error:
        print(f"The grader stopped: {error}. What is graded is kept; go on with --resume.", file=sys.stderr)
        return 3
    if ran.guessed:
        print(
            f"No --assignment was named. Most learners handed in {ran.assignment.name}, so that is what was graded, "
            f"out of {ran.assignment.max:g} points; flags name what else there was."
        )
    counts = ran.counts
    print(
        f"{counts[GRADED]} answers graded, {counts[STUDENT_ERROR]} with an error in the answer or the file, "
        f"{counts['kept']} kept from before; sandbox: {batch.tier}"
    )
    for line in ran.people.details():
        print(line)
    print(ran.people.closing_line())
    if counts[INFRASTRUCTURE_ERROR]:
        print(
            f"{counts[INFRASTRUCTURE_ERROR]} answers have no mark because of the grader's own trouble; "
            "their results say what it was. Mend it and go on with --resume.",
            file=sys.stderr,
        )
        return 3
    return 0
