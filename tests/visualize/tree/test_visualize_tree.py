"""Neural trees as drawings, and the two passes as steps."""

import re

import numpy as np
import pytest
from drawn import misplaced, shapes, texts

from coursepkg.neural_tree import FunctionNode, Leaf, Tree, backward, forward, input_gradient, random_tree
from coursepkg.visualize import draw_tree, tell_tree
from coursepkg.visualize.paper.style import GRADIENT, VALUE
from coursepkg.visualize.paper.text import format_number


def hand_tree():
    inner = FunctionNode([Leaf(0, 1.0), Leaf(1, 2.0)], bias=-1.0, weight=-1.0)
    return Tree([FunctionNode([inner, Leaf(0, 0.5)], bias=0.2)], 2)


def small_tree(seed, n_outputs=3):
    rng = np.random.default_rng(seed)
    return random_tree(4, n_outputs, max_depth=2 if n_outputs > 1 else 1, max_children=4, start="normal", rng=rng)


def after_passes(tree, seed=0):
    rng = np.random.default_rng(seed)
    forward(tree, rng.normal(size=(5, tree.n_inputs)))
    backward(tree, rng.random((5, len(tree.outputs))))
    return tree


def written(picture, role):
    return [text.content for text in texts(picture.svg) if text.role == role]


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("n_outputs", [1, 2, 3])
def test_numbers_are_apart_and_on_the_paper(seed, n_outputs):
    tree = after_passes(small_tree(seed, n_outputs))
    for options in ({}, {"order": "forward"}, {"order": "backward", "title": "A tree"}, {"example": 2}):
        assert not misplaced(draw_tree(tree, **options).svg), options


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("options", [{}, {"example": 2}])
def test_no_number_lies_on_its_own_edge(seed, options):
    svg = draw_tree(after_passes(small_tree(seed, 1)), **options).svg
    edges = [re.findall(r"[\d.]+", edge["d"]) for edge in shapes(svg, "edge")]
    for role in ("weight", "gradient") if options else ("weight",):
        labels = [text for text in texts(svg) if text.role == role]
        for (x0, y0, x1, y1), label in zip(np.array(edges, dtype=float), labels, strict=True):
            x, y = np.linspace(x0, x1, 200), np.linspace(y0, y1, 200)
            assert not ((label.left < x) & (x < label.right) & (label.top < y) & (y < label.bottom)).any(), label


def test_a_chain_of_single_children_keeps_its_numbers_apart():
    chain = FunctionNode([FunctionNode([FunctionNode([Leaf(0, 1.5)], 0.1, -2.25)], 0.2, 0.75)], 0.3)
    tree = after_passes(Tree([chain, FunctionNode([Leaf(0, 1.0)])], 1))
    assert not misplaced(draw_tree(tree, example=0).svg)


def test_forward_numbers_are_post_order_and_backward_numbers_are_pre_order():
    """x₁ x₂ h₁ x₁ y on the way forward; y h₁ x₁ x₂ x₁ on the way back."""
    tree = hand_tree()
    output, inner = tree.functions
    first, second, last = inner.children[0], inner.children[1], output.children[1]
    for order, expected, colour in (
        ("forward", [first, second, inner, last, output], VALUE),
        ("backward", [output, inner, first, second, last], GRADIENT),
    ):
        picture = draw_tree(tree, order=order)
        drawn = {text.content: text for text in texts(picture.svg) if text.role == "inside"}
        note = f"1, 2, 3, ...: the order of the {order} pass"
        assert written(picture, "note")[0].startswith(note), "the colour is not the only carrier"
        assert sorted(drawn, key=int) == [str(k) for k in range(1, 6)]
        assert all(found["fill"] == colour for found in shapes(picture.svg, "inside"))
        heights = {(node.weight, node.bias) if isinstance(node, FunctionNode) else node.weight for node in expected}
        assert len(heights) == 5
        # The number stands at the height of its node: leaves from top to bottom are first, second, last.
        leaves = sorted((t.top, t.content) for t in drawn.values() if expected[int(t.content) - 1] in tree.leaves)
        assert [expected[int(number) - 1] for _, number in leaves] == [first, second, last]


