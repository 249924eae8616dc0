"""A history in lanes, and the events that the course tells."""

import re

import pytest
from drawn import misplaced, shapes, texts

from coursepkg.history import EVENTS, LANES
from coursepkg.visualize.diagram.route import CHAPTERS
from coursepkg.visualize.diagram.timeline import draw_timeline
from coursepkg.visualize.paper.style import HIGHLIGHT
from coursepkg.visualize.paper.svg import least_width


@pytest.mark.parametrize("chosen", range(len(EVENTS)))
def test_one_event_is_marked_and_told(chosen):
    picture = draw_timeline(EVENTS, chosen, title="From Leibniz to light")
    fills = [dot["fill"] for dot in shapes(picture.svg, "event")]
    assert len(fills) == len(EVENTS)
    assert [k for k, fill in enumerate(fills) if fill == HIGHLIGHT] == [chosen]
    told = " ".join(text.content for text in texts(picture.svg) if text.role in ("who", "what"))
    assert told == f"{EVENTS[chosen].year} · {EVENTS[chosen].who} {EVENTS[chosen].what}"
    assert EVENTS[chosen].who in picture.alt


@pytest.mark.parametrize("chosen", range(len(EVENTS)))
def test_words_are_apart_and_on_the_paper(chosen):
    assert not misplaced(draw_timeline(EVENTS, chosen, title="From Leibniz to light").svg)


def test_dots_go_from_left_to_right_in_the_lane_of_their_family():
    dots = [(float(dot["cx"]), float(dot["cy"])) for dot in shapes(draw_timeline(EVENTS).svg, "event")]
    assert dots == sorted(dots, key=lambda dot: dot[0])
    heights = {event.lane: y for event, (_, y) in zip(EVENTS, dots, strict=True)}
    assert all(heights[event.lane] == y for event, (_, y) in zip(EVENTS, dots, strict=True))
    assert len(set(heights.values())) == len(LANES)


def test_every_event_has_a_source_with_a_year_a_family_and_a_chapter():
    assert [event.year for event in EVENTS] == sorted(event.year for event in EVENTS)
    for event in EVENTS:
        assert str(event.year) in event.source, event
        assert event.lane in LANES
        assert event.chapter in CHAPTERS
        assert re.fullmatch(r"[a-z].*\.", event.what), event


@pytest.mark.parametrize(
    ("events", "chosen", "message"),
    [((), 0, "at least one event"), (EVENTS[::-1], 0, "order of their years"), (EVENTS, 25, "got number 25")],
)
def test_what_is_no_history_gets_advice(events, chosen, message):
    with pytest.raises(ValueError, match=message):
        draw_timeline(events, chosen)


def test_all_of_it_can_be_read_on_a_phone_without_scrolling():
    assert max(least_width(draw_timeline(EVENTS, chosen).svg) for chosen in range(len(EVENTS))) <= 358
