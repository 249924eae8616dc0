"""Marking in a real browser, without a mouse, in a narrow window; and pages that nothing is cut from."""

import shutil

import pytest
from class_results import SCRIPT, result, small_class, store
from test_marking_page import ONE, OTHER, WAITING, serving

from coursepkg.grading.reporting.journal import Journal, journal_beside
from coursepkg.grading.reporting.report import write_report

pytestmark = pytest.mark.browser

OUTSIDE = """() => [...document.querySelectorAll("td, th, p, h1, h2, button, input, textarea, pre")]
    .filter((part) => !part.closest(".wide") && part.getBoundingClientRect().right > innerWidth + 1)
    .map((part) => part.outerHTML.slice(0, 80))"""
NO_NAME = """() => [...document.querySelectorAll("input, textarea, button, [tabindex='0']")]
    .filter((part) => !(part.labels?.length || part.textContent.trim() || part.getAttribute("aria-label")
        || part.getAttribute("aria-labelledby")))
    .map((part) => part.outerHTML.slice(0, 80))"""
CONTRAST = """() => {
    const rgb = (text) => text.match(/[\\d.]+/g).map(Number);
    const light = (color) => color.slice(0, 3).map((c) => c / 255)
        .map((c) => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
        .reduce((sum, c, k) => sum + c * [0.2126, 0.7152, 0.0722][k], 0);
    const behind = (part) => {
        for (; part; part = part.parentElement) {
            const color = rgb(getComputedStyle(part).backgroundColor);
            if (color.length < 4 || color[3] > 0) return color;
        }
        return [255, 255, 255];
    };
    return [...document.querySelectorAll("body *")]
        .filter((part) => part.checkVisibility() && [...part.childNodes].some((n) => n.nodeType === 3 && n.data.trim()))
        .filter((part) => {
            const both = [light(rgb(getComputedStyle(part).color)), light(behind(part))].sort((a, b) => b - a);
            return (both[0] + 0.05) / (both[1] + 0.05) < 4.5;
        })
        .map((part) => part.outerHTML.slice(0, 80));
}"""


@pytest.fixture(scope="module")
def browser():
    program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if program is None:
        pytest.skip("there is no Chromium here: pages are not looked at")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as started:
        opened = started.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture(params=[("light", 390), ("dark", 390), ("light", 1280)], ids=str)
def window(browser, request):
    scheme, width = request.param
    context = browser.new_context(viewport={"width": width, "height": 844}, color_scheme=scheme)
    yield context.new_page()
    context.close()


@pytest.fixture
def results(tmp_path):
    found = [
        result("ana", "01.1", flags=(WAITING,)),
        result("bo", "01.1", flags=(WAITING,), notebook_sha256=OTHER),
        result("cy", "01.2", "pending", "", "A person reads this.", name=SCRIPT),
        result("di", "01.9", "wrong", "value", "01.9 not yet · entry 2 is too large.", flags=(SCRIPT,)),
    ]
    return store(found, tmp_path / "results")


def points(results):
    return {key.student: mark.points for key, mark in Journal(journal_beside(results)).marks().items()}


def saved(page, words="Saved."):
    page.wait_for_function("words => document.getElementById('status').textContent.startsWith(words)", arg=words)


def loaded(page, address):
    page.goto(address)
    page.wait_for_selector("#answer:not([hidden])")


def test_a_class_is_marked_without_a_mouse(window, results):
    codes = {(ONE, "01.1"): "def f(x):\n    return x", (OTHER, "01.1"): "def f(x):\n    return x"}
    codes[ONE, "01.2"] = f"</pre>{SCRIPT}" + "x" * 5000
    problems = []
    window.on("pageerror", lambda error: problems.append(str(error)))
    window.on("dialog", lambda dialog: problems.append(dialog.message) or dialog.dismiss())
    with serving(results, codes=codes) as served:
        loaded(window, served.server.address)
        assert "2 learners, marked together: Ana, Bo" in window.inner_text("#names")
        window.keyboard.press("1")
        window.keyboard.type(".5")
        window.keyboard.press("Enter")
        saved(window)
        assert points(results) == {"ana": 1.5, "bo": 1.5}
        window.wait_for_function("() => document.getElementById('title').textContent.startsWith('01.2')")
        assert SCRIPT in window.inner_text("#code")
        window.keyboard.press("c")
        window.keyboard.type("u and 3 are letters here")
        window.keyboard.press("Escape")
        saved(window)
        window.keyboard.press("3")
        window.keyboard.press("Enter")
        window.wait_for_function("() => document.getElementById('title').textContent.startsWith('01.9')")
        assert points(results)["cy"] == 3
        window.keyboard.press("k")
        window.wait_for_function("() => document.getElementById('title').textContent.startsWith('01.2')")
        assert window.input_value("#comment") == "u and 3 are letters here"
        window.keyboard.press("u")
        saved(window, "Undone")
        assert points(results)["cy"] is None
        window.keyboard.press("?")
        assert window.is_visible("#keys")
        window.keyboard.press("Escape")
        window.focus("#merge")
        window.keyboard.press("Enter")
        saved(window, "2 marks written")
        assert "there is a comment and no points" in window.inner_text("#left")
    assert problems == []


def test_what_cannot_be_saved_stays_in_the_page(window, results):
    with serving(results) as served:
        loaded(window, served.server.address)
        title = window.inner_text("#title")
        window.keyboard.press("9")
        window.keyboard.press("Enter")
        saved(window, "Not saved: 9 points are outside")
        assert (window.inner_text("#title"), window.input_value("#points")) == (title, "9")
    window.fill("#points", "1")
    window.keyboard.press("Enter")
    saved(window, "Not saved: the program behind this page does not answer")
    assert window.input_value("#points") == "1"
    assert points(results) == {}


def test_another_window_is_not_overwritten_unseen(window, results):
    with serving(results) as served:
        loaded(window, served.server.address)
        served.mark(served.answers()[0], 2)
        window.keyboard.press("1")
        window.keyboard.press("Enter")
        saved(window, "Not saved: another window gave 2 points")
        window.keyboard.press("Enter")
        saved(window)
        assert sorted(points(results).values()) == [1]


def test_the_page_can_be_read_and_reached(window, results):
    with serving(results) as served:
        loaded(window, served.server.address)
        assert window.evaluate(OUTSIDE) == []
        assert window.evaluate(NO_NAME) == []
        assert window.evaluate(CONTRAST) == []
        reached = []
        for _ in range(12):
            window.keyboard.press("Tab")
            reached.append(window.evaluate("document.activeElement.id"))
            outline = window.evaluate("getComputedStyle(document.activeElement).outlineStyle")
            assert outline != "none" or reached[-1] == ""
        assert {"code", "points", "comment", "save", "previous", "next", "undo", "merge", "help"} <= set(reached)


def test_nothing_is_cut_from_reports(window, tmp_path):
    index = write_report(store(small_class(), tmp_path / "results"), tmp_path / "report")
    for path in (index, *sorted((index.parent / "learners").iterdir())):
        window.goto(path.as_uri())
        assert window.evaluate(OUTSIDE) == []
        assert window.evaluate(NO_NAME) == []
        assert window.evaluate(CONTRAST) == []
        assert window.evaluate("document.documentElement.scrollWidth <= innerWidth")
    words = window.inner_text("main")
    assert "not handed in" in words
    assert "0 of 3" in words
