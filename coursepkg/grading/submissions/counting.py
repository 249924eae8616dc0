"""What of a learner's work counts, and when that came; whatever goes wrong with it is that learner's alone."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import PurePosixPath

from coursepkg.grading.submissions.archives import Archive, Folder, Refused
from coursepkg.grading.submissions.choosing import Wanted, choose
from coursepkg.grading.submissions.contents import Contents, load, unexpected
from coursepkg.grading.submissions.learners import HandedIn, Part

Chosen = dict[str, tuple[str, bytes]]
_NEVER = datetime.max.replace(tzinfo=UTC)


def what_counts(
    tree: Folder | Archive, learner: HandedIn, wanted: Wanted, *, numbered: bool = False
) -> tuple[Contents, Chosen, list[str]]:
    """What a learner handed in, which notebook counts for each chapter, and words about everything that is odd.

    Nothing in it can raise here: an error that nobody thought of is said of this learner, and the others are graded.
    """
    try:
        contents = load(tree, learner)
        return contents, *choose(contents.notebooks, wanted, numbered=numbered)
    except Exception as error:  # noqa: BLE001 - a class does not wait for one learner's file
        return Contents([], [unexpected("what was handed in", error)]), {}, []


def settle_time(tree: Folder | Archive, learner: HandedIn, wanted: Wanted, *, numbered: bool = False) -> None:
    """Let the time of a learner whose work came at several times be that of the notebooks that count.

    A notebook that came twice came when it came first.
    """
    if len({(part.submitted, part.late) for part in learner.parts.values()}) < 2:
        return
    found: list[tuple[Part, Contents]] = []
    for part in learner.parts.values():
        contents, _, _ = what_counts(tree, replace(learner, files=part.files), wanted, numbered=numbered)
        found.append((part, contents))
    try:
        chosen, _ = choose([each for _, contents in found for each in contents.notebooks], wanted, numbered=numbered)
    except Exception:  # noqa: BLE001 - as above; then the latest time stays
        return
    came = [_first(part for part, contents in found if each in contents.notebooks) for each in chosen.values()]
    if came:
        learner.submitted = max(filter(None, (part.submitted for part in came)), default=None)
        learner.late = any(part.late for part in came)


def mark_of(tree: Folder | Archive, learner: HandedIn) -> str:
    """The same as long as a learner's files are, wherever they lie; nothing in them is looked into."""
    marks = []
    for name in learner.files:
        try:
            marks.append(f"{PurePosixPath(name).name}\0{tree.mark(name)}")
        except (Refused, OSError):  # it counts for nothing
            continue
    return hashlib.sha256("\n".join(sorted(marks)).encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _first(parts: Iterable[Part]) -> Part:
    return min(parts, key=lambda part: (part.late, part.submitted or _NEVER))
