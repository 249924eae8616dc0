"""The solutions as the source folder of an nbgrader course.

nbgrader has the same markers for solution regions, and wants to be told in a cell's metadata which cells hold answers,
under which name and for how many points. The specifications know that already, so it is written from them: nothing in
``solutions/`` has to be kept in step by hand. nbgrader's ``generate_assignment`` then makes the learners' version.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from coursepkg.grading.specification.build import (
    BEGIN,
    build_tree,
    check_calls,
    nbgrader_metadata,
    notebook_text,
    source_of,
)
from coursepkg.grading.specification.chapters import load_specs


def write_nbgrader_source(root: Path, folder: Path) -> list[str]:
    """Write every solution notebook as an assignment of its own, with its compiled checks beside it.

    Parameters
    ----------
    root : Path
        Folder that holds ``solutions/``.
    folder : Path
        The ``source`` folder of the nbgrader course; ``folder/01_topic/01_topic.ipynb`` is written.

    Returns
    -------
    list of str
        Names of the assignments.

    Raises
    ------
    ValueError
        If the solutions cannot be built.
    """
    if not (root / "solutions" / "specs").is_dir():
        raise ValueError(
            f"there is no folder solutions/specs in {root.resolve()}; name the project's folder with --root"
        )
    files = build_tree(root).files  # also refuses whatever nbgrader would stumble over
    points = {e.id: e.points for exercises in load_specs(root / "solutions" / "specs").values() for e in exercises}
    names = [name.removesuffix(".ipynb") for name in files if name.endswith(".ipynb")]
    for name in names:
        notebook = json.loads((root / "solutions" / f"{name}.ipynb").read_text(encoding="utf-8"))
        checks = f".checks/ex_{name[:2]}.json"
        _write(folder / name / f"{name}.ipynb", notebook_text(source_notebook(notebook, points)))
        if checks in files:
            _write(folder / name / checks, files[checks])
    return names


def source_notebook(notebook: Mapping[str, Any], points: Mapping[str, int]) -> dict[str, Any]:
    """A solution notebook as nbgrader wants it: answer cells marked, no outputs, no cells for instructors alone."""
    cells = []
    for cell in notebook["cells"]:
        if "instructor" in cell.get("metadata", {}).get("tags", []):
            continue
        cell = copy.deepcopy(dict(cell))
        if cell["cell_type"] == "code":
            cell["outputs"], cell["execution_count"] = [], None
            if BEGIN in source_of(cell):
                [(exercise_id, _)] = check_calls(source_of(cell))
                cell["metadata"]["nbgrader"] = nbgrader_metadata(exercise_id, points[exercise_id])
        cells.append(cell)
    return {**notebook, "cells": cells}


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="\n")
