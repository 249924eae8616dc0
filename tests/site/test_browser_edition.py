"""The browser edition: what is laid out, what it needs, and that the first chapters run without compiled libraries."""

import ast
import json
import re
import subprocess
import sys
import zipfile
from types import SimpleNamespace

import pytest

from coursepkg import in_browser, setup_check
from tools import browser_edition
from tools.browser_edition import NEEDS, lay_out_course, packages, with_dependencies
from tools.notebook_file import ROOT, read

COMPILED = set(in_browser.LIBRARIES)
# Of Python's own library, what Pyodide leaves out, or has only by name.
NOT_IN_A_BROWSER = {
    "curses", "dbm", "ensurepip", "fcntl", "grp", "idlelib", "msvcrt", "multiprocessing", "pty", "pwd", "readline",
    "resource", "syslog", "termios", "tkinter", "tty", "turtle", "venv", "winreg", "winsound",
}  # fmt: skip
THERE = (set(sys.stdlib_module_names) - NOT_IN_A_BROWSER) | {
    *("coursepkg", "sympy", "mpmath", "IPython", "ipywidgets", "traitlets", "comm", "tqdm"),
    *("js", "pyodide", "pyodide_js"),
}


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """What a learner finds in the browser, where the site does not bring what is compiled."""
    folder = tmp_path_factory.mktemp("browser") / "files"
    lay_out_course(folder, complete=False)
    return folder


def code_of(path):
    return [cell.source for cell in read(path).cells if cell.cell_type == "code"]


def imports_of(source):
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0]


# --- the notebooks ----------------------------------------------------------------------------------------------------


def test_learners_get_every_chapter_with_its_exercises_and_checks_and_no_answers(copy):
    for room in ("notebooks", "exercises"):
        laid_out = [path.name for path in sorted((copy / room).glob("*.ipynb"))]
        assert laid_out == [path.name for path in sorted((ROOT / room).glob("[0-9]*.ipynb"))]
    assert len(list(copy.glob("exercises/.checks/*.json"))) == 12
    assert not (copy / "solutions").exists()
    asked = [cell for path in copy.glob("notebooks/*.ipynb") for cell in read(path).cells
             if "hide-output" in cell.metadata.get("tags", [])]  # fmt: skip
    assert len(asked) > 100
    assert [cell.id for cell in asked if cell.outputs] == []


def test_each_notebook_says_under_its_title_that_it_runs_in_the_browser(copy):
    for path in [*copy.glob("notebooks/*.ipynb"), *copy.glob("exercises/*.ipynb")]:
        title, note, *_ = read(path).cells
        assert title.source.startswith("# "), path.name
        assert note.source.startswith("**In your browser.**")
        assert ("no time limit" in note.source) == (path.parent.name == "exercises")


@pytest.mark.parametrize("name", NEEDS)
def test_the_first_chapters_fetch_nothing_that_nobody_asked_for(copy, name):
    [path] = copy.glob(f"{name}*.ipynb")
    found = {module for source in code_of(path) for module in imports_of(source)}
    assert found - THERE == set()  # Pyodide fetches what it finds in an import, before a cell runs
    assert any(line.startswith("# import ") for line in code_of(path)[0].splitlines()) == bool(NEEDS[name])


def test_later_chapters_fetch_what_they_need_in_their_first_cell(copy):
    for path in [*copy.glob("notebooks/*.ipynb"), *copy.glob("exercises/*.ipynb")]:
        if f"{path.parent.name}/{path.name[:2]}" not in NEEDS:
            first = code_of(path)[0]
            assert set(imports_of(first)) == {"coursepkg", *COMPILED}
            assert f'begin("{path.parent.name}/{path.stem}.html", asked=True)' in first


def test_where_the_site_brings_everything_the_first_chapters_are_whole(tmp_path):
    lay_out_course(tmp_path / "files", complete=True)
    [path] = (tmp_path / "files").glob("notebooks/02*.ipynb")
    first, second, *_ = code_of(path)
    assert {"matplotlib", "numpy"} <= set(imports_of(first))
    assert "import numpy as np\n" in second


