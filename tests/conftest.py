from pathlib import Path

import nbformat
import pytest
from hypothesis import HealthCheck, settings

from tools import notebook_file

# A chapter that the grader's own tests build and judge; it is no page of the course.
collect_ignore = ["grading/chapter"]

# How long an example takes says how busy the machine is, and nothing about what is tested.
settings.register_profile("on any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("on any machine")


@pytest.fixture(scope="session")
def write_notebook():
    """A function that writes a notebook from cells: text, `(code, *tags)`, or cells as nbformat has them."""

    def write(path: Path, *cells) -> Path:
        made = []
        for cell in cells:
            if isinstance(cell, str):
                cell = nbformat.v4.new_markdown_cell(cell)
            elif isinstance(cell, tuple):
                code, *tags = cell
                cell = nbformat.v4.new_code_cell(code, metadata={"tags": tags} if tags else {})
            made.append(cell)
        notebook = nbformat.v4.new_notebook(cells=made, metadata=notebook_file.NOTEBOOK_METADATA)
        for cell in notebook.cells:
            del cell["id"]  # random; made from position and source instead
        notebook_file.give_cell_ids(notebook)
        path.write_text(notebook_file.as_text(notebook), encoding="utf-8")
        return path

    return write
