"""A browser, and pages in it; on some of them a test turns the clock."""

import pytest
from views import View

from tools import lab as labs


@pytest.fixture(scope="module")
def browser():
    executable = labs.find_browser()
    if executable is None:
        pytest.skip("NO CHROMIUM FOUND, SO LIVING FIGURES WERE NOT TESTED: install one or set COURSEPKG_CHROMIUM")
    with labs.chromium(executable) as browser:
        yield browser


@pytest.fixture(scope="module")
def pages(browser):
    """Two pages for all tests that need nothing special: one with the usual clock, and one whose clock they turn."""
    contexts = [browser.new_context() for _ in range(2)]
    views = [View(context) for context in contexts]
    views[1].page.clock.install(time=0)
    views[1].page.clock.pause_at(1000)
    yield views
    for context in contexts:
        context.close()


@pytest.fixture
def view(pages):
    yield from _fresh(pages[0])


@pytest.fixture
def clocked(pages):
    yield from _fresh(pages[1])


def _fresh(view):
    view.page.set_viewport_size({"width": 1000, "height": 800})
    view.page.mouse.move(0, 0)
    yield view
    complaints, view.complaints = view.complaints, []
    assert complaints == []
