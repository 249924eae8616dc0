import itertools
import xml.etree.ElementTree as ET

import pytest
from drawn import texts

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


PICTURES = {
    "market": lambda: tell_market(supply_chain(3, 3)).fallback,
    "wide market": lambda: tell_market(supply_chain(5, 2)).fallback,
    "limits": lambda: draw_limits(stew(), guests=40),
    "no guests": lambda: draw_limits(stew()),
    "few tomatoes": lambda: draw_limits(stew(0.1), guests=40, top=100),
    "mostly tomatoes": lambda: draw_limits(stew(0.8), guests=40, top=100),
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
    history = repair(stew(), guests=40, taste=400, temperature=1, eta=2e-5, steps=30)
    assert "for 40 guests" in draw_repair(history, guests=40).alt
