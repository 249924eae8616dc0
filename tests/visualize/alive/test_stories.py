"""A story is plain data: the same bytes each time, safe in a page, and refused where it does not fit."""

import base64
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest
import stories

from coursepkg.autodiff.scalar import Scalar
from coursepkg.autodiff.tensor import Tensor
from coursepkg.kitchen import rate_by_paths, supply_chain
from coursepkg.visualize.alive import story as told
from coursepkg.visualize.alive.flip import flip_through, take_apart
from coursepkg.visualize.alive.story import Question, Story, around, pack, read_stories
from coursepkg.visualize.chart.descent import settled, tell_descent
from coursepkg.visualize.chart.landscape import Landscape
from coursepkg.visualize.field.story import grid, tell_learning
from coursepkg.visualize.graph.market import tell_market
from coursepkg.visualize.graph.story import tell_graph
from coursepkg.visualize.graph.tensors import TensorPasses
from coursepkg.visualize.graph.unrolled import tell_unrolled
from coursepkg.visualize.matrix.story import tell_product
from coursepkg.visualize.paper import svg
from coursepkg.visualize.paper.picture import RULE, Picture, adapt
from coursepkg.visualize.paper.text import format_number, parse_number, text_width

mpl.use("Agg")
import matplotlib.pyplot as plt

BAR = stories.bar(5)


def read_back(story):
    """The story as a page reads it, from the HTML."""
    [told] = read_stories(story.html())
    return told


def test_a_story_is_the_same_bytes_in_every_process():
    here = [story().html() for story in stories.STORIES.values()]
    code = "import stories, json; print(json.dumps([story().html() for story in stories.STORIES.values()]))"
    folder = str(Path(stories.__file__).parent)
    run = {
        "capture_output": True,
        "text": True,
        "check": True,
        "cwd": folder,
        "env": os.environ | {"PYTHONHASHSEED": "7"},
    }
    assert json.loads(subprocess.run([sys.executable, "-c", code], **run).stdout) == here


@pytest.mark.parametrize("kind", stories.STORIES)
def test_what_the_page_reads_is_what_was_told(kind):
    story = stories.STORIES[kind]()
    page = read_back(story)
    assert page["frames"] == story.frames
    assert page["alt"] == story.fallback.alt
    assert len(page["say"]) in (0, story.frames)
    assert json.loads(story.as_json())["data"] == page["data"]
    assert story.html().startswith(f"<coursepkg-figure>{story.fallback.box()}<script")


def test_nothing_in_a_story_ends_its_script():
    nasty = "</script><img src=x onerror=alert(1)> \u2028 \u2029 & <!--"
    story = flip_through(lambda n: stories.bar(n), n=[1, 2], title=nasty, caption=f"{nasty} [x](value)")
    html = story.html()
    assert html.count("</script>") == 2
    assert "<img src=x" not in html
    assert "\u2028" not in html
    assert read_back(story)["title"] == nasty
    assert read_back(story)["caption"].startswith("&lt;/script&gt;")


def test_names_of_a_learner_are_escaped_in_formulas():
    story = tell_graph(Scalar(2.0, label="<b>a") * Scalar(3.0, label="\ue000x1"))
    page = read_back(story)
    assert any("&lt;b&gt;a" in text for text in page["data"]["formulas"])
    assert not any("<b>" in text for text in page["data"]["formulas"])


def test_formulas_set_numbers_names_and_signs_as_what_they_are():
    x = Scalar(2.0, label="x1")
    data = tell_graph((x * 3.0 + 1.0).tanh() ** 2).data
    said = " ".join(re.sub(r' (data-ref|class)="[^"]*"', "", text) for text in data["formulas"][1:5])
    assert "<msub><mi>x</mi><mn>1</mn></msub><mo>×</mo><mn>3</mn>" in said
    assert "<mo>=</mo><mn>6</mn><mo>+</mo><mn>1</mn><mo>=</mo><mn>7</mn>" in said
    assert '<mi>tanh</mi><mo stretchy="false">(</mo><mn>7</mn>' in said
    assert "</msub><mn>²</mn>" in said


