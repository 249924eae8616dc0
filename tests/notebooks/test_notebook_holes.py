"""What can go wrong in a notebook without nbval noticing is noticed here, in one run by pytest and by `check`.

One sound notebook is executed and stored. Each case then spoils a copy in one way, and both gates must name the fault;
or changes it in a way that does not matter, and both must pass.
"""

import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from copy import deepcopy

import nbformat
import pytest

from tools import notebook_comparison, notebook_file, notebook_run, notebooks

SOUND = [
    "# 01 · A notebook",
    ("1 / 3",),
    ("for n in (10_000_000, 0.125):\n    print('rate', n)",),
    ("from IPython.display import HTML, display\nalt = 'A rising line'",),
    ('display(HTML(f\'<img alt="{alt}" src="data:image/png;base64,AA==">\'))',),
    ("print('first')\ndisplay(HTML('<b>second</b>'))",),
    ("[0.1] * 2;",),
    ("_",),
    ("raise ValueError('too hot')", "raises-exception"),
    ("import os\nos.getpid()", "nbval-ignore-output"),
    ("object()",),
]


def stored_output(notebook, text):
    """The first stored output with `text` in it, and the name of the field that holds it."""
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            for holder in (output, output.get("data", {})):
                for name, value in holder.items():
                    if isinstance(value, str) and text in value:
                        return holder, name
    raise AssertionError(f"no stored output holds {text!r}")


def replace_stored(old, new):
    def spoil(notebook):
        holder, name = stored_output(notebook, old)
        holder[name] = holder[name].replace(old, new)

    return spoil


def change_source(old, new):
    def spoil(notebook):
        cell = next(cell for cell in notebook.cells if old in cell.source)
        cell.source = cell.source.replace(old, new)

    return spoil


def strip(notebook):
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None


def strip_one(notebook):
    notebook.cells[2].outputs, notebook.cells[2].execution_count = [], None


def raise_no_more(notebook):
    cell = next(cell for cell in notebook.cells if "raise" in cell.source)
    cell.source, cell.outputs = "pass", []


def lose_output(notebook):
    notebook.cells[1].outputs = []


def keep_output_of_silent_cell(notebook):
    notebook.cells[1].source = "third = 1 / 3"


def swap_outputs(notebook):
    notebook.cells[5].outputs.reverse()


def write_to_stderr(notebook):
    notebook.cells[2].source = "import sys\nletters = sys.stderr.write('careful')"
    notebook.cells[2].outputs = [nbformat.v4.new_output("stream", name="stderr", text="careful")]


def show_untagged_widget(notebook):
    notebook.cells[2].source = "import ipywidgets\nipywidgets.IntSlider(description='heat')"
    text = "IntSlider(value=0, description='heat')"
    output = nbformat.v4.new_output("execute_result", {"text/plain": text}, execution_count=2)
    notebook.cells[2].outputs = [output]


def change_address(notebook):
    holder, name = stored_output(notebook, "object at 0x")
    holder[name] = "<object at 0x7f0000000001>"


HARMLESS = [
    replace_stored("0.3333333333333333", "0.3333333336666666"),
    replace_stored("0.125", "0.1249999999999"),
    replace_stored("AA==", "AAAA"),
    change_address,
    lambda notebook: notebook.metadata.kernelspec.update(name="a-kernel-of-somebody-else"),
    lambda notebook: notebook.cells[9].outputs.clear(),  # its cell is tagged to be ignored
]
HARMFUL = {
    "a number changes by a thousandth": (replace_stored("0.3333333333333333", "0.3336666666666666"), "now 0.3333"),
    "a number changes by a hundred-thousandth": (replace_stored("0.125", "0.12500125"), "now 0.125"),
    "an integer is off by one": (replace_stored("10000000", "10000001"), "10000001"),
    "a word changes": (replace_stored("rate", "price"), "price"),
    "the alt text of an image is wrong": (replace_stored("A rising line", "A falling line"), "falling"),
    "an error has another message": (replace_stored("too hot", "too cold"), "too cold"),
    "a cell that should raise does not": (raise_no_more, "does not raise"),
    "a cell raises": (change_source("1 / 3", "1 / 0"), "ZeroDivisionError"),
    "a warning": (change_source("print('first')", "import warnings; warnings.warn('old')"), "UserWarning"),
    "stripped": (strip, "no stored outputs"),
    "one cell stripped": (strip_one, "no stored outputs"),
    "an output is missing from the file": (lose_output, "text/plain"),
    "an output has gone": (keep_output_of_silent_cell, "text/plain"),
    "outputs in another order": (swap_outputs, "text/html"),
    "text on stderr": (write_to_stderr, "writes to stderr"),
    "a widget without its tag": (show_untagged_widget, "shows a widget"),
    "an endless cell": (change_source("print('first')", "while True: pass"), "imeout|more than 4 s"),
    "the kernel dies": (change_source("print('first')", "import os; os._exit(3)"), "kernel died"),
}
SHORT = 4  # seconds for a cell: enough for each but the endless one


