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
import urllib.parse
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from html import unescape
from itertools import zip_longest
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
HANDED_OUT = "exercises"  # generated from solutions, without outputs
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
    # The address of a socket has at most about 100 characters.
    short = None if len(tempfile.gettempdir()) < 70 else "/tmp"
    with tempfile.TemporaryDirectory(prefix="nb-", dir=short, ignore_cleanup_errors=True) as folder:
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
    problems = [problem for index, cell in code_cells(copy) for problem in run_problems(index, cell)]
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


def run_problems(index: int, cell: NotebookNode) -> Iterator[str]:
    """What the outputs of a cell may never show, whatever is stored."""
    errors = [output for output in cell.outputs if output.output_type == "error"]
    if RAISES in tags(cell) and not errors:
        yield f"{where(index, cell)} is tagged {RAISES} and does not raise"
    if errors and RAISES not in tags(cell):
        yield f"{where(index, cell)} raises {errors[0].ename}: {errors[0].evalue}"
    stderr = "".join(o.text for o in cell.outputs if o.output_type == "stream" and o.name == "stderr")
    if stderr and (IGNORE not in tags(cell) or "Warning" in stderr):
        yield f"{where(index, cell)} writes to stderr: {stderr.strip()[:300]}"
    if IGNORE not in tags(cell) and shows_widget(cell):
        yield f"{where(index, cell)} shows a widget, which differs in each run; give it the tag {IGNORE}"


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


def shows_widget(cell: NotebookNode) -> bool:
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


def as_text(notebook: NotebookNode) -> str:
    return nbformat.v4.writes(notebook, indent=1, sort_keys=True, ensure_ascii=False).rstrip("\n") + "\n"


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


# -------------------------------------------------------------------------------------------------------- comparing

NUMBER = re.compile(r"(?<![\w.#])[-+\u2212]?(?:\d+\.\d*|\.\d+|\d+)(?:[eE][-+]?\d+)?")
WHOLE = re.compile(r"[-+\u2212]?\d+\.?")  # the point may end a sentence
VOLATILE = (
    (re.compile(r"\x1b\[[\d;]*m"), ""),
    (re.compile(r"""data:image/[\w.+-]+[;,][^"'\s>)]*"""), "data:image"),
    (re.compile(r"\b0x[0-9a-fA-F]{4,}"), "0x0"),
    (re.compile(r"ipykernel_\d+[/\\]\d+\.py"), "ipykernel.py"),
)


def split_numbers(text: str) -> tuple[str, list[str]]:
    """Text with its numbers blanked, and the numbers. Blanks next to a number are padding and go with it."""
    for pattern, replacement in VOLATILE:
        text = pattern.sub(replacement, text)
    numbers = NUMBER.findall(text)
    return re.sub(r"[ \t]*\0[ \t]*", "\0", NUMBER.sub("\0", text)), numbers


def same_number(stored: str, fresh: str) -> bool:
    """Integers are the same or not; other numbers may differ in the last digits that another processor gives."""
    if stored == fresh:
        return True
    a, b = (float(number.replace("\u2212", "-")) for number in (stored, fresh))
    if WHOLE.fullmatch(stored) and WHOLE.fullmatch(fresh):
        return a == b
    return math.isclose(a, b, rel_tol=RELATIVE, abs_tol=ABSOLUTE)


def text_difference(stored: str, fresh: str) -> str | None:
    """The first difference between two texts that is more than a last digit, or None."""
    (stored_words, stored_numbers), (fresh_words, fresh_numbers) = split_numbers(stored), split_numbers(fresh)
    if stored_words != fresh_words:
        lines = zip_longest(stored_words.split("\n"), fresh_words.split("\n"), fillvalue="")
        one, other = next((one, other) for one, other in lines if one != other)
        return f"stored {shown(one)}, now {shown(other)}"
    for one, other in zip(stored_numbers, fresh_numbers, strict=True):
        if not same_number(one, other):
            return f"stored {one}, now {other}"
    return None


