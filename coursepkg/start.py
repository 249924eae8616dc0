"""``coursepkg start FOLDER`` and ``coursepkg update``: a learner's own copy of the course.

In a copy, cells that answer a prediction have no output until they are run. What a learner changed is never written
over: a newer edition of it is laid beside it. A notebook counts as changed when the text of a cell is another one;
running it changes nothing. What was laid out is kept as fingerprints, in one small file of the folder.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

from coursepkg import __version__, _course

LIST = ".coursepkg.json"
FIRST = "notebooks/00_start_here.ipynb"
_PARTS = (
    "notebooks/*.ipynb", "exercises/*.ipynb", "exercises/.checks/*.json", "benchmarks/results/*.json",
    "docs/verdicts.md",
)  # fmt: skip
_SOLUTIONS = "solutions/*.ipynb"
_ABOUT = "Fingerprints of what `coursepkg start` laid out here: a file that differs from them is changed and stays."


class Edition(NamedTuple):
    """Fingerprints of a file: of what a learner may change in it, and of all of it."""

    text: str
    whole: str


@dataclass
class LaidOut:
    """What is in a folder now.

    Attributes
    ----------
    files : list of str
        The course's files, by their names in the folder.
    written : list of str
        Those of them that were written this time.
    beside : dict of str
        For each file that was changed in the folder: the name of its newer edition, if there is one.
    """

    files: list[str] = field(default_factory=list)
    written: list[str] = field(default_factory=list)
    beside: dict[str, str] = field(default_factory=dict)


def lay_out(folder: Path, *, solutions: bool = False) -> LaidOut:
    """Lay out the course in a folder, or bring up to date what is there.

    Parameters
    ----------
    folder : Path
        Made if it is not there.
    solutions : bool
        Whether worked answers are wanted, too. Once they are there, they are brought up to date.

    Returns
    -------
    LaidOut
        What is there, and what was written.

    Raises
    ------
    ValueError
        If the folder is the course's own.
    OSError
        If something cannot be written.
    """
    course = _course.folder()
    if folder.resolve() == course:
        raise ValueError(f"{folder} holds the course itself; choose a folder for your copy")
    known = _read_list(folder)
    wanted = [*_PARTS, *([_SOLUTIONS] if solutions or any(name.startswith("solutions/") for name in known) else [])]
    done = LaidOut()
    try:
        for source in (path for pattern in wanted for path in sorted(course.glob(pattern))):
            name = source.relative_to(course).as_posix()
            content = source.read_bytes()
            target, written = _lay(folder, name, as_handed_out(content) if _is_notebook(name) else content, known)
            done.files.append(name)
            if written:
                done.written.append(target)
            if target != name and (folder / target).exists():
                done.beside[name] = target
    finally:
        if known:
            _write_list(folder, known)
    return done


def as_handed_out(content: bytes) -> bytes:
    """A notebook without the outputs that tell what a learner is to find out: those of cells tagged ``hide-output``."""
    notebook = json.loads(content)
    for cell in notebook["cells"]:
        if "hide-output" in cell["metadata"].get("tags", ()):
            cell["outputs"], cell["execution_count"] = [], None
            cell["metadata"].pop("jupyter", None)  # else JupyterLab would fold what the learner has asked for
    return (json.dumps(notebook, indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode()


# --- one file --------------------------------------------------------------------------------------------------------


def _lay(folder: Path, name: str, content: bytes, known: dict[str, Edition]) -> tuple[str, bool]:
    """Lay out one file, unless it is there; returns the name that this edition has, and whether it was written."""
    new = _edition(name, content)
    for target in _names(name):
        path, old = folder / target, known.get(target)
        there = _edition(name, path.read_bytes()).text if path.exists() else None
        known_already = old is not None and old.text == new.text
        if there is None:
            write = target == name or not known_already  # who removes a newer edition has seen it
        elif known_already:
            write = there == new.text and old != new  # the same cells with other outputs
        elif there == new.text:
            write = False
        elif old is not None and there == old.text:
            write = True
        else:
            continue
        if write:
            _write(path, content)
        if write or not known_already:
            known[target] = new
        return target, write
    raise AssertionError("there is always another name")


def _names(name: str) -> Iterator[str]:
    """The file's own name, then those beside it; none of them is taken for a chapter's notebook or checks."""
    yield name
    folder, _, file = name.rpartition("/")
    yield f"{folder}/newer-{file}"
    yield from (f"{folder}/newer-{number}-{file}" for number in range(2, sys.maxsize))


def _edition(name: str, content: bytes) -> Edition:
    return Edition(*(hashlib.sha256(part).hexdigest()[:16] for part in (_text(name, content), content)))


def _text(name: str, content: bytes) -> bytes:
    """What a learner may change: the text of a notebook's cells, anything in another file."""
    if not _is_notebook(name):
        return content
    try:
        cells = [(cell["cell_type"], "".join(cell["source"])) for cell in json.loads(content)["cells"]]
    except (ValueError, KeyError, TypeError):  # no notebook any more
        return content
    return json.dumps(cells).encode()


