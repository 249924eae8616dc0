"""Living figures where learners meet them: in JupyterLab, fresh, in the dark theme, and again without a kernel."""

import json
import os
from contextlib import contextmanager

import nbformat
import pytest
import stories

from tools import lab as labs

pytestmark = pytest.mark.browser

CELLS = [
    "# Figures",
    (
        "from coursepkg.autodiff.scalar import Scalar\nfrom coursepkg.visualize import draw_graph, tell_graph\n"
        'x = Scalar(3.0, label="x")\nf = x * x + 1\ntell_graph(f, title="A square")',
    ),
    ("draw_graph(f)",),
]
MOUNTED = "() => document.querySelector('.jp-OutputArea-output coursepkg-figure')?.player !== undefined"
ARRIVED = """() => {
    const { t, playing } = document.querySelector('coursepkg-figure').player;
    return t === 2 && !playing;
}"""
STATE = """() => {
    const figure = document.querySelector('coursepkg-figure');
    return { t: figure.player.t, playing: figure.player.playing, dark: figure.hasAttribute('dark'),
             cells: document.querySelectorAll('.jp-Cell').length };
}"""


def save(view):
    view.page.locator(".jp-Notebook .jp-MarkdownCell").first.click()
    view.page.keyboard.press("Control+s")
    view.page.wait_for_function("() => !document.querySelector('.jp-mod-current.jp-mod-dirty')")
    view.page.wait_for_timeout(500)


@contextmanager
def page_of(browser, lab, notebook):
    """The notebook opened where no kernel can be started."""
    context = browser.new_context()
    page = context.new_page()
    page.set_default_timeout(labs.PATIENCE * 1000)
    for part in ("sessions", "kernels"):
        page.route(f"**/api/{part}**", lambda route: route.abort())
    page.goto(lab.address(notebook))
    yield page
    context.close()


def test_a_figure_lives_in_jupyterlab_with_and_without_a_kernel(browser, write_notebook, tmp_path):
    notebook = write_notebook(tmp_path / "figures.ipynb", *CELLS)
    output = nbformat.v4.new_output("display_data", {"text/html": stories.graph().html()})
    cell = nbformat.v4.new_code_cell("1", outputs=[output])
    strange = write_notebook(tmp_path / "strange.ipynb", "# From somewhere", cell)
    with labs.jupyterlab(tmp_path) as lab:
        with labs.opened(browser, lab, notebook) as view:
            view.run_all()
            view.page.wait_for_function(MOUNTED)
            figure = view.page.locator("coursepkg-figure")
            figure.locator(".scrub").focus()
            for key in ("ArrowRight", "ArrowRight", "ArrowRight", "ArrowDown", "d", "d", "a", "b", "Enter"):
                view.page.keyboard.press(key)
            view.page.wait_for_function(ARRIVED)
            assert view.page.evaluate(STATE) == {"t": 2, "playing": False, "dark": False, "cells": 3}
            view.menu("Settings")
            view.page.get_by_text("Theme", exact=True).first.hover()
            view.page.get_by_text("JupyterLab Dark", exact=True).first.click()
            view.page.wait_for_function("() => document.querySelector('coursepkg-figure').hasAttribute('dark')")
            ground = "getComputedStyle([...document.querySelectorAll('.jp-OutputArea-output img')].at(-1)).colorScheme"
            assert view.page.evaluate(ground) == "dark"
            assert view.accessibility_problems() == []
            assert view.errors == []
            folder = os.environ.get("COURSEPKG_SCREENSHOTS")
            if folder:
                view.page.locator("#jupyterlab-splash").wait_for(state="detached")
                view.page.screenshot(path=f"{folder}/lab-dark.png")
            save(view)
        stored = json.loads(notebook.read_text(encoding="utf-8"))
        assert [list(output["data"]) for cell in stored["cells"][1:] for output in cell["outputs"]] == [
            ["text/html", "text/plain"]
        ] * 2
        with page_of(browser, lab, notebook) as page:
            page.wait_for_function(MOUNTED)
            # JupyterLab complains about the kernel in a dialog that takes the keyboard.
            page.locator("coursepkg-figure .scrub").dispatch_event("keydown", {"key": "End"})
            assert page.evaluate(STATE)["t"] > 5
            page.goto(lab.address(strange))  # its outputs were not made here, so they are not trusted
            image = page.locator(".jp-OutputArea-output img").first
            image.wait_for()
            assert image.get_attribute("alt").startswith("Step ")
            assert page.evaluate("() => !document.querySelector('coursepkg-figure')?.player")
