"""The site in a real browser: a few pages in every run of the tests, every page by `make site-check`."""

import os
import re
import shutil
import urllib.parse
from pathlib import Path

import pytest

from tools.notebook_file import ROOT

pytestmark = pytest.mark.browser

WHAT_STANDS_THERE = """() => ({
    figures: document.querySelectorAll('coursepkg-figure').length,
    alive: [...document.querySelectorAll('coursepkg-figure')].filter(figure => figure.player).length,
    formulas: document.querySelectorAll('span.math, div.math').length,
    drawn: document.querySelectorAll('mjx-container').length,
    wrong: document.querySelectorAll('mjx-merror, [data-mjx-error]').length,
    nameless: [...document.images].filter(image => !image.hasAttribute('alt')).length,
    wider: document.documentElement.scrollWidth - innerWidth,
})"""
WIDE = """() => document.querySelector('.bd-article').insertAdjacentHTML('beforeend', `
    <div id="wide" style="overflow-x:auto"><div style="width:900px">wide</div></div>
    <div id="narrow" style="overflow-x:auto"><div style="width:90px">narrow</div></div>`)"""
AXE = """async () => (await axe.run(document, {resultTypes: ['violations']})).violations.map(
    found => `${found.id} (${found.impact}), ${found.nodes.length}: ${found.nodes[0].html.slice(0, 200)}`)"""


class Reader:
    """A page in the browser that writes down what went wrong, and whom it asked."""

    def __init__(self, chromium, site, **how):
        self.site = site
        self.context = chromium.new_context(**({"viewport": {"width": 1280, "height": 900}} | how))
        self.page = self.context.new_page()
        self.page.set_default_timeout(120_000)
        self.faults, self.asked = [], []
        self.page.on("console", lambda m: self.faults.append(m.text) if m.type == "error" else None)
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.on("requestfailed", lambda request: self.faults.append(f"failed: {request.url}"))
        self.page.on("request", lambda request: self.asked.append(request.url))

    def open(self, name):
        self.page.goto(f"{self.site}/{name}", wait_until="load")
        self.page.wait_for_function("() => !window.MathJax?.startup || MathJax.startup.promise.then(() => true)")
        return self.page

    def elsewhere(self):
        return [url for url in self.asked if not url.startswith((self.site, "data:", "blob:"))]


@pytest.fixture
def reader(chromium, small, address):
    made = Reader(chromium, address(small))
    yield made
    made.context.close()
    assert made.faults == []
    assert made.elsewhere() == []


CHAPTER = "notebooks/00_start_here.html"


def test_figures_move_without_a_kernel(reader):
    page = reader.open(CHAPTER)
    page.wait_for_function("() => [...document.querySelectorAll('coursepkg-figure')].every(figure => figure.player)")
    figure = page.locator("coursepkg-figure").first
    fold = page.locator("details.hide", has=figure)
    fold.locator("summary").click()
    before = figure.evaluate("figure => figure.player.t")
    figure.locator("input[type=range]").first.press("ArrowRight")
    page.wait_for_function("([f, t]) => f.player.t !== t", arg=[figure.element_handle(), before])


