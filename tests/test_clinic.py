"""The five patients show the symptoms from which a learner can tell them apart, and only those."""

import numpy as np
import pytest

from coursepkg import datasets, nn
from coursepkg.clinic import DIAGNOSES, admit
from coursepkg.gradients import reverse
from coursepkg.training import accuracy

SICK = "ABCDE"


def fresh(name, seed=0):
    return admit(name, rng=np.random.default_rng(seed))


def after_steps(patient, steps):
    batch = patient.X[:32], patient.y[:32]
    return [patient.step(*batch) for _ in range(steps)]


def after_epochs(patient, epochs=5):
    rng = np.random.default_rng(1)
    for _ in range(epochs):
        for batch in datasets.batches(patient.X, patient.y, 32, rng=rng):
            patient.step(*batch)
    return accuracy(patient.model(patient.X), patient.y)


def gradient_of_the_loss(patient, X, y):
    return reverse(lambda theta: nn.cross_entropy(nn.functional_call(patient.model, theta, X), y))(
        patient.model.state_dict()
    )


def hidden(patient):
    return patient.model[0](patient.X).data


def length(arrays):
    return np.sqrt(sum(np.sum(np.square(array)) for array in arrays.values()))


@pytest.mark.parametrize("seed", range(3))
def test_only_the_healthy_one_learns(seed):
    assert after_epochs(fresh("healthy", seed)) > 0.93
    for name in SICK:
        assert after_epochs(fresh(name, seed)) < 0.88, name


@pytest.mark.parametrize("seed", range(3))
def test_a_and_e_learn_a_batch_by_heart_and_b_c_d_cannot(seed):
    for name in ("healthy", "A", "E"):
        assert min(after_steps(fresh(name, seed), 300)) < 0.1, name
    for name in "BCD":
        assert min(after_steps(fresh(name, seed), 300)) > 1.2, name


def test_first_losses_are_unsuspicious():
    for name in ("healthy", *SICK):
        patient = fresh(name)
        assert abs(float(patient.loss(patient.X, patient.y).data) - np.log(10)) < 0.4


def test_a_takes_longer_steps_than_the_gradient_asks_for_and_nobody_else_does():
    for name in ("healthy", *SICK):
        patient = fresh(name)
        X, y = patient.X[:32], patient.y[:32]
        ratios = []
        for _ in range(4):
            before = patient.model.state_dict()
            owed = patient.optimizer.lr * length(gradient_of_the_loss(patient, X, y))
            patient.step(X, y)
            ratios.append(length({k: v - before[k] for k, v in patient.model.state_dict().items()}) / owed)
        if name == "A":
            assert ratios[0] == pytest.approx(1.0, rel=1e-9)
            assert min(ratios[1:]) > 1.5
        else:
            np.testing.assert_allclose(ratios, 1.0, rtol=1e-9, err_msg=name)


def test_b_puts_out_probabilities_so_its_loss_has_a_floor():
    patient = fresh("B")
    np.testing.assert_allclose(patient.model(patient.X).data.sum(axis=1), 1.0, rtol=1e-12)
    assert min(after_steps(patient, 300)) > np.log(1 + 9 / np.e)


def test_c_has_copies_and_stays_so():
    patient = fresh("C")
    after_steps(patient, 20)
    units = hidden(patient)
    assert np.ptp(units, axis=1).max() < 1e-9
    assert np.ptp(hidden(fresh("healthy")), axis=1).max() > 0.5
    assert length({"W": gradient_of_the_loss(patient, patient.X, patient.y)["0.weight"]}) > 1e-3


def test_d_is_closed_for_every_image_and_others_are_not():
    for name in ("healthy", *SICK):
        dead = np.all(hidden(fresh(name)) <= 0, axis=0)
        assert dead.all() if name == "D" else dead.mean() < 0.2, name


def test_e_has_images_and_labels_that_do_not_belong_together():
    images, labels = datasets.digits()
    patient = fresh("E")
    np.testing.assert_array_equal(patient.y, labels)
    assert not np.array_equal(patient.X, images / 16)
    np.testing.assert_allclose(np.sort(patient.X.sum(axis=1)), np.sort(images.sum(axis=1) / 16), rtol=1e-12)


def test_every_patient_has_a_diagnosis_and_a_stranger_is_refused():
    assert list(DIAGNOSES) == list(SICK)
    with pytest.raises(ValueError, match="there is no patient 'F'; choose one of healthy, A"):
        admit("F", rng=np.random.default_rng(0))
