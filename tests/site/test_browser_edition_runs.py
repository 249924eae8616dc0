"""The browser edition in a real browser that reaches no other host: `make site-check` runs chapters and exercises."""

import re
import time

import nbformat
import pytest
from test_site_browser import Reader

from tools import lab
from tools.notebook_file import ROOT
from tools.site_notebooks import in_the_browser

pytestmark = pytest.mark.browser

STATUS = "() => /\\| Idle/.test(document.querySelector('#jp-main-statusbar')?.innerText ?? '')"
PROMPTS = "cells => cells.map(cell => cell.querySelector('.jp-InputPrompt').textContent)"
ERRORS = ".jp-Notebook [data-mime-type='application/vnd.jupyter.stderr'], .jp-Notebook [data-mime-type*='error']"
# Chapter, and how many of its cells at most say that they need a library that is not in the site.
CHAPTERS = {"notebooks/00_start_here": 0, "notebooks/01_cooking_analogy": 0, "notebooks/02_scalar_backprop": 13}
EXERCISES = ("01.1", "01.2", "02.1")


class Visit(Reader):
    """A notebook of the browser edition, opened for the first time in a fresh browser."""

    def __init__(self, chromium, site, name):
        super().__init__(chromium, site)
        self.page.set_default_timeout(lab.PATIENCE * 1000)
        start = time.monotonic()
        self.page.goto(f"{site}/{in_the_browser(name)}")
        self.cells = self.page.locator(".jp-Notebook .jp-CodeCell")
        self.cells.first.wait_for()
        shown = time.monotonic() - start
        self.page.wait_for_function(STATUS)
        print(f"\n{name}: cold start: notebook after {shown:.1f} s, Python after {time.monotonic() - start:.1f} s")

    def run_all(self):
        self.page.get_by_role("menuitem", name="Run", exact=True).click()
        self.page.locator(".lm-Menu-item", has_text=re.compile(r"^Run All Cells")).first.click()
        self.page.wait_for_function(lab.ALL_CELLS_HAVE_RUN, timeout=2 * lab.PATIENCE * 1000)

    def errors(self):
        return [text for text in self.page.locator(ERRORS).all_inner_texts() if text.strip()]

    def answer(self, number, code, told):
        """Write an answer into the cell of an exercise, run it, and wait until the check says so."""
        cell = self.cells.filter(has_text=f'check("{number}"')
        cell.locator(".cm-content").click()
        self.page.keyboard.press("ControlOrMeta+a")
        self.page.keyboard.insert_text(code)
        self.page.keyboard.press("Shift+Enter")
        cell.locator("[role=status]", has_text=f"{number} {told}").wait_for()

    def close(self):
        self.context.close()
        assert self.elsewhere() == []
        assert self.faults == []


@pytest.mark.parametrize("name", CHAPTERS)
def test_a_chapter_runs_to_its_end_with_no_other_host(chromium, whole, address, name):
    visit = Visit(chromium, address(whole), name)
    visit.run_all()
    assert visit.errors() == []
    assert visit.page.locator(".jp-Notebook .not-fetched").count() <= CHAPTERS[name]
    assert visit.page.locator(".jp-Notebook coursepkg-figure, .jp-Notebook .jp-OutputArea img[alt]").count() > 2
    visit.close()


def test_a_later_chapter_says_what_is_missing_and_raises_nothing(chromium, whole, address):
    """Where neither the site nor the network has NumPy: every cell that needs it says so, in words."""
    visit = Visit(chromium, address(whole), "notebooks/12_one_gradient_many_routes")
    visit.run_all()
    assert visit.errors() == []
    shown = visit.page.locator(".jp-Notebook .jp-OutputArea").evaluate_all(
        "found => found.map(each => each.textContent)"
    )
    assert [text for text in shown if "Traceback" in text] == []
    if visit.elsewhere():  # the site does not bring NumPy itself: `make site COMPLETE=1` makes one that does
        said = [text for text in shown if "The first cell of code says what to do" in text]
        assert len(said) > 10
    visit.context.close()


PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}


def test_on_a_phone_an_exercise_is_passed_by_taps_alone(chromium, whole, address):
    """From the page of the exercises: the notebook has the page, a tap runs a cell, and long lines are folded."""
    reader = Reader(chromium, address(whole), color_scheme="dark", **PHONE)
    page = reader.page
    page.set_default_timeout(lab.PATIENCE * 1000)
    page.goto(f"{reader.site}/exercises/01_cooking_analogy.html")
    page.get_by_text("Do them in your browser").tap()
    page.wait_for_function("() => document.querySelector('.jp-Notebook .jp-Cell')?.clientWidth > 300")
    assert "/notebooks/index.html" in page.url
    cells = page.locator(".jp-Notebook .jp-CodeCell")
    run = page.locator("[data-jp-item-name='run']:visible")
    cells.first.locator(".cm-content").tap()
    run.tap()
    page.wait_for_function("() => /[0-9]/.test(document.querySelector('.jp-CodeCell .jp-InputPrompt').textContent)")
    cell = cells.filter(has_text='check("01.1"')
    line = cell.locator(".cm-line", has_text="raise NotImplementedError")
    line.tap()
    page.keyboard.press("End")
    for _ in line.inner_text().strip():
        page.keyboard.press("Backspace")
    page.keyboard.type("from math import prod\nreturn (1 - fee) / price * prod(conversions)")
    assert cell.locator(".cm-content").evaluate("code => code.scrollWidth - code.parentElement.clientWidth") <= 0
    run.tap()
    cell.locator("[role=status]", has_text="01.1 passed").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["viewport"]["width"]
    assert page.locator("body[data-jp-theme-light='false']").count() == 1  # dark, as the reader's system is
    reader.context.close()
    # The page of JupyterLab leads away before it has loaded what it is made of.
    assert [fault for fault in reader.faults if "/lite/build/lab/" not in fault] == []
    assert reader.elsewhere() == []


def answer_to(number):
    """The cell of the worked answers that answers an exercise."""
    [path] = (ROOT / "solutions").glob(f"{number[:2]}_*.ipynb")
    cells = nbformat.read(path, as_version=4).cells
    [code] = [
        cell.source for cell in cells if f'check("{number}"' in cell.source and "### BEGIN SOLUTION" in cell.source
    ]
    return code


@pytest.mark.parametrize("chapter", ["01_cooking_analogy", "02_scalar_backprop"])
def test_exercises_are_checked_hinted_and_counted(chromium, whole, address, chapter):
    visit = Visit(chromium, address(whole), f"exercises/{chapter}")
    visit.cells.first.locator(".cm-content").click()
    visit.page.keyboard.press("Shift+Enter")
    for number in (number for number in EXERCISES if number[:2] == chapter[:2]):
        wrong = re.sub(r"### BEGIN SOLUTION.*?### END SOLUTION", "return -1.0", answer_to(number), flags=re.DOTALL)
        visit.answer(number, wrong, "not yet")
        visit.answer(number, answer_to(number), "passed")
        visit.answer(number, answer_to(number) + f'\nhint("{number}")', "hint 1 of 3")
    visit.answer(number, answer_to(number) + "\nprogress()", "passed")
    passed = ", ".join(number for number in EXERCISES if number[:2] == chapter[:2])
    visit.page.locator(f".jp-Notebook [aria-label^='passed: {passed}']").first.wait_for()
    assert visit.errors() == []
    visit.close()
