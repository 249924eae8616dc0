"""Chapter 11 shows what was stored about training with light."""

import numpy as np
import pytest

from coursepkg.stored import load, photonic


def test_the_circle_has_five_starts_for_each_flaw():
    found = photonic.circle()
    assert {len(scores) for scores in found.values()} == {5}
    assert np.mean(found["no error"]) == pytest.approx(0.848, abs=5e-4)
    assert np.mean(found["heater loss 0.2 dB, subtraction"]) == pytest.approx(0.684, abs=5e-4)


def test_the_moons_have_the_same_flaws_and_starts():
    found = photonic.moons()
    assert list(found) == list(photonic.circle())
    assert np.mean(found["no error, batch 50"]) == pytest.approx(0.925, abs=5e-4)


def test_rivals_see_the_same_points():
    rows = {row["method"]: row for row in photonic.rivals()}
    assert rows["RBF SVM"] == {"method": "RBF SVM", "circle": "96.0 %", "moons": "94.0 %"}
    assert rows["light, batch 50"]["moons"].startswith("92.5 %, ")
    assert len(rows) == 6
    assert all(len(row) == 3 for row in rows.values())


def test_digits_have_five_starts_and_one_flaw_that_defeats_the_subtraction():
    found = photonic.mnist()
    assert {len(scores) for scores in found.values()} == {5}
    assert np.mean(found["no error"]) == pytest.approx(0.929, abs=0.0005)
    assert min(found["all four at their worst, toggle"]) - max(found["all four at their worst, subtraction"]) > 0.35


def test_each_claim_has_its_numbers_and_its_verdict():
    rows = photonic.claims()
    assert [row["claim"] for row in rows] == [row["claim"] for row in load("photonic_claims")["claims"]]
    assert all(all(row.values()) for row in rows)


def test_the_short_table_has_a_row_for_each_thing_that_is_said_about_the_method():
    short = photonic.claims(all_of_them=False)
    assert len(short) == len(photonic.ABOUT_THE_METHOD)
    assert all(row in photonic.claims() for row in short)