def test_no_chain_is_longer_than_python_in_a_browser_can_free(copy):
    [path] = copy.glob("notebooks/02*.ipynb")
    [timed] = [source for source in code_of(path) if source.startswith("import time\n")]
    assert "range(2_000):  # elsewhere 60_000: a browser cannot" in timed  # the reader of both is told


# --- without compiled libraries ---------------------------------------------------------------------------------------

# Run a notebook in a process that finds nothing but what is named, as the browser's Python would.
RUN = """
import json, sys
from IPython.core.interactiveshell import InteractiveShell

shell = InteractiveShell.instance()
notebook, there, missing = sys.argv[1], set(sys.argv[2].split()), set(sys.argv[3].split())

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in missing:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

class Compiled:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in there:
            from coursepkg.in_browser import NotFetched
            raise NotFetched(f"no {name}", name=name)

sys.meta_path.insert(0, Absent())
from coursepkg import in_browser, setup_check
begin = in_browser.begin
def begin_before_the_path(*page, **how):
    begin(*page, **how)
    sys.meta_path.sort(key=lambda finder: type(finder).__name__ != "_Finder")  # here, the libraries could be found
in_browser.begin = begin_before_the_path
begin_before_the_path("")
told = []
in_browser._show = lambda words, page: told.append([number, words])
errors, ran = [], 0
for number, cell in enumerate(json.load(open(notebook))["cells"]):
    if cell["cell_type"] == "code":
        done = shell.run_cell("".join(cell["source"]), store_history=True)
        ran += 1
        error = done.error_in_exec or done.error_before_exec
        if error is not None and not (told and told[-1][0] == number):
            errors.append([number, f"{type(error).__name__}: {error}"])
ours = sorted({module.__file__ for name, module in sys.modules.items()
               if name.startswith("coursepkg") and getattr(module, "__file__", None)})
print("\\nFOUND " + json.dumps({"ran": ran, "told": told, "errors": errors, "ours": ours}))
"""


@pytest.fixture(scope="module")
def ran(copy):
    """A function that runs a notebook of the copy without compiled libraries, and tells what came of it."""
    known = {}

    def run(name):
        if name not in known:
            [path] = copy.glob(f"{name}*.ipynb")
            command = [sys.executable, "-c", RUN, path.name, " ".join(COMPILED), " ".join(NOT_IN_A_BROWSER - {"pwd"})]
            done = subprocess.run(command, cwd=path.parent, capture_output=True, text=True, check=False)
            assert "FOUND " in done.stdout, done.stderr[-3000:]
            known[name] = json.loads(done.stdout.rpartition("FOUND ")[2])
        return known[name]

    return run


# How many cells of a chapter say that they need a library, or what such a cell makes.
SAY_SO = {"notebooks/00": 0, "notebooks/01": 0, "notebooks/02": 13, "exercises/01": 0, "exercises/02": 0}


@pytest.mark.parametrize("name", NEEDS)
def test_the_first_chapters_run_to_their_end_without_compiled_libraries(ran, name):
    found = ran(name)
    assert found["errors"] == []
    assert len(found["told"]) <= SAY_SO[name], found["told"]
    assert found["ran"] >= 8


def test_what_the_first_chapters_load_is_in_a_browser(ran):
    loaded = {path for name in NEEDS for path in ran(name)["ours"]}
    assert len(loaded) > 40
    strange = []
    for path in sorted(loaded):
        with open(path, encoding="utf-8") as file:
            body = ast.parse(file.read()).body
        needed = [node for node in body if isinstance(node, ast.Import | ast.ImportFrom)]
        found = set(imports_of("\n".join(map(ast.unparse, needed))))
        strange += [f"{path}: {name}" for name in sorted(found - THERE)]
    assert strange == []


# --- what a cell says -------------------------------------------------------------------------------------------------


def test_a_missing_library_is_told_when_it_is_used(monkeypatch):
    monkeypatch.setattr(sys, "meta_path", [in_browser._Finder("Fetch it."), *sys.meta_path])
    for name in [name for name in sys.modules if name.partition(".")[0] == "scipy"]:
        monkeypatch.delitem(sys.modules, name)
    scipy = in_browser.library("scipy")
    with pytest.raises(ModuleNotFoundError, match=r"This cell needs SciPy, which is not here\. Fetch it\."):
        scipy.linalg  # noqa: B018 - to look at it is to use it


