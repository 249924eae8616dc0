"""A living figure under a learner's keys, while it plays, and where it asks back. Tests turn its clock."""

import pytest
import stories
from stories import KINDS
from views import View

pytestmark = pytest.mark.browser


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
