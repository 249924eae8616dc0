"""A living figure where scripts are taken away, in the dark, and on a narrow page; pictures beside it, too."""

import re

import numpy as np
import pytest
import stories
from stories import KINDS
from views import FIGURE, PAGE, View

from coursepkg.visualize.alive.flip import flip_through
from coursepkg.visualize.alive.story import modules
from coursepkg.visualize.chart.series import draw_loss
from coursepkg.visualize.chart.table import draw_table
from coursepkg.visualize.diagram.network import draw_network
from coursepkg.visualize.diagram.route import route_map
from coursepkg.visualize.graph.story import tell_graph
from coursepkg.visualize.paper.picture import adapt

pytestmark = pytest.mark.browser


# --- hosts


@pytest.mark.parametrize("kind", KINDS)
def test_without_scripts_the_picture_stands_there_with_its_words(browser, kind):
    story = stories.STORIES[kind]()
    context = browser.new_context(java_script_enabled=False)
    view = View(context).load(story.html())
    image = view.page.get_by_role("img", name=story.fallback.alt)
    assert image.is_visible()
    assert image.bounding_box()["width"] > 50
    context.close()


def test_an_untrusted_page_that_takes_scripts_away_keeps_the_picture(view):
    html = re.sub(r"<script.*?</script>", "", stories.graph().html(), flags=re.DOTALL)
    view.load(stories.flip().html() + html)
    view.page.wait_for_function(f"() => {FIGURE}.player")
    assert view.page.locator("coursepkg-figure").nth(1).get_by_role("img").is_visible()


@pytest.mark.parametrize("wrong", ["data", "story"])
def test_a_story_that_cannot_be_read_leaves_the_picture(view, wrong):
    story = stories.flip()
    html = story.html()
    if wrong == "story":
        html = re.sub(r"(data-version=\"\w+\">)[^<]*", r"\1eJyrrgUAAXUA+Q==", html)  # an empty object
    else:
        html = re.sub(r"(data-version=\"\w+\">)[^<]{9}", r"\1AAAAAAAAA", html)
    view.load(html)
    view.page.get_by_role("img", name=story.fallback.alt).wait_for()
    view.page.wait_for_timeout(200)
    assert view.page.get_by_role("img", name=story.fallback.alt).is_visible()
    assert [complaint[:29] for complaint in view.complaints] == ["A figure could not be shown: "]
    view.complaints = []


def test_many_figures_share_one_module(view):
    told = [stories.STORIES[kind]() for kind in KINDS] * 2
    view.load("".join(story.html() for story in told))
    every = "[...document.querySelectorAll('coursepkg-figure')]"
    view.page.wait_for_function(f"() => {every}.every(figure => figure.player)")
    assert view.page.evaluate(f"() => {every}.length") == len(told)
    tools = "globalThis.coursepkgFigures.tools"
    view.page.evaluate(f"window.first = {tools}")
    more = stories.graph().html()
    view.page.evaluate(
        """html => {
            const box = document.body.appendChild(document.createElement('div'));
            box.innerHTML = html;
            for (const old of box.querySelectorAll('script')) {
                const fresh = document.createElement('script');
                for (const { name, value } of old.attributes) fresh.setAttribute(name, value);
                fresh.textContent = old.textContent;
                old.replaceWith(fresh);
            }
        }""",
        more,
    )
    view.page.wait_for_function(f"() => {every}.every(figure => figure.player)")
    assert view.page.evaluate(f"() => window.first === {tools}")


def test_figures_of_another_age_wait_for_their_own_module(view):
    old = stories.graph().html()
    version = re.search(r"V='(\w+)'", old)[1]
    view.load(old.replace(version, "00000000") + old)
    every = "[...document.querySelectorAll('coursepkg-figure')]"
    view.page.wait_for_function(f"() => {every}.length === 2 && {every}.every(figure => figure.player)")
    assert view.page.evaluate("globalThis.coursepkgFigures.version") == version


def test_a_site_keeps_the_module_once(view):
    files = modules()
    view.complaints = []
    view.page.route(
        "http://site.test/**",
        lambda route: route.fulfill(
            body=files.get(route.request.url.rpartition("/")[2], PAGE.format(style="", body=body)),
            content_type="text/javascript" if route.request.url.endswith(".js") else "text/html; charset=utf-8",
        ),
    )
    body = (
        stories.graph().html(module="static")
        + stories.flip().html(module="static")
        + stories.graph().html(module="static")
    )
    view.page.goto("http://site.test/")
    view.page.wait_for_function("() => [...document.querySelectorAll('coursepkg-figure')].every(f => f.player)")
    asked = sorted(url.rpartition("/")[2] for url in view.complaints if url.endswith(".js"))
    assert asked == ["alive.js", "flip.js", "graph.js"]
    view.complaints = []


