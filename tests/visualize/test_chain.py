"""Chains of exchange rates."""

import pytest
from drawn import misplaced, shapes, texts

from coursepkg.kitchen import rate
from coursepkg.visualize.chain import draw_chain, quantity

KITCHEN = (
    ["budget", ["flour", "butter", "eggs"], "dough", "portions"],
    {
        ("budget", "flour"): (500, "g/€"), ("budget", "butter"): (90, "g/€"), ("budget", "eggs"): (3.2, "eggs/€"),
        ("flour", "dough"): (1, "g/g"), ("butter", "dough"): (1.05, "g/g"), ("eggs", "dough"): (55, "g/egg"),
        ("dough", "portions"): (0.004, "portions/g"), ("budget", "portions"): (0, "portions/€"),
    },
)  # fmt: skip


def kitchen():
    return draw_chain(
        *KITCHEN,
        gradients={"portions": 1, "dough": (0.004, "portions/g")},
    )


def test_every_rate_stands_on_its_arrow():
    rates = [text.content for text in texts(kitchen().svg) if text.role == "rate"]
    assert rates == [f"× {quantity(rate)}" for rate in KITCHEN[1].values()]


def test_a_quantity_of_the_kitchen_is_written_whole():
    gate, pot = rate(0.9, "coin", per="coin"), rate(4, "portion", per="kg")
    market = rate(0.5, "kg", per="coin")
    assert [quantity(each) for each in (gate, pot)] == ["0.9", "4 portions/kg"]
    assert quantity(gate * market * pot) == "1.8 portions/coin"


def test_words_are_apart_and_on_the_paper():
    assert not misplaced(kitchen().svg)


def test_gradients_stand_beneath_the_boxes():
    boxes = shapes(kitchen().svg, "stage")
    bottoms = [float(box["y"]) + float(box["height"]) for box in boxes]
    found = [text for text in texts(kitchen().svg) if text.role == "gradient"]
    assert [text.content for text in found] == ["0.004 portions/g", "1"]
    for text, bottom in zip(found, bottoms[-2:], strict=True):
        assert bottom < text.top < bottom + 20


def test_the_words_name_rates_and_gradients():
    alt = kitchen().alt
    assert alt.startswith("Chain from budget to portions. budget to flour: 500 g/€.")
    assert alt.endswith(" Gradients: portions 1, dough 0.004 portions/g.")


def test_the_same_chain_gives_the_same_bytes():
    assert kitchen().svg == kitchen().svg


@pytest.mark.parametrize(
    ("stages", "rates", "message"),
    [
        (["a", "b", "a"], {}, "twice"),
        (["a", "b"], {("a", "c"): 1}, "'c', which is no stage"),
        (["a", "b"], {("b", "a"): 1}, "swap"),
        ([["a", "b"]], {("a", "b"): 1}, "swap"),
    ],
)
def test_wrong_arrows_get_advice(stages, rates, message):
    with pytest.raises(ValueError, match=message):
        draw_chain(stages, rates)
