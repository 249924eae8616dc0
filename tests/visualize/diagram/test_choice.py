"""A ladder of questions: the way that was taken is marked, and every word can be read."""

import pytest
from drawn import misplaced, shapes, texts

from coursepkg.visualize.diagram.choice import draw_choice
from coursepkg.visualize.paper.style import HIGHLIGHT, INK

QUESTIONS = [
    ("Is it a function of few numbers, so that every one of them can be nudged by itself?", "differences"),
    ("Is there no way back?", "a forward gradient, averaged over as many directions as there is time for"),
    ("Short?", "yes"),
]


@pytest.mark.parametrize("taken", [0, 1, 2, 3])
def test_one_ending_is_marked_and_every_question_on_the_way(taken):
    svg = draw_choice(QUESTIONS, "reverse mode", taken=taken).svg
    answers = [box["fill"] == HIGHLIGHT for box in shapes(svg, "answer") if "height" in box]
    assert answers == [k == taken for k in range(4)]
    passed = [box["stroke"] == INK for box in shapes(svg, "question") if "height" in box]
    assert passed == [k <= taken for k in range(3)]


def test_nothing_is_marked_before_somebody_has_chosen():
    svg = draw_choice(QUESTIONS, "reverse mode").svg
    assert HIGHLIGHT not in svg
    assert "Marked" not in draw_choice(QUESTIONS, "reverse mode").alt


@pytest.mark.parametrize("taken", [None, 0, 1, 2, 3])
def test_words_are_apart_and_on_the_paper(taken):
    svg = draw_choice(QUESTIONS, "reverse mode", taken=taken, title="Which route?").svg
    assert not misplaced(svg)
    written = " ".join(text.content for text in texts(svg))
    assert all(word in written for question in QUESTIONS for part in question for word in part.split())


def test_words_stay_in_their_boxes():
    svg = draw_choice(QUESTIONS, "reverse mode", taken=1).svg
    boxes = [box for role in ("question", "answer") for box in shapes(svg, role) if "height" in box]
    for text in texts(svg):
        if text.role in ("question", "answer"):
            assert any(
                float(box["x"]) <= text.left
                and text.right <= float(box["x"]) + float(box["width"])
                and float(box["y"]) <= text.top
                and text.bottom <= float(box["y"]) + float(box["height"])
                for box in boxes
            ), text


def test_a_choice_that_is_none_gets_advice():
    with pytest.raises(ValueError, match="at least one question"):
        draw_choice([], "reverse mode")
    with pytest.raises(ValueError, match="ends at 0 to 3, got 4"):
        draw_choice(QUESTIONS, "reverse mode", taken=4)