def test_size_and_sign_of_a_weight_read_without_colour():
    tree = Tree([FunctionNode([Leaf(0, -2.0), Leaf(0, 0.5), Leaf(0, 0.0)])], 1)
    thick, thin, nothing = shapes(draw_tree(tree).svg, "edge")
    assert "stroke-dasharray" in thick
    assert "stroke-dasharray" not in thin
    assert float(thick["stroke-width"]) > float(thin["stroke-width"]) > float(nothing["stroke-width"]) > 0
    assert written(draw_tree(tree), "weight") == ["−2", "0.5", "0"]
    assert thick["stroke"] != thin["stroke"]


def test_width_grows_in_proportion_to_the_weight():
    tree = Tree([FunctionNode([Leaf(0, w) for w in (0.0, 1.0, -2.0, 4.0)])], 1)
    widths = np.array([float(edge["stroke-width"]) for edge in shapes(draw_tree(tree).svg, "edge")])
    steps = (widths[1:] - widths[0]) / np.array([1.0, 2.0, 4.0])
    np.testing.assert_allclose(steps, steps[0], atol=0.06)  # widths are rounded to a tenth of a pixel


def test_drawn_numbers_are_those_in_the_nodes():
    tree = after_passes(small_tree(1))
    picture = draw_tree(tree, example=3)
    assert sorted(written(picture, "value")) == sorted(format_number(node.value[3]) for node in tree.depths)
    assert sorted(written(picture, "delta")) == sorted("δ " + format_number(n.delta[3]) for n in tree.functions)
    assert sorted(written(picture, "gradient")) == sorted(format_number(e.weight_gradient) for e in tree.edges)
    assert sorted(written(picture, "weight")) == sorted(format_number(e.weight) for e in tree.edges)


def test_before_the_backward_pass_no_delta_is_drawn():
    tree = hand_tree()
    forward(tree, [[1.0, 0.5]])
    picture = draw_tree(tree, example=0)
    assert "0.731" in written(picture, "value")
    assert written(picture, "delta") == written(picture, "gradient") == []


def test_a_large_tree_shows_its_shape():
    tree = random_tree(4, 3, start="normal", rng=np.random.default_rng(0))
    picture = draw_tree(tree, title="As large as in the paper")
    assert len(shapes(picture.svg, "edge")) == len(tree.edges)
    assert len(shapes(picture.svg, "node")) == len(tree.functions)
    assert len(shapes(picture.svg, "leaf")) == len(tree.leaves)
    assert written(picture, "weight") == []
    assert not misplaced(picture.svg)
    negative = sum(edge.weight < 0 for edge in tree.edges)
    assert f"{negative} of {len(tree.edges)} negative" in picture.alt
    with pytest.raises(ValueError, match="grow a smaller one"):
        draw_tree(tree, order="forward")


def test_the_words_hold_every_edge():
    alt = draw_tree(hand_tree(), order="backward", output_names=["area"]).alt
    assert "area (bias 0.2) reads h₁ with weight −1 and x₁ with weight 0.5." in alt
    assert "h₁ (bias −1) reads x₁ with weight 1 and x₂ with weight 2." in alt
    assert "Order of the backward pass: area, h₁, x₁, x₂, x₁." in alt


def test_drawing_leaves_the_tree_alone():
    tree = hand_tree()
    before = tree.parameters()
    draw_tree(tree)
    tell_tree(tree, [1.0, 0.5], [1.0])
    assert np.array_equal(tree.parameters(), before)
    assert tree.functions[0].value is None


def test_bad_wishes_get_advice():
    tree = hand_tree()
    with pytest.raises(ValueError, match="'forward', 'backward' or None"):
        draw_tree(tree, order="sideways")
    with pytest.raises(ValueError, match="call forward"):
        draw_tree(tree, example=0)
    with pytest.raises(ValueError, match="1 output name, got 2"):
        draw_tree(tree, output_names=["y", "z"])
    forward(tree, [[1.0, 0.5]])
    with pytest.raises(ValueError, match="examples 0 to 0"):
        draw_tree(tree, example=1)
    with pytest.raises(ValueError, match="X has shape"):
        tell_tree(tree, [1.0], [1.0])
    with pytest.raises(ValueError, match="can be stepped through"):
        tell_tree(random_tree(4, 3, rng=np.random.default_rng(0)), np.ones(4), np.eye(3)[0])


