"""A sound notebook passes `lint`; each way of spoiling it is reported in words."""

import nbformat
import pytest

from tools import notebook_file, notebook_lint

OPENING = """# 02 · A chapter

You will see one thing.

At the end you can name it. **You need** chapter 01. **Time:** 5 minutes."""
CLOSING = """## Test yourself

<details>one</details> <details>two</details> <details>three</details>

[Exercises](../exercises/02_chapter.ipynb)"""
IMAGE = '<img alt="A line that rises from left to right" src="data:image/svg+xml;base64,AAAA">'


def code(source, *outputs, tags=()):
    made = [o if "output_type" in o else nbformat.v4.new_output("display_data", o) for o in outputs]
    return nbformat.v4.new_code_cell(source, outputs=made, metadata={"tags": list(tags)} if tags else {})


def printed(text, stream="stdout"):
    return nbformat.v4.new_output("stream", name=stream, text=text)


@pytest.fixture
def lint(tmp_path, write_notebook):
    """A function that writes a sound chapter with some cells added or replaced, and lints it."""

    def run(*extra, opening=OPENING, route='route_map("02")', closing=CLOSING, folder="notebooks"):
        for name in (folder, "exercises"):
            (tmp_path / name).mkdir(exist_ok=True)
        (tmp_path / "exercises" / "02_chapter.ipynb").touch()
        cells = [opening, code(route, {"text/html": IMAGE}), code("print(1)", printed("1\n")), *extra, closing]
        path = write_notebook(tmp_path / folder / "02_chapter.ipynb", *cells)
        notebook = notebook_file.read(path)
        notebook.metadata = nbformat.from_dict(notebook_file.NOTEBOOK_METADATA)
        for count, (_, cell) in enumerate(notebook_file.code_cells(notebook), start=1):
            cell.execution_count = count
        path.write_text(notebook_file.as_text(notebook), encoding="utf-8")
        return notebook_lint.lint(path)

    return run


def test_a_sound_chapter_passes(lint):
    lint("See [above](02_chapter.ipynb#anchor) and [the paper](https://example.org).")


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        (code("x = 1;"), "ends in ';'"),
        (code("# NBVAL_IGNORE_OUTPUT\nx = 1"), "use a cell tag"),
        (code("x = 1", tags=["nbval-skip"]), "tag nbval-skip"),
        (code("clear_output(wait=True)"), "nbval does not follow"),
        (code("!pip install numpy"), "network"),
        (code("%pip install numpy"), "network"),
        (code("import urllib.request"), "network"),
        (code("open('/home/me/data.txt')"), "path of one machine"),
        (code("1 / 0", nbformat.v4.new_output("error", ename="ZeroDivisionError", evalue="x")), "raises ZeroDivision"),
        (code("1 / 2", tags=["raises-exception"]), "does not raise"),
        (code("plot()", {"image/png": "AAAA", "text/plain": "<Figure>"}), "figure without alt text"),
        (code("plot()", {"text/html": '<img src="data:image/png;base64,AAAA">'}), "says too little: ''"),
        (code("plot()", {"text/html": "<img alt='a plot' src='x.png'>"}), "says too little: 'a plot'"),
        (code("warn()", printed("careful", "stderr")), "writes to stderr"),
        (code("warn()", printed("UserWarning: old", "stderr"), tags=["nbval-ignore-output"]), "writes to stderr"),
        (code("where()", printed("/tmp/x.py")), "path of one machine"),
        (code("object()", {"text/plain": "<object object at 0x7f4b8c0d5a10>"}), "address"),
        (code("w", {"application/vnd.jupyter.widget-view+json": {"model_id": "a"}}), "stores a widget"),
        (code("\n".join(f"x{i} = {i}" for i in range(16))), "16 lines of code"),
        (code("\n".join(f"ax[{i}].plot(x)" for i in range(6))), "6 lines of plotting"),
        ("![line](x.png)", "says too little"),
        ("See [the next one](03_nowhere.ipynb).", "does not exist"),
        ("<details><summary>Seen?</summary>\n\n### Transposed\n\n</details>", "heading in a fold"),
        ("<details><summary>Seen?</summary><h4>Transposed</h4></details>", "heading in a fold"),
    ],
)
def test_a_fault_is_named(cell, message, lint):
    with pytest.raises(notebook_file.NotebookError, match=message):
        lint(cell)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"opening": OPENING.replace("02", "03")}, "does not open with the title"),
        ({"opening": OPENING.replace("you can", "to")}, "does not say what you will be able to do"),
        ({"opening": OPENING.replace("You need", "After")}, "does not say what you need before"),
        ({"opening": OPENING.replace("5 minutes", "short")}, "does not say how long it takes"),
        ({"closing": CLOSING.replace("<details>three", "three")}, "has 2 folded answers"),
        ({"closing": CLOSING.replace("02_", "03_")}, "does not link to its exercises"),
        ({"route": 'route_map("03")'}, "does not show route_map"),
    ],
)
def test_a_chapter_says_what_it_is_for(changes, message, lint):
    with pytest.raises(notebook_file.NotebookError, match=message):
        lint(**changes)


def test_an_exercise_may_be_longer_than_a_cell_of_the_course(lint):
    lint(code("\n".join(f"x{i} = {i}" for i in range(40))), folder="solutions")


def test_the_finished_engine_may_stand_in_one_cell(lint):
    methods = [f"    def _{i}(self):\n        return {i}" for i in range(10)]
    lint(code("\n".join(["class Value:", *methods])))
    with pytest.raises(notebook_file.NotebookError, match="21 lines of code"):
        lint(code("\n".join(["class Other:", *methods])))


def spoil(notebook, fault):
    if fault == "metadata":
        notebook.metadata.language_info.version = "3.11.7"
    elif fault == "same id":
        notebook.cells[1].id = notebook.cells[0].id
    elif fault == "order":
        notebook.cells[1].execution_count = 7
    elif fault == "stripped":
        for _, cell in notebook_file.code_cells(notebook):
            cell.execution_count, cell.outputs = None, []


@pytest.mark.parametrize("fault", ["metadata", "same id", "order", "stripped"])
def test_a_notebook_that_was_not_stored_is_reported(fault, lint, tmp_path):
    lint()
    path = tmp_path / "notebooks" / "02_chapter.ipynb"
    notebook = notebook_file.read(path)
    spoil(notebook, fault)
    path.write_text(notebook_file.as_text(notebook), encoding="utf-8")
    with pytest.raises(notebook_file.NotebookError, match="store the notebook"):
        notebook_lint.lint(path)
