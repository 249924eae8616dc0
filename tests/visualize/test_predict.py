"""Questions about the backward pass: right answers pass, typical wrong ones are named."""

import pytest
from drawn import fork, random_expression, run, skip

from coursepkg.autodiff.scalar import Scalar
from coursepkg.visualize.nodes import read_graph
from coursepkg.visualize.predict import Questions


def answers(questions):
    """What each edge sends back, from the gradients of the engine's own backward pass."""
    nodes = questions.passes.nodes
    return [nodes[r].grad * nodes[r].local[p] for r, p, _ in map(questions.ends, range(len(questions)))]


@pytest.mark.parametrize("seed", range(12))
def test_right_answers_pass_as_numbers_and_as_drawn(seed):
    questions = Questions(run(random_expression(seed)))
    for number, answer in enumerate(answers(questions)):
        for version in (answer, float(f"{answer:.3g}")):
            right, sentence = questions.judge(number, version)
            assert right, sentence
            assert sentence.startswith("Right. Backward")


def test_there_is_one_question_per_edge():
    assert len(Questions(fork())) == sum(len(node.parents) for node in read_graph(fork()))
    folded = Questions(skip())
    assert 0 < len(folded) < 40
    assert all(folded.ends(number) for number in range(len(folded)))


def test_typical_wrong_answers_are_named():
    x, y = Scalar(3.0, label="x"), Scalar(5.0, label="y")
    p = x * y
    p.label = "p"
    questions = Questions(p * 7)
    (to_x,) = [n for n in range(len(questions)) if "back to x" in questions.text(n)]
    said = {answer: questions.judge(to_x, answer) for answer in (35.0, 7.0, 5.0, -35.0, 12.0, 3.0, 100.0)}
    assert [right for right, _ in said.values()] == [True, False, False, False, False, False, False]
    for answer, words in (
        (7.0, "upstream gradient. Multiply"), (5.0, "local derivative. Multiply"), (-35.0, "sign"), (12.0, "You added"),
        (3.0, "forward value of x"), (100.0, "upstream gradient is 7"),
    ):  # fmt: skip
        assert words in said[answer][1]


def test_the_running_sum_at_a_fork_is_told_from_the_contribution():
    x = Scalar(3.0, label="x")
    questions = Questions(x * 4 + x * 0.5)
    to_x = [n for n in range(len(questions)) if "back to x" in questions.text(n)]
    assert questions.judge(to_x[-1], 4.5) == (
        False,
        "Not yet. That is the sum at x so far. This edge is asked for alone.",
    )
    assert questions.judge(to_x[-1], 4.0)[0]
