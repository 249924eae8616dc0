"""The course in a real browser: JupyterLab opens each notebook, and its stored figures go on by keyboard.

Every cell runs under nbval, which compares what it gives with what is stored. So nothing is run a second time here but
what only a kernel with a page can show: widgets, bars of progress, checks, the first chapter, and a learner's copy.
Screenshots of a whole notebook, page by page, are taken by `python tools/lab.py NOTEBOOK FOLDER`.
"""

import re
import shutil
import socket
import urllib.parse
from pathlib import Path

import pytest

from coursepkg.start import lay_out
from tools import lab as labs
from tools.notebook_file import ROOT, code_cells, read, tags
from tools.reading import SECOND

pytestmark = pytest.mark.browser

SCREENSHOTS = ROOT / "build" / "screenshots"
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
SMALL = """
import ipywidgets as widgets
heat = widgets.FloatSlider(description="heat", min=0, max=10, step=0.5)
typed = widgets.BoundedFloatText(description="heat, typed")
picture = widgets.HTML()
def draw(change=None):
    picture.value = (
        f'<img alt="A bar {heat.value} wide" src="data:image/svg+xml;utf8,'
        f'<svg xmlns=%22http://www.w3.org/2000/svg%22 width=%22{10 + 20 * heat.value}%22 height=%2220%22>'
        f'<rect width=%22100%25%22 height=%2220%22/></svg>">'
    )
heat.observe(draw, "value")
draw()
widgets.VBox([widgets.HBox([heat, typed]), picture])
"""
# Each way of the course to let the kernel answer in the page.
FROM_THE_KERNEL = [
    "from coursepkg.autodiff.scalar import Scalar\nfrom coursepkg.visualize import playground\nplayground(Scalar)",
    "from coursepkg.grading import inventory\ninventory.ask()",
    'from coursepkg.predictions import predict\npredict(4, "rises")',
    "from coursepkg.training import progress_bar\nprint(sum(progress_bar(range(4), 'adding')))",
    "def portions_per_coin(price, fee, conversions):\n    raise NotImplementedError",
    'from coursepkg.grading import check\ncheck("01.1", portions_per_coin)',
]
# Where widgets are made; the chapters that show one name these, and the tests below use each.
WIDGETS = {"inventory.ask(": "grading/learning/inventory.py", "playground(": "visualize/field/playground.py"}
RUN_HERE = "00_start_here"
FIGURE = ".jp-Notebook coursepkg-figure"
STAND_THERE = f"count => [...document.querySelectorAll('{FIGURE}')].filter(figure => figure.player).length === count"
OUTPUTS = """() => [...document.querySelectorAll('.jp-Notebook .jp-CodeCell')].map(cell => ({
    shown: cell.querySelectorAll('.jp-OutputArea-output').length,
    folded: cell.querySelectorAll('.jp-OutputPlaceholder').length,
}))"""
NAMELESS = """
import ipywidgets as widgets
from IPython.display import HTML, Javascript, display
display(HTML('<img src="data:image/gif;base64,R0lGODlhAQABAAAAACw=">'))
display(Javascript("console.error('a complaint'); fetch('http://somewhere.example/').catch(() => 0)"))
widgets.FloatSlider()
"""


@pytest.fixture(scope="module")
def browser():
    executable = labs.find_browser()
    if executable is None:
        pytest.skip(
            "NO CHROMIUM FOUND, SO THE COURSE WAS NOT TESTED IN A BROWSER: install one or set COURSEPKG_CHROMIUM"
        )
    with labs.chromium(executable) as browser:
        yield browser


@pytest.fixture(scope="module")
def window(browser):
    """For pages that need not be strangers to each other; they load JupyterLab once."""
    window = browser.new_context()
    yield window
    window.close()


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """A copy of the notebooks and of what they read, so that a browser that saves changes nothing."""
    folder = tmp_path_factory.mktemp("course")
    for part in ("notebooks", "benchmarks/results", "exercises/.checks"):
        shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns(".ipynb_checkpoints"))
    return folder


@pytest.fixture(scope="module")
def lab(browser, course):
    with labs.jupyterlab(course) as lab:
        yield lab


@pytest.fixture(scope="module")
def reader(window, lab, course, write_notebook):
    """A page in which notebook after notebook is opened; JupyterLab is loaded once."""
    with labs.opened(window, lab, write_notebook(course / "00_nothing.ipynb", "# 00 · Nothing")) as view:
        assert view.errors == []
        yield view


