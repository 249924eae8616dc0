"""Judging one's own notebook: read its code, run it in another process, judge each answer by its name.

The worker is a plain process with time limits, not a sandbox; the work of others goes through ``batch``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from coursepkg.grading.judging import feedback
from coursepkg.grading.judging.judge import Verdict, judge_all
from coursepkg.grading.sandbox.worker_process import Worker
from coursepkg.grading.submissions.cells import UnreadableNotebook, read_cells

_CHECKED = re.compile(r"""\bcheck\(\s*["'](\d\d\.\d+)["']""")


def judge_notebook(path: Path, checks: Mapping[str, Mapping[str, Any]]) -> list[tuple[Mapping[str, Any], Verdict]]:
    """Judge every exercise of a notebook's chapter.

    Parameters
    ----------
    path : Path
        The notebook.
    checks : mapping
        Compiled checks by exercise id.

    Returns
    -------
    list of (compiled check, Verdict)

    Raises
    ------
    UnreadableNotebook
        If it cannot be read, or none of the exercises belongs to it.
    """
    cells = read_cells(path)
    chapters = {exercise_id.split(".")[0] for cell in cells for exercise_id in _CHECKED.findall(cell)}
    if path.name[:2] in {exercise_id.split(".")[0] for exercise_id in checks}:
        chapters = {path.name[:2]}
    wanted = [compiled for exercise_id, compiled in checks.items() if exercise_id.split(".")[0] in chapters]
    if not wanted:
        raise UnreadableNotebook(f"{path.name} belongs to no chapter with exercises, and holds no check call")
    with Worker(cells, path.parent) as worker:
        return [(compiled, _judged(compiled, worker)) for compiled in wanted]


def _judged(compiled: Mapping[str, Any], worker: Worker) -> Verdict:
    try:
        return judge_all(compiled, lambda items: worker.ask(compiled, items))
    except Exception as error:  # noqa: BLE001 - a fault of ours is reported as such, and the other exercises go on
        words = feedback.infrastructure(f"the checker itself failed ({type(error).__name__}: {error})")
        return Verdict(compiled["id"], "infrastructure", lines=tuple(words))


def load_checks(folder: Path | None) -> dict[str, dict[str, Any]]:
    """All compiled checks of a folder, by exercise id.

    Raises
    ------
    ValueError
        If there is no folder, it holds no checks, or one cannot be read.
    """
    if folder is None or not folder.is_dir():
        raise ValueError("there is no folder of compiled checks here; run `python -m coursepkg grade build`")
    found: dict[str, dict[str, Any]] = {}
    for path in sorted(folder.glob("ex_*.json")):
        try:
            exercises = json.loads(path.read_text(encoding="utf-8"))["exercises"]
            found.update({compiled["id"]: compiled for compiled in exercises})
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ValueError(f"{path.name} cannot be read ({error})") from None
    if not found:
        raise ValueError(f"{folder} holds no compiled checks; run `python -m coursepkg grade build`")
    return found
