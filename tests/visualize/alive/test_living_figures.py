"""Living figures in a real browser: a test chooses t and reads the drawing. Time is a clock that the tests turn."""

import json
import os
import random
import re
from pathlib import Path

import numpy as np
import pytest
import stories

from coursepkg.visualize.alive.flip import flip_through
from coursepkg.visualize.alive.story import modules
from coursepkg.visualize.chart.descent import tell_descent
from coursepkg.visualize.chart.landscape import Landscape
from coursepkg.visualize.chart.series import draw_loss
from coursepkg.visualize.diagram.network import draw_network
from coursepkg.visualize.diagram.route import route_map
from coursepkg.visualize.graph.story import tell_graph
from coursepkg.visualize.paper.picture import adapt
from tools import lab as labs

pytestmark = pytest.mark.browser

SNAPSHOTS = Path(__file__).parent / "snapshots"
KINDS = list(stories.STORIES)
FIGURE = "document.querySelector('coursepkg-figure')"
PAGE = "<!doctype html><html lang=en><meta charset=utf-8><title>A figure</title><body style='{style}'>"
PAGE += "<main><h1>A figure</h1>{body}</main>"
# Everything that one sees, pixels included.
LOOK = """() => {
    const figure = document.querySelector('coursepkg-figure').shadowRoot.querySelector('figure');
    const parts = [...figure.children].filter(part => !part.matches('.voice'));
    const sampled = canvas => canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data
        .filter((_, n) => n % 997 === 0);
    const pixels = [...figure.querySelectorAll('canvas')].flatMap(canvas => [...sampled(canvas)]);
    return [parts.map(part => part.outerHTML).join('\\n'), pixels];
}"""


@pytest.fixture(scope="module")
def browser():
    executable = labs.find_browser()
    if executable is None:
        pytest.skip("NO CHROMIUM FOUND, SO LIVING FIGURES WERE NOT TESTED: install one or set COURSEPKG_CHROMIUM")
    with labs.chromium(executable) as browser:
        yield browser


class View:
    """A page with a figure; its errors and what it asked for from elsewhere are collected."""

    def __init__(self, context):
        self.page = context.new_page()
        self.complaints = []
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("console", lambda message: message.type == "error" and self.complaints.append(message.text))
        self.page.on("request", lambda request: request.url.startswith("http") and self.complaints.append(request.url))

    def load(self, body, *, style="margin:16px;background:#fff"):
        self.page.goto("about:blank")
        self.page.set_content(PAGE.format(style=style, body=body))
        return self

    def tell(self, story, **how):
        self.load(story.html(), **how)
        self.page.wait_for_function(f"() => {FIGURE}.player", polling=20)
        return self

    def ask(self, expression):
        return self.page.evaluate(
            f"() => {{ const figure = {FIGURE}, root = figure.shadowRoot; return {expression}; }}"
        )

    @property
    def t(self):
        return self.ask("figure.player.t")

    def jump(self, t):
        self.page.evaluate(f"t => {FIGURE}.player.jump(t)", t)

    def look(self):
        return self.page.evaluate(LOOK)

    def wait(self, milliseconds):
        self.page.clock.run_for(milliseconds)

    def locator(self, selector, **how):
        return self.page.locator("coursepkg-figure").locator(selector, **how)

    def text(self, selector):
        return self.ask(f"root.querySelector({selector!r}).textContent")


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


# --- draw(t)


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_t_is_the_same_picture_whatever_was_before(view, kind):
    story = stories.STORIES[kind]()
    view.tell(story)
    last = story.frames - 1
    times = [0, 0.02, 1, 1.3, 1.72, 2.9, last - 0.5, last]
    seen = {}
    for t in [*times, *reversed(times), *random.Random(0).sample(times, len(times))]:
        view.jump(t)
        (drawn, pixels), look = seen.setdefault(t, view.look()), view.look()
        assert drawn == look[0], f"{kind} at {t} depends on what was shown before"
        # A browser may round a colour that it mixes in another way the second time.
        assert all(abs(a - b) <= 2 for a, b in zip(pixels, look[1], strict=True)), f"{kind} at {t}"
    assert len({json.dumps(look) for look in seen.values()}) == len(times)