def shown(line: str) -> str:
    line = line.replace("\0", " <number> ").strip()
    return repr(line if len(line) <= 160 else line[:157] + "...")


def comparable(outputs: Iterable[NotebookNode]) -> list[tuple[str, str]]:
    """What is compared of a cell's outputs, in order: streams whole, then one entry for each form of each output."""
    found: list[tuple[str, str]] = []
    streams: dict[str, int] = {}
    for output in outputs:
        if output.output_type == "stream":
            if output.name not in streams:
                streams[output.name] = len(found)
                found.append((output.name, ""))
            place = streams[output.name]
            found[place] = (output.name, found[place][1] + output.text)
        elif output.output_type == "error":
            found.append(("error", f"{output.ename}: {output.evalue}"))
        else:
            for mime, content in sorted(output.data.items()):
                pixels = mime in ("image/png", "image/jpeg")  # differ between machines; their presence is compared
                text = content if isinstance(content, str) else json.dumps(content, sort_keys=True)
                found.append((mime, "" if pixels else text))
    return found


def output_differences(stored: Iterable[NotebookNode], fresh: Iterable[NotebookNode]) -> Iterator[str]:
    """Where the outputs of one cell differ by more than last digits."""
    before, now = comparable(stored), comparable(fresh)
    kinds_before, kinds_now = [kind for kind, _ in before], [kind for kind, _ in now]
    if kinds_before != kinds_now:
        yield f"stored outputs are {kinds_before or 'none'}, now they are {kinds_now or 'none'}"
        return
    for (kind, one), (_, other) in zip(before, now, strict=True):
        difference = text_difference(one, other)
        if difference is not None:
            yield f"{kind}: {difference}"


def is_stripped(notebook: NotebookNode) -> bool:
    """True if no cell has been run, as in the notebooks that learners are handed."""
    return all(cell.execution_count is None and not cell.outputs for _, cell in code_cells(notebook))


def may_be_stripped(path: Path) -> bool:
    return path.parent.name == HANDED_OUT


def cell_problems(index: int, stored: NotebookNode, fresh: list[NotebookNode], *, stripped: bool) -> Iterator[str]:
    """What is wrong with a cell that was run just now and gave the outputs `fresh`."""
    rerun = NotebookNode(stored, outputs=fresh)
    yield from run_problems(index, rerun)
    if stripped or not stored.source.strip():
        return
    if stored.execution_count is None:
        yield f"{where(index, stored)} has no stored outputs to compare with; store the notebook"
    elif IGNORE not in tags(stored):
        for difference in output_differences(stored.outputs, fresh):
            yield f"{where(index, stored)}: {difference}"


def check(path: Path) -> str:
    """Execute the notebook at `path` and compare with its stored outputs; returns one line for the log."""
    notebook = read(path)
    stripped = is_stripped(notebook)
    if stripped and not may_be_stripped(path):
        raise NotebookError("has no stored outputs to compare with; store the notebook")
    run = execute(notebook, path.parent)
    problems = [
        problem
        for (index, stored), (_, fresh) in zip(code_cells(notebook), code_cells(run.notebook), strict=True)
        for problem in cell_problems(index, stored, fresh.outputs, stripped=stripped)
    ]
    if problems:
        raise NotebookError("\n".join(problems))
    return f"{run.seconds:5.1f} s  as stored"


# ---------------------------------------------------------------------------------------------------------- linting

