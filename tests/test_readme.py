"""The README quotes measurements; these tests keep the quotes true to the stored results."""

import re
from pathlib import Path

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


def test_files_that_the_readme_links_to_exist():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    links = [link for link in re.findall(r"\]\(([^)]+)\)", readme) if "://" not in link]
    assert len(links) > 5
    assert [link for link in links if not (ROOT / link).exists()] == []
