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


OPPONENTS = {
    2: ("PyTorch eager", "torch.func.jvp", "PyTorch conv2d"), 3: ("HIPS autograd",), 4: ("MyGrad",),
    5: ("jax.jit", "jax.jvp, jit"),
}  # fmt: skip
WORKLOADS = ("W2 64", "W2 512", "W4", "W5", "W6 64", "W6 512", "W8")


def ratios():
    """The stored ratios by (workload with its precision, contender)."""
    lines = (ROOT / "benchmarks" / "results" / "engine.md").read_text(encoding="utf-8")
    found = re.findall(r"^\| (W\d[^|]*?) \| ([^|]+?) \| [^|]+ \| ([\d.]+) \|", lines, flags=re.MULTILINE)
    return {(workload, who): ratio for workload, who, ratio in found}


def test_opponents_in_the_readme_have_their_stored_ratios():
    found, readme = ratios(), (ROOT / "README.md").read_text(encoding="utf-8")
    table = readme[readme.index("| ratio to NumPy by hand") :].split("\n\n")[0].splitlines()[2:]
    for workload, line in zip(WORKLOADS, table, strict=True):
        cells = line.strip("| ").split(" | ")
        for place, names in OPPONENTS.items():
            pair = [found.get((f"{workload} {kind}", who)) for kind in ("float64", "float32") for who in names]
            shown = " / ".join(ratio for ratio in pair if ratio) or "–"
            assert cells[place] == shown, (workload, names)


def test_who_is_ahead_in_the_readme():
    found = {key: float(ratio) for key, ratio in ratios().items()}

    def ahead(kind, names):
        return {
            workload
            for workload in WORKLOADS
            for who in names
            if found.get((f"{workload} {kind}", who), np.inf) < found[f"{workload} {kind}", "coursepkg"]
        }

    assert ahead("float64", OPPONENTS[2]) == {"W2 64", "W2 512", "W4", "W8"}
    assert ahead("float64", OPPONENTS[5]) == {"W4", "W6 64", "W6 512"}
    assert ahead("float32", OPPONENTS[2]) == set()
    block, net = found["W9 float32", "coursepkg"], found["W10 float32", "coursepkg"]
    readme = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
    assert f"takes {block:.2f} times PyTorch's time, one of a small convolutional network {net:.2f} times" in readme


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
    shares = [100 * shape["saved"] for shape in stored("memory_efficient")["peak"]["shapes"]]
    tuned = {(row["texts"], row["rate"]): row["measured"]["peak"] for row in stored("fine_tuning")["memory"]["rows"]}
    shares = sorted([*shares, *(100 * (1 - tuned[texts, 0.2] / tuned[texts, 1.0]) for texts in (32, 128))])
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
    kept = stored("forward_gradient_paper")
    steps = kept["steps"]["logistic"]["Gaussian"]
    longest = [run for run in kept["runs"].values() if (run["method"], run["steps"]) == ("Gaussian", steps)]
    assert len([run for run in longest if run["model"] == "logistic"]) == 3
    assert all(run["loss"] > 0.5 for run in longest)
    assert f"does not reach 0.5 in {steps:,} steps" in findings("09")
    larger = []
    for model in ("1024-1024", "CNN"):
        wanted = (model, "Gaussian", kept["rates"][model]["Gaussian"], kept["steps"][model]["Gaussian"])
        runs = [r for r in kept["runs"].values() if (r["model"], r["method"], r["lr"], r["steps"]) == wanted]
        assert len(runs) == 3
        assert min(loss for run in runs for _, _, loss in run["curve"]) > 2.0
        larger.append(f"{wanted[-1]:,}")
    assert f"do not reach 2.0 in {' and '.join(larger)} steps" in findings("09")


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
        [run[rule] for run in runs["their_splits"]["iris"].values()] for rule in ("validation", "last_epoch")
    )
    chosen, last = (f"{np.mean(scores):.3f} ± {np.std(scores, ddof=1):.3f}" for scores in (chosen, last))
    assert f"are at {chosen} with their epoch chosen on a validation part and at {last} at the end" in findings("10")
    given_away = [
        np.mean([run["best_on_test"] - run[rule] for run in runs["their_splits"][name].values()])
        for name in ("iris", "wine", "wdbc", "ionosphere", "australian", "pima")
        for rule in ("validation", "last_epoch")
    ]
    assert 0.03 < min(given_away) < max(given_away) < 0.1
    assert "on all six classifications the best moment is 3 to 10 points above both" in findings("10")
    claims = {row["claim"]: row for row in stored("neural_tree_claims")["rows"]}
    assert claims["the score is that of unseen examples"]["verdict"] == "does not hold here"
    assert claims["the trees of the tables have the scores of the tables"]["verdict"] == "holds"


def test_findings_about_light_are_those_of_the_stored_runs():
    report = stored("photonic_claims")
    runs = report["parts"]["circle"]["runs"]["no error"]
    scores = [100 * run["test"] for run in runs]
    spread = f"(five starts, {min(scores):.0f} to {max(scores):.0f} %)"
    assert len(scores) == 5
    assert f"of the circle is {np.mean(scores):.0f} % {spread}" in findings("11")
    chip = next(row for row in report["claims"] if row["claim"].startswith("moons on the chip"))
    assert chip["ours"].startswith("96.0% / 95.6%")
    assert "96.0 % computed, 95.6 % measured" in findings("11")


def test_files_that_the_readme_links_to_exist():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    links = [link for link in re.findall(r"\]\(([^)]+)\)", readme) if "://" not in link]
    assert len(links) > 5
    assert [link for link in links if not (ROOT / link).exists()] == []