def test_begin_says_what_to_do_and_stands_behind_what_finds_libraries(monkeypatch):
    monkeypatch.setattr(sys, "meta_path", list(sys.meta_path))
    in_browser.begin(asked=True)
    in_browser.begin()
    found = [finder for finder in sys.meta_path if isinstance(finder, in_browser._Finder)]
    assert len(found) == 1
    import numpy  # it is here, so nothing is said

    assert numpy is not None
    with pytest.raises(in_browser.NotFetched, match="take away the #"):
        found[0].find_spec("numpy")
    assert found[0].find_spec("numpyro") is None


@pytest.fixture
def cells(monkeypatch):
    """What explains cells, on a shell that only remembers, and the words that were shown."""
    shown = []
    monkeypatch.setattr(in_browser, "_show", lambda words, page: shown.append(words))

    def traced(what, tb_offset):
        shown.append(what)

    shell = SimpleNamespace(events=SimpleNamespace(register=lambda *_: None), user_ns={}, showtraceback=traced)
    made = in_browser._Cells(shell, "")

    def run(source, error):
        made._remember(SimpleNamespace(raw_cell=source))
        made.explain(shell, type(error), error, None)
        return shown[-1]

    return run


def test_only_the_first_cell_says_at_length_that_nothing_is_reached(cells):
    words = f"This cell needs NumPy, which is not here. {in_browser.NOT_REACHED}"
    assert cells("import numpy as np", in_browser.NotFetched(words)) == words
    again = cells("np.zeros(3)", in_browser.NotFetched(words))
    assert again == "This cell needs NumPy, which is not here. The first cell of code says what to do."


def test_what_a_stopped_cell_would_have_made_is_told_by_its_name(cells):
    cells("layers = np.zeros(3)", in_browser.NotFetched("This cell needs NumPy."))
    told = cells("print(layers)", NameError("name 'layers' is not defined", name="layers"))
    assert told.startswith("`layers` is missing: the cell that makes it needs a library that is not here.")
    assert told.endswith("The first cell of code says what to do.")
    kind, *_ = cells("print(layer)", NameError("name 'layer' is not defined", name="layer"))
    assert kind is NameError  # a slip of one's own stays what it is


def test_the_way_out_is_a_link_on_the_website(monkeypatch):
    shown = []
    monkeypatch.setattr("IPython.display.display", lambda bundle, raw: shown.append(bundle["text/html"]))
    here = "https://example.org/course/lite/lab/index.html?path=notebooks/03.ipynb"
    monkeypatch.setitem(sys.modules, "js", SimpleNamespace(location=SimpleNamespace(href=here)))
    in_browser._show(in_browser.NOT_REACHED, "notebooks/03.html")
    assert '<a href="https://example.org/course/run.html" target="_blank">Ways to run the course</a>' in shown[0]
    assert 'href="https://example.org/course/notebooks/03.html"' in shown[0]
    title = (ROOT / "docs" / "site" / "run.md").read_text(encoding="utf-8").splitlines()[0]
    assert title == f"# {in_browser._WAYS}"


def test_in_a_browser_the_setup_asks_only_for_what_is_in_the_page(monkeypatch):
    asked = []
    monkeypatch.setattr(sys, "platform", "emscripten")
    monkeypatch.setattr(setup_check, "importlib", SimpleNamespace(import_module=asked.append))
    assert setup_check._libraries() is None
    assert asked == ["sympy", "ipywidgets", "tqdm"]


# --- Pyodide's list ---------------------------------------------------------------------------------------------------

LISTED = {
    name: {"name": name, "version": "1.0", "file_name": f"{name}-1.0-wasm.whl", "sha256": "0" * 64, "imports": [name],
           "depends": depends}
    for name, depends in {
        "ipython": ["prompt_toolkit"], "prompt_toolkit": [], "traitlets": [], "sympy": [], "tqdm": [],
        "numpy": [], "matplotlib": ["numpy"], "scipy": ["numpy"], "scikit-learn": ["scipy", "joblib"], "joblib": [],
        "pandas": ["numpy"],
    }.items()
}  # fmt: skip
OURS = ("ipython", "prompt_toolkit", "traitlets", "sympy", "tqdm", "comm", "ipywidgets", "jupyterlab_widgets",
        "widgetsnbextension", "coursepkg")  # fmt: skip