def same(one, other):
    """The same words, and numbers that differ by less than a pixel."""
    number = r"-?\d+(?:\.\d+)?"
    if re.split(number, one) != re.split(number, other):
        return False
    pairs = zip(re.findall(number, one), re.findall(number, other), strict=True)
    return all(abs(float(a) - float(b)) < 0.75 for a, b in pairs)


@pytest.mark.parametrize("kind", KINDS)
def test_first_and_last_state_look_as_they_did_when_somebody_looked(view, kind):
    story = stories.STORIES[kind]()
    view.tell(story)
    for name, t in (("first", 0), ("last", story.frames - 1)):
        view.jump(t)
        now = re.sub(r"(data:image/[a-z+]+)[^\"]*", r"\1", view.look()[0]).replace("><", ">\n<")
        file = SNAPSHOTS / f"{kind}-{name}.html"
        if os.environ.get("COURSEPKG_STORE_FIGURES"):
            file.write_text(now, encoding="utf-8", newline="\n")
        stored = file.read_text(encoding="utf-8")
        assert same(now, stored), f"{file.name} changed: look at it, then store it with COURSEPKG_STORE_FIGURES=1"


# --- keys


@pytest.mark.parametrize("kind", KINDS)
def test_no_step_is_lost(clocked, kind):
    story = stories.STORIES[kind]()
    clocked.tell(story)
    last = story.frames - 1
    clocked.jump(0)
    clocked.locator(".scrub").focus()
    presses = min(20, last)
    for _ in range(presses):
        clocked.page.keyboard.press("ArrowRight")
    clocked.wait(1500)
    assert clocked.t == presses
    for _ in range(presses):  # held: the browser repeats the key
        clocked.page.keyboard.down("ArrowLeft")
    assert clocked.t <= 1
    clocked.page.keyboard.up("ArrowLeft")
    clocked.wait(1500)
    assert clocked.t == 0
    clocked.page.keyboard.press("End")
    assert clocked.t == last
    clocked.page.keyboard.press("Home")
    assert clocked.t == 0


def test_twenty_of_twenty_held_keys_arrive(clocked):
    clocked.tell(stories.descent())
    clocked.jump(0)
    clocked.locator(".scrub").focus()
    for _ in range(20):
        clocked.page.keyboard.down("ArrowRight")
    clocked.page.keyboard.up("ArrowRight")
    clocked.wait(1500)
    assert clocked.t == 20


def test_the_track_is_a_slider_like_any_other(clocked):
    clocked.tell(stories.descent())
    clocked.locator(".scrub").focus()
    clocked.page.keyboard.press("Home")
    for key, place in (("ArrowUp", 1), ("PageUp", 6), ("ArrowDown", 5), ("PageDown", 0), ("PageDown", 0)):
        clocked.page.keyboard.press(key)
        clocked.wait(1000)
        assert clocked.t == place, key
    assert clocked.locator(".scrub").get_attribute("aria-valuetext") == "0 of 24"


def test_keys_stay_in_the_figure_and_shortcuts_go_on(view):
    view.tell(stories.graph())
    view.page.evaluate("window.got = []; document.addEventListener('keydown', event => got.push(event.key))")
    view.locator(".scrub").focus()
    for key in ("ArrowRight", "ArrowDown", "a", "d", "d", "Enter", "k", "k", " ", " "):
        view.page.keyboard.press(key)
    view.locator("select").focus()
    view.page.keyboard.press("ArrowDown")
    view.locator("[title^=Next]").focus()
    view.page.keyboard.press(" ")
    assert view.page.evaluate("got") == []
    for key in ("Shift+Enter", "Control+s", "Alt+k", "Meta+ArrowRight", "Escape"):
        view.page.keyboard.press(key)
    got = view.page.evaluate("got")
    assert [key for key in got if key not in ("Shift", "Control", "Alt", "Meta")] == [
        "Enter",
        "s",
        "k",
        "ArrowRight",
        "Escape",
    ]


