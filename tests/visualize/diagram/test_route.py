"""The map of the course."""

import pytest
from drawn import misplaced, shapes, texts

from coursepkg.visualize.diagram.route import CHAPTERS, route_map
from coursepkg.visualize.paper import svg
from coursepkg.visualize.paper.style import HIGHLIGHT, PAPER, ROUTE


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_stops_behind_are_filled_and_the_current_one_is_marked(chapter):
    here = list(CHAPTERS).index(chapter)
    fills = [stop["fill"] for stop in shapes(route_map(chapter).svg, "stop")]
    assert fills == [ROUTE] * here + [HIGHLIGHT] + [PAPER] * (len(CHAPTERS) - here - 1)


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_words_are_apart_and_on_the_paper(chapter):
    assert not misplaced(route_map(chapter).svg)


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_on_a_phone_all_stops_are_in_sight_and_two_are_told(chapter):
    here, picture = list(CHAPTERS).index(chapter), route_map(chapter)
    assert svg.size_of(picture.narrow)[0] <= 358
    assert not misplaced(picture.narrow)
    assert [stop["fill"] for stop in shapes(picture.narrow, "stop")].index(HIGHLIGHT) == here
    told = " ".join(text.content for text in texts(picture.narrow))
    assert f"You are here: {chapter} {CHAPTERS[chapter]}" in told
    assert ("Next: " in told) == (chapter != "12")


def test_the_words_say_where_we_are():
    alt = route_map("02").alt
    assert alt.startswith("The route of the course. You are at chapter 02, Scalar backpropagation, stop 3 of 13.")
    assert "Behind you: Start here, The kitchen" in alt
    assert "Ahead: Gradient descent" in alt
    assert "Behind" not in route_map("00").alt
    assert "Ahead" not in route_map("12").alt


def test_a_number_will_do():
    assert route_map(7) == route_map("07")


@pytest.mark.parametrize("chapter", ["13", 13, "2", -1, ""])
def test_an_unknown_chapter_gets_advice(chapter):
    with pytest.raises(ValueError, match="'00' to '12'"):
        route_map(chapter)


def test_every_title_is_written_out():
    words = " ".join(text.content for text in texts(route_map("05").svg))
    assert all(word in words for title in CHAPTERS.values() for word in title.split())
