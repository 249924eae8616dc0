"""Drawings of computational graphs: nothing overlaps, all flows to the right, and the numbers are the engine's."""

import itertools
import math
import re

import numpy as np
import pytest
from drawn import CORPUS, by_role, fork, misplaced, network, neuron, run, shapes, size, skip, sum_times, texts

from coursepkg.autodiff.graph_reader import contributions, give_names, read_graph
from coursepkg.autodiff.scalar import Scalar
from coursepkg.visualize.graph.drawing import GraphDrawing
from coursepkg.visualize.graph.fold import fold_graph
from coursepkg.visualize.graph.stepper import Passes
from coursepkg.visualize.graph.still import draw_graph, number_texts
from coursepkg.visualize.paper.text import format_number, parse_number


def drawing_of(root, max_nodes=40):
    nodes = give_names(read_graph(root))
    return GraphDrawing(nodes, fold_graph(nodes, max_nodes), *number_texts(nodes))


def named(root):
    """Drawn with a name over each operation, at the end of both passes."""
    return Passes(root).picture(-1)


@pytest.fixture(params=list(CORPUS))
def root(request):
    return run(CORPUS[request.param]())


def test_no_two_texts_overlap_and_none_leaves_the_paper(root):
    for picture in (draw_graph(root, title="A title"), named(root), draw_graph(root, max_nodes=400)):
        assert not misplaced(picture.svg)


def test_no_number_runs_into_a_node(root):
    svg = named(root).svg
    numbers = [text for text in texts(svg) if text.role.split(" ")[0] in ("value", "gradient", "branch")]
    for box in shapes(svg, "node"):
        if "width" not in box:
            continue
        x, y, w, h = (float(box[key]) for key in ("x", "y", "width", "height"))
        inside = [
            t.content
            for t in numbers
            if t.right > x + 1 and t.left < x + w - 1 and t.bottom > y + 1 and t.top < y + h - 1
        ]
        assert not inside


def test_every_edge_runs_from_left_to_right(root):
    for edge in shapes(draw_graph(root).svg, "edge"):
        command = re.findall(r"([MCH])([-\d. ]+)", edge["d"])
        x = [float(numbers.split()[-2] if letter in "MC" else numbers) for letter, numbers in command]
        assert all(right >= left - 1.5 for left, right in itertools.pairwise(x))
        assert x[-1] > x[0]


def test_operands_stand_in_earlier_columns(root):
    drawing = drawing_of(root)
    for edge in drawing.edges:
        assert drawing.layout.end[edge.source] < drawing.centre(edge.target)[0]


def test_drawn_numbers_are_the_numbers_of_the_engine(root):
    nodes = read_graph(root)
    svg = draw_graph(root).svg
    folding = fold_graph(nodes, 40)
    values, grads = by_role(svg, "value"), by_role(svg, "gradient")
    assert set(values) == {f"value n{index}" for index in folding.drawn}
    assert set(grads) == {f"gradient n{index}" for index in folding.drawn}
    for index in folding.drawn:
        scalar = nodes[index].source
        assert parse_number(values[f"value n{index}"]) == pytest.approx(scalar.data, rel=6e-3, abs=0)
        assert parse_number(grads[f"gradient n{index}"]) == pytest.approx(scalar.grad, rel=6e-3, abs=0)


def test_branches_of_a_fork_add_up_to_the_gradient_at_the_variable(root):
    drawing = drawing_of(root)
    for number, item in enumerate(drawing.items):
        leaving = [edge for edge in drawing.edges if edge.source == number]
        if len(leaving) > 1:
            parts = [edge.contribution for edge in leaving]
            assert math.fsum(parts) == pytest.approx(item.node.grad, rel=1e-9, abs=1e-9 * max(map(abs, parts)))
            assert all(edge.tap is not None for edge in leaving)


def test_a_fork_shows_each_contribution_and_their_sum():
    svg = draw_graph(run(fork())).svg
    nodes = read_graph(run(fork()))
    x = next(node.index for node in nodes if node.label == "x")
    sent = [c for node in nodes for p, c in zip(node.parents, contributions(node), strict=True) if p == x]
    drawn = [text for role, text in by_role(svg, "branch").items()]
    assert len(sent) == 4
    assert all(format_number(value) in drawn for value in sent)
    assert by_role(svg, "gradient")[f"gradient n{x}"] == "67.5"


def test_crossings_are_few_and_trees_have_none():
    assert drawing_of(run(neuron())).layout.crossings == 0
    assert drawing_of(run(sum_times())).layout.crossings == 0
    assert drawing_of(run(network())).layout.crossings <= 9


def test_an_input_that_is_used_again_later_needs_no_crossing():
    x, y, z = Scalar(-2.0, label="x"), Scalar(5.0, label="y"), Scalar(-4.0, label="z")
    assert drawing_of(run((x + y) * z + x)).layout.crossings == 0


def test_the_same_graph_gives_the_same_bytes(root):
    assert draw_graph(root).svg == draw_graph(root).svg


def test_a_large_graph_is_folded_and_counts_what_it_hides():
    deep = run(network(5, 3))
    nodes = read_graph(deep)
    folding = fold_graph(nodes, 40)
    inside = {index for box in folding.boxes.values() for index in box}
    assert len(folding.drawn) <= 20
    assert inside | set(folding.drawn) == set(range(len(nodes)))
    assert not inside & (set(folding.drawn) - set(folding.boxes))
    picture = draw_graph(deep)
    note = (
        f"{len(folding.drawn) - len(folding.boxes)} nodes drawn, {len(inside)} folded into {len(folding.boxes)} boxes"
    )
    assert note in picture.alt
    assert note in next(iter(by_role(picture.svg, "note").values()))
    for index, box in folding.boxes.items():
        assert f"⊞ {len(box)} nodes" in [text.content for text in texts(picture.svg)], index