def test_a_host_that_catches_keys_before_the_figure_leaves_it_its_own(view):
    """Notebook 7 listens on the way down, and looks for an attribute between the key's target and itself."""
    view.tell(stories.graph())
    view.page.evaluate("""() => {
        window.got = [];
        const caught = event => event.target.closest('[data-lm-suppress-shortcuts]') || got.push(event.key);
        document.addEventListener('keydown', caught, true);
    }""")
    view.locator(".scrub").focus()
    for key in ("Home", "Shift+Enter", "ArrowRight", "Control+s", "ArrowRight"):
        view.page.keyboard.press(key)
    view.page.wait_for_timeout(1500)
    assert view.t == 2
    assert [key for key in view.page.evaluate("got") if key not in ("Shift", "Control")] == ["Enter", "s"]


def test_a_figure_is_used_by_keyboard_alone(view):
    view.tell(stories.descent())
    reached = []
    for _ in range(12):
        view.page.keyboard.press("Tab")
        reached.append(view.ask("root.activeElement?.getAttribute('aria-label') ?? ''"))
    assert reached[:2] == ["rate", "momentum"]
    assert {"Play again", "Step back (left arrow)", "Next step (right arrow)", "Position", "Speed"} <= set(reached)


# --- playing


def test_a_story_with_words_leaves_time_to_read(clocked):
    clocked.tell(stories.graph())
    clocked.locator(".play").click()
    assert clocked.locator(".play").get_attribute("aria-label") == "Pause"
    clocked.wait(1100)
    assert clocked.t == 1
    clocked.wait(1000)
    assert clocked.t == 1
    clocked.wait(5000)
    assert clocked.t > 1
    clocked.locator("select").select_option("4")
    clocked.wait(40_000)
    assert clocked.t == stories.graph().frames - 1
    assert clocked.locator(".play").get_attribute("aria-label") == "Play again"


def test_a_film_runs_at_its_pace_and_at_the_speed_that_is_chosen(clocked):
    clocked.tell(stories.field())
    clocked.jump(0)
    clocked.locator(".play").click()
    clocked.wait(300)
    normal = clocked.t
    assert normal == pytest.approx(3, abs=0.4)
    clocked.locator("select").select_option("0.5")
    clocked.wait(300)
    assert clocked.t - normal == pytest.approx(1.5, abs=0.4)
    clocked.page.keyboard.press("Tab")
    clocked.locator(".scrub").focus()
    clocked.page.keyboard.press(" ")
    paused = clocked.t
    clocked.wait(1000)
    assert clocked.t == paused


@pytest.mark.parametrize("kind", ["graph", "field"])
def test_who_wants_no_motion_sees_whole_states_only(browser, kind):
    context = browser.new_context(reduced_motion="reduce")
    view = View(context)
    view.page.clock.install(time=0)
    view.page.clock.pause_at(1000)
    view.tell(stories.STORIES[kind]())
    view.jump(0)
    view.ask("window.seen = [], window.tell = figure.player.tell, figure.player.tell = p => (seen.push(p.t), tell(p))")
    view.locator(".scrub").focus()
    view.page.keyboard.press("ArrowRight")
    assert view.t == 1
    view.locator(".play").click()
    view.wait(20_000)
    seen = view.page.evaluate("seen")
    assert max(seen) > 1
    assert all(t == round(t) for t in seen)
    context.close()
    assert view.complaints == []


# --- words


def test_each_step_is_said_when_it_rests(clocked):
    story = stories.graph()
    clocked.tell(story)
    clocked.locator(".scrub").focus()
    clocked.wait(500)
    assert clocked.text(".voice") == story.say[0]
    for k in range(1, story.frames):
        clocked.page.keyboard.press("ArrowRight")
        clocked.wait(1400)
        assert (clocked.text(".voice"), clocked.text(".say")) == (story.say[k], story.say[k])


def test_what_passes_by_is_not_said(clocked):
    story = stories.graph()
    clocked.tell(story)
    clocked.locator(".scrub").focus()
    clocked.wait(500)
    for _ in range(5):
        clocked.page.keyboard.down("ArrowRight")
    assert clocked.text(".voice") == story.say[0]
    clocked.wait(1500)
    assert clocked.text(".voice") == story.say[5]
    assert clocked.ask("root.querySelector('.voice').getAttribute('aria-live')") == "polite"