def use_slider(view: labs.OpenNotebook, description: str, name: str) -> None:
    """Move a slider by keyboard and by mouse; each time the picture beside it must change."""
    handle = view.slider(description)
    handle.scroll_into_view_if_needed()
    start = view.pictures_beside(handle)
    assert start, f"no picture beside the slider {description!r}"
    view.page.screenshot(path=SCREENSHOTS / f"{name}-slider-1-start.png")
    handle.focus()
    view.page.keyboard.press("ArrowRight")
    by_keyboard = view.wait_for_other_pictures(handle, start)
    view.page.screenshot(path=SCREENSHOTS / f"{name}-slider-2-keyboard.png")
    low, high, now = (float(handle.get_attribute(f"aria-value{end}")) for end in ("min", "max", "now"))
    view.drag(handle, 0.1 if now - low > high - now else 0.9)
    view.wait_for_other_pictures(handle, by_keyboard)
    view.page.screenshot(path=SCREENSHOTS / f"{name}-slider-3-mouse.png")
    assert view.accessibility_problems() == []


def study(view: labs.OpenNotebook, lab: labs.Lab, notebook: Path, slider: str) -> None:
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    for old in SCREENSHOTS.glob(f"{notebook.stem}-*.png"):
        old.unlink()
    view.turn_to(lab, notebook)
    view.run_all()
    assert view.failed_cells() == []
    use_slider(view, slider, notebook.stem)
    assert view.accessibility_problems() == []
    assert view.errors == []
    assert view.hosts == {"127.0.0.1"}


def test_a_small_notebook_passes_the_same_tour(reader, lab, course, write_notebook):
    study(reader, lab, write_notebook(course / "00_small.ipynb", "# 00 · Small", (SMALL,)), "heat")


def outputs(notebook: Path) -> list[dict[str, str]]:
    """What is stored under the cells of a notebook, each by its kinds."""
    cells = [cell for _, cell in code_cells(read(notebook))]
    return [output.get("data", {}) for cell in cells for output in cell.outputs]


def trust(window, lab, notebook: Path) -> None:
    """Let the page run the scripts in stored outputs, as it does for whoever has run the notebook once."""
    place = notebook.relative_to(lab.root).as_posix()
    headers = {"Authorization": f"token {lab.token}"}
    assert window.request.post(f"{lab.url}/api/contents/{place}/trust", headers=headers).ok


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_each_figure_of_a_chapter_steps_by_keyboard(notebook, reader, window, lab, course):
    """As a learner opens it, each figure from what is stored, also in folded sections. Then the first chapter runs."""
    copy, view = course / "notebooks" / notebook.name, reader
    stored = outputs(copy)
    trust(window, lab, copy)
    view.turn_to(lab, copy)
    second = [cell for cell in read(copy).cells if SECOND in cell.metadata.get("tags", [])]
    assert view.unfold() == len(second)  # and what answers a prediction is folded, too
    count = sum(output.get("text/html", "").count("<coursepkg-figure") for output in stored)
    assert count > 0
    view.page.wait_for_function(STAND_THERE, arg=count)
    for figure in view.page.locator(FIGURE).all():
        figure.scroll_into_view_if_needed()
        figure.locator(".scrub").focus()
        view.page.keyboard.press("Home")
        view.page.keyboard.press("ArrowRight")
        view.page.wait_for_function("figure => figure.player.t >= 1", arg=figure.element_handle())
    assert view.accessibility_problems() == []
    if notebook.stem == RUN_HERE:
        view.run_all()
        assert view.failed_cells() == []
        view.page.wait_for_function(STAND_THERE, arg=count)
        assert view.accessibility_problems() == []
    assert view.errors == []
    assert view.hosts == {"127.0.0.1"}


def test_the_kernel_answers_in_the_page(reader, lab, course, write_notebook):
    """A network learns and stops, a choice is answered, a guess stands there, and a check says what it thinks."""
    cells = [(source,) for source in FROM_THE_KERNEL]
    notebook = write_notebook(course / "exercises" / "00_answers.ipynb", "# 00 · Answers", *cells)
    view = reader
    view.turn_to(lab, notebook)
    view.run_all()
    assert view.failed_cells() == []
    start = view.page.get_by_role("button", name="Start", exact=True)
    stop = view.page.get_by_role("button", name="Stop", exact=True)
    picture = view.pictures_beside(start)
    assert picture
    start.click()
    learned = view.wait_for_other_pictures(stop, picture, idle=False)
    view.wait_for_other_pictures(stop, learned, idle=False)
    stop.click()
    start.wait_for()
    view.page.get_by_role("radio").first.check()
    view.page.get_by_text("1 of 10 answered").wait_for()
    shown = [cell.inner_text() for cell in view.page.locator(".jp-Notebook .jp-CodeCell .jp-OutputArea").all()]
    assert "Your guess: 4, rises" in shown[2]
    assert shown[3].split() == ["6"]  # the bar took itself away
    assert "01.1 not attempted" in shown[5]
    assert view.accessibility_problems() == []
    assert view.errors == []
    assert view.hosts == {"127.0.0.1"}


