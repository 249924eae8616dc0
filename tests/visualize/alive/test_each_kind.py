"""What each kind of living figure lets a learner do."""

import numpy as np
import pytest
import stories

from coursepkg.visualize.chart.descent import tell_descent
from coursepkg.visualize.chart.landscape import Landscape
from coursepkg.visualize.graph.story import tell_graph

pytestmark = pytest.mark.browser


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
