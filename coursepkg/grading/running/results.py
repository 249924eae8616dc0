"""What batch grading leaves behind: one JSON file per learner and exercise, and a second one for its times.

``RESULTS/<student>/<exercise>.json`` holds nothing that changes from run to run, so that grading the same work again
gives the same bytes; ``RESULTS/<student>/<exercise>.times.json`` holds the rest. Files appear whole or not at all, and
one that is superseded (the learner handed in again, the specification changed) moves to ``history/``.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

SCHEMA = 1
GRADED, STUDENT_ERROR, INFRASTRUCTURE_ERROR = "graded", "student error", "infrastructure error"
STATUSES = (GRADED, STUDENT_ERROR, INFRASTRUCTURE_ERROR)
SANDBOXES = ("bubblewrap", "second tier", "none (trusted)")
HAND = "marked by hand"  # the flag of a result that a person has marked
WHOLE_SUBMISSION = "submission"  # in place of an exercise id, where nothing could be read from what was handed in
ASSIGNMENT, CLASS, ROSTER = OWN_FILES = ("assignment.json", "class.json", "roster.json")  # beside the learners' folders
AGAIN = "`grade batch DOWNLOAD --out RESULTS --resume` grades it again"
MOST_POINTS = 1e6


class BadResult(ValueError):
    """A result file that cannot be read; the message says which and why."""


@dataclass(frozen=True)
class Item:
    """One judged part of an exercise.

    Attributes
    ----------
    id, title : str
        Id and title of the exercise.
    points : float or None
        Points won; None where there is no mark (infrastructure error, or waiting for a person).
    max : float
        Points that could be won.
    verdict : str
        "passed", "wrong", "error", "not-attempted" or "infrastructure".
    misconception : str
        What was recognised: the id of a misconception, the name of a pattern, the type of an error, or "".
    message : str
        Feedback for the learner; holds no hidden input.
    visibility : str
        "visible" or "after_published", in Gradescope's words.
    """

    id: str
    title: str
    points: float | None
    max: float
    verdict: str
    misconception: str = ""
    message: str = ""
    visibility: str = "after_published"


@dataclass(frozen=True)
class Result:
    """What grading one exercise of one learner gave.

    Attributes
    ----------
    student, name : str
        The learner's id, and the name to show.
    exercise : str
        Id of the exercise, or ``WHOLE_SUBMISSION`` where nothing could be read; then there are no items.
    notebook_sha256, spec_sha256 : str
        Hashes of the notebook and of the chapter's specification ("" where there is none).
    seed_id : str
        Names the seed of the hidden inputs without giving it away.
    sandbox : str
        "bubblewrap", "second tier" or "none (trusted)".
    versions : dict of str to str
        Python and the packages that could change a number.
    items : tuple of Item
        The judged parts.
    flags : tuple of str
        What a person should know ("passes the visible inputs only").
    status : str
        "graded", "student error" (the learner's code or file failed; no points) or "infrastructure error" (ours; no
        mark at all).
    """

    student: str
    name: str
    exercise: str
    notebook_sha256: str
    spec_sha256: str
    seed_id: str
    sandbox: str
    versions: dict[str, str]
    items: tuple[Item, ...] = ()
    flags: tuple[str, ...] = ()
    status: str = GRADED
    schema: int = field(default=SCHEMA, kw_only=True)

    @property
    def points(self) -> float | None:
        """Points of all items together; None as soon as one has no mark."""
        marks = [item.points for item in self.items]
        return None if self.status == INFRASTRUCTURE_ERROR or None in marks else sum(p for p in marks if p is not None)

    @property
    def max(self) -> float:
        """Points that could be won."""
        return sum(item.max for item in self.items)

    def to_json(self) -> dict[str, Any]:
        """The result as JSON data, in the order of the schema."""
        data = {name: value for name, value in self.__dict__.items() if name != "schema"}
        data |= {"versions": dict(self.versions), "flags": list(self.flags)}
        return {"schema": self.schema, **data, "items": [dict(item.__dict__) for item in self.items]}

    @staticmethod
    def from_json(data: Any) -> Result:
        """Rebuild a result.

        Raises
        ------
        ValueError
            If the data are of another schema or malformed.
        """
        if not isinstance(data, dict) or data.get("schema") != SCHEMA:
            raise ValueError(f"its schema is {data.get('schema') if isinstance(data, dict) else None}, not {SCHEMA}")
        try:
            items = tuple(Item(**item) for item in data["items"])
            result = Result(**{**data, "items": items, "flags": tuple(data["flags"])})
        except (KeyError, TypeError) as error:
            raise ValueError(f"a field is missing or unknown ({error})") from None
        if result.status not in STATUSES:
            raise ValueError(f"its status is {result.status!r}")
        _require_whole(result)
        return result


def _require_whole(result: Result) -> None:
    """Raise ``ValueError`` if a field holds what grading never writes there: then the file was damaged."""
    texts = [(name, getattr(result, name)) for name in _TEXTS] + [("flags", flag) for flag in result.flags]
    texts += [(f"{name} of a part", getattr(item, name)) for item in result.items for name in _TEXTS_OF_PARTS]
    for name, value in texts:
        if not isinstance(value, str):
            raise ValueError(f"its {name} holds {type(value).__name__} in place of text")
    if not isinstance(result.versions, dict) or not all(isinstance(value, str) for value in result.versions.values()):
        raise ValueError("its versions are not texts by name")
    for item in result.items:
        if not _is_number(item.max) or not (item.points is None or _is_number(item.points)):
            raise ValueError("its points are no number")
        if item.points is not None and item.points > item.max:
            raise ValueError(f"it gives {item.points:g} of {item.max:g} points")
    if not result.items and result.exercise != WHOLE_SUBMISSION:
        raise ValueError("no part of it was judged")


_TEXTS = ("student", "name", "exercise", "notebook_sha256", "spec_sha256", "seed_id", "sandbox")
_TEXTS_OF_PARTS = ("id", "title", "verdict", "misconception", "message", "visibility")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= MOST_POINTS


# --- files -----------------------------------------------------------------------------------------------------------


def folder_name(student: str) -> str:
    """A learner's id as the name of a folder, whatever it holds; ``student_of`` turns it back."""
    name = quote(student, safe=" @+,=", errors="surrogatepass").replace("~", "%7E")  # it marks shortened names
    if name.startswith(".") or name.lower() in OWN_FILES:
        name = f"%{ord(name[0]):02X}{name[1:]}"
    if len(name) > 150:
        name = name[:100].rstrip("%") + "~" + hashlib.sha256(student.encode("utf-8", "surrogatepass")).hexdigest()[:32]
    return name or "%00"