@pytest.fixture
def wheels(tmp_path):
    made = [tmp_path / f"{name}-1.0-py3-none-any.whl" for name in OURS]
    for path in made:
        with zipfile.ZipFile(path, "w") as wheel:
            wheel.writestr("name", path.name)
    return made


def test_what_is_here_is_listed_by_its_file_and_the_rest_by_its_address(wheels, tmp_path):
    found = packages(LISTED, wheels, "https://example.org/full", tmp_path / "nothing")
    assert {name for name, entry in found.items() if "/" in entry["file_name"]} == {
        "numpy", "matplotlib", "scipy", "scikit-learn", "joblib",
    }  # fmt: skip
    assert found["numpy"]["file_name"] == "https://example.org/full/numpy-1.0-wasm.whl"
    assert "pandas" not in found
    assert found["prompt-toolkit"]["file_name"] == "prompt_toolkit-1.0-py3-none-any.whl"
    assert found["coursepkg"]["imports"] == ["coursepkg"]
    assert not COMPILED & set(found["coursepkg"]["depends"])


def test_a_compiled_wheel_is_taken_by_its_hash_alone(wheels, tmp_path):
    there = tmp_path / "compiled"
    there.mkdir()
    for name in ("numpy", "scipy"):
        (there / f"{name}-1.0-wasm.whl").write_bytes(name.encode())
    listed = LISTED | {"numpy": LISTED["numpy"] | {"sha256": browser_edition._sha256(there / "numpy-1.0-wasm.whl")}}
    found = packages(listed, wheels, "https://example.org/full", there)
    assert found["numpy"]["file_name"] == "numpy-1.0-wasm.whl"
    assert found["scipy"]["file_name"].startswith("https://")


def test_a_file_is_fetched_once_and_by_its_hash(address, tmp_path):
    there = tmp_path / "there"
    there.mkdir()
    (there / "numpy.whl").write_bytes(b"numpy")
    source, right = f"{address(there)}/numpy.whl", browser_edition._sha256(there / "numpy.whl")
    with pytest.raises(SystemExit, match=r"numpy\.whl is not what Pyodide's list says"):
        browser_edition.fetch(source, "0" * 64, tmp_path / "here")
    assert not (tmp_path / "here").exists()
    browser_edition.fetch(source, right, tmp_path / "here")
    (there / "numpy.whl").unlink()
    browser_edition.fetch(source, right, tmp_path / "here")  # asks nobody
    assert (tmp_path / "here" / "numpy.whl").read_bytes() == b"numpy"
    with pytest.raises(SystemExit, match="could not be fetched"):
        browser_edition.fetch(source, right, tmp_path / "elsewhere")


def test_another_version_or_a_missing_wheel_stops_the_build(wheels, tmp_path):
    with pytest.raises(ValueError, match=r"lacks traitlets"):
        packages(LISTED, [path for path in wheels if "traitlets" not in path.name], "", tmp_path)
    newer = LISTED | {"sympy": LISTED["sympy"] | {"version": "2.0"}}
    with pytest.raises(ValueError, match=r"sympy 2\.0, and requirements-browser\.lock 1\.0"):
        packages(newer, wheels, "", tmp_path)


def test_dependencies_are_followed_by_their_normalised_names():
    listed = {"ipython": {"depends": ["prompt_toolkit"]}, "prompt-toolkit": {"depends": []}}
    assert with_dependencies(listed, ["ipython"]) == {"ipython", "prompt-toolkit"}


def test_widgets_are_those_that_the_page_is_built_with():
    def pins(name):
        return dict(
            re.findall(r"^([\w-]+)==([^\s;\\]+)", (ROOT / name).read_text(encoding="utf-8"), flags=re.MULTILINE)
        )

    browser, site = pins("requirements-browser.lock"), pins("requirements-site.lock")
    for name in ("ipywidgets", "jupyterlab-widgets", "widgetsnbextension"):
        assert browser[name] == site[name]
    asked = pins("requirements-browser.in")
    assert asked == browser
