import json
import re

import nbformat
import pytest

from coursepkg.visualize import Picture, flip_through
from tools import notebook_comparison, notebook_file, notebooks
from tools.notebooks import ROOT


@pytest.fixture(scope="module")
def lively(tmp_path_factory, write_notebook):
    """A stored notebook with all that changes from run to run, and the bytes that it was stored as."""
    path = write_notebook(
        tmp_path_factory.mktemp("lively") / "01_lively.ipynb",
        "# 01 · A notebook",
        ("import os, time\nprint('a', flush=True)\nprint('b', flush=True)",),
        ("print({'set', 'of', 'words'}, os.environ['OMP_NUM_THREADS'], os.path.basename(os.getcwd()))",),
        ("time.perf_counter()", "nbval-ignore-output"),
        (
            "import ipywidgets as widgets\n"
            "heat = widgets.FloatSlider(description='heat')\n"
            "play = widgets.Button(description='next step')\n"
            "widgets.VBox([widgets.HTML('a picture', description='not a control'), widgets.HBox([heat, play])])",
            "nbval-ignore-output",
        ),
        ("import numpy as np\nnp.linalg.inv(np.zeros((2, 2)))", "raises-exception"),
        ("get_ipython().history_manager.hist_file != '' and 'profile_default' in os.environ['IPYTHONDIR']",),
    )
    notebooks.store(path)
    return path, path.read_bytes()


def outputs(path, position):
    return [cell for cell in notebook_file.read(path).cells if cell.cell_type == "code"][position].outputs


def test_storing_twice_gives_the_same_bytes(lively):
    path, stored = lively
    assert "unchanged" in notebooks.store(path)
    assert path.read_bytes() == stored


def test_stored_notebook_is_valid_and_holds_nothing_of_this_machine(lively):
    _, stored = lively
    nbformat.validate(json.loads(stored))
    assert not re.search(rb"/tmp|/home|/root|site-packages|model_id|3\.\d+\.\d+", stored)
    assert stored.endswith(b"}\n")


def test_pieces_of_a_stream_are_joined(lively):
    path, _ = lively
    assert [output.text for output in outputs(path, 0)] == ["a\nb\n"]


def test_kernel_works_in_the_folder_of_the_notebook_with_one_thread(lively):
    path, _ = lively
    assert outputs(path, 1)[0].text.endswith(f"}} 1 {path.parent.name}\n")


def test_widget_is_stored_as_a_sentence_that_names_its_controls(lively):
    path, _ = lively
    sentence = "Interactive with 'heat', 'next step': run this cell to use it."
    assert [output.data for output in outputs(path, 3)] == [{"text/plain": sentence}]


def test_traceback_keeps_the_learners_frames_only(lively):
    path, _ = lively
    first, *_, last = outputs(path, 4)[0].traceback
    assert "Cell" in first
    assert "Singular matrix" in last


def test_changed_source_renews_an_ignored_output_and_so_does_refresh(lively):
    path, stored = lively
    try:
        before = outputs(path, 2)
        notebooks.store(path, refresh=True)
        refreshed = outputs(path, 2)
        assert refreshed != before
        path.write_bytes(path.read_bytes().replace(b"time.perf_counter()", b"time.perf_counter_ns()"))
        notebooks.store(path)
        assert outputs(path, 2) != refreshed
    finally:
        path.write_bytes(stored)


def test_cell_ids_are_kept_and_missing_or_repeated_ones_are_made_the_same_each_time(write_notebook, tmp_path):
    path = write_notebook(tmp_path / "01_ids.ipynb", "one", "two", "three", "three")
    ids = [cell.id for cell in notebook_file.read(path).cells]
    assert len(set(ids)) == 4
    notebook = notebook_file.read(path)
    notebook.cells[0].id = "chosen"
    notebook.cells[1].id = "chosen"
    del notebook.cells[2]["id"]
    notebook_file.give_cell_ids(notebook)
    assert [cell.id for cell in notebook.cells] == ["chosen", *ids[1:]]


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        (("1 / 0",), "ZeroDivisionError"),
        (("1 / 2", "raises-exception"), "does not raise"),
        (("import warnings\nwarnings.warn('old', DeprecationWarning)",), "DeprecationWarning"),
        (("import numpy as np\nnp.log(0.0)",), "RuntimeWarning"),
        (("open(__import__('os').devnull)\n0",), "ResourceWarning"),
        (("input('your name?')",), "StdinNotImplementedError"),
    ],
)
def test_a_notebook_that_fails_is_not_stored(cell, message, write_notebook, tmp_path):
    path = write_notebook(tmp_path / "01_fails.ipynb", "# 01 · A notebook", cell)
    before = path.read_bytes()
    with pytest.raises(notebook_file.NotebookError, match=message):
        notebooks.store(path)
    assert path.read_bytes() == before


