"""The judge's command line: ``python -m coursepkg grade ...``.

Exit codes: 0 all is well (for a batch: all of it is graded, whatever the marks), 1 something differs or some work is
not right yet, 2 wrong usage or a tree that cannot be built, 3 the grader's own trouble or a sandbox that leaks.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from coursepkg.grading.inventory_command import register as register_inventory
from coursepkg.grading.learning.notebook import checks_around, checks_folder, progress
from coursepkg.grading.reporting.command import register
from coursepkg.grading.room_command import register as register_room
from coursepkg.grading.running.command import register as register_batch
from coursepkg.grading.running.own_notebook import judge_notebook, load_checks
from coursepkg.grading.specification.build import BuildError, build_tree, compare_tree, write_tree
from coursepkg.grading.specification.exercise import SpecError
from coursepkg.grading.submissions.cells import UnreadableNotebook

WORDS = "build exercises, check answers, grade the work of others"
_WORDS = {"passed": "passed", "wrong": "not yet", "error": "error", "not-attempted": "not attempted"}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command, whose first word is ``grade``, and return its exit code."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a name that the terminal has no letters for must not end a run
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
    doctor.add_argument("--all", action="store_true", help="list every way out that was tried, and what came of it")
    doctor.set_defaults(run=lambda options: _doctor(options.all))
    register_batch(actions, _project)
    register(actions)
    register_inventory(actions)
    register_room(actions)
    return parser


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
        checks = load_checks(checks_around(notebook.parent) or checks_folder())
    except ValueError as error:
        print(f"Nothing was judged: {error}", file=sys.stderr)
        return 3
    try:
        results = judge_notebook(notebook, checks)
    except UnreadableNotebook as error:
        print(f"Nothing was judged: {error}", file=sys.stderr)
        return 2
    width = max(len(compiled["title"]) for compiled, _ in results)
    points = 0.0
    for compiled, verdict in results:
        word = _WORDS.get(verdict.status, "not judged")
        points += compiled["points"] if verdict.passed else verdict.earned
        print(f"{compiled['id']}  {compiled['title']:<{width}}  {word:<13}  {verdict.right}/{verdict.total}")
        if verdict.status not in ("passed", "not-attempted"):
            print("".join(f"       {line}\n" for line in verdict.text.splitlines()), end="")
    print(f"{points:g} of {sum(compiled['points'] for compiled, _ in results)} points")
    statuses = {verdict.status for _, verdict in results}
    return 3 if "infrastructure" in statuses else int(statuses != {"passed"})


def _doctor(everything: bool) -> int:
    from coursepkg.grading.sandbox.doctor import choose_tier, report, verdict

    tier, tried = choose_tier(all_tiers=True)
    print(verdict(tier, tried))
    print(f"\n{report(tried)}" if everything or tier is None else "`grade doctor --all` lists each way.")
    return 3 if tier is None else 0
