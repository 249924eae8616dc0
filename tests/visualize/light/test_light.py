"""Light in drawings: colours that come round, clocks beside them, arrows that add up."""

import cmath
import math

import pytest
from drawn import misplaced, shapes, texts

from coursepkg.visualize.light.phasors import WHEEL, beam, clock, draw_phasors, phase_colour


@pytest.mark.parametrize("quarter", range(4))
def test_the_wheel_has_its_colours_at_the_quarter_turns_and_comes_round(quarter):
    turn = cmath.exp(1j * math.pi / 2 * quarter)
    assert phase_colour(0.3 * turn) == WHEEL[quarter]
    assert phase_colour(turn * cmath.exp(2j * math.pi)) == WHEEL[quarter]


def test_a_beam_is_as_wide_as_its_power_and_dark_pieces_are_not_drawn():
    whole, half = (
        float(beam("M0 0H9", field, 1.0).split('stroke-width="')[1].split('"')[0]) for field in (1, 0.5**0.5)
    )
    assert whole == 2 * half
    assert beam("M0 0H9", 0.01, 1.0) == ""


def test_the_hand_of_a_clock_shows_the_phase_without_colour():
    def tip(field):
        commands = clock(50, 50, field, 1.0)[1].split('d="')[1].split('"')[0]
        return [float(v) for v in commands.split("L")[1].split()]

    assert tip(1.0) == [57.0, 50.0]
    assert tip(1.0j) == [50.0, 43.0]
    assert clock(50, 50, 0.0, 1.0) == []


def test_the_arrows_add_head_to_tail_and_powers_are_written():
    picture = draw_phasors({"a": 1.0, "b": 0.8j})
    assert [t.content for t in texts(picture.svg) if t.role == "power"] == ["1", "0.64", "1.64"]
    assert [t.content for t in texts(picture.svg) if t.role == "together"] == ["1.64  together"]
    assert len(shapes(picture.svg, "arrow")) == 3
    assert picture.alt.endswith("together 1.64; the power of the sum is 1.64.")


def test_rounding_noise_is_not_read_out():
    half_a_turn = cmath.exp(1j * math.pi)
    words = draw_phasors({"a": 1.0, "b": 0.8 * half_a_turn}).alt
    assert "b = −0.8 + 0i. Their sum is 0.2 + 0i." in words
    assert "e−" not in draw_phasors({"a": 1.0, "b": half_a_turn}).alt


def test_opposite_fields_cancel():
    picture = draw_phasors({"a": 1.0, "b": -1.0}, title="Dark")
    assert picture.alt.startswith("Dark. ")
    assert picture.alt.endswith("the power of the sum is 0.")
    assert misplaced(picture.svg) == []


@pytest.mark.parametrize("fields", [{}, dict.fromkeys("abcdefg", 1.0), {"a": complex("nan")}])
def test_what_cannot_be_added_up_is_explained(fields):
    with pytest.raises(ValueError, match=r"1 to 6 fields|not finite"):
        draw_phasors(fields)