def student_of(folder: str) -> str:
    """The learner's id that gave a folder its name (shortened ones are read from the results inside)."""
    return unquote(folder, errors="surrogatepass")


def result_path(results: Path, student: str, exercise: str) -> Path:
    """Where a result is kept."""
    return results / folder_name(student) / f"{exercise}.json"


def write_result(results: Path, result: Result, times: dict[str, Any] | None = None) -> None:
    """Store a result; what it supersedes moves to ``history/``, and the same bytes are not written again.

    Parameters
    ----------
    results : Path
        The folder of all results.
    result : Result
        What to store.
    times : dict, optional
        Seconds and the like, for the second file, which is written first.
    """
    path = result_path(results, result.student, result.exercise)
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(result.to_json(), indent=1, ensure_ascii=False) + "\n"
    if times is not None:
        put(path.with_name(f"{result.exercise}.times.json"), json.dumps({"schema": SCHEMA, **times}) + "\n")
    if path.exists():
        if path.is_dir():  # no file of ours
            os.replace(path, path.with_name(f".{path.name}.damaged"))
        elif path.read_bytes() == text.encode("utf-8", "surrogatepass"):
            return
        else:
            _to_history(path)
    put(path, text)


def judged(results: Path, marked: Result) -> Result | None:
    """What the judge said, by the same specification, of what a person then marked; None if ``history/`` has it not."""
    same = ("student", "exercise", "notebook_sha256", "spec_sha256")
    for path in sorted((results / folder_name(marked.student) / "history").glob(f"{marked.exercise}.*.json")):
        try:
            result = _read(path)
        except BadResult:
            continue
        if HAND not in result.flags and all(getattr(result, name) == getattr(marked, name) for name in same):
            return result
    return None