# --- the passes, step by step


def test_every_node_gets_its_number_once_and_in_order():
    tree = small_tree(2)
    story = tell_tree(tree, np.array([0.5, -1.0, 2.0, 0.1]), np.array([0.0, 1.0, 0.0]))
    nodes, edges, marks = (story.data[name] for name in ("nodes", "edges", "marks"))
    order = {node: number for number, node in enumerate(tree.depths)}
    ahead = [order[node] for node in tree.post_order() if isinstance(node, FunctionNode)]
    assert marks == [None, *ahead, *(order[node] for node in tree.pre_order()), None]
    for parent in tree.functions:
        for child in parent.children:
            below, above = nodes[order[child]], nodes[order[parent]]
            assert below["value"][0] < above["value"][0], "a node waits for its children"
            assert below["delta"][0] > above["delta"][0], "a node waits for its parent"
    assert sorted(edge["child"] for edge in edges) == sorted(order[edge] for edge in tree.edges)


def test_what_travels_is_what_the_passes_left_in_the_nodes():
    tree = hand_tree()
    story = tell_tree(tree, [1.0, 0.5], [1.0])
    forward(tree, [[1.0, 0.5]])
    backward(tree, [[1.0]])
    names = [format_number(child.value[0]) for child in tree.functions[0].children]
    assert len(story.data["moves"]) == story.frames
    ahead, back = ([move for moves in story.data["moves"] for move in moves if move[2] is way] for way in (False, True))
    assert len(ahead) == len(back) == len(tree.edges)
    assert {words for _, words, _ in ahead} >= set(names)
    assert {words for _, words, _ in back} == {format_number(node.delta[0]) for node in tree.functions}


def test_a_delta_with_the_wrong_sign_or_without_its_slope_is_known():
    story = tell_tree(hand_tree(), [1.0, 0.5], [1.0])
    ask = story.asks[4]
    delta = sum(ask.right) / 2
    assert delta == pytest.approx(0.025, abs=1e-3)
    (low, high, words), (less, more, others) = ask.replies
    assert low < -delta < high
    assert "sign" in words
    assert less < delta / (0.731 * 0.269) < more
    assert "slope" in others


def test_the_hand_example_is_told_with_its_numbers():
    sentences = tell_tree(hand_tree(), [1.0, 0.5], [1.0]).say
    assert "= σ(z) ≈ 0.731" in sentences[1]
    assert "≈ −0.127" in sentences[3]
    assert "(−0.127) × (−1) × 0.731 × (1 − 0.731) ≈ 0.025" in sentences[4]
    assert sentences[-1].endswith("x₁ is read by 2 leaves: (−0.0635) + 0.025 = −0.0385.")


def test_an_equals_sign_means_equal_as_written():
    for seed in range(4):
        rng = np.random.default_rng(seed)
        for sentence in tell_tree(small_tree(seed), rng.normal(size=4), np.eye(3)[0]).say:
            for left, right in re.findall(r"([−\d.e()]+ × [−\d.e()]+) = ([−\d.e]*\d)", sentence):
                a, b = (float(x.strip("()").replace("−", "-")) for x in left.split(" × "))
                assert a * b == pytest.approx(float(right.replace("−", "-")), rel=1e-12), sentence


def test_the_last_sentence_adds_up_repeated_inputs():
    tree = hand_tree()
    forward(tree, [[1.0, 0.5]])
    backward(tree, [[1.0]])
    total = format_number(input_gradient(tree)[0, 0])
    assert tell_tree(tree, [1.0, 0.5], [1.0]).say[-1].endswith(f"{total}.")
    lonely = Tree([FunctionNode([Leaf(0, 1.0), Leaf(1, 1.0)])], 2)
    assert "No input is read twice" in tell_tree(lonely, [1.0, 2.0], [1.0]).say[-1]
