"""The memory of an encoder's step as shapes tell it, against the tape and the allocator."""

import numpy as np
import pytest

from coursepkg import nn
from coursepkg.estimators import predict_encoder_step, randomize, step_memory, tape_holdings
from coursepkg.estimators.encoder_ledger import predict_encoder_moments

SHAPE = {"width": 96, "heads": 6, "hidden": 256, "blocks": 3}
TEXTS, LENGTH, CLASSES = 9, 20, 5


def step(rate, sketch):
    """A model and one forward pass; batch and embeddings are frozen."""
    rng = np.random.default_rng(0)
    encoder = nn.TextEncoder(50, length=LENGTH, rng=rng, dtype=np.float32, **SHAPE).freeze_embeddings()
    model = nn.SentenceClassifier(encoder, CLASSES, rng=rng)
    if rate is not None:
        randomize(encoder, rate=rate, sketch=sketch, rng=rng)
    tokens, labels = rng.integers(1, 50, (TEXTS, LENGTH)), rng.integers(0, CLASSES, TEXTS)
    tokens.flags.writeable = labels.flags.writeable = False
    return model, labels, lambda: nn.cross_entropy(model(tokens), labels)


CASES = [(None, "fold"), (0.9, "fold"), (0.5, "fold"), (0.1, "fold"), (0.2, "gaussian")]


@pytest.mark.parametrize(("rate", "sketch"), CASES)
def test_held_is_what_stands_on_the_tape(rate, sketch):
    model, labels, run = step(rate, sketch)
    told = predict_encoder_step(TEXTS, LENGTH, classes=CLASSES, rate=rate, sketch=sketch, **SHAPE).held
    on_tape = sum(row.own for row in tape_holdings(model, run, given=[labels]))
    assert told == pytest.approx(on_tape, rel=2e-3)


@pytest.mark.parametrize(("rate", "sketch"), CASES)
def test_the_allocator_measures_the_same_peak(rate, sketch):
    """What Python's own objects need does not shrink with the arrays; it is the same between the passes."""
    model, _, run = step(rate, sketch)
    found = step_memory(model, run)
    told = predict_encoder_step(TEXTS, LENGTH, classes=CLASSES, rate=rate, sketch=sketch, **SHAPE)
    objects = found.held - told.held
    assert 0 < objects < 100_000
    assert found.peak - objects == pytest.approx(told.peak, rel=0.01)


def test_a_tenth_of_the_rows_lowers_what_is_held_by_the_layers_inputs_alone():
    exact, tenth = (
        predict_encoder_step(32, 32, width=384, heads=12, hidden=1536, blocks=6, classes=6, rate=rate)
        for rate in (None, 0.1)
    )
    rows, kept, first = 1024, 102, 1024 * 384 * 4  # the first sum keeps the frozen embeddings in any case
    assert exact.held - tenth.held == 6 * (rows - kept) * (3 * 384 + 1536) * 4 - first
    assert 0.25 < 1 - tenth.peak / exact.peak < 1 - tenth.held / exact.held


@pytest.mark.parametrize("rate", [None, 0.3])
def test_moments_are_in_the_order_of_the_step_and_end_with_the_gradients_alone(rate):
    moments = predict_encoder_moments(4, 6, width=8, heads=2, hidden=12, blocks=2, classes=3, rate=rate)
    names = [moment.name for moment in moments]
    assert names.index("gelu 0") < names.index("gelu 1") < names.index("held") < names.index("norm2 1 back")
    weights = 2 * (4 * 64 + 4 * 8 + 2 * 96 + 12 + 8 + 4 * 8) + 3 * 8 + 3
    assert moments[-1].name == "gradients"
    assert moments[-1].alive == 4 * weights


def test_an_unknown_sketch_is_refused():
    with pytest.raises(ValueError, match="there is no sketch 'fft'"):
        predict_encoder_step(4, 6, width=8, heads=2, hidden=12, blocks=2, classes=3, rate=0.5, sketch="fft")