LINES_OF_CODE, LINES_OF_PLOTTING, LETTERS_OF_ALT, SELF_TEST_QUESTIONS = 15, 5, 20, 3
WITHOUT_EXERCISES = "00"  # the number of the chapter that says how the course works
PRIVATE_PATH = re.compile(r"(?<![\w.])(?:/(?:home|Users|root|tmp|work|private|mnt)/|/var/folders/|[A-Za-z]:\\Users\\)")
NETWORK = re.compile(
    r"^\s*(?:(?:import|from)\s+(?:requests|httpx|aiohttp|socket|http|urllib)\b|[!%]+\s*(?:pip|conda|wget|curl|git)\b)",
    re.M,
)
PLOTTING = re.compile(r"\b(?:plt|ax|axes|axs|axis|fig|figure)\w*(?:\[[^\]]*\])*\.\w+")
IMAGE = re.compile(r"<img\b[^>]*>", re.I)
ALT = re.compile(r"""\balt\s*=\s*(?:"([^"]*)"|'([^']*)')""", re.I)
OPENING = {
    "what you will be able to do ('you can ...')": r"\byou\s+(?:can|will\s+be\s+able\s+to)\b",
    "what you need before ('You need ...', 'Before you start ...')": r"\byou\s+need\b|\bbefore\s+you\s+start\b",
    "how long it takes ('Time ... minutes')": r"\btime\b.*\bminutes\b",
}
LINK = re.compile(r"(?<!\!)\[[^\]]*\]\(([^)\s#]+)(?:#[^)\s]*)?(?:\s+\"[^\"]*\")?\)")
FIGURE = re.compile(r"!\[([^\]]*)\]\(")


def lint(path: Path) -> str:
    """Read the notebook at `path` without running it; returns one line for the log.

    Raises
    ------
    NotebookError
        With one line for everything that the course's notebooks must not have.
    """
    notebook = read(path)
    problems = [
        *form_problems(notebook, stripped=is_stripped(notebook) and may_be_stripped(path)),
        *opening_problems(notebook, path),
        *(problem for index, cell in enumerate(notebook.cells) for problem in text_problems(index, cell, path)),
        *(problem for index, cell in code_cells(notebook) for problem in code_problems(index, cell)),
        *(problem for index, cell in code_cells(notebook) for problem in shown_problems(index, cell)),
    ]
    if path.parent.name == "notebooks":
        problems += [problem for index, cell in code_cells(notebook) for problem in length_problems(index, cell)]
        if not path.name.startswith(WITHOUT_EXERCISES):
            problems += closing_problems(notebook, path)
    if problems:
        raise NotebookError("\n".join(problems))
    return "fine"


def form_problems(notebook: NotebookNode, *, stripped: bool) -> Iterator[str]:
    """Is the file as `store` writes it? A notebook that is handed out also says what it was generated from."""
    metadata = {key: value for key, value in notebook.metadata.items() if not (stripped and key == "coursepkg")}
    if metadata != NOTEBOOK_METADATA:
        yield "its metadata is not what `store` writes; store the notebook"
    ids = [cell.get("id") for cell in notebook.cells]
    if None in ids or len(set(ids)) < len(ids):
        yield "cells without an id, or with the same one; store the notebook"
    cells = [cell for _, cell in code_cells(notebook)]
    if stripped:
        return
    if [cell.execution_count for cell in cells] != list(range(1, len(cells) + 1)):
        yield "cells have not been run in order from top to bottom, or are empty; store the notebook"
    if cells and not any(cell.outputs and IGNORE not in tags(cell) for cell in cells):
        yield "no cell has an output that is compared"


def opening_problems(notebook: NotebookNode, path: Path) -> Iterator[str]:
    """Does it open with its number and title and, in the course itself, say what it is for and where it stands?"""
    first = notebook.cells[0] if notebook.cells else None
    number = path.name[:2]
    if first is None or first.cell_type != "markdown" or not re.match(rf"# {number} · \S", first.source):
        yield f"the first cell does not open with the title '# {number} · ...'"
        return
    if path.parent.name != "notebooks":
        return
    for part, pattern in OPENING.items():
        if not re.search(pattern, first.source, re.I):
            yield f"the first cell does not say {part}"
    first_code = next((cell for _, cell in code_cells(notebook)), None)
    if first_code is None or f'route_map("{number}")' not in first_code.source:
        yield f'the first code cell does not show route_map("{number}")'


def closing_problems(notebook: NotebookNode, path: Path) -> Iterator[str]:
    """Does a chapter let its reader test what was learned, and practise it?"""
    text = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    questions = len(re.findall(r"<details\b", text))
    if questions < SELF_TEST_QUESTIONS:
        yield f"has {questions} folded answers (<details>); a chapter closes with at least {SELF_TEST_QUESTIONS}"
    if f"../exercises/{path.name}" not in text:
        yield f"does not link to its exercises, ../exercises/{path.name}"


