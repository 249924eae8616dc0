"""Handing out: an assignment as a zip for learners, with its notebooks, its checks and a page on how to hand in.

Nothing of ``solutions/`` is in it. The same assignment gives the same bytes.
"""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

from coursepkg.grading.specification.assignment import CUT_OFF, INSIDE, NONE, Assignment
from coursepkg.grading.specification.build import build_tree, notebook_text

_EPOCH = (1980, 1, 1, 0, 0, 0)
PAGE = "how_to_hand_in.md"


def release(assignment: Assignment, root: Path) -> bytes:
    """The zip that learners get.

    Parameters
    ----------
    assignment : Assignment
        What is asked.
    root : Path
        The folder that holds ``solutions/``.

    Raises
    ------
    BuildError
        If the exercises cannot be built.
    """
    tree = build_tree(root, assignment.chapters)
    files = {INSIDE: json.dumps(assignment.to_json(), indent=1, ensure_ascii=False) + "\n"}
    notebooks = []
    for name, text in tree.files.items():
        if name.endswith(".ipynb"):
            notebook = json.loads(text)
            notebook["metadata"]["coursepkg"] = {"assignment": assignment.name}
            text = notebook_text(notebook)
            notebooks.append(name)
        files[name] = text
    files[PAGE] = _page(assignment, notebooks)
    return _zipped({f"{assignment.name}/{name}": text for name, text in files.items()})


def _zipped(files: dict[str, str]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(files):
            info = zipfile.ZipInfo(name, _EPOCH)
            info.compress_type, info.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
            archive.writestr(info, files[name])
    return buffer.getvalue()


def _page(assignment: Assignment, notebooks: list[str]) -> str:
    names = " and ".join(f"`{name}`" for name in notebooks)
    rows = "\n".join(f"| {asked.id} | {asked.title} | {asked.points:g} |" for asked in assignment.exercises)
    return f"""# {assignment.name}

{_when(assignment)}

1. Put this folder, `{assignment.name}`, into your copy of the course, beside its `exercises/`: links to the chapters
   work from there. `make lab` and `coursepkg start my-course` lay out such a copy, `my-course`.
2. Open it in JupyterLab (`make lab` does), and there {names}.
3. Write each answer in its own cell, under the name that the task gives, and run the cell: its check tells you at once
   how far you are. Checks show some inputs; marks are given by others of the same kind.
4. Save the notebook, and hand in that one file under its own name. It says which assignment it belongs to, so
   work in this copy.

You may hand in as often as your course's platform allows. The last one counts.

| exercise | | points |
| --- | --- | ---: |
{rows}
| all | | {assignment.max:g} |
"""


def _when(assignment: Assignment) -> str:
    if assignment.due is None:
        return f"There are {assignment.max:g} points. When it is due, your instructor says."
    due = assignment.due.strftime("%A, %d %B %Y, %H:%M (UTC%z)")
    late = {
        NONE: "If you are late, hand in all the same.",
        CUT_OFF: "After that, nothing counts.",
    }.get(assignment.late, f"Each day begun after that takes {assignment.late} points off.")
    return f"There are {assignment.max:g} points. It is due on {due}. {late}"