def test_users_own_settings_do_not_reach_the_kernel(write_notebook, tmp_path, monkeypatch):
    startup = tmp_path / "ipython" / "profile_default" / "startup"
    startup.mkdir(parents=True)
    (startup / "hello.py").write_text("print('hello')\nx = 1\n")
    (tmp_path / "matplotlibrc").write_text("lines.linewidth: 99\n")
    kernel = tmp_path / "data" / "kernels" / "python3"
    kernel.mkdir(parents=True)
    (kernel / "kernel.json").write_text('{"argv": ["false"], "display_name": "broken", "language": "python"}')
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    monkeypatch.setenv("MATPLOTLIBRC", str(tmp_path))
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("MPLBACKEND", "pdf")
    (tmp_path / "course").mkdir()
    code = "import matplotlib as m\nprint('x' in globals(), m.rcParams['lines.linewidth'], 'inline' in m.get_backend())"
    path = write_notebook(tmp_path / "course" / "01_plain.ipynb", "# 01 · A notebook", (code,))
    notebooks.store(path)
    assert outputs(path, 0)[0].text == "False 1.5 True\n"


@pytest.mark.parametrize(
    ("stored", "fresh"),
    [
        ("loss 0.30000000000000004", "loss 0.3"),
        ("[1.         0.5       ]", "[0.9999999999 0.5       ]"),
        ("3.1e-17", "-1.2e-16"),
        ("-0.0", "0.0"),
        ("\u22120.25", "-0.25"),
        ("0.5 + 1.25j", "0.5000000001 + 1.2500000001j"),
        ('<svg width="12.0000001"/>', '<svg width="12"/>'),
        ("\x1b[31mred\x1b[39m 1", "red 1"),
    ],
)
def test_last_digits_do_not_matter(stored, fresh):
    assert notebook_comparison.text_difference(stored, fresh) is None


@pytest.mark.parametrize(
    ("stored", "fresh", "difference"),
    [
        ("0.1234", "0.1235", "stored 0.1234, now 0.1235"),
        ("1000000", "1000001", "stored 1000000, now 1000001"),
        ("You have 1000000.", "You have 1000001.", "stored 1000000., now 1000001."),
        ("1e-3", "1.1e-3", "now 1.1e-3"),
        ("0.5", "-0.5", "now -0.5"),
        ("w1 = 2.0", "w2 = 2.0", "w2"),
        ("nan", "0.0", "nan"),
        ("#0a5c2b", "#0a5c2c", "2c"),
        ("numpy 2.4.6", "numpy 2.4.7", "7"),
        ("a\nb", "a", "stored 'b', now ''"),
    ],
)
def test_everything_else_does(stored, fresh, difference):
    assert difference in notebook_comparison.text_difference(stored, fresh)


def living(height, say="so high"):
    svg = f'<svg xmlns="http://www.w3.org/2000/svg" width="9"><rect width="3" height="{height}"/></svg>'
    picture = Picture(svg, f"A bar {say}")
    return flip_through(lambda n: picture, n=[1.0, 2.0], title=f"Bars of {height}").html()


def test_living_figures_are_compared_by_what_they_say():
    stored = living(0.5)
    assert notebook_comparison.text_difference(stored, living(0.5000000001)) is None
    assert notebook_comparison.text_difference(stored, stored.replace("const F=", "const  F=")) is None
    assert "now 0.6" in notebook_comparison.text_difference(stored, living(0.6))
    assert "so low" in notebook_comparison.text_difference(stored, living(0.5, say="so low"))


def test_nbval_leaves_living_figures_to_that_comparison():
    lines = (ROOT / "tests/notebooks/nbval_sanitize.cfg").read_text(encoding="utf-8").splitlines()
    patterns = [line.removeprefix("regex: ") for line in lines if line.startswith("regex: ")]
    [pattern] = [pattern for pattern in patterns if "x-story" in pattern]
    left = re.sub(pattern, "", living(0.5))
    assert "<script" not in left
    assert 'alt="A bar so high"' in left