def test_pictures_speak_their_words(clocked):
    clocked.tell(stories.flip())
    clocked.jump(2)
    clocked.wait(500)
    assert clocked.text(".voice") == "A bar 10 high, painted #0a5c2b"
    words = clocked.ask("[...root.querySelectorAll('.pile img')].map(image => image.alt).filter(Boolean)")
    assert words == ["A bar 10 high, painted #0a5c2b"]


@pytest.mark.parametrize("kind", KINDS)
def test_everything_that_can_be_used_has_a_name(view, kind):
    view.tell(stories.STORIES[kind]())
    controls = "[...root.querySelectorAll('button,input,select,[role=button],[role=img],[role=group]')]"
    nameless = f"{controls}.filter(c => !(c.getAttribute('aria-label') || c.labels?.length || c.textContent.trim()))"
    assert view.ask(f"{nameless}.map(c => c.outerHTML)") == []
    axe = os.environ.get("COURSEPKG_AXE")
    if axe:
        dark = "background:#111;color:#eee;color-scheme:dark"
        for style, width in (("background:#fff", 1280), (dark, 1280), ("background:#fff", 390)):
            view.page.set_viewport_size({"width": width, "height": 700})
            view.tell(stories.STORIES[kind](), style=style)
            view.page.evaluate(Path(axe).read_text(encoding="utf-8"))
            found = view.page.evaluate("() => axe.run(document)")["violations"]
            assert [(problem["id"], [node["html"][:90] for node in problem["nodes"]]) for problem in found] == []


def test_an_entry_is_called_by_its_number_once_it_is_computed(view):
    view.tell(stories.matrix())
    names = "[...root.querySelectorAll('.cell')].map(cell => cell.getAttribute('aria-label'))"
    seen = (
        "[...root.querySelectorAll('.cell .value')].map(text => +text.getAttribute('opacity') ? text.textContent : '')"
    )
    told = []
    for t in (0, "player.last"):
        view.page.evaluate(
            f"() => {{ const {{ player }} = document.querySelector('coursepkg-figure'); player.show({t}); }}"
        )
        told.append(view.ask(names))
        for name, number in zip(told[-1], view.ask(seen), strict=True):
            assert name.split()[2:3] == ([number] if number else [])
    assert told[0] != told[1]


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


@pytest.mark.parametrize("width", [1280, 390])
def test_the_route_shows_where_one_is_on_a_phone_too(view, width):
    view.page.set_viewport_size({"width": width, "height": 700})
    view.load(route_map("12").html())
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


# --- asking back


def predict(view, k):
    view.jump(k - 1)
    view.locator("button", has_text="Predict").click()
    view.locator(".scrub").focus()
    view.page.keyboard.press("ArrowRight")


def test_a_number_is_asked_for_before_it_is_shown(clocked):
    story = stories.graph()
    clocked.tell(story)
    k = min(story.asks)
    ask = story.asks[k]
    predict(clocked, k)
    assert clocked.t == k - 1
    assert clocked.text(".question") == ask.text
    assert clocked.locator("svg .asked").get_attribute("opacity") == "1"
    box = clocked.locator(".ask input")
    assert box.evaluate("node => node === node.getRootNode().activeElement")
    low, high, reply = next(each for each in ask.replies if not each[0] <= ask.right[0] <= each[1])
    told = {"": "Write a number", "abc": "Write a number", str((low + high) / 2): reply, "12345,5": ask.otherwise}
    for answer, words in told.items():
        box.fill(answer)
        box.press("Enter")
        assert clocked.text(".verdict").startswith(words)
        assert clocked.t == k - 1
    box.fill(str(sum(ask.right) / 2).replace("-", "−"))
    box.press("Enter")
    clocked.wait(1500)
    assert clocked.t == k
    assert not box.is_visible()
    assert clocked.locator("svg .asked").get_attribute("opacity") == "0"