def test_the_module_travels_once_and_can_be_kept_apart():
    story = stories.graph()
    assert told.module_source("graph") in story.html()
    assert 'register("descent"' not in story.html()
    apart = story.html(module="_static/alive/")
    assert apart.endswith('<script type="module" src="_static/alive/graph.js"></script>')
    assert "data-version" in story.html()
    assert "data-version" not in apart
    assert set(told.modules()) == {"alive.js", *(f"{kind}.js" for kind in told.kinds())}


def test_the_module_asks_for_nothing_and_cannot_end_its_script():
    for kind in told.kinds():
        source = told.module_source(kind)
        assert "</script" not in source
        assert "<!--" not in source
        assert set(re.findall(r"https?://[^\"'`\s]*", source)) == {"http://www.w3.org/2000/svg"}
        assert not re.search(r"\b(import|export|fetch|eval|Function|localStorage)\b[ ({]", source), kind


def test_the_core_stays_small():
    lines = {name: text.count("\n") for name, text in told.modules().items()}
    assert lines["alive.js"] <= 900
    assert all(len(told.module_source(kind)) < 45_000 for kind in told.kinds())


CALM = {"kind": "flip", "frames": 2, "title": "", "caption": "", "data": {}, "fallback": BAR}


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"kind": "film"}, ValueError, "there is no renderer 'film'; choose one of descent, "),
        ({"rhythm": "fast"}, ValueError, "'dwell' or 'flow'"),
        ({"frames": 0}, ValueError, "at least one frame"),
        ({"pace": 0}, ValueError, "pace above 0"),
        ({"say": ["one"]}, ValueError, "each of 2 frames"),
        ({"fallback": "<img>"}, TypeError, "is a Picture"),
        ({"caption": "[red](crimson)"}, ValueError, "crimson"),
    ],
)
def test_a_story_that_does_not_fit_says_why(change, error, words):
    with pytest.raises(error, match=re.escape(words)):
        Story(**CALM | change)


def test_a_story_is_shown_with_its_words():
    bundle = Story(**CALM)._repr_mimebundle_()
    assert set(bundle) == {"text/html", "text/plain"}
    assert bundle["text/plain"] == f"Living figure: {BAR.alt}"


def test_numbers_that_json_does_not_know_are_refused():
    with pytest.raises(ValueError, match="JSON"):
        Story(**CALM | {"data": {"x": float("nan")}}).html()


# --- dark paper


def test_a_picture_turns_dark_by_one_short_rule():
    assert len(RULE) <= 100
    html = BAR.html()
    drawn = base64.b64decode(re.search(r"base64,([^\"]*)", html)[1]).decode()
    assert drawn.count("<style>") == 1
    assert drawn.replace(RULE, "") == BAR.svg
    assert "<style>" not in BAR.svg


def test_only_the_root_of_nested_documents_turns_dark():
    nested = f'<?xml version="1.0"?><svg width="9"><g>{BAR.svg}</g></svg>'
    assert adapt(nested).startswith(f'<?xml version="1.0"?><svg width="9">{RULE}<g>')
    assert ":root{" in RULE


# --- flip


