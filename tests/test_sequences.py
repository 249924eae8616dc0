"""Sequence tasks are what they claim, their baselines hold, and training says where it failed."""

import math

import numpy as np
import pytest

from coursepkg import nn, optimizers
from coursepkg.sequences import (
    ADDING_BASELINE,
    Alphabet,
    SequenceTrainer,
    adding_problem,
    continue_text,
    copy_baseline,
    copy_memory,
    zen_of_python,
)
from coursepkg.training import TrainingDiverged


@pytest.fixture
def rng():
    return np.random.default_rng(31)


@pytest.mark.parametrize("steps", [2, 7, 50])
def test_adding_marks_one_number_in_each_half(steps, rng):
    x, y = adding_problem(200, steps, rng=rng)
    numbers, marks = x[..., 0], x[..., 1].astype(bool)
    assert (marks[:, : steps // 2].sum(axis=1) == 1).all()
    assert (marks[:, steps // 2 :].sum(axis=1) == 1).all()
    np.testing.assert_allclose(y, np.where(marks, numbers, 0.0).sum(axis=1, keepdims=True), rtol=1e-12)
    assert marks.any(axis=0).all()


def test_always_answering_one_has_the_loss_of_the_baseline(rng):
    _, y = adding_problem(200_000, 10, rng=rng)
    assert np.mean((y - 1.0) ** 2) == pytest.approx(ADDING_BASELINE, rel=0.01)


def test_copying_asks_for_the_symbols_after_the_blanks(rng):
    x, y = copy_memory(50, 7, rng=rng, symbols=5, length=3)
    assert x.shape == y.shape == (50, 13)
    np.testing.assert_array_equal(y[:, -3:], x[:, :3])
    assert set(np.unique(x[:, :3])) == {1, 2, 3, 4, 5}
    assert (x[:, 3:9] == 0).all()
    assert (x[:, 9:] == 6).all()
    assert (y[:, :-3] == 0).all()


@pytest.mark.parametrize(("blanks", "expected"), [(20, 0.520), (50, 0.297), (100, 0.173), (1000, 0.0204)])
def test_copy_baselines(blanks, expected, rng):
    assert copy_baseline(blanks) == pytest.approx(expected, abs=5e-4)
    _, y = copy_memory(4, blanks, rng=rng)
    probabilities = np.where(np.arange(y.shape[1]) < y.shape[1] - 10, 1.0, 1 / 8)
    assert -np.log(probabilities).mean() == pytest.approx(copy_baseline(blanks), rel=1e-12)


def test_the_zen_is_read_without_printing(capsys):
    zen = zen_of_python()
    assert capsys.readouterr().out == ""
    assert zen.startswith("The Zen of Python, by Tim Peters")
    assert zen.endswith("let's do more of those!")


def test_an_alphabet_translates_both_ways():
    zen = zen_of_python()
    letters = Alphabet(zen)
    assert letters.decode(letters.encode(zen)) == zen
    assert letters.one_hot(zen).shape == (len(zen), 1, len(letters))
    with pytest.raises(ValueError, match="not in the alphabet"):
        letters.encode("ß")


def short_model(text, steps, rng):
    letters = Alphabet(text)
    recurrence, head = nn.GRU(len(letters), 24, rng=rng), nn.Linear(24, len(letters), rng=rng)
    optimizer = optimizers.Adam(recurrence.parameters() + head.parameters(), lr=0.02)
    x, y = letters.one_hot(text[:-1]), letters.encode(text[1:])
    for _ in range(steps):
        optimizer.zero_grad()
        nn.cross_entropy(head(recurrence(x)[0])[:, 0], y).backward()
        optimizer.step()
    return recurrence, head, letters


def test_a_model_learns_a_line_by_heart(rng):
    text = "Simple is better than complex."
    recurrence, head, letters = short_model(text, 150, rng)
    assert continue_text(recurrence, head, letters, "S", len(text) - 1) == text
    assert continue_text(recurrence, head, letters, "Simple is", len(text) - 9) == text
    cool = continue_text(recurrence, head, letters, "S", 29, temperature=0.1, rng=rng)
    hot = [continue_text(recurrence, head, letters, "S", 29, temperature=20.0, rng=rng) for _ in range(2)]
    assert cool == text
    assert hot[0] != hot[1]
    with pytest.raises(TypeError, match="Generator"):
        continue_text(recurrence, head, letters, "S", 3, temperature=1.0)
    with pytest.raises(ValueError, match="0 or more"):
        continue_text(recurrence, head, letters, "S", 3, temperature=-1.0)


def test_training_that_diverges_names_the_time_step_and_the_weight(rng):
    model = nn.ManyToOne(nn.RNN(2, 4, nonlinearity="relu", batch_first=True, rng=rng), nn.Linear(4, 1, rng=rng))
    model.recurrence.weight_hh_l0.data = 1e12 * np.eye(4)
    before = model.state_dict()
    trainer = SequenceTrainer(model, nn.mse_loss, optimizers.GD(model.parameters(), lr=0.1))
    with pytest.raises(TrainingDiverged, match=r"epoch 1, step 1: .*at time step \d+ of 40.*recurrence\.weight_hh_l0"):
        trainer.fit(adding_problem(8, 40, rng=rng), epochs=1, batch_size=8, rng=rng)
    for name, array in model.state_dict().items():
        np.testing.assert_array_equal(array, before[name])


def test_a_gradient_that_explodes_names_the_time_step_too(rng):
    model = nn.ManyToOne(nn.RNN(2, 4, nonlinearity="relu", batch_first=True, rng=rng), nn.Linear(4, 1, rng=rng))
    recurrence = model.recurrence
    recurrence.weight_hh_l0.data = 1e8 * np.eye(4)
    recurrence.weight_ih_l0.data, recurrence.bias_hh_l0.data = np.zeros((4, 2)), np.zeros(4)
    recurrence.bias_ih_l0.data = np.full(4, 1e-300)
    model.head.weight.data = np.full((1, 4), 1e-8)
    trainer = SequenceTrainer(model, nn.mse_loss, optimizers.GD(model.parameters(), lr=0.1))
    x, y = adding_problem(8, 60, rng=rng)
    with pytest.raises(TrainingDiverged, match=r"time step \d+ of 60.*recurrence\.weight_hh_l0"):
        trainer.fit((x, y), epochs=1, batch_size=8, rng=rng)


def test_the_adding_problem_is_learned_by_a_gru(rng):
    model = nn.ManyToOne(nn.GRU(2, 16, batch_first=True, rng=rng), nn.Linear(16, 1, rng=rng))
    trainer = SequenceTrainer(model, nn.mse_loss, optimizers.Adam(model.parameters(), lr=0.01), max_grad_norm=1.0)
    for _ in range(4):
        trainer.fit(adding_problem(64 * 50, 12, rng=rng), epochs=1, batch_size=64, rng=rng)
    assert trainer.evaluate(adding_problem(500, 12, rng=rng)).loss < 0.3 * ADDING_BASELINE


def test_tasks_refuse_what_cannot_be_remembered(rng):
    with pytest.raises(ValueError, match="at least 2 steps"):
        adding_problem(3, 1, rng=rng)
    with pytest.raises(ValueError, match="at least 1 blank"):
        copy_memory(3, 0, rng=rng)
    assert copy_baseline(1, symbols=2, length=1) == pytest.approx(math.log(2) / 3)
