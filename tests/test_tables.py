"""Tables of words: aligned or in blocks as text, marked up as HTML."""

import xml.etree.ElementTree as ET

from coursepkg.tables import Table

TABLE = Table(("route", "agrees"), [("reverse", "to 1e-10"), ("a < b", "NO")], "Two & more")


def test_columns_are_aligned_under_the_caption():
    assert TABLE.aligned() == ["route    agrees", "reverse  to 1e-10", "a < b    NO"]
    assert repr(TABLE) == str(TABLE) == "Two & more\n" + "\n".join(TABLE.aligned())


def test_lines_of_more_than_a_hundred_characters_become_blocks():
    fits, wide = (Table(("claim", "ours"), [("holds", "x" * letters)], "Claims") for letters in (91, 92))
    assert repr(fits) == f"Claims\nclaim  ours\nholds  {'x' * 91}"
    assert repr(wide) == f"Claims\nholds\n    ours: {'x' * 92}"


def test_html_has_a_caption_marked_headings_and_cells_without_a_style_of_their_own():
    page = TABLE._repr_html_()
    root = ET.fromstring(page).find("table")
    assert root.find("caption").text == "Two & more"
    assert [(h.get("scope"), h.text) for h in root.iter("th")] == [
        ("col", "route"), ("col", "agrees"), ("row", "reverse"), ("row", "a < b"),
    ]  # fmt: skip
    assert [cell.text for cell in root.iter("td")] == ["to 1e-10", "NO"]
    assert all(cell.get("style") is None for cell in root.iter() if cell.tag not in ("table", "caption"))


def test_styles_go_to_the_caption_and_to_every_cell():
    styled = Table(TABLE.headings, TABLE.rows, TABLE.caption, "text-align:left", "vertical-align:top")
    root = ET.fromstring(styled._repr_html_()).find("table")
    assert root.find("caption").get("style").endswith(";text-align:left")
    assert {cell.get("style") for tag in ("th", "td") for cell in root.iter(tag)} == {"vertical-align:top"}


def test_a_number_and_its_spread_stay_on_one_line():
    made = Table(["data", "score"], [["iris", "0.996 ± 0.012"]], "Scores")
    assert "<td>0.996\u00a0±\u00a00.012</td>" in made._repr_html_()
    assert "0.996 ± 0.012" in repr(made)
