"""The fold: every row goes somewhere once, with its sign."""

import numpy as np
import pytest
from drawn import misplaced, texts

from coursepkg.visualize.row_fold import draw_row_fold

ORDER, SIGNS = [3, 0, 4, 1, 2], [1, -1, -1, 1, 1]


def boxes(picture):
    return [text.content for text in texts(picture.svg) if text.role == "row"]


def test_each_stage_adds_a_column():
    counts = [len(boxes(draw_row_fold(ORDER, SIGNS, 2, stage=stage))) for stage in (0, 1, 2)]
    assert counts == [5, 10, 12]


def test_the_summary_holds_every_row_once_with_its_sign():
    summary = boxes(draw_row_fold(ORDER, SIGNS, 2))[-2:]
    assert summary == ["+x4 −x1 −x5", "+x2 +x3"]


def test_the_words_say_what_is_drawn():
    alt = draw_row_fold(ORDER, SIGNS, 2, title="Fold").alt
    assert alt.startswith(
        "Fold. The 5 rows of X are shuffled, signed and folded into 2 rows: row 1 of the summary is +x4"
    )
    assert "+x4, −x1" in draw_row_fold(ORDER, SIGNS, 2, stage=1).alt.replace(" ", "", 0)


def test_negative_rows_are_told_apart_without_colour():
    assert draw_row_fold(ORDER, SIGNS, 2, stage=1).svg.count("stroke-dasharray") == 4


@pytest.mark.parametrize("rows", [1, 2, 7, 16])
@pytest.mark.parametrize("stage", [0, 1, 2])
def test_words_are_apart_and_on_the_paper(rows, stage):
    rng = np.random.default_rng(rows)
    for size in {1, (rows + 1) // 2, rows}:
        signs = rng.choice([-1, 1], rows).tolist()
        assert not misplaced(draw_row_fold(rng.permutation(rows).tolist(), signs, size, stage=stage, title="T").svg)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([0, 0], [1, 1], 1), "each once"),
        (([0, 1], [1, 2], 1), "numbers \\+1 or -1"),
        (([0, 1], [1, 1], 3), "between 1 and 2"),
        (([0, 1], [1, 1], 1, 4), "stage is 0, 1 or 2"),
    ],
)
def test_impossible_folds_get_advice(arguments, message):
    with pytest.raises(ValueError, match=message):
        draw_row_fold(*arguments[:3], stage=arguments[3] if len(arguments) > 3 else 2)
