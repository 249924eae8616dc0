"""One symbol, one meaning: the formulas of all chapters against the tables of chapter 00."""

import tomllib
from pathlib import Path

import nbformat
import pytest
from notation import formulas, symbols, tables

ROOT = Path(__file__).resolve().parents[2]
TABLE = tomllib.loads((Path(__file__).parent / "notation.toml").read_text(encoding="utf-8"))
NOTEBOOKS = {path.name[:2]: path for path in sorted((ROOT / "notebooks").glob("*.ipynb"))}


def used(chapter):
    """Symbols of a chapter's formulas; small letters below a letter count, and are left out."""
    notebook = nbformat.read(NOTEBOOKS[chapter], as_version=4)
    found = set()
    for formula in formulas(notebook):
        for symbol in symbols(formula):
            if not symbol.startswith("_"):
                found.add(symbol)
            elif symbol[1] == "\\":  # x_η
                found.add(symbol[1:])
    return found


@pytest.mark.parametrize(
    ("formula", "found"),
    [
        (r"\bar W_{ij} = \bar y_i\, x_j + \text{rest}", {"\\bar", "W", "_i", "_j", "y", "x"}),
        (r"dL = \operatorname{Re}(y_{\text{adj}} \cdot dy)", {"L", "y"}),
        (r"U^{\mathsf T}\,\overline{Ux}", {"U", "\\overline", "x"}),
        (r"\frac{\partial L}{\partial \eta} = e^{i\eta} d\eta", {"L", "\\eta", "i"}),
        (r"x_\eta + W^\top \log d", {"x", "_\\eta", "W", "d"}),
    ],
)
def test_symbols_are_read_out_of_latex(formula, found):
    assert symbols(formula) == found


@pytest.mark.parametrize("chapter", NOTEBOOKS)
def test_every_symbol_is_in_the_tables(chapter):
    known = set(TABLE["everywhere"]) | set(TABLE["usual"]) | set(TABLE["chapters"].get(chapter, {}))
    if chapter == "00":  # its tables name the letters of all
        known = known.union(*TABLE["chapters"].values())
    assert used(chapter) <= known


@pytest.mark.parametrize("chapter", TABLE["chapters"])
def test_a_chapter_declares_only_what_it_uses_and_nothing_that_is_fixed(chapter):
    declared = set(TABLE["chapters"][chapter])
    assert declared <= used(chapter)
    assert not declared & set(TABLE["everywhere"])
    assert not any(TABLE["usual"].get(symbol) == meaning for symbol, meaning in TABLE["chapters"][chapter].items())


def test_a_bar_is_a_gradient_and_eta_a_rate():
    fixed = TABLE["everywhere"]
    assert {"\\bar", "\\eta"} <= set(fixed)
    assert "\\overline" not in fixed
    for chapter in NOTEBOOKS:
        assert "\\overline" not in used(chapter), chapter


@pytest.mark.parametrize("table", [0, 1], ids=["shared", "of each chapter"])
def test_chapter_00_shows_the_tables(table):
    notebook = nbformat.read(NOTEBOOKS["00"], as_version=4)
    assert any(tables()[table] in cell.source for cell in notebook.cells)