def test_names_and_titles_are_text_and_nothing_else(view):
    nasty = "<img src=x onerror=window.bad=1></script><script>window.bad=1</script>\u2028"
    x = stories.Scalar(2.0, label=nasty)
    view.tell(tell_graph(x * x, title=nasty))
    view.jump(1)
    assert view.page.evaluate("window.bad") is None
    assert view.text(".title") == nasty
    assert view.ask("root.querySelectorAll('img').length") == 0
    view.tell(flip_through(lambda n: stories.bar(n), n=[1, 2], title=nasty))
    assert view.page.evaluate("window.bad") is None


def test_the_figure_follows_the_paper(view):
    view.tell(stories.field(), style="background:#111111;color-scheme:dark")
    assert view.ask("figure.hasAttribute('dark')")
    dark = view.look()[1]
    view.page.evaluate("document.body.style.background = '#ffffff'; document.body.className = 'light'")
    view.page.wait_for_function(f"() => !{FIGURE}.hasAttribute('dark')")
    assert view.look()[1] != dark
    assert view.ask("figure.style.colorScheme") == "light"


@pytest.mark.parametrize(("scheme", "dark"), [("light", False), ("dark", True)])
def test_ordinary_pictures_follow_the_paper_too(view, scheme, dark):
    view.load(stories.bar(30).html(), style=f"margin:0;color-scheme:{scheme}")
    view.page.wait_for_function("() => document.querySelector('img').complete")
    view.page.evaluate("document.querySelector('img').style.cssText = 'position:fixed;left:0;top:0'")
    shot = view.page.screenshot(clip={"x": 40, "y": 40, "width": 4, "height": 4})
    pixel = view.page.evaluate(
        """async bytes => {
            const bitmap = await createImageBitmap(new Blob([new Uint8Array(bytes)], { type: 'image/png' }));
            const pen = new OffscreenCanvas(4, 4).getContext('2d');
            pen.drawImage(bitmap, 0, 0);
            return [...pen.getImageData(1, 1, 1, 1).data];
        }""",
        list(shot),
    )
    assert pixel[:3] == ([17, 17, 17] if dark else [255, 255, 255])


@pytest.mark.parametrize("width", [390, 800])
@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_wider_than_the_page(view, kind, width):
    view.page.set_viewport_size({"width": width, "height": 700})
    view.tell(stories.STORIES[kind]())
    assert view.page.evaluate("document.documentElement.scrollWidth") <= width


NEEDS = "(() => { const box = root.querySelector('.scroll'); return box.scrollWidth - box.clientWidth; })()"


def test_a_chart_that_turns_fits_a_phone_and_a_wide_drawing_scrolls_and_says_so(view):
    view.page.set_viewport_size({"width": 390, "height": 700})
    view.tell(flip_through(draw_loss, losses=[[1.0, 0.5, 0.25], [1.0, 0.1, 0.01]]))
    assert view.ask(NEEDS) == 0
    assert not view.ask("root.querySelector('.scroll').matches('.before, .after, [tabindex]')")
    view.tell(flip_through(route_map, current=["03", "11"]))
    view.page.wait_for_function(f"() => {FIGURE}.shadowRoot.querySelector('.scroll.after:not(.before)')")
    assert view.ask("getComputedStyle(root.querySelector('.scroll')).maskImage").startswith("linear-gradient")
    shrunk = view.ask("root.querySelector('.pile img').clientWidth / root.querySelector('.pile img').naturalWidth")
    assert 12 * shrunk >= 8.4  # pixels, the smallest letters of the route
    view.locator(".scroll").focus()  # keys move the drawing there, and not the story
    view.page.keyboard.press("ArrowRight")
    view.page.wait_for_function(f"() => {FIGURE}.shadowRoot.querySelector('.scroll').scrollLeft > 0")
    assert view.t == 0
    view.page.evaluate(f"() => {FIGURE}.shadowRoot.querySelector('.scroll').scrollTo(9999, 0)")
    view.page.wait_for_function(f"() => {FIGURE}.shadowRoot.querySelector('.scroll.before:not(.after)')")


