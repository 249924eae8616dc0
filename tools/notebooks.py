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
import hashlib
import json
import math
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
from ipykernel.kernelspec import RESOURCES, get_kernel_dict
from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from jupyter_client.manager import AsyncKernelManager, KernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat import NotebookNode

ROOT = Path(__file__).resolve().parent.parent
TREES = ("notebooks", "exercises", "solutions")
CELL_SECONDS = 60
NOTEBOOK_SECONDS = 60
RELATIVE, ABSOLUTE = 1e-6, 1e-9
IGNORE, RAISES = "nbval-ignore-output", "raises-exception"
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
NOTEBOOK_METADATA = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": {
        "codemirror_mode": {"name": "ipython", "version": 3},
        "file_extension": ".py",
        "mimetype": "text/x-python",
        "name": "python",
        "nbconvert_exporter": "python",
        "pygments_lexer": "ipython3",
    },
}
CELL_METADATA = ("tags", "editable", "deletable", "slideshow", "jupyter")
# Which source a tagged cell's stored output belongs to: such output may differ from run to run, so it is kept while the
# source stands, and made anew when the source changes.
STORED_FOR = "outputs_of"


class NotebookError(Exception):
    """A notebook that must not be stored, or that no longer does what its stored outputs say."""


# ---------------------------------------------------------------------------------------------------------- kernels


class ThisPython(KernelSpecManager):
    """Every kernel name means this interpreter, whatever kernels the user has installed."""

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
        return KernelSpec(resource_dir=RESOURCES, **get_kernel_dict())


def kernel_environment(folder: str | Path) -> dict[str, str]:
    """Environment of a kernel that depends on nothing in the user's account and repeats itself exactly.

    Parameters
    ----------
    folder : path
        An empty private folder, which stands in for the user's IPython, Jupyter and Matplotlib settings.
    """
    folder = Path(folder)
    (folder / "matplotlibrc").touch()
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("JUPYTER", "IPYTHON", "MPL")) or name == "MPLCONFIGDIR"
    }
    one_thread = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
    return environment | {
        **dict.fromkeys(one_thread, "1"),
        "PYTHONHASHSEED": "0",
        "PYTHONWARNINGS": "error",
        "PYTHONUTF8": "1",
        "TZ": "UTC",
        "IPYTHONDIR": str(folder / "ipython"),
        "JUPYTER_CONFIG_DIR": str(folder / "config"),
        "JUPYTER_DATA_DIR": str(folder / "data"),
        "JUPYTER_RUNTIME_DIR": str(folder / "runtime"),
        "JUPYTER_NO_CONFIG": "1",
        "MATPLOTLIBRC": str(folder / "matplotlibrc"),
        # Python's own modules are frozen; the debugger inside the kernel says so on stderr.
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",
    }


@contextmanager
def private_kernel(manager: type[KernelManager]) -> Iterator[tuple[KernelManager, dict[str, str]]]:
    """A kernel manager with an address of its own, and the environment to start the kernel in.

    Kernels are told TCP ports before they bind them, so kernels that start together can take each other's. Where the
    system has Unix sockets, each kernel gets one in its own folder instead.
    """
    with tempfile.TemporaryDirectory(prefix="nb-", ignore_cleanup_errors=True) as folder:
        address = {} if os.name == "nt" else {"transport": "ipc", "ip": str(Path(folder) / "k")}
        yield (
            manager(
                kernel_name="python3",
                kernel_spec_manager=ThisPython(),
                connection_file=str(Path(folder) / "kernel.json"),
                **address,
            ),
            kernel_environment(folder),
        )


# ---------------------------------------------------------------------------------------------------------- running


@dataclass
class Run:
    """A notebook as it came out of its kernel."""

    notebook: NotebookNode
    seconds: float
    widgets: dict[str, dict] = field(default_factory=dict)


def execute(notebook: NotebookNode, folder: Path) -> Run:
    """Run every cell of a copy of `notebook` with `folder` as the working folder.

    Raises
    ------
    NotebookError
        A cell raises although it has no `raises-exception` tag, has the tag and does not raise, writes a warning, or
        takes too long; or the kernel dies.
    """
    copy = deepcopy(notebook)
    start = time.monotonic()
    with private_kernel(AsyncKernelManager) as (manager, environment):
        client = NotebookClient(
            copy,
            km=manager,
            kernel_name="python3",
            timeout=CELL_SECONDS,
            startup_timeout=60,
            record_timing=False,
            shutdown_kernel="immediate",
        )
        try:
            client.execute(cwd=str(folder), env=environment, cleanup_kc=True)
        except CellTimeoutError:
            raise NotebookError(f"a cell ran for more than {CELL_SECONDS} s") from None
        except DeadKernelError:
            raise NotebookError("the kernel died (out of memory, or a crash in a library)") from None
        except CellExecutionError as error:
            raise NotebookError(f"a cell raised:\n{error}") from None
    run = Run(copy, time.monotonic() - start, client.widget_state)
    problems = list(run_problems(copy))
    if run.seconds > NOTEBOOK_SECONDS:
        problems.append(f"took {run.seconds:.0f} s; a notebook has {NOTEBOOK_SECONDS} s")
    if problems:
        raise NotebookError("\n".join(problems))
    return run


