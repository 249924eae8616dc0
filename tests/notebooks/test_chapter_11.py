"""Chapter 11: what feedback refers to, the published numbers that come out again, and the chip where it is present."""

import html
import re
from pathlib import Path

import nbformat
import numpy as np
import pytest

from coursepkg.grading.specification.chapters import load_chapter
from coursepkg.photonics import (
    ColumnLoss,
    HeaterLoss,
    Mesh,
    PhotonicNetwork,
    chip,
    fabricate,
    one_minus_cosine,
    true_and_measured,
)
from coursepkg.stored import load

ROOT = Path(__file__).resolve().parents[2]
NAME = "11_photonic_backprop.ipynb"
EXERCISES = load_chapter(ROOT / "solutions" / "specs" / "ex_11")


@pytest.fixture(scope="module")
def notebook():
    return nbformat.read(ROOT / "notebooks" / NAME, as_version=4)


def text_of(notebook):
    return "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")


def printed(notebook):
    outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    return "".join(output.text for output in outputs if output.output_type == "stream")


def on_the_chip(notebook):
    return [cell for cell in notebook.cells if "chip.load(" in cell.source]


# --- words that point to words ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda exercise: exercise.id)
def test_every_section_that_feedback_names_exists(exercise, notebook):
    sections = set(re.findall(r"^## (\d+) ·", text_of(notebook), re.M))
    places = [exercise.see, *(entry.look_at for entry in exercise.bank)]
    named = {number for place in places for number in re.findall(r"notebook 11, section (\d+)", place)}
    assert named
    assert named <= sections


@pytest.mark.parametrize(
    "heading",
    [
        "Counting", "Light sent back", "One place, two fields", "The third pass", "The toggle",
        "A real number between two layers", "The derivative of a magnitude", "Why the conjugate", "The last heaters",
        "A law of noise", "Rho to the power of 2c", "What is shared by a batch",
    ],
)  # fmt: skip
def test_the_places_that_feedback_sends_to_are_headings(heading, notebook):
    assert re.search(rf"^(## \d+ ·|###) {re.escape(heading)}$", text_of(notebook), re.M)
    places = [entry.look_at.lower() for exercise in EXERCISES for entry in exercise.bank]
    assert any(heading.lower() in place for place in places)


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda exercise: exercise.id)
def test_the_page_states_the_minutes_and_points_of_the_specification(exercise):
    page = nbformat.read(ROOT / "solutions" / NAME, as_version=4)
    (cell,) = [cell for cell in page.cells if cell.source.startswith(f"## {exercise.id} ")]
    points = f"{exercise.points} point" + "s" * (exercise.points != 1)
    assert cell.source.splitlines()[0] == f"## {exercise.id} · {exercise.title}"
    assert f"*{exercise.minutes} minutes · difficulty {exercise.difficulty} of 3 · {points}*" in cell.source


def test_no_fringe_tells_where_light_leaves_before_it_is_asked(notebook):
    sources = [cell.source for cell in notebook.cells]
    asked = next(k for k, source in enumerate(sources) if source.startswith("### Bar and cross"))
    with_fringes = [k for k, source in enumerate(sources) if "draw_interferometer(" in source]
    assert with_fringes
    assert min(with_fringes) > asked


# --- the numbers -----------------------------------------------------------------------------------------------------


def test_stored_outputs_on_the_chip_are_measurements_and_their_cells_may_differ(notebook):
    cells = on_the_chip(notebook)
    assert len(cells) == 3
    for cell in cells:
        assert "nbval-ignore-output" in cell.metadata.tags
        assert "The data is measured on the chip" in cell.outputs[0].text


def test_the_published_accuracies_and_cosines_are_on_the_page(notebook):
    text = printed(notebook)
    assert re.search(r"computed +96\.0 % of 250", text)
    assert re.search(r"on the chip +95\.6 % of 250", text)
    assert re.search(r"same answer +97\.2 %", text)
    for batch, distance in ((1, "0.0195"), (2, "0.0181"), (4, "0.0161")):
        assert re.search(rf"batch {batch}: .* 1 - cosine {distance}", text)


def test_the_energy_model_gives_the_published_sizes(notebook):
    (cell,) = [cell for cell in notebook.cells if "uses = {" in cell.source]
    table = cell.outputs[-1].data["text/plain"]
    rows = re.findall(r"^(converters|segmented) +(inference|training, M = \d+) +(\S+) +(\S+)$", table, re.M)
    found = {f"{parts} {use}": tuple(ends) for parts, use, *ends in rows}
    assert found["converters inference"] == ("36", "72")
    assert found["segmented inference"] == ("20", "39")
    assert found["converters training, M = 1"] == ("never", "never")
    assert found["converters training, M = 16"][1] == "133"
    assert found["segmented training, M = 16"][1] == "63"
    assert "from a batch of 15 on" in printed(notebook)


def test_the_table_of_claims_holds_published_numbers_ours_and_verdicts(notebook):
    (cell,) = [cell for cell in notebook.cells if "stored.claims()" in cell.source]
    body = cell.outputs[0].data["text/html"].partition("<tbody>")[2]
    rows = [re.findall(r"<t[hd][^>]*>([^<]*)</t[hd]>", row) for row in body.split("</tr>")[:-1]]
    assert len(rows) >= 10
    assert all(len(row) == 5 and all(row) for row in rows)
    found = {row[0]: row[1:] for row in rows}
    (chip_row,) = [row for claim, row in found.items() if claim.startswith("moons on the chip")]
    assert chip_row[:3] == ["holds", "96.0 % / 95.6 % / 97.2 %", "96.0% / 95.6% / 97.2%"]
    assert html.unescape(chip_row[3]).startswith("The paper's setting was run.")