def test_a_figure_lives_before_the_rest_of_its_page_has_arrived(chromium, small, address):
    """The page hangs in the middle of a second figure: the first lives, and what has half arrived is not taken."""
    text = (small / CHAPTER).read_text(encoding="utf-8")
    head = re.search(r"<script>\s*// Each living figure.*?(?=</head>)", text, re.DOTALL)[0]
    figure = re.search(r"<coursepkg-figure>.*?</coursepkg-figure><script>.*?</script>", text, re.DOTALL)[0]
    half = figure[: figure.index("-arriving") + len(figure) // 2]
    site = address(small)
    reader = Reader(chromium, site)
    empty = f"{site}/notebooks/empty.html"
    reader.page.route(
        empty, lambda route: route.fulfill(content_type="text/html", body='<link rel="icon" href="data:,">')
    )
    reader.page.goto(empty)
    reader.page.evaluate(
        """([head, figure, half]) => {
            document.open();
            document.write(head + "<body>" + figure + half);
            window.goOn = (rest) => { document.write(rest); document.close(); };
        }""",
        [head, figure, half],
    )
    reader.page.wait_for_function("() => document.querySelector('coursepkg-figure')?.player")
    assert reader.page.evaluate("document.readyState") == "loading"
    assert reader.page.evaluate(
        "[...document.querySelectorAll('coursepkg-figure')].map(figure => !!figure.adopted)"
    ) == [
        True,
        False,
    ]
    reader.page.evaluate("rest => window.goOn(rest)", figure[len(half) :])
    reader.page.wait_for_function(
        "() => [...document.querySelectorAll('coursepkg-figure')].filter(figure => figure.player).length === 2"
    )
    reader.context.close()
    assert reader.faults == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_page_is_light_or_dark_before_it_is_drawn(chromium, small, address, scheme):
    reader = Reader(chromium, address(small), color_scheme=scheme)
    reader.page.add_init_script(
        """new MutationObserver((_, eyes) => {
            if (!document.body) return;
            window.asDrawn = document.documentElement.dataset.theme;
            eyes.disconnect();
        }).observe(document, {childList: true, subtree: true});"""
    )
    page = reader.open("map.html")
    assert page.evaluate("window.asDrawn") == scheme
    reader.context.close()


def test_paper_is_light_and_shows_what_is_folded(chromium, small, address):
    reader = Reader(chromium, address(small), color_scheme="dark")
    page = reader.open(CHAPTER)
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    page.emulate_media(media="print", color_scheme="dark")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    page.wait_for_function(
        "() => document.querySelector('coursepkg-figure').player && !document.querySelector('coursepkg-figure[dark]')"
    )
    ink = page.evaluate("getComputedStyle(document.querySelector('.bd-article p:not(.where)')).color")
    assert max(map(int, re.findall(r"\d+", ink)[:3])) < 100
    summary = page.locator(".cell details.hide > summary")
    assert summary.count() > 0
    assert summary.first.evaluate("summary => getComputedStyle(summary).display") == "none"
    assert page.locator("img[loading='lazy']").count() == 0
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    reader.context.close()
    assert reader.faults == []


def test_whoever_arrives_from_a_search_engine_is_told_where_this_is(small):
    for name in (CHAPTER, "exercises/01_cooking_analogy.html", "map.html", "run.html"):
        text = (small / name).read_text(encoding="utf-8")
        assert len(re.findall(r'<meta name="description" content="[^"]{40,210}"', text)) == 1, name
        assert len(re.findall(r'<meta property="og:title" content="[^"]+"', text)) == 1, name
        article = text[text.index("<article") :]
        where = re.search(r'<p class="where">(.*?)</p>', article, flags=re.DOTALL)
        assert where.start() < article.index("<h1"), name
        assert re.search(r'<a href="[./]*index.html">Backpropagation, from the kitchen', where[1]), name
    assert 'class="where"' not in (small / "index.html").read_text(encoding="utf-8")


def test_an_answer_waits_for_the_reader_and_stands_under_the_guess(reader):
    page = reader.open(CHAPTER)
    folds = page.locator(".cell.tag_hide-output > details.hide")
    assert folds.count() >= 4
    assert folds.evaluate_all("found => found.filter(fold => fold.open).length") == 0
    guess = page.get_by_label("Your guess").first
    cell = guess.locator("xpath=ancestor::div[contains(@class, 'tag_hide-output')]")
    assert not cell.locator(".cell_output").is_visible()
    guess.fill("7, it rises")
    guess.press("Enter")
    assert cell.locator(".cell_output").is_visible()
    assert cell.locator(".guessed").inner_text() == "Your guess: 7, it rises"
    assert "none yet" not in cell.inner_text()
    page.reload()
    assert page.get_by_label("Your guess").first.input_value() == "7, it rises"


def test_a_fold_opens_for_a_link_that_leads_into_it(reader):
    page = reader.open(CHAPTER)
    within = page.locator("details.second-reading .cell").first
    place = within.get_attribute("id")
    assert not within.is_visible()
    reader.open("map.html")
    page = reader.open(f"{CHAPTER}#{place}")
    assert page.locator(f"#{place}").is_visible()
    reader.open("map.html")
    page = reader.open(CHAPTER)
    page.evaluate("place => location.hash = place", place)
    page.locator(f"#{place}").wait_for(state="visible")


def test_what_is_written_for_sphinx_was_read_by_it(small):
    for name in ("index", "map", "run", "notebooks/00_start_here", "exercises/01_cooking_analogy"):
        text = (small / f"{name}.html").read_text(encoding="utf-8")
        article = re.sub(r"<(pre|script).*?</\1>", "", text[text.index("<article") :], flags=re.DOTALL)
        assert re.search(r":::|```|\{note\}|\{\{|% second-reading|\]\(", article) is None, name
    exercises = (small / "exercises" / "01_cooking_analogy.html").read_text(encoding="utf-8")
    assert '<div class="admonition note">' in exercises


@pytest.mark.parametrize("name", ["notebooks/00_start_here", "exercises/01_cooking_analogy"])
def test_the_button_of_a_notebook_runs_it_in_the_browser(reader, name):
    page = reader.open(f"{name}.html")
    button = page.locator(f"a[href='../lite/lab/index.html?path={name}.ipynb']", has_text="Run it here")
    assert button.count() == 1
    assert button.is_visible()
    named = page.get_by_role("link", name="Run it here").evaluate_all("found => found.map(link => link.pathname)")
    assert set(named) == {"/lite/lab/index.html"}  # no other page has that name


def test_keys_reach_what_scrolls_on_a_phone(chromium, small, address):
    phone = Reader(chromium, address(small), viewport={"width": 320, "height": 900})
    page = phone.open("exercises/01_cooking_analogy.html")
    page.evaluate(WIDE)
    page.set_viewport_size({"width": 321, "height": 900})  # which makes the page look again
    page.wait_for_function("() => document.querySelector('#wide').tabIndex === 0")
    page.wait_for_function("() => document.querySelector('#narrow').tabIndex === -1")
    phone.context.close()
    assert phone.faults == []


def test_progress_is_kept_in_this_browser_and_can_be_forgotten(reader):
    page = reader.open("map.html")
    words = page.locator(".progress-words")
    assert words.inner_text().startswith("0 of 13 chapters read, 0 of 12")
    page = reader.open(CHAPTER)
    mark = page.get_by_role("button", name="Mark chapter 00 as read")
    mark.focus()
    mark.press("Enter")
    assert page.get_by_role("button", name="Take it back").is_visible()
    page = reader.open("map.html")
    assert page.locator(".progress-words").inner_text().startswith("1 of 13 chapters read")
    assert page.locator("li[data-chapter='00'] .state").inner_text() == "✓ read"
    page.get_by_role("button", name="Forget my progress").press("Enter")
    assert page.locator(".progress-words").inner_text().startswith("1 of 13")  # it asks once more
    page.get_by_role("button", name="Really forget?").press("Enter")
    assert page.locator(".progress-words").inner_text().startswith("0 of 13")
    assert page.evaluate("localStorage.length") <= 2  # the theme keeps light or dark


def test_pages_read_without_storage_and_without_scripts(chromium, small, address, reader):
    page = reader.open("map.html")
    page.evaluate("localStorage.setItem('coursepkg-course', 'not json')")
    page.reload()
    assert page.locator(".progress-words").inner_text().startswith("0 of 13")
    quiet = Reader(chromium, address(small), java_script_enabled=False)
    quiet.page.goto(f"{quiet.site}/{CHAPTER}")
    assert quiet.page.locator(".guess").count() == 0
    assert quiet.page.locator("h1", has_text="00 · Start here").count() >= 1
    quiet.context.close()


@pytest.mark.parametrize("width", [390, 1280])
def test_the_landing_page_plays_once_and_stands_still_where_motion_is_unwanted(chromium, small, address, width):
    site = address(small)
    moving = Reader(chromium, site, viewport={"width": width, "height": 900})
    page = moving.open("index.html")
    page.wait_for_function("() => document.querySelector('.first-figure coursepkg-figure')?.player?.t > 0")
    still = Reader(chromium, site, viewport={"width": width, "height": 900}, reduced_motion="reduce")
    page = still.open("index.html")
    page.wait_for_function("() => document.querySelector('.first-figure coursepkg-figure')?.player")
    page.wait_for_timeout(1500)
    assert page.evaluate("document.querySelector('.first-figure coursepkg-figure').player.playing") is False
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    for each in (moving, still):
        assert each.faults == []
        each.context.close()


def test_a_page_that_is_not_there_leads_to_those_that_are(chromium, address, tmp_path):
    shutil.copy(ROOT / "docs" / "site" / "404.html", tmp_path / "index.html")
    reader = Reader(chromium, address(tmp_path))
    reader.page.goto(f"{reader.site}/")
    links = reader.page.locator("a").evaluate_all("found => found.map(link => link.href)")
    assert links == [f"{reader.site}/index.html", f"{reader.site}/search.html"]
    reader.context.close()
    assert reader.faults == []


# --- the whole site ---------------------------------------------------------------------------------------------------


def every_page(whole):
    left_out = ("_static", "lite")
    paths = sorted(path.relative_to(whole) for path in whole.rglob("*.html"))
    return [path.as_posix() for path in paths if path.parts[0] not in left_out]


def test_every_link_of_every_page_leads_somewhere(whole):
    ids, broken, followed = {}, [], 0
    for name in every_page(whole):
        text = (whole / name).read_text(encoding="utf-8")
        ids[name] = set(re.findall(r'\bid="([^"]+)"', text))
    for name in every_page(whole):
        text = re.sub(r"<pre.*?</pre>", "", (whole / name).read_text(encoding="utf-8"), flags=re.DOTALL)
        links = re.findall(r'<a [^>]*?href="([^"]+)"', text)
        for link in links + re.findall(r'<(?:img|script)[^>]*? src="([^"]+)"', text):
            if re.match(r"[a-z]+:", link):
                continue
            path, _, place = urllib.parse.unquote(link).partition("#")
            path = path.partition("?")[0]
            target = os.path.normpath(Path(name).parent / path) if path else name
            followed += 1
            if not (whole / target).is_file() or (place and target in ids and place not in ids[target]):
                broken.append(f"{name}: {link}")
    assert followed > 1000
    assert broken == []


def test_each_page_stands_whole_light_and_dark_wide_and_narrow(chromium, whole, address):
    axe = Path(os.environ.get("COURSEPKG_AXE", ""))
    site, problems, pictures = address(whole), [], ROOT / "build" / "screenshots" / "site"
    for width, scheme in ((1280, "light"), (390, "dark"), (1920, "dark"), (390, "light")):
        reader = Reader(chromium, site, viewport={"width": width, "height": 900}, color_scheme=scheme)
        for name in every_page(whole):
            page = reader.open(name)
            where = f"{name} at {width}, {scheme}"
            page.wait_for_function(
                "() => [...document.querySelectorAll('coursepkg-figure')].every(figure => figure.player)"
            )
            found = page.evaluate(WHAT_STANDS_THERE)
            if found["wider"] > 0:
                problems.append(f"{where}: {found['wider']} pixels too wide")
            if found["drawn"] < found["formulas"] or found["wrong"] or found["nameless"]:
                problems.append(f"{where}: {found}")
            if axe.is_file():
                page.evaluate(axe.read_text(encoding="utf-8"))
                problems += [f"{where}: {fault}" for fault in page.evaluate(AXE)]
            if os.environ.get("COURSEPKG_STORE_SITE"):
                pictures.mkdir(parents=True, exist_ok=True)
                page.screenshot(path=pictures / f"{name.removesuffix('.html').replace('/', '-')}-{width}-{scheme}.png")
        problems += reader.faults + reader.elsewhere()
        reader.context.close()
    assert problems == []
    if not axe.is_file():
        pytest.skip("pages were looked at, but not by axe-core: COURSEPKG_AXE names no axe.min.js")


def test_pages_are_light_and_the_first_figure_is_there_soon(chromium, whole, address):
    site, heavy = address(whole), {}
    for name in ("index.html", CHAPTER, *(page for page in every_page(whole) if page.startswith("notebooks/"))):
        reader = Reader(chromium, site)
        sizes = []
        reader.page.on("response", lambda got, sizes=sizes: sizes.append(int(got.headers.get("content-length", 0))))
        reader.open(name)
        if sum(sizes) >= 2e6:
            heavy[name] = sum(sizes)
        reader.context.close()
    assert heavy == {}


def test_search_finds_a_chapter_and_no_answer(chromium, whole, address):
    reader = Reader(chromium, address(whole))
    page = reader.open("search.html?q=checkpointing")
    page.wait_for_selector("ul.search li")
    page.wait_for_function("() => /finished|matching/.test(document.querySelector('#search-results').textContent)")
    links = page.locator("ul.search li a").evaluate_all("found => found.map(link => link.getAttribute('href'))")
    assert any("notebooks/08" in link for link in links)
    assert [link for link in links if "solutions/" in link] == []
    assert reader.faults == []
    reader.context.close()
