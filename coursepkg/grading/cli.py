"""The judge's command line: ``python -m coursepkg grade ...``.

Exit codes: 0 all is well (for a batch: all of it is graded, whatever the marks), 1 something differs or some work is
not right yet, 2 wrong usage or a tree that cannot be built, 3 the grader's own trouble or a sandbox that leaks.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from coursepkg.grading.learning.notebook import checks_folder, progress
from coursepkg.grading.reporting.command import register
from coursepkg.grading.running.own_notebook import judge_notebook, load_checks
from coursepkg.grading.specification.build import BuildError, build_tree, compare_tree, write_tree
from coursepkg.grading.specification.exercise import SpecError
from coursepkg.grading.submissions.cells import UnreadableNotebook

if TYPE_CHECKING:
    from coursepkg.grading.running.batch import Batch
    from coursepkg.grading.running.cluster import Cluster
    from coursepkg.grading.submissions.archives import Archive, Folder

WORDS = "build exercises, check answers, grade the work of others"
_WORDS = {"passed": "passed", "wrong": "not yet", "error": "error", "not-attempted": "not attempted"}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command, whose first word is ``grade``, and return its exit code."""
    options = _parser().parse_args(arguments)
    return int(options.run(options))


def show_progress() -> int:
    """Print how far the learner is in the whole course, and return an exit code."""
    progress()
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m coursepkg", description="The course's companion package.")
    rooms = parser.add_subparsers(dest="room", required=True)
    grade = rooms.add_parser("grade", help=WORDS)
    actions = grade.add_subparsers(dest="action", required=True)
    build = actions.add_parser("build", help="write exercises/ from solutions/")
    build.add_argument("--check", action="store_true", help="write nothing; exit 1 and say what differs")
    build.add_argument(
        "--root", type=Path, default=None, help="folder that holds solutions/ (default: from here upwards)"
    )
    build.set_defaults(run=lambda options: _build(options.root, options.check))
    check = actions.add_parser("check", help="judge the answers in your own notebook")
    check.add_argument("notebook", type=Path)
    check.set_defaults(run=lambda options: _check(options.notebook))
    doctor = actions.add_parser("doctor", help="prove that the sandbox holds on this machine")
    doctor.set_defaults(run=lambda options: _doctor())
    _add_batch(actions)
    register(actions)
    return parser


def _add_batch(actions: Any) -> None:
    batch = actions.add_parser("batch", help="grade what many learners handed in, in the sandbox")
    batch.add_argument("submissions", type=Path, help="folder or zip: a folder, zip or notebook for each learner")
    batch.add_argument("--secret", type=Path, required=True, help="file that hidden inputs derive from; keep it")
    batch.add_argument("--out", type=Path, required=True, help="folder for the results")
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
    batch.set_defaults(run=_batch)


def _build(root: Path | None, only_check: bool) -> int:
    root = root or _project()
    if root is None or not (root / "solutions" / "specs").is_dir():
        print(
            "There is no folder solutions/specs here or above; give the project's folder with --root.", file=sys.stderr
        )
        return 2
    try:
        tree = build_tree(root)
    except (BuildError, SpecError) as error:
        print(f"The exercises cannot be built.\n{error}", file=sys.stderr)
        return 2
    if only_check:
        differences = compare_tree(tree, root)
        for line in differences:
            print(f"exercises/{line}")
        print("run `python -m coursepkg grade build`" if differences else f"{len(tree.files)} files are in step")
        return 1 if differences else 0
    changed = write_tree(tree, root)
    for name in changed:
        print(f"{'wrote' if name in tree.files else 'removed'} exercises/{name}")
    if not changed:
        print(f"{len(tree.files)} files are in step")
    return 0


def _project() -> Path | None:
    here = Path.cwd()
    return next((folder for folder in (here, *here.parents) if (folder / "solutions" / "specs").is_dir()), None)


def _check(notebook: Path) -> int:
    try:
        checks = load_checks(checks_folder(notebook.parent) or checks_folder())
    except ValueError as error:
        print(f"Nothing was judged: {error}", file=sys.stderr)
        return 3
    try:
        results = judge_notebook(notebook, checks)
    except UnreadableNotebook as error:
        print(f"Nothing was judged: {error}", file=sys.stderr)
        return 2
    width = max(len(compiled["title"]) for compiled, _ in results)
    points = 0
    for compiled, verdict in results:
        word = _WORDS.get(verdict.status, "not judged")
        points += compiled["points"] if verdict.passed else 0
        print(f"{compiled['id']}  {compiled['title']:<{width}}  {word:<13}  {verdict.right}/{verdict.total}")
        if verdict.status not in ("passed", "not-attempted"):
            print("".join(f"       {line}\n" for line in verdict.text.splitlines()), end="")
    print(f"{points} of {sum(compiled['points'] for compiled, _ in results)} points")
    statuses = {verdict.status for _, verdict in results}
    return 3 if "infrastructure" in statuses else int(statuses != {"passed"})


# --- the work of others ----------------------------------------------------------------------------------------------


def _doctor() -> int:
    from coursepkg.grading.sandbox.doctor import choose_tier, report

    tier, tried = choose_tier(all_tiers=True)
    print(report(tried))
    if tier is None:
        print("No sandbox holds on this machine, so the work of others is not graded here.", file=sys.stderr)
        return 3
    print(f"Work of others is graded in: {tier}")
    return 0


def _batch(options: argparse.Namespace) -> int:
    from coursepkg.grading.submissions.archives import Refused, open_tree

    specs = options.specs or (root / "solutions" / "specs" if (root := _project()) else None)
    try:
        secret = options.secret.read_bytes().strip()
        tree = open_tree(options.submissions)
    except (OSError, Refused) as error:
        print(f"Nothing was graded: {error}", file=sys.stderr)
        return 2
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
        print(f"Nothing was graded: {words}", file=sys.stderr)
        return 2
    try:
        cluster = _cluster(options.scheduler) if options.scheduler else None
    except ImportError:
        print("Nothing was graded: a cluster needs Dask; install it with `pip install distributed`", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"Nothing was graded: {error}", file=sys.stderr)
        return 3
    tier = _proved_tier(options.i_trust_these_files, cluster)
    if tier is None:
        return 3
    from coursepkg.grading.running.batch import Batch

    assert specs is not None
    return _run_batch(Batch(specs, options.out, secret, tier, jobs), tree, cluster)


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
    from coursepkg.grading.running.results import GRADED, INFRASTRUCTURE_ERROR, STUDENT_ERROR

    try:
        counts = run(batch, tree, cluster=cluster)
    except (SpecError, SyntaxError, ImportError, Busy) as error:
        print(f"Stopped: {error}. What is graded is kept; go on with --resume.", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("Stopped. What is graded is kept; go on with --resume.", file=sys.stderr)
        return 3
    except (BrokenProcessPool, OSError) as error:
        print(f"The grader stopped: {error}. What is graded is kept; go on with --resume.", file=sys.stderr)
        return 3
    print(
        f"{counts[GRADED]} answers graded, {counts[STUDENT_ERROR]} with an error in the answer or the file, "
        f"{counts['kept']} kept from before; sandbox: {batch.tier}"
    )
    if counts[INFRASTRUCTURE_ERROR]:
        print(
            f"{counts[INFRASTRUCTURE_ERROR]} answers have no mark because of the grader's own trouble; "
            "their results say what it was. Mend it and go on with --resume.",
            file=sys.stderr,
        )
        return 3
    return 0