@pytest.fixture(scope="module")
def sound(tmp_path_factory, write_notebook):
    path = write_notebook(tmp_path_factory.mktemp("sound") / "01_sound.ipynb", *SOUND)
    notebooks.store(path)
    return notebook_file.read(path)


def file_name(case):
    return re.sub(r"\W+", "-", case) + ".ipynb"


@pytest.fixture(scope="module")
def folder(tmp_path_factory, sound):
    """A folder with all the cases, and a check-point that no gate may look into."""
    folder = tmp_path_factory.mktemp("cases")
    spoilers = {"harmless": HARMLESS} | {case: [spoil] for case, (spoil, _) in HARMFUL.items()}
    for case, changes in spoilers.items():
        notebook = deepcopy(sound)
        for change in changes:
            change(notebook)
        (folder / file_name(case)).write_text(notebook_file.as_text(notebook), encoding="utf-8")
    (folder / ".ipynb_checkpoints").mkdir()
    (folder / ".ipynb_checkpoints" / "old-checkpoint.ipynb").write_text("{}", encoding="utf-8")
    return folder


def run_pytest(folder, *arguments):
    """Run the notebooks in `folder` as `make test` does; returns what failed, by file name, and the whole report."""
    report = folder / "report.xml"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "tools.strict_nbval",
        "-p",
        "no:cacheprovider",
        "--nbval",
        "--color=no",
    ]
    command += ["-c", notebook_file.ROOT / "pyproject.toml", "--rootdir", folder, f"--junitxml={report}", *arguments]
    run = subprocess.run(command, cwd=notebook_file.ROOT, env=environment, capture_output=True, text=True, check=False)
    assert report.exists(), run.stdout + run.stderr
    failures: dict[str, str] = {}
    for case in ElementTree.parse(report).iter("testcase"):
        name = case.get("classname").removesuffix(".ipynb").split(".")[-1]
        failures.setdefault(name, "")
        failures[name] += "".join(f.text or "" for f in [*case.iter("failure"), *case.iter("error")])
    report.unlink()
    return failures, run.stdout


@pytest.fixture(scope="module")
def seen_by_nbval(folder):
    failures, report = run_pytest(folder, f"--nbval-cell-timeout={SHORT}", folder)
    assert len(failures) == 1 + len(HARMFUL), report
    assert "xpassed" not in report  # as nbval alone reports cells after one that took too long
    return failures


def test_nbval_passes_what_does_not_matter(seen_by_nbval):
    assert seen_by_nbval["harmless"] == ""


@pytest.mark.parametrize("case", HARMFUL)
def test_nbval_names_the_fault(case, seen_by_nbval):
    assert re.search(HARMFUL[case][1], seen_by_nbval[file_name(case).removesuffix(".ipynb")])


def test_check_passes_what_does_not_matter(folder):
    assert "as stored" in notebook_comparison.check(folder / "harmless.ipynb")


# Both gates compare with the same functions; these are the cases that depend on who runs the cells.
@pytest.mark.parametrize(
    "case",
    [
        "a number changes by a hundred-thousandth",
        "a cell that should raise does not",
        "a warning",
        "stripped",
        "an output has gone",
        "a widget without its tag",
        "an endless cell",
        "the kernel dies",
    ],
)
def test_check_names_the_fault(case, folder, monkeypatch):
    monkeypatch.setattr(notebook_run, "CELL_SECONDS", SHORT)
    with pytest.raises(notebook_file.NotebookError, match=HARMFUL[case][1]):
        notebook_comparison.check(folder / file_name(case))


def test_a_stripped_notebook_passes_only_where_learners_are_handed_one(folder, tmp_path):
    (tmp_path / "exercises").mkdir()
    handed_out = tmp_path / "exercises" / "01_handed_out.ipynb"
    handed_out.write_bytes((folder / "stripped.ipynb").read_bytes())
    assert "as stored" in notebook_comparison.check(handed_out)
    with pytest.raises(notebook_file.NotebookError, match="generated without outputs"):
        notebooks.store(handed_out)


def test_one_cell_alone_still_finds_what_earlier_cells_define(folder):
    failures, report = run_pytest(folder, f"{folder / 'harmless.ipynb'}::Cell 3")
    assert failures == {"harmless": ""}, report
    assert "1 passed" in report


@pytest.mark.parametrize("arguments", [["-n", "2"], ["--nbval-lax"]])
def test_ways_of_running_that_check_nothing_are_refused(folder, arguments):
    with pytest.raises(AssertionError, match=r"--dist loadfile|use --nbval"):
        run_pytest(folder, *arguments, folder / "harmless.ipynb")
