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
    assert re.search(r"[\d.]+ % lower", findings("08"))[0].split()[0] + "%" in peak["ours"]
    assert [row["verdict"] for claim, row in claims.items() if "variance is" in claim] == ["does not hold"]


def test_findings_about_forward_gradients_are_those_of_the_stored_runs():
    rows = stored("forward_gradient_claims")["rows"]
    fast = next(row for row in rows if row["claim"].startswith("training up to twice as fast"))
    forward, backward = re.search(r"in ([\d.]+) s of CPU .* after ([\d.]+) s", fast["ours"]).groups()
    assert fast["verdict"] == "does not hold"
    assert float(forward) > 8 * float(backward)


def test_findings_about_the_neural_tree_are_those_of_the_stored_runs():
    runs = stored("neural_tree")
    published = np.mean([run["best_on_test"] for run in runs["published"]["iris"].values()])
    honest = list(runs["honest"]["iris"].values())
    linear = np.mean([run["rivals"]["logistic regression"]["test"] for run in honest])
    said = re.findall(r"0\.\d{3}", findings("10"))
    assert said == [f"{published:.3f}", "0.992", f"{np.mean([run['test'] for run in honest]):.3f}", f"{linear:.3f}"]


def test_findings_about_light_are_those_of_the_stored_runs():
    report = stored("photonic_claims")
    runs = report["parts"]["circle"]["runs"]["no error"]
    assert f"the average is {np.mean([run['test'] for run in runs]):.0%}".replace("%", " %") in findings("11")
    chip = next(row for row in report["claims"] if row["claim"].startswith("moons on the chip"))
    assert chip["ours"].startswith("96.0% / 95.6%")
    assert "96.0 % computed, 95.6 % measured" in findings("11")


def test_files_that_the_readme_links_to_exist():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    links = [link for link in re.findall(r"\]\(([^)]+)\)", readme) if "://" not in link]
    assert len(links) > 5
    assert [link for link in links if not (ROOT / link).exists()] == []