def test_a_question_can_be_left_and_shown(clocked):
    story = stories.graph()
    clocked.tell(story)
    k = min(story.asks)
    predict(clocked, k)
    clocked.page.keyboard.press("Escape")
    assert not clocked.locator(".ask").is_visible()
    clocked.page.keyboard.press("ArrowRight")
    clocked.locator("button", has_text="Show me").click()
    clocked.wait(1500)
    assert clocked.t == k
    clocked.page.keyboard.press("ArrowRight")
    assert clocked.text(".question") == story.asks[k + 1].text
    clocked.page.keyboard.press("Escape")
    clocked.page.keyboard.press("Home")
    assert not clocked.locator(".ask").is_visible()


def test_playing_stops_at_a_question(clocked):
    story = stories.graph()
    clocked.tell(story)
    k = min(story.asks)
    clocked.locator("button", has_text="Predict").click()
    clocked.locator(".play").click()
    clocked.locator("select").select_option("4")
    clocked.wait(20_000)
    assert clocked.t == k - 1
    assert clocked.locator(".ask").is_visible()
    assert clocked.locator(".play").get_attribute("aria-label") == "Play"


def test_a_choice_is_answered_by_a_button(clocked):
    clocked.tell(stories.flip())
    predict(clocked, 3)
    assert not clocked.locator(".ask input").is_visible()
    clocked.locator("button", has_text="lower").click()
    assert clocked.text(".verdict") == "Look at the first two."
    clocked.locator("button", has_text="higher").click()
    clocked.wait(1000)
    assert clocked.t == 3


# --- each kind


def test_an_edge_says_its_chain_rule(view):
    story = stories.graph()
    view.tell(story)
    view.jump(4)
    before = view.look()
    edge = view.locator(".hit.edge").nth(1)
    edge.focus()
    view.page.keyboard.press("Enter")
    rule = story.data["rules"][1]
    assert view.text(".say") == rule["say"]
    assert view.ask("root.querySelector('.card').innerHTML.startsWith('<math')")
    assert edge.get_attribute("aria-pressed") == "true"
    view.page.keyboard.press("Enter")
    assert view.text(".say") == story.say[4]
    view.page.keyboard.press("Enter")
    view.page.keyboard.press("Escape")
    assert view.text(".say") == story.say[4]
    view.page.keyboard.press("Enter")
    view.jump(5)
    assert view.text(".say") == story.say[5]
    view.jump(4)
    edge.evaluate("node => node.blur()")
    assert view.look()[0].replace('tabindex="-1"', 'tabindex="0"') == before[0].replace('tabindex="-1"', 'tabindex="0"')


def test_an_operation_says_its_character_and_all_are_one_stop_of_tab(view):
    story = stories.graph()
    view.tell(story)
    assert view.ask("root.querySelectorAll('.hit[tabindex=\"0\"]').length") == 1
    view.locator(".hit[tabindex='0']").focus()
    for _ in story.data["nodes"][1:]:
        view.page.keyboard.press("ArrowDown")
    view.page.keyboard.press("Enter")
    assert view.text(".say") in story.data["characters"]
    assert view.ask("root.querySelectorAll('.hit[tabindex=\"0\"]').length") == 1
    assert view.t == 0


def test_a_number_in_a_formula_lights_its_place(view):
    view.tell(stories.graph())
    view.jump(8)
    view.locator(".line.on mn").last.hover()
    assert view.ask("[...root.querySelectorAll('.line.on .lit')].map(each => each.textContent)") == ["1"]
    assert view.ask("[...root.querySelectorAll('svg .lit')].map(each => each.textContent)") == ["1"]
    view.page.mouse.move(0, 0)
    assert view.ask("root.querySelectorAll('.lit').length") == 0


