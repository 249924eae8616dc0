"""Chains of exchange rates."""

import pytest
from drawn import misplaced, shapes, texts

from coursepkg.kitchen import rate
from coursepkg.visualize.diagram.chain import draw_chain

STAGES = ["budget", "flour", "dough", "portions"]
RATES = {("budget", "flour"): "500 g/€", ("flour", "dough"): 1.05, ("dough", "portions"): "0.004 portions/g"}


def kitchen():
    return draw_chain(STAGES, RATES, gradients={"portions": 1, "dough": "0.004 portions/g"})


def test_every_rate_stands_over_its_arrow():
    rates = [text.content for text in texts(kitchen().svg) if text.role == "rate"]
    assert rates == ["× 500 g/€", "× 1.05", "× 0.004 portions/g"]


def test_a_quantity_of_the_kitchen_is_written_whole():
    gate, market, pot = rate(0.9, "coin", per="coin"), rate(0.5, "kg", per="coin"), rate(4, "portion", per="kg")
    links = {("coin", "purse"): gate, ("purse", "rice"): market, ("rice", "portion"): pot}
    alt = draw_chain(["coin", "purse", "rice", "portion"], links, gradients={"coin": gate * market * pot}).alt
    assert "coin to purse: 0.9." in alt
    assert alt.endswith("rice to portion: 4 portions/kg. Gradients: coin 1.8 portions/coin.")


def test_words_are_apart_and_on_the_paper():
    assert not misplaced(kitchen().svg)


def test_gradients_stand_beneath_the_boxes():
    bottom = max(float(box["y"]) + float(box["height"]) for box in shapes(kitchen().svg, "stage"))
    found = [text for text in texts(kitchen().svg) if text.role == "gradient"]
    assert [text.content for text in found] == ["0.004 portions/g", "1"]
    assert all(bottom < text.top < bottom + 20 for text in found)


def test_the_words_name_rates_and_gradients():
    alt = kitchen().alt
    assert alt.startswith("Chain from budget to portions. budget to flour: 500 g/€. flour to dough: 1.05.")
    assert alt.endswith(" Gradients: portions 1, dough 0.004 portions/g.")


@pytest.mark.parametrize(
    ("stages", "rates", "message"),
    [(["a", "b", "a"], {}, "twice"), (["a", "b"], {("a", "c"): 1}, "to the next"), (["a", "b"], {}, "to the next")],
)
def test_wrong_arrows_get_advice(stages, rates, message):
    with pytest.raises(ValueError, match=message):
        draw_chain(stages, rates)