def test_every_widget_of_the_course_is_among_what_the_kernel_answers():
    package = ROOT / "coursepkg"
    made = {path.relative_to(package).as_posix() for path in package.rglob("*.py") if _makes_widgets(path)}
    assert made == set(WIDGETS.values())
    assert all(any(word in source for source in FROM_THE_KERNEL) for word in WIDGETS)
    code = [cell.source for notebook in NOTEBOOKS for _, cell in code_cells(read(notebook))]
    assert [source for source in code if "ipywidgets" in source] == []  # a chapter makes none by itself


def _makes_widgets(path: Path) -> bool:
    return re.search(r"^\s*(import|from) ipywidgets", path.read_text(encoding="utf-8"), re.MULTILINE) is not None


def test_a_learners_copy_shows_no_answer_until_it_is_asked_for_and_is_saved(browser, tmp_path):
    copy = tmp_path / "my-course"
    lay_out(copy)
    notebook = copy / "notebooks" / "01_cooking_analogy.ipynb"
    cells = [cell for _, cell in code_cells(read(notebook))]
    answers = [place for place, cell in enumerate(cells) if "hide-output" in tags(cell)]
    assert len(answers) > 5
    with labs.jupyterlab(copy) as lab, labs.opened(browser, lab, notebook) as view:
        before = view.page.evaluate(OUTPUTS)
        assert len(before) == len(cells)
        assert [before[place] for place in answers] == [{"shown": 0, "folded": 0}] * len(answers)
        assert any(outputs["shown"] for outputs in before)
        view.run_all()
        assert view.failed_cells() == []
        after = view.page.evaluate(OUTPUTS)
        assert all(after[place]["shown"] and not after[place]["folded"] for place in answers)
        with view.page.expect_response(
            lambda answer: answer.request.method == "PUT" and "contents" in answer.url
        ) as put:
            view.page.keyboard.press("Control+s")
        assert put.value.ok
    assert view.errors == []
    saved = [cell for _, cell in code_cells(read(notebook))]
    assert all(saved[place].outputs for place in answers)
    assert lay_out(copy).written == []  # it was run, not changed


def test_faults_in_the_page_are_noticed(reader, lab, course, write_notebook):
    faulty = write_notebook(course / "00_faulty.ipynb", "# 00 · Faulty", (NAMELESS,), ("1 / 0", "raises-exception"))
    view = reader
    view.turn_to(lab, faulty)
    view.run_all()
    view.page.locator(".noUi-handle").wait_for()
    problems = view.accessibility_problems()
    assert any("image without alt" in problem for problem in problems)
    assert any("control without a name" in problem for problem in problems)
    assert view.failed_cells() == []
    assert any("a complaint" in error for error in view.errors)
    assert "somewhere.example" in view.hosts


def test_a_cell_that_fails_is_named(reader, lab, course, write_notebook):
    failing = write_notebook(course / "00_failing.ipynb", "# 00 · Failing", ("undefined_name",), ("print('after')",))
    view = reader
    view.turn_to(lab, failing)
    with pytest.raises(RuntimeError, match=r"print\('after'\)(.|\n)*undefined_name"):
        view.run_all()
    assert any("undefined_name" in error for error in view.failed_cells())


def test_server_stops_and_takes_its_port_with_it(tmp_path):
    with labs.jupyterlab(tmp_path) as lab:
        port = urllib.parse.urlsplit(lab.url).port
    with pytest.raises(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port), timeout=5):
        pass


def test_a_browser_that_is_not_there_is_an_error_and_none_is_none(monkeypatch, tmp_path):
    monkeypatch.setenv("COURSEPKG_CHROMIUM", str(tmp_path / "nothing"))
    with pytest.raises(FileNotFoundError, match="COURSEPKG_CHROMIUM"):
        labs.find_browser()
    monkeypatch.delenv("COURSEPKG_CHROMIUM")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert labs.find_browser() is None
