"""The photonic benchmarks: what is stored keeps the promises, and peers are checked before they are timed."""

import importlib
import json
import sys
from pathlib import Path

import numpy as np
import pytest

from coursepkg import gradients
from coursepkg.photonics import Bench, Crosstalk, InSituPass, Mesh, routes
from coursepkg.photonics.energy import Costs, crossover

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture(scope="module")
def script():
    """A function that imports a benchmark by its name."""
    sys.path.insert(0, str(BENCHMARKS))
    yield importlib.import_module
    sys.path.remove(str(BENCHMARKS))


def stored(name):
    return json.loads((BENCHMARKS / "results" / f"{name}.json").read_text(encoding="utf-8"))


def test_the_stored_speed_keeps_its_promises(script):
    report, module = stored("photonic"), script("photonic")
    assert module.promises(report["sizes"]) == report["promises"]
    assert len(report["promises"]) >= 4
    assert all(promise["kept"] for promise in report["promises"])
    for size in ("8", "64"):
        assert {"ours", "torch, loop over columns", "neuroptica"} <= set(report["sizes"][size]["gradient"])
    assert module.as_markdown(report) == (BENCHMARKS / "results" / "photonic.md").read_text(encoding="utf-8")


def test_whoever_is_ahead_is_printed_in_bold(script):
    report = stored("photonic")
    ahead = [
        (part, name)
        for size in report["sizes"].values()
        for part in ("forward", "gradient")
        for name, entry in size[part].items()
        if entry["times_ours"] < 1
    ]
    text = script("photonic").as_markdown(report)
    assert text.count(" **") >= len(ahead) > 0


def test_the_stored_claims_follow_from_the_stored_runs(script):
    report, module = stored("photonic_claims"), script("photonic_claims")
    assert script("photonic_report").claims(report["parts"]) == report["claims"]
    assert {"circle", "moons", "baselines", "crosstalk", "loss", "energy", "inference"} <= set(report["parts"])
    assert {"mnist16", "mnist64"} <= set(report["parts"]) <= set(module.PARTS)
    for part in {"circle", "moons"} & set(report["parts"]):
        runs = report["parts"][part]["runs"]
        assert set(module.CONDITIONS) <= set(runs)
        assert all(len(each) == report["parts"][part]["settings"]["seeds"] >= 2 for each in runs.values())
    found = report["parts"]["energy"]["training_2x"]["segmented shifters"]
    assert found["batch 16"] == crossover(2, 16, Costs().segmented(), training=True) == 63


def test_the_stored_page_is_made_of_the_stored_claims(script):
    report = stored("photonic_claims")
    page = (BENCHMARKS / "results" / "photonic_claims.md").read_text(encoding="utf-8")
    assert script("photonic_report").as_markdown(report) == page


def test_where_settings_are_compared_there_are_several_starts():
    parts = stored("photonic_claims")["parts"]
    for name in {"circle", "moons", "crosstalk_training", "mnist_authors"} & set(parts):
        starts = {len(runs) for runs in parts[name]["runs"].values()}
        assert len(starts) == 1, name
        assert min(starts) >= 3, name
    for rivals in parts["baselines"]["tasks"].values():
        assert len(rivals["digital net, batch 50"]) == 5
        assert (
            abs(rivals["digital net, batch 1"][0]["parameters"] - 48) <= 1
        )  # the heaters of three meshes of four ports


def test_parts_with_unlike_numbers_of_starts_are_compared_by_those_that_both_have(script):
    parts = dict(stored("photonic_claims")["parts"])
    fewer = {name: several[:2] for name, several in parts["mnist_authors"]["runs"].items()}
    parts["mnist_authors"] = parts["mnist_authors"] | {"runs": fewer}
    made = script("photonic_report").claims(parts)
    [found] = [claim for claim in made if claim["claim"].startswith("MNIST: batch 1 and squared error")]
    assert "16 ports, 2 starts" in found["settings"]


def test_the_authors_loss_sends_back_its_own_adjoint(script):
    rng = np.random.default_rng(0)
    network = script("photonic_claims").NormalisedPowers.random(5, 2, rng=rng, groups=[[k] for k in range(3)])
    x, classes = rng.normal(size=(4, 5)), np.array([2, 0, 1, 2])
    found = routes.adjoint(network)(x, classes)

    def loss(phases):
        y = np.abs(routes.send(network.meshes[0], phases, x.T))
        return network.loss_and_adjoint(network.meshes[1].forward(y), classes)[0]

    np.testing.assert_allclose(found.gradients[0], gradients.numeric(loss)(network.meshes[0].phases), atol=1e-8)
    assert found.loss == pytest.approx(loss(network.meshes[0].phases), rel=1e-12)
    halved = routes.adjoint(network)(x / 2, classes)
    assert halved.loss == pytest.approx(found.loss, rel=1e-12)  # the powers are normalised
    assert isinstance(network.with_meshes(lambda mesh: mesh), type(network))


def test_who_does_not_know_the_crosstalk_takes_what_light_measures(script):
    module, rng = script("photonic_claims"), np.random.default_rng(1)
    network = module.flawed(module.PhotonicNetwork.random(4, 2, rng=rng), module.Condition([Crosstalk(0.1)]), rng)
    x, classes = rng.normal(size=(6, 4)), rng.integers(0, 2, 6)

    def steps(owner):
        return routes.through(owner, [InSituPass(Bench(mesh)) for mesh in network.meshes])(x, classes).gradients

    aware, unaware = steps(network), steps(module.Unaware(network))
    for mesh, known, taken in zip(network.meshes, aware, unaware, strict=True):
        np.testing.assert_allclose(mesh.pull(taken), known, rtol=1e-12)
        assert 1e-4 < module.one_minus_cosine(taken, known) < 0.1


def test_short_training_runs_are_reproducible_and_say_what_they_measured(script):
    module = script("photonic_claims")
    condition = module.CONDITIONS["all of them, typical, toggle"]
    first, second = (module.train_on_points("moons", condition, 40, seed=1) for _ in range(2))
    assert first == second
    assert 0 < first["gradient_error"] < 0.5
    assert first["lowest_test"] <= first["test"] <= first["best_test"]


def test_a_peer_that_is_wrong_is_not_timed(script):
    peers = script("photonic_peers")
    task = peers.task(4, 3)
    found, _ = peers.contenders(task)
    assert {"ours", "ours, batch-free", "ours, three passes of light", "ours, tensor engine"} <= set(found)
    peers.PEERS["ours, tensor engine"], kept = (
        ("coursepkg", lambda t: peers.Contender(lambda: t.x, lambda: t.mesh.phases)),
        peers.PEERS["ours, tensor engine"],
    )
    try:
        with pytest.raises(SystemExit, match="tensor engine differs from ours"):
            peers.contenders(task)
    finally:
        peers.PEERS["ours, tensor engine"] = kept


def test_a_peers_gradient_is_checked_by_its_own_loss(script):
    peers = script("photonic_peers")
    task = peers.task(3, 4)
    mesh = Mesh(3, phases=np.arange(9.0))

    def gradient(scale):
        layer = peers.AdjointPass(mesh)
        y = layer.forward(task.x)
        return scale * layer.backward((y - task.target).conj())[0]

    def move(direction):
        mesh.phases = mesh.phases + direction

    def check(scale):
        job = lambda: gradient(scale)  # noqa: E731
        peers._check_by_difference("someone", task, mesh.matrix(), lambda: mesh.forward(task.x), job, move, 1e-9, 1e-5)

    check(1.0)
    with pytest.raises(SystemExit, match="someone: its gradient says"):
        check(2.0)
