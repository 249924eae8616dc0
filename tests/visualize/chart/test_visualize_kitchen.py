import itertools
import re
import xml.etree.ElementTree as ET

import pytest
from drawn import shapes, texts

from coursepkg.autodiff.scalar import Scalar
from coursepkg.kitchen import Ingredient, Kitchen, rates_by_sweep, repair, supply_chain
from coursepkg.visualize.chart.kitchen import draw_discount, draw_limits, draw_repair
from coursepkg.visualize.graph.market import tell_market
from coursepkg.visualize.paper.text import format_number


def with_role(picture, role):
    return [word.content for word in texts(picture.svg) if word.role == role]


def stew(tomatoes=0.4):
    rest = (1 - tomatoes) / 2
    return Kitchen(
        budget=40,
        fee=0.1,
        rice=Ingredient(2.0, 100, rest),
        beans=Ingredient(4.0, 75, rest),
        tomatoes=Ingredient(2.5, 200, tomatoes),
    )


def kilograms(coins):
    return coins * (1 + coins / 50) / 2


def discount(coins):
    spent = Scalar(coins)
    kilograms(spent).backward()
    return draw_discount(kilograms, coins, spent.grad)


def mended():
    return repair(stew(), guests=40, taste=400, temperature=1, eta=2e-5, steps=30)


PICTURES = {
    "market": lambda: tell_market(supply_chain(3, 3)).fallback,
    "wide market": lambda: tell_market(supply_chain(5, 2)).fallback,
    "limits": lambda: draw_limits(stew(), guests=40),
    "no guests": lambda: draw_limits(stew()),
    "few tomatoes": lambda: draw_limits(stew(0.1), guests=40, top=100),
    "mostly tomatoes": lambda: draw_limits(stew(0.8), guests=40, top=100),
    "no coins": lambda: discount(0.0),
    "all coins": lambda: discount(60.0),
    "repair": lambda: draw_repair(mended(), guests=40),
}


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_is_drawn_within_its_page_and_no_words_overlap(name):
    picture = PICTURES[name]()
    page = ET.fromstring(picture.svg)
    words = texts(picture.svg)
    assert words
    assert all(w.left >= 0 and w.right <= float(page.get("width")) for w in words)
    assert all(w.top >= 0 and w.bottom <= float(page.get("height")) for w in words)
    assert not [(a.content, b.content) for a, b in itertools.combinations(words, 2) if a.overlaps(b)]


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_is_the_same_twice(name):
    assert PICTURES[name]() == PICTURES[name]()


def test_the_market_shows_the_rates_of_the_sweep():
    links = supply_chain(3, 3)
    rates, _ = rates_by_sweep(links, "portion")
    shown = sorted(with_role(tell_market(links).fallback, "gradient"))
    assert shown == sorted(format_number(rate) for rate in rates.values())


def test_the_limits_show_values_and_gradients_of_the_kitchen():
    kitchen = stew()
    picture = draw_limits(kitchen, guests=40)
    assert with_role(picture, "value") == [format_number(limit.value) for limit in kitchen.limits().values()]
    slopes = kitchen.gradient()
    expected = [format_number(slopes[f"{name} share"].value) for name in kitchen.ingredients]
    assert with_role(picture, "gradient") == expected


@pytest.mark.parametrize("share", [0.1, 0.2, 0.33, 0.5, 0.8])
def test_no_line_strikes_a_number_and_no_number_leaves_its_bar_half(share):
    kitchen = stew(share)
    page = ET.fromstring(draw_limits(kitchen, guests=40, top=100).svg)
    bars = [node for node in page.iter() if node.tag.endswith("rect") and node.get("height") == "28"]
    ends = [float(bar.get("x")) + float(bar.get("width")) for bar in bars]
    numbers = [word for word in texts(draw_limits(kitchen, guests=40, top=100).svg) if word.role == "value"]
    assert len(numbers) == len(ends) == 3
    for number, end in zip(numbers, ends, strict=True):
        assert not number.left < min(ends) < number.right  # the portions that are cooked are the shortest bar
        assert number.right <= end or number.left >= end


def test_pictures_say_in_words_what_they_show():
    assert "tomatoes allows 28.8 (gradient 72)" in draw_limits(stew(), guests=40).alt
    assert "at the start: coin 3.3." in tell_market(supply_chain(3, 3)).fallback.alt
    assert "slope 1 kg per coin" in discount(25.0).alt
    assert "for 40 guests" in draw_repair(mended(), guests=40).alt


def test_the_rate_of_the_next_coin_touches_and_the_average_comes_from_zero():
    picture = discount(30.0)
    (axis, *_), (point, *_) = (shapes(picture.svg, role) for role in ("average", "point"))
    ends = re.findall(r"[\d.]+ [\d.]+", axis["d"])
    assert ends[-1] == f"{point['cx']} {point['cy']}"
    curve, tangent = (shapes(picture.svg, role)[0]["d"] for role in ("curve", "tangent"))
    assert ends[0] == re.findall(r"[\d.]+ [\d.]+", curve)[0]
    assert ends[-1] in curve
    assert tangent != axis["d"]


def test_a_repair_draws_a_line_for_each_share_and_names_it():
    picture = draw_repair(mended(), guests=40)
    assert with_role(picture, "key") == ["rice", "beans", "tomatoes"]
    assert len({line.get("stroke-dasharray") for line in shapes(picture.svg, "share")}) == 3
    [portions] = shapes(picture.svg, "portions")
    heights = [float(y) for y in re.findall(r" ([\d.]+)", portions["d"])]
    assert len(heights) == 31
    assert heights[-1] < heights[0]  # more portions stand higher
