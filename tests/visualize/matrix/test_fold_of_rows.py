"""The fold: every row goes somewhere once, with its sign."""

import numpy as np
import pytest
from drawn import misplaced, texts

from coursepkg.visualize import tell_fold

ORDER, SIGNS = [3, 0, 4, 1, 2], [1, -1, -1, 1, 1]


def still(order=ORDER, signs=SIGNS, size=2):
    return tell_fold({0: (order, signs)}, [size], title="Fold").fallback


def test_each_row_stands_in_every_column_of_the_still():
    names = [text.content for text in texts(still().svg) if text.role == "row"]
    assert len(names) == 15
    assert names.count("−x5") == 2


def test_the_words_say_what_is_drawn():
    assert still().alt == (
        "The 5 rows of X are shuffled, signed and folded into 2 rows: row 1 of the summary is +x4 −x1 −x5, "
        "row 2 is +x2 +x3."
    )


def test_negative_rows_are_told_apart_without_colour():
    assert still().svg.count("stroke-dasharray") == 4


@pytest.mark.parametrize("rows", [1, 2, 7, 16])
def test_words_are_apart_and_on_the_paper(rows):
    rng = np.random.default_rng(rows)
    for size in {1, (rows + 1) // 2, rows}:
        signs = rng.choice([-1, 1], rows).tolist()
        assert not misplaced(still(rng.permutation(rows).tolist(), signs, size).svg)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([0, 0], [1, 1], 1), "each once"),
        (([0, 1], [1, 2], 1), "numbers \\+1 or -1"),
        (([0, 1], [1, 1], 3), "between 1 and 2"),
    ],
)
def test_impossible_folds_get_advice(arguments, message):
    with pytest.raises(ValueError, match=message):
        tell_fold({0: arguments[:2]}, [arguments[2]])


@pytest.mark.parametrize("rows", [1, 5, 16])
def test_every_row_ends_in_one_slot_and_is_said_once(rows):
    rng = np.random.default_rng(rows)
    draws = {seed: (rng.permutation(rows).tolist(), rng.choice([-1, 1], rows).tolist()) for seed in range(2)}
    sizes = sorted({1, (rows + 1) // 2, rows})
    story = tell_fold(draws, sizes)
    assert story.frames == rows + 4
    for (order, signs), told in zip(draws.values(), story.data["told"], strict=True):
        for size, each in zip(sizes, told, strict=True):
            assert len({(bucket, slot) for *_, bucket, slot in each["moves"]}) == rows
            assert {bucket for *_, bucket, _ in each["moves"]} == set(range(size))
            assert [each["moves"][row][0] for row in order] == list(range(rows))
            assert [each["moves"][row][1] for row in order] == signs
            assert len(each["say"]) == story.frames
    assert told[-1]["say"][-1].endswith("No two share a bucket: exact.")


def test_a_bucket_is_said_with_what_it_holds_so_far():
    say = tell_fold({0: (ORDER, SIGNS)}, [2]).data["told"][0][0]["say"]
    assert say[5] == "−x5 goes into bucket 1, which holds +x4 −x1 −x5 now."
    assert say[6] == "+x2 goes into bucket 2, which holds +x2 now."
    assert say[-1] == "5 rows have become 2. 5 of them share a bucket and disturb each other."


def test_folds_that_cannot_be_told_get_advice():
    with pytest.raises(ValueError, match="one number of rows"):
        tell_fold({0: ([0], [1]), 1: ([0, 1], [1, 1])}, [1])
    with pytest.raises(ValueError, match="one number of rows"):
        tell_fold({0: ([0], [1])}, [])
    with pytest.raises(ValueError, match="each once"):
        tell_fold({0: ([0, 1], [1, 1]), 1: ([0, 0], [1, 1])}, [1])
