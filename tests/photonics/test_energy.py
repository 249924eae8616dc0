"""The energy table: counts, sums, and the integers at which light starts to win."""

import numpy as np
import pytest

from coursepkg.photonics.energy import (
    Costs,
    advantage,
    crossover,
    digital_energy,
    latency,
    optical_energy,
    smallest_batch,
)

PLAIN, SEGMENTED = Costs(), Costs().segmented()


def test_energy_per_input_element():
    assert optical_energy(1, 1) == pytest.approx(21.522e-12, rel=1e-12)
    assert optical_energy(1, 1, SEGMENTED) == pytest.approx(11.552e-12, rel=1e-12)


def test_digital_operations_are_counted():
    assert digital_energy(64, 10) == pytest.approx(6 * 10 * 64**2 * 100e-15, rel=1e-12)
    assert digital_energy(64, 10, training=True) == pytest.approx(2 * digital_energy(64, 10), rel=1e-12)


@pytest.mark.parametrize(("factor", "plain", "segmented"), [(1, 36, 20), (2, 72, 39), (4, 144, 78)])
@pytest.mark.parametrize("batch", [1, 1000])
def test_inference_crossovers(factor, plain, segmented, batch):
    assert crossover(factor, batch, PLAIN) == plain
    assert crossover(factor, batch, SEGMENTED) == segmented


@pytest.mark.parametrize(("batch", "plain", "segmented"), [(16, 133, 63), (64, 102, 48), (256, 96, 45)])
def test_training_crossovers_at_twice(batch, plain, segmented):
    assert crossover(2, batch, PLAIN, training=True) == plain
    assert crossover(2, batch, SEGMENTED, training=True) == segmented


def test_training_with_small_batches_does_not_pay():
    assert crossover(1, 1, PLAIN, training=True) is None
    assert crossover(1, 1, SEGMENTED, training=True) is None
    assert advantage(10**9, 1, PLAIN, training=True) == pytest.approx(0.43, abs=0.005)
    assert crossover(2, 4, SEGMENTED, training=True) is None
    assert advantage(10**9, 4, SEGMENTED, training=True) == pytest.approx(1.70, abs=0.015)
    assert crossover(1, 4, PLAIN, training=True) == 114
    assert crossover(1, 4, SEGMENTED, training=True) == 54


def test_the_published_claim_needs_segmented_shifters_and_fifteen_examples():
    assert smallest_batch(64, 2.0, SEGMENTED) == 15
    assert advantage(64, 15, SEGMENTED, training=True) == pytest.approx(2.0017, abs=5e-5)
    assert advantage(64, 14, SEGMENTED, training=True) < 2
    assert smallest_batch(64, 2.0, PLAIN) is None


@pytest.mark.parametrize(("ports", "plain", "segmented"), [(64, 56, 30), (128, 28, 15), (256, 14, 7.5)])
def test_femtojoules_per_operation(ports, plain, segmented):
    for costs, published in ((PLAIN, plain), (SEGMENTED, segmented)):
        per_operation = optical_energy(ports, 1, costs) / (6 * ports**2)
        assert per_operation * 1e15 == pytest.approx(published, rel=0.02)


def test_a_modern_digital_operation_moves_the_crossover():
    assert crossover(1, 1, Costs(operation=10e-15)) == 341
    assert crossover(1, 1, Costs(operation=10e-15).segmented()) == 175


def test_a_crossover_is_the_first_place_where_light_wins():
    rng = np.random.default_rng(0)
    for _ in range(60):
        batch, factor = int(rng.integers(1, 300)), float(rng.uniform(0.2, 4))
        training = bool(rng.integers(2))
        found = crossover(factor, batch, SEGMENTED, training=training)
        wins = [n for n in range(1, 3000) if advantage(n, batch, SEGMENTED, training=training) >= factor]
        assert found == (wins[0] if wins else None)


def test_light_crosses_in_about_a_nanosecond():
    assert 0.1e-9 < latency(64) < 2e-9
    assert latency(128) == pytest.approx(2 * latency(64), rel=1e-12)