def test_the_badge_under_an_operation_touches_nothing(view):
    x = stories.Scalar(2.0, label="x")
    view.tell(tell_graph(((x * 1.234 + x / 7.0).tanh() * x + (x * x).exp() * 3.21) * (x + 2.5)))
    view.page.wait_for_timeout(50)
    touched = """() => {
        const figure = document.querySelector('coursepkg-figure'), root = figure.shadowRoot, found = [];
        const box = node => node.getBoundingClientRect();
        for (let k = 0; k <= figure.player.last; k++) {
            figure.player.jump(k);
            const badge = root.querySelector('.badge');
            if (!badge.textContent) continue;
            const b = box(badge);
            for (const other of root.querySelectorAll('.body, svg .over')) {
                const o = box(other);
                const beside = b.right <= o.left || o.right <= b.left || b.bottom - 2 <= o.top || o.bottom <= b.top + 2;
                if (!beside) found.push([k, badge.textContent]);
            }
        }
        return found;
    }"""
    assert view.page.evaluate(touched) == []


def test_dials_choose_a_path_and_the_map_does_the_same(view):
    story = stories.descent()
    view.tell(story)
    assert view.text(".say").startswith("Rate 0.1, momentum 0.5: ")
    first = view.locator(".stage .track").get_attribute("d")
    view.page.get_by_role("slider", name="momentum").press("ArrowRight")
    assert view.t == story.frames - 1
    assert view.text(".say").startswith("Rate 0.1, momentum 0.9: ")
    other = view.locator(".stage .track").get_attribute("d")
    assert other != first
    box = view.locator(".map").bounding_box()
    view.page.mouse.click(box["x"] + box["width"] * 0.6, box["y"] + box["height"] * 0.5)
    assert view.text(".say").startswith("Rate 0.1, momentum 0.5: ")
    assert view.locator(".stage .track").get_attribute("d") == first
    box = view.locator(".plot").bounding_box()
    view.page.mouse.click(box["x"] + box["width"] * 0.5, box["y"] + box["height"] * 0.5)
    assert view.t == pytest.approx(12, abs=0.5)


def test_the_start_is_dragged_and_a_method_hidden(view):
    view.tell(stories.race())
    assert view.text(".say").startswith("Start θ₁ −2, start θ₂ −1: slow ")
    box = view.locator(".stage").bounding_box()
    view.page.mouse.move(box["x"] + box["width"] * 0.3, box["y"] + box["height"] * 0.6)
    view.page.mouse.down()
    view.page.mouse.move(box["x"] + box["width"] * 0.85, box["y"] + box["height"] * 0.2)
    view.page.mouse.up()
    assert view.text(".say").startswith("Start θ₁ 2, start θ₂ 1: slow ")
    assert view.page.get_by_role("slider", name="start θ₁").input_value() == "2"
    name = view.page.get_by_role("button", name="Show quick")
    name.click()
    assert name.get_attribute("aria-pressed") == "false"
    assert view.ask("getComputedStyle(root.querySelector('.stage .m1')).display") == "none"


def test_who_leaves_the_map_is_an_arrow_at_its_frame_and_is_named(view):
    bowl = Landscape(lambda x, y: x * x + y * y, x_range=(-2, 2), y_range=(-1, 1), levels=[0.5, 1, 2])
    paths = {"stays": [[0.5, 0.0], [1.0, 0.5], [1.5, 0.9]], "leaves": [[0.5, 0.0], [1.0, 0.0], [9.0, 0.0]]}
    walked = {name: np.array([[path]]) for name, path in paths.items()}
    view.tell(tell_descent(bowl, walked, [("a", [1.0]), ("b", [1.0])], goal=0.1))
    tips = "[...root.querySelectorAll('.stage .method > g')].map(g => g.getAttribute('transform'))"
    marks = "[...root.querySelectorAll('.stage .method .tip')].map(tip => tip.getAttribute('d'))"
    assert view.text(".say").endswith("Shown up to step 2. leaves has left the map.")
    assert view.ask(tips)[1] == f"translate({bowl.width - 10:.1f} {bowl.height / 2:.1f}) rotate(0.0)"
    away = view.ask(marks)
    view.jump(1)
    assert "map" not in view.text(".say")
    assert "rotate" not in view.ask(tips)[1]
    assert view.ask(marks)[1] != away[1]
    assert view.ask(marks)[0] == away[0]


