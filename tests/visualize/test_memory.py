"""What a tape holds, as bars: lengths are bytes, and what is shared is not counted twice."""

import pytest
from drawn import misplaced, shapes, texts

from coursepkg.visualize.memory import draw_memory, format_bytes

ROWS = [("0 Linear", 4096, 0), ("1 ReLU", 2048, 1024), ("2 Linear", 0, 2048), ("loss", 10, 0)]


def test_lengths_are_proportional_to_bytes():
    own = [float(piece["width"]) for piece in shapes(draw_memory(ROWS).svg, "own")]
    assert own[0] == pytest.approx(2 * own[1], abs=0.2)


def test_what_is_shared_continues_the_bar_and_is_outlined():
    svg = draw_memory(ROWS).svg
    filled, outlined = shapes(svg, "own")[1], shapes(svg, "shared")[0]
    assert float(filled["x"]) + float(filled["width"]) == pytest.approx(float(outlined["x"]), abs=0.2)
    assert filled["fill"] != outlined["fill"]
    assert outlined["stroke-dasharray"]


def test_the_total_counts_what_is_added_and_nothing_twice():
    assert [t.content for t in texts(draw_memory(ROWS).svg) if t.role == "total"] == ["6.01 KiB"]
    assert draw_memory(ROWS).alt.endswith("by loss: 10 B. Together 6.01 KiB.")


@pytest.mark.parametrize(("size", "words"), [(0, "0 B"), (1023, "1023 B"), (1536, "1.5 KiB"), (6291456, "6 MiB")])
def test_bytes_get_the_unit_that_fits(size, words):
    assert format_bytes(size) == words


@pytest.mark.parametrize("rows", [ROWS, ROWS[:1], [("a part with a very long dotted name", 0, 0)], ROWS * 6])
@pytest.mark.parametrize("title", ["", "On the tape between forward and backward"])
def test_words_are_apart_and_on_the_paper(rows, title):
    assert not misplaced(draw_memory(rows, title=title).svg)


def test_impossible_holdings_get_advice():
    with pytest.raises(ValueError, match="at least one part"):
        draw_memory([])
    with pytest.raises(ValueError, match="cannot be negative"):
        draw_memory([("a", -1, 0)])
