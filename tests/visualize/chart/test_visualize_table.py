"""Tables of results."""

import xml.etree.ElementTree as ET

import pytest

from coursepkg.visualize.chart.table import draw_table

ROWS = [{"method": "backprop", "loss": 0.25, "steps": 1200}, {"method": "a < b", "loss": float("inf"), "steps": 3}]


def test_as_text_the_columns_are_aligned():
    assert repr(draw_table(ROWS, caption="Runs")) == (
        "Runs\nmethod    loss  steps\nbackprop  0.25  1200\na < b     ∞     3"
    )


def test_long_words_make_one_block_per_row():
    table = draw_table([{"claim": "it is fast", "here": "x" * 120, "verdict": "no"}], caption="Claims")
    assert repr(table) == f"Claims\nit is fast\n    here: {'x' * 120}\n    verdict: no"


def test_on_the_page_it_is_a_table_with_caption_and_headings():
    root = ET.fromstring(draw_table(ROWS, caption="Runs & more")._repr_html_()).find("table")
    assert root.find("caption").text == "Runs & more"
    assert [h.text for h in root.iter("th") if h.get("scope") == "col"] == ["method", "loss", "steps"]
    assert [h.text for h in root.iter("th") if h.get("scope") == "row"] == ["backprop", "a < b"]
    assert [cell.text for cell in root.iter("td")] == ["0.25", "1200", "∞", "3"]


def test_what_is_no_table_gets_advice():
    with pytest.raises(ValueError, match="at least one row"):
        draw_table([], caption="Runs")
    with pytest.raises(ValueError, match="a caption"):
        draw_table(ROWS, caption=" ")
    with pytest.raises(ValueError, match="headings method, loss, steps; got method"):
        draw_table([ROWS[0], {"method": "x"}], caption="Runs")
