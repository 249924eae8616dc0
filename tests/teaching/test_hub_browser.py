"""The hub as people see it: a password chosen, JupyterLab with the course, a check, and the board that knows of it.

It runs where root has `.venv-hub`, which `make hub` makes. `COURSEPKG_AXE=axe.min.js` lets axe-core look at the pages,
and `COURSEPKG_STORE_HUB=1` stores pictures of them in `build/screenshots/hub`.
"""

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from tools import lab
from tools.notebook_file import ROOT

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(
        not (ROOT / ".venv-hub/recipe").is_file(), reason="no environment for the hub here: `make hub` makes .venv-hub"
    ),
]
PICTURES = ROOT / "build" / "screenshots" / "hub"
WIDE, NARROW = {"width": 1280, "height": 800}, {"width": 390, "height": 800}
LOOKS = [(size, scheme) for size in (WIDE, NARROW) for scheme in ("light", "dark")]
EXERCISES = "exercises/01_cooking_analogy.ipynb"
WRONG = "    total = 1 / price\n    for each in conversions:\n        total *= each\n    return total"
ANSWER = """def portions_per_coin(price, fee, conversions):
{body}


check("01.1", portions_per_coin)"""
TOO_WIDE = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
AXE = """async () => (await axe.run()).violations.map(
    (found) => `${found.id}: ${found.nodes.map((node) => node.html.slice(0, 120)).join(" | ")}`)"""


@pytest.fixture(scope="module")
def room():
    """A hub on this machine alone: its address, and the instructor's password."""
    if os.name == "nt" or os.geteuid() != 0:
        pytest.skip("participants are kept apart only by a hub that root starts")
    import hub as benchmark  # that of benchmarks/

    with tempfile.TemporaryDirectory(prefix="room") as folder:
        os.chmod(folder, 0o755)
        log, port = Path(folder) / "log", benchmark.free_port()
        words = [sys.executable, str(ROOT / "tools/hub.py"), "--folder", f"{folder}/r", "--port", str(port)]
        (Path(folder) / "names").write_text("ada\nbo\n")
        with log.open("w") as said:
            started = subprocess.Popen([*words, "--names", f"{folder}/names"], stdout=said, stderr=subprocess.STDOUT)
        try:
            address = f"http://127.0.0.1:{port}"
            for _ in range(480):
                if answers(f"{address}/hub/health") or started.poll() is not None:
                    break
                time.sleep(0.5)
            if "both rooms would hand out the same user numbers" in log.read_text():
                pytest.skip("a room runs on this machine already")
            assert started.poll() is None, log.read_text()[-4000:]
            yield address, re.search(r"your password is (\S+)", log.read_text())[1], Path(folder) / "r"
        finally:
            started.send_signal(signal.SIGTERM)
            started.wait(120)


def answers(address):
    try:
        with urllib.request.urlopen(address, timeout=5) as answer:
            return answer.status == 200
    except (urllib.error.URLError, OSError):
        return False


@pytest.fixture(scope="module")
def chromium(room):
    executable = lab.find_browser()
    if executable is None:
        pytest.skip("no Chromium or Chrome here")
    with lab.chromium(executable) as browser:
        yield browser


def visitor(chromium, size=WIDE, scheme="light"):
    page = chromium.new_context(viewport=size, color_scheme=scheme).new_page()
    page.set_default_timeout(120_000)
    return page


def sign_in(page, address, name, password):
    """Open an address, and fill in the form that comes first."""
    page.goto(address)
    page.get_by_label("Username").fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()


def keep(page, name):
    if os.environ.get("COURSEPKG_STORE_HUB"):
        PICTURES.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=PICTURES / f"{name}.png", full_page=True)


def run_cell(page, number, code=None):
    """Run a cell of code, by its place among them, as a person would; returns what stands under it."""
    cell = page.locator(".jp-Notebook .jp-CodeCell").nth(number)
    cell.locator(".cm-content").first.click()
    if code is not None:
        page.keyboard.press("Control+A")
        page.keyboard.insert_text(code)
    prompt = cell.locator(".jp-InputPrompt").first.element_handle()
    prompt.evaluate("prompt => { prompt.textContent = ''; }")  # a stored notebook has numbers there already
    page.keyboard.press("Control+Enter")
    page.wait_for_function("prompt => /\\[\\d+\\]/.test(prompt.textContent)", arg=prompt)
    page.wait_for_timeout(500)
    return cell.locator(".jp-OutputArea").first.inner_text()


def open_notebook(page, address):
    page.goto(address)
    page.locator(".jp-Notebook .jp-CodeCell").first.wait_for()
    page.wait_for_function("() => document.querySelector('.jp-Notebook-ExecutionIndicator')?.dataset.status === 'idle'")


