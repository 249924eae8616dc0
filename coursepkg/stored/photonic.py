"""What ``benchmarks/photonic_claims.py`` found, for chapter 11."""

from collections.abc import Sequence

from coursepkg.stored import load, told

FLAWS = (
    "no error", "tap noise 0.02", "phases at the ports 0.05 pi", "couplers 0.05 rad", "8 bits",
    "heater loss 0.2 dB, subtraction", "heater loss 0.2 dB, toggle", "no error, batch 50",
)  # fmt: skip
ABOUT_THE_METHOD = (
    "circle: more than 94 %", "moons: more than 94 %", "moons on the chip", "in situ gradients survive",
    "training with half the energy at", "training with half the energy in",
)  # fmt: skip


def circle() -> dict[str, list[float]]:
    """Test accuracy on the circle, averaged over the last 200 of 1,000 steps: one number for each start."""
    return _by_flaw("circle")


def moons() -> dict[str, list[float]]:
    """The same on the moons."""
    return _by_flaw("moons")


def mnist() -> dict[str, list[float]]:
    """Test accuracy on MNIST at 64 ports after three epochs, by what was wrong: one number for each start."""
    names = (
        "no error", "tap noise 0.01", "tap noise 0.02", "phases at the ports 0.05 pi", "couplers 0.05 rad",
        "heater loss 0.05 dB, subtraction", "heater loss 0.05 dB, toggle",
        "all four at their worst, subtraction", "all four at their worst, toggle",
    )  # fmt: skip
    return _by_flaw("mnist64", names)


def _by_flaw(task: str, names: Sequence[str] = FLAWS) -> dict[str, list[float]]:
    runs = load("photonic_claims")["parts"][task]["runs"]
    return {name: [run["test"] for run in runs[name]] for name in names}


def rivals() -> list[dict[str, str]]:
    """Rows of a table: light and digital methods on the same 200 training and 50 test points; mean of five starts."""
    parts = load("photonic_claims")["parts"]
    tasks = parts["baselines"]["tasks"]
    rows: dict[str, dict[str, str]] = {}

    def enter(method: str, task: str, scores: list[float]) -> None:
        mean = 100 * sum(scores) / len(scores)
        ends = f", {100 * min(scores):.0f} to {100 * max(scores):.0f}" if len(scores) > 1 else ""
        rows.setdefault(method, {"method": method})[task] = f"{mean:.1f} %{ends}"

    for task, found in tasks.items():
        for batch, name in ((1, "no error"), (50, "no error, batch 50")):
            enter(f"light, batch {batch}", task, [run["test"] for run in parts[task]["runs"][name]])
        for batch in (1, 50):
            enter(f"digital net, batch {batch}", task, [run["test"] for run in found[f"digital net, batch {batch}"]])
        for method in ("logistic regression", "RBF SVM"):
            enter(method, task, [found[method]])
    return list(rows.values())


def claims(*, all_of_them: bool = True) -> list[dict[str, str]]:
    """Rows of a table: what was claimed, the verdict, the published number, ours, and where it was tried.

    Parameters
    ----------
    all_of_them : bool
        False leaves out the variants, and keeps one row for each thing that the paper says about its method.
    """
    rows = load("photonic_claims")["claims"]
    kept = rows if all_of_them else [row for row in rows if row["claim"].startswith(ABOUT_THE_METHOD)]
    return told(kept)
