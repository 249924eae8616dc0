"""A verdict on a published claim: four words, and a margin in place of a lucky overlap."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
import verdicts

RESULTS = Path(__file__).parents[1] / "benchmarks" / "results"


@pytest.mark.parametrize(
    ("name", "least"),
    [
        ("memory_efficient_claims", 10), ("forward_gradient_claims", 10), ("neural_tree_claims", 10),
        ("photonic_claims", 10), ("fine_tuning", 4),
    ],
)  # fmt: skip
def test_every_claim_has_one_of_the_four_verdicts_and_says_where_it_was_tried(name, least):
    stored = json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8"))
    rows = stored.get("rows") or stored["claims"]
    assert len(rows) >= least
    for row in rows:
        assert row["verdict"] in verdicts.VERDICTS, row["claim"]
        assert row["settings"].startswith(verdicts.WHERE), row["claim"]


def test_the_page_names_the_four_verdicts_and_the_four_places():
    page = (Path(__file__).parents[1] / "docs" / "verdicts.md").read_text(encoding="utf-8")
    for words in verdicts.VERDICTS:
        assert f"| {words} |" in page
    for words in verdicts.WHERE:
        assert f"**{words}**" in page


@pytest.mark.parametrize(
    ("losses", "verdict"),
    [
        ([0.001, -0.002, 0.003], "holds"),
        ([0.05, 0.06, 0.055], "does not hold here"),
        ([0.05, -0.04, 0.01], "holds in part"),  # the mean is within the margin, the interval is not
    ],
)
def test_noise_earns_no_verdict(losses, verdict):
    assert verdicts.no_worse(losses, margin=0.01) == verdict


def test_the_worst_of_seven_gets_no_verdict_by_chance():
    """Of seven methods that lose nothing, the one that looks worst looks too bad; the wider interval allows for it."""
    rng, wrong = np.random.default_rng(1), {1: 0, 7: 0}
    for _ in range(400):
        draws = rng.normal(0.0, 0.02, size=(7, 5))
        worst = max(draws, key=np.mean)
        for among in wrong:
            wrong[among] += verdicts.interval(worst, among)[0] > 0
    assert wrong[7] / 400 < 0.08 < 0.2 < wrong[1] / 400
    assert verdicts.interval([0.1, 0.2, 0.4], among=1) == verdicts.interval([0.1, 0.2, 0.4])


def test_the_interval_covers_nine_means_in_ten():
    draws = np.random.default_rng(0).normal(0.3, size=(4000, 5))
    covered = [low < 0.3 < high for low, high in map(verdicts.interval, draws)]
    assert np.mean(covered) == pytest.approx(0.9, abs=0.02)


@pytest.mark.parametrize(("where", "verdict"), [("On a laptop.", "holds"), (verdicts.THEIR_SETTING, "nearly holds")])
def test_other_words_are_refused(where, verdict):
    with pytest.raises(ValueError, match=re.escape("a claim")):
        verdicts.row("a claim", "1", "2", where, "settings", verdict)


def test_a_symbol_stays_small_where_a_sentence_begins():
    first, second = (
        verdicts.row("a claim", "1", "2", verdicts.ANY_SETTING, settings, "holds")["settings"]
        for settings in ("d = 200, K = 100", "digits, batch 64")
    )
    assert first.endswith("setting. d = 200, K = 100.")
    assert second.endswith("setting. Digits, batch 64.")


def test_one_word_for_several_tables():
    holds, part, not_here = verdicts.HOLDS, verdicts.PART, verdicts.NOT_HERE
    assert verdicts.over_tables([holds, holds]) == holds
    assert verdicts.over_tables([not_here, not_here, part]) == not_here
    assert verdicts.over_tables([not_here, not_here, part, part]) == part
    assert verdicts.over_tables([holds, not_here, not_here]) == part