def text_problems(index: int, cell: NotebookNode, path: Path) -> Iterator[str]:
    """Pictures without words and links to nowhere in a text cell."""
    if cell.cell_type != "markdown":
        return
    for alt in FIGURE.findall(cell.source):
        if len(alt.strip()) < LETTERS_OF_ALT:
            yield f"{where(index, cell)} has a picture whose alt text says too little: {alt!r}"
    yield from image_problems(index, cell, cell.source)
    for target in LINK.findall(cell.source):
        if "://" not in target and not target.startswith("mailto:"):
            file = path.parent / urllib.parse.unquote(target)
            if not file.exists():
                yield f"{where(index, cell)} links to {target}, which does not exist"


def image_problems(index: int, cell: NotebookNode, html: str) -> Iterator[str]:
    for image in IMAGE.findall(html):
        found = ALT.search(image)
        alt = unescape((found.group(1) or found.group(2) or "") if found else "")
        if len(alt.strip()) < LETTERS_OF_ALT:
            yield f"{where(index, cell)} shows an image whose alt text says too little: {alt!r}"


def code_problems(index: int, cell: NotebookNode) -> Iterator[str]:
    """What the source of a code cell must not do."""
    place, lines = where(index, cell), cell.source.rstrip().splitlines()
    if lines and lines[-1].rstrip().endswith(";") and not lines[-1].lstrip().startswith("#"):
        yield f"{place} ends in ';', which silences nothing in a script or a test; write `_ = ...`"
    if re.search(r"^\s*#\s*(?:NBVAL|PYTEST_VALIDATE)_", cell.source, re.M):
        yield f"{place} steers nbval by a comment, which learners see; use a cell tag"
    for tag in tags(cell):
        if tag.startswith("nbval") and tag != IGNORE:
            yield f"{place} has the tag {tag}; only {IGNORE} and {RAISES} are used"
    if IGNORE not in tags(cell) and re.search(r"\bclear_output\(|\bdisplay_id\b|\bOutput\(\)|\binteract", cell.source):
        yield f"{place} changes its output while it runs, which nbval does not follow; give it the tag {IGNORE}"
    if NETWORK.search(cell.source):
        yield f"{place} reaches for the network; the course works offline"
    if PRIVATE_PATH.search(cell.source):
        yield f"{place} names a path of one machine"


def length_problems(index: int, cell: NotebookNode) -> Iterator[str]:
    lines = [line for line in cell.source.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    if len(lines) > LINES_OF_CODE:
        yield f"{where(index, cell)} has {len(lines)} lines of code; {LINES_OF_CODE} fit on a learner's screen"
    plotting = sum(bool(PLOTTING.search(line)) for line in lines)
    if plotting > LINES_OF_PLOTTING:
        yield f"{where(index, cell)} has {plotting} lines of plotting code; move it into coursepkg.visualize"


def shown_problems(index: int, cell: NotebookNode) -> Iterator[str]:
    """What the stored outputs of a cell must not hold."""
    place = where(index, cell)
    yield from () if cell.execution_count is None else run_problems(index, cell)
    for kind, text in comparable(cell.outputs):
        if kind in ("image/png", "image/jpeg", "image/svg+xml"):
            yield f"{place} shows a figure without alt text; pass it to coursepkg.visualize.figure.show"
        if kind == WIDGET_VIEW:
            yield f"{place} stores a widget, which is empty without its kernel; store the notebook"
        if kind == "text/html":
            yield from image_problems(index, cell, text)
        visible = re.sub(r"data:image/[^\"'\s>)]*", "", text)
        if PRIVATE_PATH.search(visible):
            yield f"{place} shows a path of one machine"
        if IGNORE not in tags(cell) and re.search(r" at 0x[0-9a-f]{6,}", visible):
            yield f"{place} shows an object's address"


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
