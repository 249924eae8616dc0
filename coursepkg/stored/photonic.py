"""What ``benchmarks/photonic_claims.py`` found, for chapter 11."""

from coursepkg.stored import load

CIRCLE = (
    "no error", "tap noise 0.02", "phases at the ports 0.05 pi", "couplers 0.05 rad", "8 bits",
    "heater loss 0.2 dB, subtraction", "heater loss 0.2 dB, toggle", "no error, batch 50",
)  # fmt: skip
ABOUT_THE_METHOD = (
    "circle: more than 94 %", "moons: more than 94 %", "moons on the chip", "in situ gradients survive",
    "training with half the energy at", "training with half the energy in",
)  # fmt: skip


def circle() -> dict[str, list[float]]:
    """Test accuracy on the circle, averaged over the last 200 of 1,000 steps: one number for each start."""
    runs = load("photonic_claims")["parts"]["circle"]["runs"]
    return {name: [run["test"] for run in runs[name]] for name in CIRCLE}


def mnist() -> dict[str, float]:
    """Test accuracy on MNIST at 64 ports, in per cent, by what was wrong with the hardware; one start each."""
    runs = load("photonic_claims")["parts"]["mnist64"]["runs"]
    return {name: 100 * several[0]["test"] for name, several in runs.items()}


def claims(*, all_of_them: bool = True) -> list[dict[str, str]]:
    """Rows of a table: what was claimed, the published number, ours, where it was tried, and the verdict.

    Parameters
    ----------
    all_of_them : bool
        False leaves out the variants, and keeps one row for each thing that the paper says about its method.
    """
    rows = load("photonic_claims")["claims"]
    kept = rows if all_of_them else [row for row in rows if row["claim"].startswith(ABOUT_THE_METHOD)]
    return [{key: row[key] for key in ("claim", "published", "ours", "settings", "verdict")} for row in kept]