def test_what_the_page_says_of_crosstalk_and_of_rivals_was_stored(notebook):
    parts = load("photonic_claims")["parts"]
    middle = {kappa: np.median(errors) for kappa, errors in parts["crosstalk"]["directions"].items()}
    assert f"= {middle['0.02']:.5f}$ at 2 %, and by {middle['0.1']:.3f} at 10 %" in text_of(notebook)

    def mean(runs):
        return np.mean([run["test"] for run in runs])

    trained = parts["crosstalk_training"]["runs"]
    unknown, known = (f"{100 * mean(trained[f'circle, map {how}']):.1f} %" for how in ("not known", "known"))
    assert f"without the map, the circle is learned to {unknown} and with it to {known}" in text_of(notebook)
    for task, found in parts["baselines"]["tasks"].items():
        behind = mean(found["digital net, batch 50"]) - mean(parts[task]["runs"]["no error, batch 50"])
        assert round(100 * behind) == 2  # "about two points behind the digital net, on both tasks"
    circle = parts["baselines"]["tasks"]["circle"]
    assert mean(parts["circle"]["runs"]["no error"]) > mean(circle["digital net, batch 1"])
    assert circle["RBF SVM"] > max(run["test"] for run in circle["digital net, batch 50"])
    moons = {name: mean(runs) for name, runs in parts["moons"]["runs"].items()}
    cost = {name: round(100 * (moons["no error"] - score)) for name, score in moons.items()}
    assert cost["heater loss 0.2 dB, subtraction"] == 2
    assert cost["phases at the ports 0.05 pi"] == 1
    assert cost["no error, batch 50"] == -4


@pytest.fixture
def moons():
    data = chip.load("moons")
    if not data.measured:
        pytest.skip("the chip's data is not on this computer; python -m coursepkg data fetch photonic-chip")
    return data.arrays


def test_the_chip_comes_out_again(moons):
    network = PhotonicNetwork.from_unitaries([moons[f"unitary_{k}"] for k in (1, 2, 3)])
    right = {"computed": 0, "measured": 0, "same": 0}
    for part in ("train", "test"):
        computed, measured = network.predict_proba(moons[f"x_{part}"]), moons[f"p_{part}_measured"]
        np.testing.assert_allclose(computed, moons[f"p_{part}_simulated"], atol=1e-5)
        labels = moons[f"y_{part}"].argmax(axis=1)
        right["computed"] += int(np.sum(computed.argmax(axis=1) == labels))
        right["measured"] += int(np.sum(measured.argmax(axis=1) == labels))
        right["same"] += int(np.sum(computed.argmax(axis=1) == measured.argmax(axis=1)))
    assert right == {"computed": 240, "measured": 239, "same": 243}


def test_what_the_page_says_of_single_starts_and_of_larger_batches(notebook):
    parts = load("photonic_claims")["parts"]
    small, large = (
        {name: [run["test"] for run in runs] for name, runs in parts[f"mnist{n}"]["runs"].items()} for n in (16, 64)
    )
    assert {len(scores) for scores in (*small.values(), *large.values())} == {5}
    first = small["couplers 0.05 rad"][0] - small["no error"][0]
    assert 0.025 < first < 0.035
    assert "wrong couplers came out three points *above* no error" in text_of(notebook)
    level = [f"{100 * np.mean(small[name]):.1f} %" for name in ("couplers 0.05 rad", "no error")]
    assert f"Over five starts the two are level: {level[0]} and {level[1]}." in text_of(notebook)
    means = {name: np.mean(scores) for name, scores in large.items()}
    assert "All of them together defeat the subtraction, and cost the toggle about five points." in text_of(notebook)
    assert 100 * (means["no error"] - means["all four at their worst, toggle"]) == pytest.approx(5, abs=0.5)
    alone = {name: score for name, score in means.items() if not name.startswith("all")}
    assert min(alone, key=alone.get) == "phases at the ports 0.05 pi"
    assert abs(means["heater loss 0.05 dB, subtraction"] - means["heater loss 0.05 dB, toggle"]) < 0.01
    circle = {name: np.mean([run["test"] for run in runs]) for name, runs in parts["circle"]["runs"].items()}
    assert 100 * (circle["no error, batch 50"] - circle["no error"]) == pytest.approx(6, abs=0.5)
    assert circle["no error"] - circle["heater loss 0.2 dB, toggle"] < 0.02


# --- what a gain per column can mend ---------------------------------------------------------------------------------


def left_by_the_best_gains(flaw, seed):
    """Error of the toggle's direction, and what the best gain for each column and for the outputs leaves of it."""
    device = fabricate(Mesh.random(8, rng=np.random.default_rng(seed)), flaw, rng=np.random.default_rng(seed))
    true, read = true_and_measured(device, "toggle")
    column = np.append(np.repeat(device.positions[0], 2), [-1] * 8)
    mended = np.empty_like(read)
    for here in (column == c for c in np.unique(column)):  # the projection, which no other gain can beat
        mended[here] = read[here] * (read[here] @ true[here]) / (read[here] @ read[here])
    return one_minus_cosine(true, read), one_minus_cosine(true, mended)


@pytest.mark.parametrize("seed", range(3))
def test_a_gain_per_column_mends_equal_loss_exactly_and_uneven_loss_in_part(seed, notebook):
    before, after = left_by_the_best_gains(ColumnLoss(0.5), seed)
    assert before > 0.01
    assert abs(after) < 1e-12
    before, after = left_by_the_best_gains(HeaterLoss(0.5), seed)
    assert 0.1 * before < after < 0.9 * before
    assert "the best gain per column takes away only a part of the toggle's error" in text_of(notebook)
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert "mends the toggle if all waveguides lose alike, and only in part if single heaters lose" in readme
