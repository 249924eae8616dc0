"""What a living figure draws at t, and what it says: the same t is the same picture, and each step has words."""

import json
import os
import random
import re
from pathlib import Path

import pytest
import stories
from stories import KINDS

pytestmark = pytest.mark.browser

SNAPSHOTS = Path(__file__).parent / "snapshots"


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
