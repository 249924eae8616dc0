"""The page that follows one product through the engine stays true."""

import ast
import doctest
import re
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "engine.md"
LINKS = re.findall(r"\[`([\w.]+)`\]\(([^)]+)\)", PAGE.read_text(encoding="utf-8"))


def test_it_fits_on_sixty_lines_and_has_links():
    assert len(PAGE.read_text(encoding="utf-8").splitlines()) <= 60
    assert len(LINKS) >= 12


@pytest.mark.parametrize(("name", "path"), sorted(set(LINKS)))
def test_every_name_is_where_its_link_says(name, path):
    file = (PAGE.parent / path).resolve()
    assert file.is_file()
    if name == file.name:
        return
    tree = ast.parse(file.read_text(encoding="utf-8"))
    assert name in {node.name for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.ClassDef))}


def test_what_it_shows_is_what_comes_out():
    found = doctest.testfile(str(PAGE), module_relative=False)
    assert found.attempted >= 9
    assert found.failed == 0