def test_a_deep_narrow_graph_is_folded_too():
    value = Scalar(0.5, label="x")
    for _ in range(30):
        value = value.tanh()
    assert len(read_graph(value)) < 40
    assert size(draw_graph(run(value)).svg)[0] < 1400


def test_a_variable_used_behind_the_fold_keeps_its_edge_into_the_box():
    root = run(skip())
    drawing = drawing_of(root)
    (box,) = [number for number, item in enumerate(drawing.items) if item.folded]
    (into_box,) = [edge for edge in drawing.edges if edge.target == box]
    x = drawing.items[into_box.source].node
    assert x.label == "x"
    assert into_box.contribution + contributions(drawing.nodes[-1])[1] == pytest.approx(x.grad, rel=1e-12)


def test_a_million_nodes_are_drawn_without_recursion():
    value = Scalar(1.0, label="x")
    for _ in range(100_000):
        value = value + 1.0
    assert "100,001 nodes" in draw_graph(value, grads=False).alt


def test_gradients_can_be_hidden_in_picture_and_words():
    root = run(sum_times())
    forward = draw_graph(root, grads=False)
    assert not by_role(forward.svg, "gradient")
    assert "Gradients" not in forward.alt


def test_description_reads_a_small_graph_whole():
    assert draw_graph(run(sum_times())).alt == (
        "Computational graph with 5 nodes. Inputs: x = −2, y = 5, z = −4. Forward: q = x + y = 3; f = q × z = −12. "
        "Gradients: f 1, q −4, x −4, y −4, z 3."
    )


def test_description_sums_up_a_large_graph():
    root = run(network())
    text = draw_graph(root, max_nodes=1000).alt
    leaves = [node for node in read_graph(root) if node.is_leaf]
    steepest = max(leaves, key=lambda node: abs(node.grad))
    assert f"{len(leaves)} inputs and {len(read_graph(root)) - len(leaves)} operations" in text
    assert "3 tanh" in text
    assert f"The result L is {format_number(root.data)}" in text
    assert f"{steepest.label} {format_number(steepest.grad)}" in text
    assert len(text) < 400


class Half:
    """A learner's engine half way: a number and its operands, nothing else."""

    def __init__(self, data, _prev=()):
        self.data = data
        self._prev = _prev


class Micro:
    """An engine with micrograd's attributes: operands in a set, no local derivatives kept."""

    def __init__(self, data, _children=(), _op=""):
        self.data, self.grad, self._prev, self._op = data, 0, set(_children), _op


def test_a_half_built_engine_is_drawn_too():
    picture = draw_graph(Half(6.0, (Half(2.0), Half(3.0))))
    assert sorted(by_role(picture.svg, "value").values()) == ["2", "3", "6"]
    assert not by_role(picture.svg, "gradient")
    assert "?" in [text.content for text in texts(picture.svg)]


def test_a_gradient_that_is_not_there_yet_is_left_out():
    class Waiting(Half):
        grad = None

    assert not by_role(draw_graph(Waiting(6.0, (Waiting(2.0), Waiting(3.0)))).svg, "gradient")


def test_micrograds_set_of_operands_shows_a_square_as_two_edges():
    x = Micro(3.0)
    square = Micro(9.0, (x, x), "*")
    square.grad, x.grad = 1, 6.0
    svg = draw_graph(square).svg
    assert len(shapes(svg, "edge")) == 2
    assert list(by_role(svg, "branch").values()) == ["3", "3"]


def test_local_derivatives_of_known_operations_are_supplied():
    x, k = Micro(0.5), Micro(4.0)
    root = Micro(0.5**3, (x,), "**3")
    assert read_graph(root)[-1].local == [pytest.approx(0.75, rel=1e-12)]
    t = Micro(math.tanh(0.5), (x,), "tanh")
    assert read_graph(t)[-1].local == [pytest.approx(1 - math.tanh(0.5) ** 2, rel=1e-12)]
    relu = Micro(0, (Micro(-2.0),), "ReLU")
    assert read_graph(relu)[-1].local == [0.0]
    assert sorted(read_graph(Micro(2.0, (x, k), "*"))[-1].local) == [0.5, 4.0]
    assert read_graph(Micro(1.0, (x, k), "my own"))[-1].local == []


def test_arrays_are_named_by_their_shape():
    class Array:
        shape = (2, 3)

    tensor = Half(Array(), (Half(Array()),))
    assert list(by_role(draw_graph(tensor).svg, "value").values()) == ["2×3 array"] * 2


def test_operand_order_is_marked_only_where_it_matters():
    x, y = Scalar(3.0, label="x"), Scalar(2.0, label="y")
    assert list(by_role(draw_graph(x * y).svg, "operand").values()) == []
    roles = [text.content for text in texts(draw_graph(x - y).svg) if text.role == "operand"]
    assert sorted(roles) == ["1", "2"]


def test_markup_in_a_label_stays_text():
    picture = draw_graph(Scalar(1.0, label="<b>&\"'") * 2)
    assert "<b>&\"'" in [text.content for text in texts(picture.svg)]
    assert "<b>" not in picture.html()


def test_what_is_no_graph_gets_advice():
    for wrong in (3.0, np.float64(3.0), np.zeros((2, 3)), "loss", None):
        with pytest.raises(TypeError, match="pass the last Scalar"):
            draw_graph(wrong)
    with pytest.raises(ValueError, match="max_nodes=2"):
        draw_graph(Scalar(1.0), max_nodes=2)


def test_a_loop_gets_advice():
    first = Half(1.0)
    first._prev = (Half(2.0, (first,)),)
    with pytest.raises(ValueError, match="loop"):
        draw_graph(first)
