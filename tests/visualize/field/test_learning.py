"""A trained network is asked at the places that its figure needs."""

import base64

import numpy as np

from coursepkg.visualize.field.story import tell_learning

POINTS = np.array([[-1.0, 1.0], [1.5, 1.2], [0.5, -2.0]])
ASKED = []


def answer(step, places):
    ASKED.append((step, places))
    return step * places[:, 0] - places[:, 1]


def hidden(step, places):
    return [places[:, 0] * step, places[:, 1]]


def story(**more):
    ASKED.clear()
    return tell_learning(answer, POINTS, [0, 0, 1], [9.0, 5.0, 4.0, 3.0], [0, 1, 3], title="It learns", **more)


def test_the_network_is_asked_after_the_chosen_steps_only():
    assert story().frames == 3
    assert sorted({step for step, _ in ASKED}) == [0, 1, 3]


def test_the_plane_reaches_half_a_unit_beyond_the_points():
    story()
    places = ASKED[0][1]
    assert -1.5 < places[:, 0].min() < -1.4
    assert 1.9 < places[:, 0].max() < 2.0
    assert -2.5 < places[:, 1].min() < -2.4
    assert 1.6 < places[:, 1].max() < 1.7


def test_each_step_shows_its_own_loss_and_its_own_points():
    facts = story().data["facts"]
    assert facts == [["0", "9", "3 of 3"], ["1", "5", "2 of 3"], ["3", "3", "2 of 3"]]


def test_hidden_units_and_their_votes_belong_to_the_step():
    data = story(hidden=hidden, votes=lambda step: [step, -2.0]).data
    assert np.frombuffer(base64.b64decode(data["tiles"]), "u1").size == 3 * 2 * 70
    assert [row[0] for row in data["votes"]] == ["× 0", "× 1", "× 3"]
