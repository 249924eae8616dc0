"""Execute, store, compare and lint the course's notebooks.

The `.ipynb` files are the source, with their outputs stored. `store` runs each one in a kernel that sees nothing of the
user's own set-up and writes what came out with everything volatile removed, so that the same notebook gives the same
bytes twice. `check` runs it again and compares: text exactly, numbers within a tolerance. `lint` reads without running.

    python tools/notebooks.py store [PATHS]
    python tools/notebooks.py check [PATHS]
    python tools/notebooks.py lint [PATHS]

Without PATHS, all notebooks of the course are meant.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor, as_completed
from copy import deepcopy
from pathlib import Path

import nbformat
from nbformat import NotebookNode

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # so that this file also runs by its path

from tools.notebook_comparison import check
from tools.notebook_file import (
    HANDED_OUT,
    IGNORE,
    NOTEBOOK_METADATA,
    ROOT,
    TREES,
    WIDGET_VIEW,
    NotebookError,
    as_text,
    fingerprint,
    give_cell_ids,
    may_be_stripped,
    read,
    shows_widget,
    tags,
)
from tools.notebook_lint import lint
from tools.notebook_run import Run, execute

CELL_METADATA = ("tags", "editable", "deletable", "slideshow", "jupyter", "jp-MarkdownHeadingCollapsed")
# Which source a tagged cell's stored output belongs to: such output may differ from run to run, so it is kept while the
# source stands, and made anew when the source changes.
STORED_FOR = "outputs_of"


def merged_streams(outputs: Iterable[NotebookNode]) -> list[NotebookNode]:
    """Join neighbouring pieces of the same stream: how the kernel cuts them up is a matter of timing."""
    merged: list[NotebookNode] = []
    for output in outputs:
        last = merged[-1] if merged else None
        if last is not None and output.output_type == "stream" == last.output_type and output.name == last.name:
            last.text += output.text
        else:
            merged.append(output)
    return merged


def short_traceback(lines: list[str]) -> list[str]:
    """The frames in the notebook itself, without those inside libraries, which hold paths and change with versions."""
    frames = [line for line in lines if re.match(r"(\x1b\[[\d;]*m)*Cell", line)]
    return [*frames, lines[-1]] if lines else []


def widget_sentence(model_id: str, widgets: dict[str, dict]) -> str:
    """What a reader without a kernel sees in place of a widget: what it would be controlled with."""
    seen: list[str] = []

    def visit(reference: object) -> None:
        if isinstance(reference, list):
            for item in reference:
                visit(item)
        elif isinstance(reference, str) and reference.startswith("IPY_MODEL_"):
            model = widgets.get(reference.removeprefix("IPY_MODEL_"), {})
            kind = str(model.get("_model_name", "")).removesuffix("Model")
            name = model.get("description") or model.get("tooltip")
            if name and kind not in ("HTML", "HTMLMath", "Label") and name not in seen:
                seen.append(name)
            for part in ("children", "widget"):
                visit(model.get(part, []))

    visit(f"IPY_MODEL_{model_id}")
    controls = f" with {', '.join(repr(name) for name in seen)}" if seen else ""
    return f"Interactive{controls}: run this cell to use it."


def still_output(output: NotebookNode, widgets: dict[str, dict]) -> None:
    """Take out of an output what is different in each run or means nothing without its kernel."""
    if output.output_type == "error":
        output.traceback = short_traceback(output.traceback)
    if output.output_type == "execute_result":
        output.execution_count = None  # set with the cell's own count
    if "data" in output:
        output.metadata = NotebookNode()
        view = output.data.pop(WIDGET_VIEW, None)
        if view is not None:
            output.data = NotebookNode({"text/plain": widget_sentence(view["model_id"], widgets)})


def stored_form(run: Run, before: NotebookNode, *, refresh: bool = False) -> NotebookNode:
    """The notebook as it goes into the file: outputs of `run`, and nothing that changes from run to run.

    The output of a cell tagged `nbval-ignore-output` may be a time, or need data that is not on this machine. It is
    taken over from `before` as long as the cell's source is the one that it was stored for, unless `refresh` is set.
    """
    notebook = deepcopy(run.notebook)
    notebook.metadata = nbformat.from_dict(NOTEBOOK_METADATA)
    old_cells = {cell.id: cell for cell in before.cells if "id" in cell}
    count = 0
    for cell in notebook.cells:
        volatile = cell.cell_type == "code" and IGNORE in tags(cell) and not shows_widget(cell)
        cell.metadata = NotebookNode({key: cell.metadata[key] for key in CELL_METADATA if key in cell.metadata})
        if cell.cell_type != "code":
            continue
        cell.outputs = merged_streams(cell.outputs)
        for output in cell.outputs:
            still_output(output, run.widgets)
        if volatile:
            source_mark = fingerprint(cell.source)
            old = old_cells.get(cell.id)
            if old is not None and not refresh and old.metadata.get(STORED_FOR) == source_mark:
                cell.outputs = old.outputs
            cell.metadata[STORED_FOR] = source_mark
        if cell.source.strip():
            count += 1
            cell.execution_count = count
        for output in cell.outputs:
            if output.output_type == "execute_result":
                output.execution_count = cell.execution_count
    return notebook


def store(path: Path, *, refresh: bool = False) -> str:
    """Execute the notebook at `path` and write it back with its outputs; returns one line for the log."""
    if may_be_stripped(path):
        raise NotebookError("is generated without outputs from solutions/; change and store the notebook there")
    before = read(path)
    give_cell_ids(before)
    run = execute(before, path.parent)
    after = stored_form(run, before, refresh=refresh)
    try:
        nbformat.validate(deepcopy(after))
    except nbformat.ValidationError as error:
        raise NotebookError(f"the result is not a valid notebook: {error}") from None
    text = as_text(after)
    changed = text != path.read_text(encoding="utf-8")
    if changed:
        path.write_text(text, encoding="utf-8", newline="\n")
    return f"{run.seconds:5.1f} s  {'stored' if changed else 'unchanged'}"


def find(paths: Iterable[Path]) -> list[Path]:
    """Notebooks at or below `paths`, without JupyterLab's check-points."""
    found: set[Path] = set()
    for path in paths:
        if not path.exists():
            raise SystemExit(f"{path}: there is no such file or folder")
        candidates = path.rglob("*.ipynb") if path.is_dir() else [path]
        found.update(p for p in candidates if ".ipynb_checkpoints" not in p.parts)
    return sorted(found)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0], prog="notebooks.py")
    commands = parser.add_subparsers(dest="command", required=True)
    for name, text in (
        ("store", "execute notebooks and write their outputs into them"),
        ("check", "execute notebooks and compare with their stored outputs"),
        ("lint", "read notebooks and report what the course's notebooks must not have"),
    ):
        command = commands.add_parser(name, help=text, description=text)
        command.add_argument("paths", nargs="*", type=Path, help="notebooks or folders (default: all of the course)")
        if name == "store":
            command.add_argument("--refresh", action="store_true", help=f"also renew outputs of cells tagged {IGNORE}")
        if name != "lint":
            command.add_argument("-j", "--jobs", type=int, default=os.cpu_count() or 1, help="notebooks at a time")
    options = parser.parse_args(arguments)
    action: Callable[[Path], str] = {
        "store": lambda path: store(path, refresh=options.refresh),
        "check": check,
        "lint": lint,
    }[options.command]
    trees = [tree for tree in TREES if options.command != "store" or tree != HANDED_OUT]
    paths = find(options.paths or [ROOT / tree for tree in trees if (ROOT / tree).is_dir()])
    jobs = getattr(options, "jobs", 1)
    if options.command != "lint":
        build_font_cache()
    failed = 0
    with ThreadPoolExecutor(max_workers=max(1, jobs)) as pool:
        futures = {pool.submit(action, path.resolve()): path for path in paths}
        for done, future in enumerate(as_completed(futures), start=1):
            try:
                verdict = future.result()
            except NotebookError as error:
                failed += 1
                verdict = "FAILED\n" + "\n".join(f"    {line}" for line in str(error).splitlines())
            print(f"[{done}/{len(paths)}] {futures[future]}: {verdict}", flush=True)
    return 1 if failed else 0


def build_font_cache() -> None:
    """Let Matplotlib look for fonts now: the first process that plots does, and says so on stderr when it is slow."""
    subprocess.run([sys.executable, "-c", "import matplotlib.font_manager"], check=True, capture_output=True)


if __name__ == "__main__":
    sys.exit(main())