def _is_notebook(name: str) -> bool:
    return name.endswith(".ipynb")


def _write(path: Path, content: bytes) -> None:
    """Write a whole file or none: half of one would be taken for a learner's change."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    part.write_bytes(content)
    os.replace(part, path)


# --- the list --------------------------------------------------------------------------------------------------------


def _read_list(folder: Path) -> dict[str, Edition]:
    """What was laid out; nothing if the list is missing or damaged: then each file that differs counts as changed."""
    try:
        files: Any = json.loads((folder / LIST).read_text(encoding="utf-8"))["files"]
        return {str(name): Edition(*map(str, edition)) for name, edition in files.items()}
    except (FileNotFoundError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def _write_list(folder: Path, known: dict[str, Edition]) -> None:
    data = {"about": _ABOUT, "edition": __version__, "files": dict(sorted(known.items()))}
    _write(folder / LIST, (json.dumps(data, indent=1, ensure_ascii=False) + "\n").encode())


# --- the command line ------------------------------------------------------------------------------------------------

WORDS = {"start": "lay out a copy of the course in a folder", "update": "bring a newer edition into such a folder"}


def main(arguments: Sequence[str]) -> int:
    """Run ``start`` or ``update``, the first word, and return an exit code; 2 if nothing could be laid out."""
    options = _parser().parse_args(arguments)
    folder: Path = options.folder
    if options.room == "update" and not (folder / LIST).is_file():
        print(f"{folder} is no copy of the course; `coursepkg start {folder}` makes it one.", file=sys.stderr)
        return 2
    try:
        done = lay_out(folder, solutions=options.solutions)
    except (OSError, ValueError) as error:
        print(f"The course was not laid out: {error}", file=sys.stderr)
        return 2
    print("\n".join(_report(folder, done)))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="coursepkg", description="The course's companion package.")
    rooms = parser.add_subparsers(dest="room", required=True)
    for name, words in WORDS.items():
        room = rooms.add_parser(name, help=words, description=f"{words.capitalize()}. What you changed stays as it is.")
        room.add_argument("folder", type=Path, nargs=None if name == "start" else "?", default=Path())
        room.add_argument("--solutions", action="store_true", help="with worked answers, which are left out otherwise")
    return parser


def _report(folder: Path, done: LaidOut) -> list[str]:
    rooms = Counter(name.partition("/")[0] for name in done.files if _is_notebook(name))
    command = f"{sys.executable} -m coursepkg" if Path(sys.argv[0]).stem == "__main__" else "coursepkg"
    written = f"{len(done.written)} files written" if done.written else "nothing had to be written"
    answers = (
        "Worked answers are in solutions/: look after you have tried."
        if "solutions" in rooms
        else "Worked answers are left out, so that you see none before your own attempt; "
        f"`{command} start {folder} --solutions` adds them."
    )
    install = "" if find_spec("jupyterlab") else 'Install what notebooks need: `pip install "coursepkg[course]"`. '
    return [
        f"{folder} holds {rooms['notebooks']} notebooks, {rooms['exercises']} notebooks of exercises with their "
        f"checks, and the stored results that they read; {written}.",
        answers,
        f"{install}Begin with {FIRST}: `cd {folder}`, then `jupyter lab {FIRST}`. Later, `{command} update` there "
        "brings newer editions.",
        *(f"You changed {name}; its newer edition lies beside it as {newer}." for name, newer in done.beside.items()),
    ]
