"""The stepper: every sentence is right as arithmetic, and every number appears when it is known."""

import re

import pytest
from drawn import CORPUS, by_role, fork, network, neuron, random_expression, run, shapes, sum_times

from coursepkg.autodiff.graph_reader import read_graph
from coursepkg.autodiff.scalar import Scalar
from coursepkg.visualize.graph.stepper import Passes
from coursepkg.visualize.paper.text import MINUS, parse_number

NUMBER = rf"\(?({MINUS}?[\d.]+(?:e{MINUS}?\d+)?)\)?"
PRODUCT = re.compile(rf"upstream × local = downstream: {NUMBER} × {NUMBER} (=|≈) {NUMBER}\.")
TOTAL = re.compile(rf"now has {NUMBER} \+ {NUMBER} (=|≈) {NUMBER}\.")


def frames(root):
    passes = Passes(root)
    return [(passes.picture(number), step.sentence) for number, step in enumerate(passes.steps)]


def backward_steps(passes):
    return [step for step in passes.steps if step.phase == "backward"]


@pytest.mark.parametrize("seed", range(60))
def test_sentences_are_right_as_arithmetic(seed):
    for step in backward_steps(Passes(random_expression(seed, 12))):
        a, b, sign, c = PRODUCT.search(step.sentence).groups()
        left, right = parse_number(a) * parse_number(b), parse_number(c)
        assert right == pytest.approx(left, rel=2e-2 if sign == "≈" else 1e-9, abs=0)
        total = TOTAL.search(step.sentence)
        if total:
            a, b, sign, c = total.groups()
            terms = parse_number(a), parse_number(b)
            assert parse_number(c) == pytest.approx(sum(terms), rel=1e-9, abs=2e-2 * max(map(abs, terms)))
            assert sign == "≈" or parse_number(c) == pytest.approx(sum(terms), rel=1e-9, abs=0)


@pytest.mark.parametrize("name", ["neuron", "fork", "network", "constants", "skip", "random 3", "large random 2"])
def test_the_last_step_holds_the_gradients_of_the_engine(name):
    root = run(CORPUS[name]())
    passes = Passes(root)
    for index, grad in passes.steps[-1].grads.items():
        assert grad == pytest.approx(passes.nodes[index].grad, rel=1e-12, abs=0)
    assert set(passes.steps[-1].grads) == set(passes.folding.drawn)


def test_one_step_per_operation_then_one_per_edge():
    nodes = read_graph(fork())
    passes = Passes(fork())
    phases = [step.phase for step in passes.steps]
    operations, edges = sum(not n.is_leaf for n in nodes), sum(len(n.parents) for n in nodes)
    assert phases == ["start"] + ["forward"] * operations + ["seed"] + ["backward"] * edges + ["end"]


def test_upstream_times_local_in_words_and_numbers():
    x, y = Scalar(3.0, label="x"), Scalar(5.0, label="y")
    p = x * y
    p.label = "p"
    f = p * 3
    f.label = "f"
    sentences = [sentence for _, sentence in frames(f)]
    assert "Forward: p = x × y = 3 × 5 = 15." in sentences
    assert (
        "Backward, p to x: the local derivative ∂p/∂x = y = 5. upstream × local = downstream: 3 × 5 = 15." in sentences
    )


def test_contributions_accumulate_where_a_variable_forks():
    x = Scalar(3.0, label="x")
    f = x * x + x
    f.label = "f"
    sentences = " ".join(sentence for _, sentence in frames(f))
    assert "x is used 3 times, so this is the first of 3 contributions." in sentences
    assert "(operand 2)" in sentences
    assert "x now has 1 + 3 = 4." in sentences
    assert "x now has 4 + 3 = 7." in sentences


def test_the_equals_sign_is_kept_for_what_is_equal_as_written():
    sentences = [sentence for _, sentence in frames(Scalar(1.0, label="x") / Scalar(3.0, label="y"))]
    assert any("1 × 0.333 = 0.333" in sentence for sentence in sentences)
    x = Scalar(0.3333, label="x")
    assert "0.333 × 3 ≈ 1." in " ".join(sentence for _, sentence in frames(x * Scalar(3.0, label="k")))


def test_frames_need_no_backward_and_change_nothing():
    root = neuron()
    before = [node.grad for node in read_graph(root)]
    frames(root)
    assert [node.grad for node in read_graph(root)] == before


def test_numbers_appear_one_by_one():
    pictures = [picture for picture, _ in frames(sum_times())]
    counts = [(len(by_role(p.svg, "value")), len(by_role(p.svg, "gradient"))) for p in pictures]
    assert counts == [(3, 0), (4, 0), (5, 0), (5, 1), (5, 2), (5, 3), (5, 4), (5, 5), (5, 5)]
    assert all(shapes(p.svg, "mark") for p in pictures[1:-1])


def test_nothing_moves_from_frame_to_frame():
    pictures = [picture for picture, _ in frames(fork())]
    places = {tuple((s.get("x"), s.get("y"), s.get("d")) for s in shapes(p.svg, "node")) for p in pictures}
    assert len(places) == 1


def test_the_sentence_is_in_the_alt_text():
    for number, (picture, sentence) in enumerate(frames(neuron())):
        assert picture.alt.endswith(sentence)
        assert picture.alt.startswith(f"Step {number} of ")


def test_other_numbers_in_the_engine_are_pointed_out():
    root = run(fork())
    assert "Ask why" not in frames(root)[-1][1]
    x = next(node.source for node in read_graph(root) if node.label == "x")
    x.grad = 40.5  # the last contribution overwrote the others
    assert "The engine has stored other numbers: x 40.5." in frames(root)[-1][1]


def test_an_unknown_operation_gets_advice():
    class Own:
        def __init__(self, data, parents=(), op=""):
            self.data, self.grad, self.parents, self.op = data, 0.0, parents, op

    with pytest.raises(ValueError, match="local_grads"):
        frames(Own(1.0, (Own(2.0),), "my own"))


def test_a_folded_graph_steps_through_what_is_drawn():
    passes = Passes(network(5, 3))
    assert len(passes.steps) < 60
    assert "Ask why" not in passes.steps[-1].sentence