def test_pictures_are_spelled_from_shared_pieces():
    page = stories.flip().data
    for number, picture in enumerate(page["pictures"]):
        spelled = "".join("".join(page["pieces"][start : start + count]) for start, count in picture["spelled"])
        assert spelled == adapt(stories.bar((number // 2) * 5, ["#0a5c2b", "#a31515"][number % 2]).svg)
    assert len(page["pieces"]) == 6 + 20


def test_pictures_keep_their_size():
    in_points = Picture(BAR.svg.replace('width="60"', 'width="60pt"', 1), "a bar measured in points")
    story = flip_through(lambda n: [BAR, in_points][n], n=[0, 1])
    assert [picture["width"] for picture in story.data["pictures"]] == [60, 80]


def test_a_document_taken_apart_is_the_document():
    for text in ("<a><b/>x</a>", "<?xml?>\n<a>1 &lt; 2</a>", "x<y", "<a/>"):
        assert "".join(take_apart(text)) == text


def test_pictures_begin_where_they_are_told():
    story = flip_through(stories.bar, height=[1, 2], colour=["#ffffff", "#000000"], first={"colour": 1})
    assert story.fallback.alt == "A bar 1 high, painted #000000"
    assert [dial["first"] for dial in story.data["dials"]] == [1]
    with pytest.raises(ValueError, match="first names 'width', but the pictures go through height"):
        flip_through(stories.bar, height=[1, 2], first={"width": 1})


def test_a_figure_with_words_is_taken_and_closed():
    def plot(k):
        fig, ax = plt.subplots()
        ax.plot([0, k])
        return fig, f"A line from 0 to {k}"

    assert flip_through(plot, k=[1, 2]).fallback.alt == "A line from 0 to 1"
    assert not plt.get_fignums()
    with pytest.raises(TypeError, match="return fig, 'what it shows'"):
        flip_through(lambda k: None, k=[1, 2])


def test_too_many_states_are_turned_away():
    with pytest.raises(ValueError, match=r"21 × 2 = 42 pictures .* at most 40"):
        flip_through(stories.bar, height=range(21), colour=["#ffffff", "#000000"])
    with pytest.raises(ValueError, match="values to go through"):
        flip_through(stories.bar)
    with pytest.raises(ValueError, match="0 to 1, got 2"):
        flip_through(stories.bar, height=[1, 2], first=2)
    with pytest.raises(TypeError, match="let it return a Picture"):
        flip_through(lambda n: n, n=[1])


# --- graph


def test_every_edge_of_a_graph_has_its_chain_rule():
    data = stories.graph().data
    assert len(data["rules"]) == len(data["edges"])
    for rule in data["rules"]:
        assert "upstream × local = downstream" in rule["say"]
        assert "Along this edge alone, f changes" in rule["say"]
        assert "Contributions add" not in rule["say"]
        formula = rule["formula"] if isinstance(rule["formula"], str) else data["formulas"][rule["formula"]]
        assert formula.startswith("<math")
        assert "sum" not in formula
    assert data["rules"][0]["name"] == "Edge from x to v1"


def test_every_operation_has_its_character():
    x, y = Scalar(2.0, label="x"), Scalar(-3.0, label="y")
    said = " ".join(tell_graph((x * y + x).relu() - x / y + x * x).data["characters"])
    assert "Times swaps: x gets the gradient times y, and y the gradient times x." in said
    assert "Plus distributes: it hands its gradient unchanged to v1 and x." in said
    assert "relu scales" in said
    assert "− scales: it hands its gradient × 1 to v3 and × −1 to v4." in said
    assert "Times swaps: each of its two operands gets the gradient times the other, and both are x." in said
    assert "x is an input. " in said


def test_the_numbers_of_a_story_are_those_of_the_passes():
    story = stories.graph()
    last = {slot: changes[-1][1] for slot, changes in story.data["slots"].items()}
    assert {last["g0"], last["g1"]} == {"−4"}  # the product x y is below zero, so relu stops its gradient
    assert last["v2"] == "3"
    for number, moves in enumerate(story.data["moves"]):
        for move in moves:
            assert 0 <= move["edge"] < len(story.data["edges"])
            assert move.get("back", False) == story.say[number].startswith("Backward")


def test_a_folded_graph_is_told_as_far_as_it_is_drawn():
    x = Scalar(0.5, label="x")
    deep = x
    for _ in range(30):
        deep = deep * 1.5 + x
    story = tell_graph(deep)
    assert "folded" in story.data["note"]
    assert any("stands for" in character for character in story.data["characters"])
    assert len(story.data["rules"]) == len(story.data["edges"])
    told = [rule["formula"] for rule in story.data["rules"]]
    assert "" in {story.data["formulas"][each] for each in told if isinstance(each, int)}  # into the box: words only
    json.dumps(story.data)


def test_a_question_offers_choices_or_ranges():
    assert Question("Which?", choices=[("a", True, "")]).told() == {"text": "Which?", "choices": [["a", True, ""]]}
    assert Question("?", around(2.0)).told()["right"] == [1.988, 2.012]


# --- descent


def test_paths_are_stored_to_an_eighth_of_a_pixel():
    story = stories.descent()
    places = np.frombuffer(base64.b64decode(story.data["places"]), "<i2").reshape(4, 3, 1, 25, 2) / 8
    width, height = story.data["size"]
    path = stories.walk(0.1, 0.5)
    expected = np.stack([(path[:, 0] + 2) / 5 * width, (1.5 - path[:, 1]) / 3 * height], axis=-1)
    np.testing.assert_allclose(places[2, 1, 0], expected, atol=1 / 16 + 1e-9)


def test_a_path_that_flies_apart_is_cut_and_said():
    data = stories.descent().data
    assert data["said"][data["noted"][3][0][0]] == "flies apart"
    counts = np.frombuffer(base64.b64decode(data["counts"]), "<u2").reshape(4, 3)
    assert counts[3, 0] < 25
    assert (counts[:3] == 25).all()
    shades = np.frombuffer(base64.b64decode(data["shades"]), "u1").reshape(4, 3)
    assert shades[3, 0] == 255
    assert shades[shades < 254].min() == 0


def test_a_race_says_what_settled_means_and_where_its_axis_ends():
    data = stories.descent().data
    assert re.fullmatch(r"settled: \S+ stays below [\d.]+", data["meant"])
    assert data["scale"][0].startswith("up to ")


def test_settled_is_the_last_time_that_the_goal_is_crossed():
    assert settled([0.5, 0.1], goal=1) == 0
    assert settled([9, 0.5, 2, 0.5, 0.5], goal=1) == 3
    assert settled([9, 0.5, 2], goal=1) == -1
    assert settled([9, 90, float("inf")], goal=1) == -2
    assert settled([9, float("nan")], goal=1) == -2


def test_paths_that_do_not_fit_the_dials_say_why():
    bowl = Landscape(lambda a, b: a * a + b * b, x_range=(-1, 1), y_range=(-1, 1), levels=[0.5])
    dials = [("a", [1.0, 2.0]), ("b", [1.0])]
    with pytest.raises(ValueError, match=r"shape \(2, 1, steps \+ 1, 2\)"):
        tell_descent(bowl, {"GD": np.zeros((1, 1, 5, 2))}, dials, goal=1)
    with pytest.raises(ValueError, match="1 to 255 steps"):
        tell_descent(bowl, {"GD": np.zeros((2, 1, 1, 2))}, dials, goal=1)
    with pytest.raises(ValueError, match="one to 4 methods"):
        tell_descent(bowl, {}, dials, goal=1)
    with pytest.raises(ValueError, match="place of each dial"):
        tell_descent(bowl, {"GD": np.zeros((2, 1, 5, 2))}, dials, goal=1, first=(2, 0))


def test_a_loss_below_zero_gets_an_even_axis():
    bowl = Landscape(lambda a, b: a * a + b * b - 1, x_range=(-1, 1), y_range=(-1, 1), levels=[0.0])
    paths = np.linspace(1, 0, 5)[None, None, :, None] * np.ones(2)
    story = tell_descent(bowl, {"GD": paths}, [("a", [1.0]), ("b", [1.0])], goal=0)
    assert "log" not in story.data["scale"][0]
    heights = np.frombuffer(base64.b64decode(story.data["heights"]), "u1")
    assert list(heights[[0, -1]]) == [0, 255]


# --- field


def test_the_line_is_where_the_network_is_undecided():
    data = stories.field().data
    line = np.array(data["lines"][-1][0]).reshape(-1, 2)
    x = line[:, 0] / 560 * 4 - 2
    y = 1.5 - line[:, 1] / 392 * 3
    inside = np.abs(x) < 1.9
    np.testing.assert_allclose(y[inside], np.sin(2 * x[inside]), atol=0.03)
    assert all(data["moves"])


def test_shades_are_what_the_network_answers():
    data = stories.field().data
    shades = np.frombuffer(base64.b64decode(data["shades"]), "u1").reshape(8, -1) / 255
    places = grid((-2, 2), (-1.5, 1.5))
    np.testing.assert_allclose(shades[0], 1 / (1 + np.exp(4 * places[:, 1])), atol=0.003)
    assert data["wrong"][0] == []
    tiles = np.frombuffer(base64.b64decode(data["tiles"]), "u1")
    assert tiles.size == 8 * 3 * 70


def test_answers_that_do_not_fit_say_why():
    def told(answer, **more):
        return tell_learning(answer, [[0.5, 0.5]], [0], [1.0], [0], **more)

    def zero(step, places):
        return np.zeros(len(places))

    with pytest.raises(ValueError, match=r"answers in the plane needs shape \(1, 1120\), got \(1, 7\)"):
        told(lambda step, places: np.zeros(7))
    with pytest.raises(ValueError, match="not finite"):
        told(lambda step, places: zero(step, places) * np.nan)
    with pytest.raises(ValueError, match=r"answers at the points needs shape \(1, 1\), got \(1, 2\)"):
        told(lambda step, places: np.zeros(max(len(places), 2)))
    with pytest.raises(ValueError, match="1 to 12 hidden units"):
        told(zero, hidden=lambda step, places: np.zeros((13, len(places))))


def test_packed_arrays_read_the_same_everywhere():
    assert np.frombuffer(base64.b64decode(pack(np.array([1, -2], dtype=">i4"), "i2")), "<i2").tolist() == [1, -2]


# --- matrix


def test_a_product_and_its_gradients_are_those_of_numpy():
    left, right, gradient = np.array([[2.0, -1.0], [0.5, 3.0]]), np.array([[1.0, 0, 4], [-2, 3, 1]]), np.eye(2, 3)
    story = tell_product(left, right, gradient=gradient)
    data, last = story.data, dict(story.data["below"][-1])
    values = [cell[2] for cell in data["cells"] if cell[5]]
    assert values == [format_number(value) for value in (left @ right).flat]
    expected = [*(gradient @ right.T).flat, *(left.T @ gradient).flat, *gradient.flat]
    assert [last[cell] for cell in range(len(data["cells"]))] == [format_number(value) for value in expected]


def test_an_entry_goes_to_the_state_that_computes_it():
    story = stories.matrix()
    for k, target in enumerate(story.data["targets"]):
        if target >= 0:
            assert story.data["cells"][target][4] == k
            assert story.data["sums"][k].endswith(f'data-ref="c{target}">{_shown(story, k, target)}</b>')
    assert story.say[3].startswith("Row 0 of X times column 2 of W: y02 = 2 · 4 + (−1) · 1 = 7. ")
    assert story.asks[3].right[0] < 7 < story.asks[3].right[1]


def _shown(story, k, cell):
    table = story.data["cells"][cell]
    return table[2] if table[5] else dict(story.data["below"][k])[cell]


def test_an_entry_moves_with_its_row_and_its_column_only():
    data = stories.matrix().data
    moves = dict(data["below"][3])  # y02
    assert [moves[cell] for cell in range(4)] == ["4", "1", "0", "0"]
    assert [moves[cell] for cell in range(4, 10)] == ["0", "0", "2", "0", "0", "−1"]


def test_products_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match=r"\(n, d\) and \(d, m\), got \(2, 3\) and \(2, 3\)"):
        tell_product(np.ones((2, 3)), np.ones((2, 3)))
    with pytest.raises(ValueError, match=r"has its shape \(2, 2\), got \(2, 3\)"):
        tell_product(np.ones((2, 3)), np.ones((3, 2)), gradient=np.ones((2, 3)))
    with pytest.raises(ValueError, match="49 entries are too many"):
        tell_product(np.ones((7, 2)), np.ones((2, 7)))


# --- unrolled


@pytest.mark.parametrize("value", [-0.000321, 0.0123, 0.00912, -98765.4, 12345.0, -1.5e-7, 0.5])
def test_numbers_on_the_road_fit_between_two_boxes(value):
    run = ([0.0, value], [value, 1.0], [value])
    [told] = tell_unrolled({"": run}).data["runs"]
    for text in (told["states"][1], told["gradients"][0]):
        assert text_width(text, 13) * svg.BOLD <= 66
        assert parse_number(text) == pytest.approx(value, rel=0.1)


def test_the_bucket_holds_what_the_uses_contribute():
    run = stories.bucket(0.5)
    story = tell_unrolled({"": run})
    assert story.frames == 8
    totals = story.data["runs"][0]["totals"]
    assert totals[0] == "bucket of w: empty"
    assert totals[-1] == f"bucket of w: {format_number(sum(run[2]))}"
    assert sum(share for share, _ in story.data["runs"][0]["shares"]) == pytest.approx(1, rel=1e-3)
    assert [story.asks[k].right[0] <= sum(run[2][-n:]) <= story.asks[k].right[1] for n, k in ((1, 5), (3, 7))]
    assert "Back through step 1." in story.data["say"][0][-1]


def test_a_gate_is_said_and_lies_on_the_road():
    story = stories.gated()
    assert story.data["runs"][0]["gates"] == [[0.1, "0.1"], [0.5, "0.5"], [0.95, "0.95"]]
    assert "The gate lets 0.95 of it through." in story.data["say"][0][5]
    assert "valve" in story.caption


def test_runs_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="a name for the dial"):
        tell_unrolled({1: stories.bucket(1.0), 2: stories.bucket(2.0)})
    with pytest.raises(ValueError, match="got 2 gates"):
        tell_unrolled({"": stories.bucket(1.0, gates=(0.5, 0.5))})


# --- graphs of tensors


def layer():
    W, b = Tensor([[1.0, -2.0], [0.5, 1.0], [0.0, 2.0]], requires_grad=True), Tensor([0.1, -0.2], requires_grad=True)
    x = np.arange(12.0).reshape(4, 3) / 10 - 0.4
    return np.mean(np.tanh(x @ W + b) ** 2) - 0.5 * np.sum(W * W), {"x": x, "W": W, "b": b}


def test_edges_of_tensors_send_what_the_engine_sends():
    loss, labels = layer()
    passes = TensorPasses(loss, labels)
    loss.backward(retain_graph=True)
    end = passes.steps[-1]
    for node in passes.nodes:
        if node.name in ("W", "b"):
            assert end.grads[node.index] == pytest.approx(labels[node.name].grad, rel=1e-12, abs=0)
            shares = [share for (index, k), share in end.sent.items() if passes.nodes[index].parents[k] == node.index]
            assert np.sum(shares, axis=0) == pytest.approx(labels[node.name].grad, rel=1e-12, abs=1e-15)


def test_edges_of_tensors_say_their_rule_and_their_shapes():
    loss, labels = layer()
    said = " ".join(rule["say"] for rule in tell_graph(loss, labels=labels).data["rules"])
    for words in (
        "W\u0304 gets xᵀ v\u03041. What arrives is 4×2, what leaves is 3×2, as W is.",
        "b\u0304 gets v\u03042, summed over its copies. What arrives is 4×2, what leaves is (2,), as b is.",
        "v\u03043 gets v\u03044 times 2 v3, entry by entry.",
        "copied to every entry. What arrives is a number, what leaves is 4×2",
        "x is a constant: nobody asks for its gradient.",
    ):
        assert words in said


def test_shapes_are_asked_where_there_is_a_choice():
    loss, labels = layer()
    story = tell_graph(loss, labels=labels)
    assert story.asks
    for number, ask in story.asks.items():
        assert [label for label, right, _ in ask.choices if right] == [_shape_that_leaves(story.say[number])]
        assert len(ask.choices) > 1


def _shape_that_leaves(sentence):
    return re.search(r"what leaves is (.+), as", sentence)[1]


def test_graphs_of_tensors_that_cannot_be_told_are_refused():
    w = Tensor([1.0, 2.0], requires_grad=True)
    with pytest.raises(ValueError, match=r"single number, got shape \(2,\)"):
        tell_graph(w * 3)
    with pytest.raises(ValueError, match="3 nodes are too many to tell, at most 2"):
        tell_graph(np.sum(w * 3), max_nodes=2)


# --- market


def test_a_market_is_swept_back_to_the_rates_of_all_its_paths():
    links = supply_chain(stalls=3, stages=2)
    story = tell_market(links)
    last = {node["name"]: story.data["slots"][f"g{node['i']}"][-1][1] for node in story.data["nodes"]}
    assert last["coin"] == format_number(rate_by_paths(links, "coin", "portion")[0])
    assert story.frames == len(last)
    assert story.asks[story.frames - 1].right[0] < rate_by_paths(links, "coin", "portion")[0]
    assert len(story.data["rules"]) == len(links)
    assert all("Along this link alone" in rule["say"] for rule in story.data["rules"])