@pytest.fixture(scope="module")
def learner(room, chromium):
    """Ada: she has signed in by the form, and JupyterLab has opened her course."""
    address, _, _ = room
    page = visitor(chromium)
    sign_in(page, address, "ada", "first come, first served")
    page.wait_for_url("**/user/ada/lab/**")
    page.locator(".jp-Notebook .jp-CodeCell").first.wait_for()
    yield page
    page.context.close()


@pytest.fixture(scope="module")
def instructor(room, chromium):
    """Who runs the room, in another browser, at the board."""
    address, password, _ = room
    page = visitor(chromium)
    sign_in(page, f"{address}/services/board/", "instructor", password)
    page.get_by_role("heading", name="The room at").wait_for()
    yield page
    page.context.close()


def test_the_form_says_why_somebody_cannot_come_in(room, chromium):
    address, _, _ = room
    page = visitor(chromium)
    for name, password, said in (
        ("cleo", "long enough", "This room has a list of names, and this one is not on it."),
        ("bo", "short", "A new password has at least 7 characters."),
        ("bo", "x" * 73, "A password has at most 72 bytes"),
        ("instructor", "a guess of mine", "Invalid username or password"),
    ):
        sign_in(page, address, name, password)
        page.get_by_text(said).wait_for()
    page.context.close()


def test_somebody_whose_folder_is_not_theirs_is_told_so(room, chromium):
    address, _, folder = room
    (folder / "people/bo").mkdir()  # as root, who copied it there
    page = visitor(chromium)
    sign_in(page, address, "bo", "long enough")
    page.get_by_text("Your folder cannot be used, and who runs the room can mend it").first.wait_for()
    page.context.close()


def test_a_learner_has_the_course_in_lab_and_the_board_knows_what_they_checked(room, learner, instructor):
    address, _, _ = room
    assert learner.url.endswith("/notebooks/00_start_here.ipynb")
    assert learner.locator(".jp-Notebook coursepkg-figure, .jp-Notebook svg").count()
    open_notebook(learner, f"{address}/user/ada/lab/workspaces/own/tree/{EXERCISES}")
    run_cell(learner, 0)
    assert "not" in run_cell(learner, 2, ANSWER.format(body=WRONG))
    instructor.goto(f"{address}/services/board/?names=yes")
    assert instructor.locator(".stuck li").count() == 1
    assert re.match(r"1\s+of 1", instructor.locator(".stuck li").inner_text())
    assert instructor.locator("[aria-label=tried]").count() == 1
    run_cell(learner, 2, ANSWER.format(body=WRONG.replace("1 /", "(1 - fee) /")))
    instructor.reload()
    assert instructor.locator(".stuck li").count() == 0
    assert instructor.locator("tr", has_text="ada").locator("[aria-label=passed]").count() == 1


def test_a_learner_who_opens_the_board_is_told_that_it_is_not_theirs(room, learner):
    address, _, _ = room
    page = learner.context.new_page()
    answer = page.goto(f"{address}/services/board/")
    assert answer.status == 403
    page.get_by_text("You do not have permission to access JupyterHub service board").first.wait_for()
    assert "Chapter" not in page.inner_text("body")
    keep(page, "refused")
    page.close()


@pytest.mark.parametrize(
    ("size", "scheme"), LOOKS, ids=lambda value: str(value if isinstance(value, str) else value["width"])
)
def test_pages_fit_wide_and_narrow_light_and_dark(room, chromium, learner, instructor, size, scheme):
    address, _, _ = room
    axe, problems = Path(os.environ.get("COURSEPKG_AXE", "")), []
    places = [
        ("sign-in", None, "/hub/login"), ("board", instructor, "/services/board/?chapter=01"),
        ("board-names", instructor, "/services/board/?chapter=01&names=yes"),
        ("lab", learner, "/user/ada/lab/workspaces/look/tree/notebooks/01_cooking_analogy.ipynb"),
    ]  # fmt: skip
    for name, known, place in places:
        cookies = known.context.cookies() if known else []
        page = visitor(chromium, size, scheme)
        page.context.add_cookies(cookies)
        page.goto(address + place)
        if name == "lab":
            page.locator(".jp-Notebook .jp-CodeCell").first.wait_for()
            page.wait_for_timeout(1500)
        keep(page, f"{name}-{size['width']}-{scheme}")
        if name != "lab" and (wider := page.evaluate(TOO_WIDE)) > 0:
            problems.append(f"{name}: {wider} pixels too wide")
        if name.startswith("board") and axe.is_file():
            page.evaluate(axe.read_text(encoding="utf-8"))
            problems += [f"{name}: {fault}" for fault in page.evaluate(AXE)]
        page.context.close()
    assert problems == []
    if not axe.is_file():
        pytest.skip("pages were looked at, but not by axe-core: COURSEPKG_AXE names no axe.min.js")