def set_aside(results: Path, student: str, kept: Collection[str]) -> None:
    """Move a learner's results to ``history/``, but for those that are ``kept``: what they are about was replaced."""
    folder = results / folder_name(student)
    for path in sorted(folder.glob("*.json")):
        if path.name.startswith(".") or path.name.endswith(".times.json") or path.stem in kept:
            continue
        _to_history(path)
        path.unlink()
        path.with_name(f"{path.stem}.times.json").unlink(missing_ok=True)


def _to_history(path: Path) -> None:
    kept = path.parent / "history" / f"{path.stem}.{hashlib.sha256(path.read_bytes()).hexdigest()[:16]}.json"
    kept.parent.mkdir(exist_ok=True)
    if not kept.exists():
        os.link(path, kept)


def put(path: Path, text: str) -> None:
    """Write a file so that it is there whole or not at all."""
    partial = path.with_name(f".{path.name}.partial")
    with open(partial, "wb") as file:
        file.write(text.encode("utf-8", "surrogatepass"))
    os.replace(partial, path)


def remove_partial_files(results: Path) -> None:
    """Take away what a killed run left half written."""
    for path in results.glob("*/.*.partial"):
        path.unlink()


def read_result(path: Path) -> Result:
    """Read one result.

    Raises
    ------
    BadResult
        If the file is missing, no JSON, of another schema, damaged, or about another learner or exercise.
    """
    result = _read(path)
    if (folder_name(result.student), result.exercise) != (path.parent.name, path.stem):
        raise BadResult(f"{path} cannot be read: it holds {result.exercise} for {result.student!r}")
    return result


def _read(path: Path) -> Result:
    try:
        return Result.from_json(json.loads(path.read_text(encoding="utf-8", errors="surrogatepass")))
    except (OSError, ValueError, RecursionError) as error:
        raise BadResult(f"{path} cannot be read: {error}") from None


def read_results(results: Path) -> Iterator[Result]:
    """All current results, by learner and exercise; what has moved to ``history/`` is left out.

    A file that cannot be read stands for a result without a mark, whose flag says why and what to do.
    """
    for path in sorted(results.glob("*/*.json")):
        if not path.name.startswith(".") and not path.name.endswith(".times.json"):
            try:
                yield read_result(path)
            except BadResult as error:
                yield not_graded(_owner(path.parent), "", path.stem, f"{error}; {AGAIN}")


def _owner(folder: Path) -> str:
    """Whose a folder is; a shortened name is read off a result that is whole."""
    for path in sorted(folder.glob("*.json")) if "~" in folder.name else ():
        try:
            return read_result(path).student
        except BadResult:
            continue
    return student_of(folder.name)


def not_graded(student: str, name: str, exercise: str, why: str) -> Result:
    """What stands in place of a result that should be there: it has no mark, and its flag says why."""
    return Result(student, name, exercise, "", "", "", "", {}, (), (why,), INFRASTRUCTURE_ERROR)


def read_times(results: Path, student: str, exercise: str) -> dict[str, Any]:
    """The times of one result; what is not there or damaged is left out, since no mark depends on it."""
    path = result_path(results, student, exercise).with_name(f"{exercise}.times.json")
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    kinds = {"schema": int, "seconds": (int, float), "signature": str, "source": str, "lines": int}
    found = data.items() if isinstance(data, dict) else ()
    return {name: value for name, value in found if name not in kinds or _is_kind(value, kinds[name])}


def _is_kind(value: object, kind: Any) -> bool:
    return isinstance(value, kind) and (isinstance(value, str) or _is_number(value))
