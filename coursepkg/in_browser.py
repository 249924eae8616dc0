"""The course in a browser: what a cell says that needs a library which this page has not fetched.

The browser edition (`make site`) begins each notebook that needs compiled libraries with a cell that calls ``begin``.
Where one of them is missing, cells that need it say so in plain words, and the others run.
"""

from __future__ import annotations

import ast
import html
import importlib
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any

LIBRARIES = {"numpy": "NumPy", "matplotlib": "Matplotlib", "scipy": "SciPy", "sklearn": "scikit-learn"}
FETCH = "To fetch it, take away the # before `import` in the first cell of code, and run all cells again."
NOT_REACHED = (
    "This browser does not reach Pyodide's public distribution, where it is kept: there is no network, or a filter "
    "stands in the way. When that has changed, choose Kernel, Restart Kernel and Run All Cells. Without a network, the "
    "course runs on your own computer: the page Ways to run the course says how."
)
_WAYS = "Ways to run the course"  # the page of the website
_HOW = "The first cell of code says what to do."


class NotFetched(ModuleNotFoundError):
    """A library that is not in this page; its text is what the learner reads."""


def begin(page: str = "", *, asked: bool = False) -> None:
    """Let cells that need a missing library say so, and let the others run.

    Parameters
    ----------
    page : str
        The chapter's page on the website, such as "notebooks/02_scalar_backprop.html": its outputs are there to read.
    asked : bool
        Whether this cell goes on to fetch the libraries, so that what is missing then could not be had.
    """
    finder = _Finder(NOT_REACHED if asked else FETCH)
    sys.meta_path[:] = [other for other in sys.meta_path if type(other).__name__ != "_Finder"]
    # Behind whatever finds a library that is here, before Pyodide's own advice, which names tools of Pyodide.
    sys.meta_path.insert(sys.meta_path.index(PathFinder) + 1, finder)
    shell = _shell()
    if shell is not None:
        cells = _Cells(shell, page)
        shell.set_custom_exc((NotFetched, NameError), cells.explain)


def library(name: str) -> Any:
    """A library, or where it is missing something that says so when it is used.

    Examples
    --------
    >>> library("math").sqrt(4.0)
    2.0
    """
    try:
        return importlib.import_module(name)
    except NotFetched as missing:
        return _Missing(str(missing))


class _Missing(ModuleType):
    def __init__(self, words: str):
        super().__init__("missing")
        self._words = words

    def __getattr__(self, name: str) -> Any:
        raise NotFetched(self._words)


class _Finder:
    """The last to be asked for a module; it says of a library of the course how it is to be had."""

    def __init__(self, advice: str):
        self._advice = advice

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name in LIBRARIES:
            raise NotFetched(f"This cell needs {LIBRARIES[name]}, which is not here. {self._advice}", name=name)
        return None


class _Cells:
    """Explains cells that a missing library stops, and those that needed what these would have made."""

    def __init__(self, shell: Any, page: str):
        self._page = page
        self._source = ""
        self._lost: set[str] = set()
        self._said = False
        shell.events.register("pre_run_cell", self._remember)

    def _remember(self, info: Any) -> None:
        self._source = info.raw_cell

    def explain(self, shell: Any, kind: type, error: BaseException, traceback: Any, tb_offset: Any = None) -> None:
        if isinstance(error, NotFetched):
            words = str(error)
            if self._said:  # once is enough, and shorter is read sooner
                words = words.replace(NOT_REACHED, _HOW)
            self._said = True
        elif getattr(error, "name", None) in self._lost:
            words = f"`{error.name}` is missing: the cell that makes it needs a library that is not here. {_HOW}"  # type: ignore[attr-defined]
        else:
            shell.showtraceback((kind, error, traceback), tb_offset=tb_offset)
            return
        self._lost |= {name for name in assigned(self._source) if name not in shell.user_ns}
        _show(words, self._page)


def assigned(source: str) -> set[str]:
    """The names that the lines of a cell would have given a value.

    Examples
    --------
    >>> sorted(assigned("from math import pi as p; a, b = 1, 2"))
    ['a', 'b', 'p']
    """
    try:
        lines = ast.parse(source).body
    except SyntaxError:  # a cell with one of the notebook's own commands
        return set()
    found: set[str] = set()
    for line in lines:
        if isinstance(line, ast.FunctionDef | ast.ClassDef):
            found.add(line.name)
            continue
        for node in ast.walk(line):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                found.add(node.id)
            elif isinstance(node, ast.alias):
                found.add(node.asname or node.name.partition(".")[0])
    return found


def _show(words: str, page: str) -> None:
    from IPython.display import display

    where = _address(page)
    link = f' <a href="{where}" target="_blank">What this cell shows is on the website.</a>' if where else ""
    text = "".join(
        part if number % 2 == 0 else f"<code>{part}</code>"
        for number, part in enumerate(html.escape(words, quote=False).split("`"))
    )
    ways = _address("run.html")
    if ways:
        text = text.replace(_WAYS, f'<a href="{ways}" target="_blank">{_WAYS}</a>')
    frame = "border-left:4px solid #5a5a5a;padding:0.2em 0.8em"
    told = f'<div role="note" class="not-fetched" style="{frame}">{text}{link}</div>'
    display({"text/plain": words, "text/html": told}, raw=True)


def _address(page: str) -> str:
    """Where a page of the website is, if this is Python in a browser, in the folder `lite` of that website."""
    location = getattr(sys.modules.get("js"), "location", None)
    site, found, _ = str(getattr(location, "href", "")).partition("/lite/")
    return f"{site}/{page}" if found and page and not site.startswith("blob:") else ""


def _shell() -> Any:
    module = sys.modules.get("IPython")
    return module.get_ipython() if module is not None else None