def tags(cell: NotebookNode) -> list[str]:
    return list(cell.metadata.get("tags", []))


def code_cells(notebook: NotebookNode) -> Iterator[tuple[int, NotebookNode]]:
    return ((index, cell) for index, cell in enumerate(notebook.cells) if cell.cell_type == "code")


def where(index: int, cell: NotebookNode) -> str:
    first_line = next((line.strip() for line in cell.source.splitlines() if line.strip()), "empty")
    return f"cell {index} ({first_line[:60]})"


def run_problems(notebook: NotebookNode) -> Iterator[str]:
    """What no run of a notebook may show, stored or fresh."""
    for index, cell in code_cells(notebook):
        errors = [output for output in cell.outputs if output.output_type == "error"]
        if RAISES in tags(cell) and not errors:
            yield f"{where(index, cell)} is tagged {RAISES} and does not raise"
        if errors and RAISES not in tags(cell):
            yield f"{where(index, cell)} raises {errors[0].ename}: {errors[0].evalue}"
        stderr = "".join(o.text for o in cell.outputs if o.output_type == "stream" and o.name == "stderr")
        if stderr and (IGNORE not in tags(cell) or "Warning" in stderr):
            yield f"{where(index, cell)} writes to stderr: {stderr.strip()[:300]}"


# ---------------------------------------------------------------------------------------------------------- storing


def fingerprint(*parts: object) -> str:
    return hashlib.sha256("\0".join(map(str, parts)).encode()).hexdigest()[:8]


def give_cell_ids(notebook: NotebookNode) -> None:
    """Keep cell ids that are there and unique; make the others from position and source, so that they repeat."""
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    seen: set[str] = set()
    for position, cell in enumerate(notebook.cells):
        identity = cell.get("id")
        if not isinstance(identity, str) or not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", identity) or identity in seen:
            identity = fingerprint(position, cell.source)
        seen.add(identity)
        cell["id"] = identity


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


def is_widget(cell: NotebookNode, widgets: dict[str, dict] | None = None) -> bool:
    return any(WIDGET_VIEW in output.get("data", {}) for output in cell.get("outputs", []))


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
        volatile = cell.cell_type == "code" and IGNORE in tags(cell) and not is_widget(cell)
        cell.metadata = NotebookNode({key: cell.metadata[key] for key in CELL_METADATA if key in cell.metadata})
        if cell.cell_type != "code":
            cell.pop("attachments", None) if not cell.get("attachments") else None
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


def as_text(notebook: NotebookNode) -> str:
    return nbformat.writes(notebook, indent=1, sort_keys=True, ensure_ascii=False).rstrip("\n") + "\n"


def read(path: Path) -> NotebookNode:
    """Read a notebook as it is, also one whose cells have no ids or share them."""
    try:
        notebook = nbformat.v4.reads(path.read_text(encoding="utf-8"))
        if notebook.nbformat != 4:
            raise NotebookError(f"notebook format {notebook.nbformat} is not 4; open and save it in JupyterLab")
    except (json.JSONDecodeError, AttributeError, KeyError, TypeError) as error:
        raise NotebookError(f"not a notebook: {error}") from None
    return notebook


def store(path: Path, *, refresh: bool = False) -> str:
    """Execute the notebook at `path` and write it back with its outputs; returns one line for the log."""
    before = read(path)
    give_cell_ids(before)
    run = execute(before, path.parent)
    text = as_text(stored_form(run, before, refresh=refresh))
    changed = text != path.read_text(encoding="utf-8")
    if changed:
        path.write_text(text, encoding="utf-8", newline="\n")
    return f"{run.seconds:5.1f} s  {'stored' if changed else 'unchanged'}"


# ---------------------------------------------------------------------------------------------------- command line


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
    for name, text in (("store", "execute notebooks and write their outputs into them"),):
        command = commands.add_parser(name, help=text, description=text)
        command.add_argument("paths", nargs="*", type=Path, help="notebooks or folders (default: all of the course)")
        if name == "store":
            command.add_argument("--refresh", action="store_true", help=f"also renew outputs of cells tagged {IGNORE}")
        if name != "lint":
            command.add_argument("-j", "--jobs", type=int, default=os.cpu_count() or 1, help="notebooks at a time")
    options = parser.parse_args(arguments)
    action: Callable[[Path], str] = {
        "store": lambda path: store(path, refresh=options.refresh),
    }[options.command]
    paths = find(options.paths or [ROOT / tree for tree in TREES if (ROOT / tree).is_dir()])
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