@pytest.mark.parametrize("kind", ["graph", "gated", "light", "sketch", "tree", "unrolled"])
def test_what_moves_stays_in_sight_on_a_narrow_page(view, kind):
    view.page.set_viewport_size({"width": 300, "height": 700})
    view.tell(stories.STORIES[kind]())
    places = []
    for share in (0, 0.25, 0.5, 0.75, 1):
        view.jump(share * view.ask("figure.player.last"))
        places.append(view.ask("root.querySelector('.scroll').scrollLeft"))
    assert len(set(places)) > 1 or view.ask(NEEDS) == 0, places


def test_a_still_picture_that_is_wide_scrolls_in_its_own_box(view):
    view.page.set_viewport_size({"width": 390, "height": 700})
    view.load(draw_network([np.ones((3, 2)), np.ones((4, 3)), np.ones((2, 4))]).html())
    image, box = (f"document.querySelector('main {part}')" for part in ("img", "div"))
    view.page.wait_for_function(f"() => {image}.complete")
    assert view.page.evaluate("document.documentElement.scrollWidth") <= 390
    assert view.page.evaluate(f"{box}.scrollWidth - {box}.clientWidth") > 100
    assert view.page.evaluate(f"13 * {image}.clientWidth / {image}.naturalWidth") >= 8.4
    fades = []
    for place in (0, 50, 9999):
        view.page.evaluate(f"place => {box}.scrollLeft = place", place)
        view.page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
        fades.append(view.page.evaluate(f"getComputedStyle({box}).maskImage"))
    assert len(set(fades)) == 3, fades  # at the beginning, in between, at the end
    view.load(draw_loss([1.0, 0.5]).html())
    assert view.page.evaluate(f"getComputedStyle({box}).maskImage") == "none"  # what fits does not fade


def test_a_wide_table_scrolls_under_a_caption_that_stays(view):
    rows = [{name: "indistinguishable" for name in ("claim", "verdict", "published", "here", "settings")}]
    view.page.set_viewport_size({"width": 390, "height": 700})
    view.load(draw_table(rows, caption="A caption of more words than the page has room for in one line")._repr_html_())
    assert view.page.evaluate("document.documentElement.scrollWidth") <= 390
    for place in (0, 9999):
        view.page.evaluate("place => document.querySelector('main > div').scrollTo(place, 0)", place)
        caption = view.page.locator("caption").bounding_box()
        assert caption["x"] >= 0
        assert caption["x"] + caption["width"] <= 390
    assert view.page.evaluate("document.querySelector('main > div').scrollLeft") > 50


@pytest.mark.parametrize(("width", "text"), [(1280, 1200), (1150, 900), (800, 400), (390, 390)])
def test_the_route_shows_where_one_is_also_beside_the_files_of_jupyterlab(view, width, text):
    view.page.set_viewport_size({"width": width, "height": 700})
    view.load(route_map("12").html(), style=f"width:{text}px")
    image, box = (f"document.querySelector('main {part}')" for part in ("img", "div"))
    view.page.wait_for_function(f"() => {image}.complete")
    assert view.page.evaluate(f"{box}.scrollWidth - {box}.clientWidth") == 0
    assert view.page.evaluate(f"{image}.clientWidth / {image}.naturalWidth") >= 0.9


def test_a_chart_goes_across_the_text_and_its_letters_stay(view):
    page = "margin:0 auto;width:960px;background:#fff"
    view.page.set_viewport_size({"width": 1280, "height": 700})
    shape = "(image => [image.clientWidth, image.clientHeight])"
    view.load(draw_loss([1.0, 0.5]).html(), style=page)
    still = view.page.evaluate(f"() => {shape}(document.querySelector('main img'))")
    view.tell(flip_through(draw_loss, losses=[[1.0, 0.5], [1.0, 0.1]]), style=page)
    turning = view.ask(f"{shape}(root.querySelector('img.on'))")
    for width, height in (still, turning):
        assert width > 900
        assert 0.5 < height / width < 0.7
    # A rule for wide pictures sees the page if the drawing stands there by itself.
    view.load(adapt(draw_loss([1.0, 0.5]).svg), style=page)
    size = view.page.evaluate("parseFloat(getComputedStyle(document.querySelector('svg text')).fontSize)")
    assert size == pytest.approx(11 / 1.4, abs=0.1)  # points, and the drawing grows by 1.56
