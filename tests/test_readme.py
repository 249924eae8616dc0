"""The README quotes measurements; these tests keep the quotes true to the stored results."""

import json
import re
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent


def test_ratios_in_the_readme_are_those_of_the_stored_benchmark():
    stored = (ROOT / "benchmarks" / "results" / "engine.md").read_text(encoding="utf-8")
    ours = dict(re.findall(r"^\| (W\d[^|]*?) \| coursepkg \| [^|]+ \| ([\d.]+) \|", stored, flags=re.MULTILINE))
    expected = [
        f"{ours[f'{workload} float64']} / {ours[f'{workload} float32']}"
        for workload in ("W2 64", "W2 512", "W4", "W5", "W6 64", "W6 512", "W8")
    ]
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    table = readme[readme.index("| ratio to NumPy by hand") :].split("\n\n")[0].splitlines()[2:]
    assert [row.split(" | ")[1] for row in table] == expected


def stored(name):
    return json.loads((ROOT / "benchmarks" / "results" / f"{name}.json").read_text(encoding="utf-8"))


def findings(chapter):
    """What the row of a chapter says of a paper, and what does not hold."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    rows = readme[readme.index("## Papers, run again") :].split("## ")[1].splitlines()
    return next(row for row in rows if row.startswith(f"| {chapter} |"))


def test_findings_about_memory_are_those_of_the_stored_runs():
    claims = {row["claim"]: row for row in stored("memory_efficient_claims")["rows"]}
    peak = next(row for claim, row in claims.items() if claim.startswith("with a fifth of the rows"))
    shares = sorted(100 * shape["saved"] for shape in stored("memory_efficient")["peak"]["shapes"])
    assert f"{shares[0]:.1f} to {shares[-1]:.1f} % lower" in findings("08")
    assert peak["verdict"] == "not comparable"
    assert "18.6 %" in peak["published"]
    assert [row["verdict"] for claim, row in claims.items() if "variance is" in claim] == ["does not hold here"]


def test_findings_about_forward_gradients_are_those_of_the_stored_runs():
    rows = stored("forward_gradient_claims")["rows"]
    fast = next(row for row in rows if row["claim"].startswith("training up to twice as fast"))
    (logistic,) = re.findall(r"logistic ([^;.]*\d\.\d[^;]*?)(?:;|\. Drawing)", fast["ours"])
    times = [int(number) for pair in re.findall(r"to [\d.]+ (\d+) to (\d+)", logistic) for number in pair]
    assert fast["verdict"] == "does not hold here"
    assert f"takes {min(times)} to {max(times)} times as long" in findings("09")


def test_findings_about_the_neural_tree_are_those_of_the_stored_runs():
    theirs, runs = stored("neural_tree_published"), stored("neural_tree")
    logged = [table["logged_scores"] for table in theirs["tables"].values()]
    equal, compared = (sum(each[what] for each in logged) for what in ("equal", "compared"))
    assert f"the logged score in {equal:,} of {compared:,} trees" in findings("10")
    iris = np.mean(theirs["tables"]["iris"]["scores"]["rmsprop"]["test"])
    assert f"iris {iris:.3f}" in findings("10")
    errors = [f"{100 * tree['error']:.2f}" for tree in theirs["digits"].values()]
    assert f"err on {errors[0]}, {errors[1]} and {errors[2]} % of MNIST's test images" in findings("10")
    made = {name: len(several) for name, several in runs["their_splits"].items()}
    assert f"{made['iris']} runs of iris" in findings("10")
    chosen, last = (
        np.mean([run[rule] for run in runs["their_splits"]["iris"].values()]) for rule in ("validation", "last_epoch")
    )
    assert f"are at {chosen:.3f} with their epoch chosen on a validation part and at {last:.3f} at the end" in findings(
        "10"
    )
    claims = {row["claim"]: row for row in stored("neural_tree_claims")["rows"]}
    assert claims["the score is that of unseen examples"]["verdict"] == "does not hold here"
    assert claims["the trees of the tables have the scores of the tables"]["verdict"] == "holds"


def test_findings_about_light_are_those_of_the_stored_runs():
    report = stored("photonic_claims")
    runs = report["parts"]["circle"]["runs"]["no error"]
    assert f"of the circle is {np.mean([run['test'] for run in runs]):.0%}".replace("%", " %") in findings("11")
    chip = next(row for row in report["claims"] if row["claim"].startswith("moons on the chip"))
    assert chip["ours"].startswith("96.0% / 95.6%")
    assert "96.0 % computed, 95.6 % measured" in findings("11")


def test_files_that_the_readme_links_to_exist():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    links = [link for link in re.findall(r"\]\(([^)]+)\)", readme) if "://" not in link]
    assert len(links) > 5
    assert [link for link in links if not (ROOT / link).exists()] == []
