"""Questions about the backward pass: right answers pass, typical wrong ones are named."""

import pytest
from drawn import by_role, fork, misplaced, neuron, random_expression, run, skip, sum_times, texts

from coursepkg.autodiff.scalar import Scalar
from coursepkg.visualize.nodes import read_graph
from coursepkg.visualize.predict import Questions, predict_through


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


@pytest.mark.parametrize("build", [sum_times, neuron, fork])
def test_the_question_gives_nothing_away(build):
    questions = Questions(build())
    for number in range(len(questions)):
        picture = questions.picture(number)
        shown = [text.content for text in texts(picture.svg)]
        assert shown.count("?") == 1
        assert not misplaced(picture.svg)
        assert picture.alt == questions.text(number)
        before = questions.passes.steps[questions.numbers[number] - 1]
        assert len(by_role(picture.svg, "gradient")) <= len(before.grads) + 1


def parts(widget):
    picture, controls, words = widget.children
    return picture, *controls.children, words


def test_check_reveal_and_next():
    picture, answer, check, reveal, forward, words = parts(predict_through(run(sum_times())))
    questions = Questions(sum_times())
    assert forward.disabled
    answer.value = 1.0
    check.click()
    assert "Not yet. That is the upstream gradient." in words.value
    assert picture.value == questions.picture(0).html()
    answer.value = -4.0
    check.click()
    assert "Right." in words.value
    assert check.disabled
    forward.click()
    assert picture.value == questions.picture(1).html()
    for _ in range(len(questions) - 2):
        reveal.click()
        forward.click()
    reveal.click()
    assert forward.disabled
    assert "−4 × 1 = −4" in words.value


def test_every_control_says_what_it_does():
    _, answer, check, reveal, forward, words = parts(predict_through(sum_times()))
    assert all(control.description for control in (answer, check, reveal, forward))
    assert 'aria-live="polite"' in words.value


def test_a_single_number_has_nothing_to_predict():
    with pytest.raises(ValueError, match="no edges"):
        predict_through(Scalar(1.0))