def test_dragging_along_the_loss_travels_through_training(view):
    story = stories.field()
    view.tell(story)
    box = view.locator(".curve").bounding_box()
    view.page.mouse.move(box["x"] + 20, box["y"] + 40)
    view.page.mouse.down()
    view.page.mouse.move(box["x"] + box["width"] - 1, box["y"] + 60)
    view.page.mouse.up()
    assert view.t == story.frames - 1
    assert view.text(".say") == story.say[-1]


def test_dials_of_pictures_choose_among_them(view):
    view.tell(stories.flip())
    view.jump(4)
    view.page.get_by_role("slider", name="colour").press("ArrowRight")
    assert view.t == 4
    assert view.ask("root.querySelector('.pile img.on').alt") == "A bar 20 high, painted #a31515"


def test_a_heater_is_chosen_by_its_dial_or_by_a_press(view):
    story = stories.light()
    view.tell(story)
    last = story.frames - 1
    view.jump(last)
    names, told = story.data["names"], story.data["told"]
    view.page.get_by_role("slider", name="heater").press("Home")
    assert view.text(".say").endswith(told[0])
    assert view.locator(".meeting b").text_content() == f"heater {names[0]}"
    view.locator("svg .heater .hit").nth(3).click()
    assert view.text(".say").endswith(told[3])
    assert view.t == last
    assert view.page.get_by_role("slider", name="heater").get_attribute("aria-valuetext") == names[3]


def test_light_comes_from_the_other_side_in_the_second_pass(view):
    story = stories.light()
    view.tell(story)
    lit = "[...root.querySelectorAll('.beam')].map(beam => beam.getAttribute('opacity') > 0)"
    first = story.data["part"].index(1)
    pieces = story.data["pieces"]
    for k, back in ((2, False), (first + 1, True)):
        view.jump(k)
        on = [place for (_, *place), there in zip(pieces, view.ask(lit), strict=True) if there]
        front = story.data["front"][k]
        assert on
        assert all(end > front if back else start < front for start, end in on)
        assert any(start > front for start, _ in on) is back


def test_a_node_leads_to_the_step_that_fills_it(view):
    story = stories.tree()
    view.tell(story)
    number = next(n for n, node in enumerate(story.data["nodes"]) if node["inside"] == "h₁")
    valued, judged = (story.data["nodes"][number][name][0] for name in ("value", "delta"))
    press = view.locator("svg .node .inside").nth(number)
    press.click()
    assert view.t == valued
    view.jump(story.frames - 1)
    press.click()
    assert view.t == judged


def test_a_direction_is_dragged_round(view):
    story = stories.shadow()
    view.tell(story)
    assert view.t == 5
    box = view.locator("svg.plane").bounding_box()
    middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    view.page.mouse.move(middle[0], middle[1] - 60)
    view.page.mouse.down()
    assert view.text(".count") == "90°"
    view.page.mouse.move(middle[0] - 120, middle[1])
    view.page.mouse.up()
    assert view.text(".count") == "180°"
    assert view.text(".say") == story.say[12]
    assert view.text(".fact") == story.data["facts"][12]


def test_another_seed_is_another_fan(view):
    story = stories.fan()
    view.tell(story)
    assert view.text(".say") == story.data["said"][0][9]
    view.page.get_by_role("slider", name="seed").press("ArrowRight")
    assert view.text(".say") == story.data["said"][1][9]
    assert view.locator("svg.plane .one.new").get_attribute("d").count("M") == 2


def test_more_buckets_and_another_seed_fold_otherwise(view):
    story = stories.sketch()
    view.tell(story)
    last = story.frames - 1
    view.jump(last)
    boxes = "[...root.querySelectorAll('.bucket')].filter(box => box.getAttribute('opacity') === '1').length"
    assert view.ask(boxes) == 2
    assert view.text(".say") == story.data["told"][0][1]["say"][last]
    view.page.get_by_role("slider", name="buckets").press("End")
    assert view.ask(boxes) == 5
    view.page.get_by_role("slider", name="seed").press("ArrowRight")
    view.jump(1)
    assert view.text(".say") == story.data["told"][1][2]["say"][1]
    assert view.t == 1
