"""The runs on MNIST that ``benchmarks/mnist.py`` stored, for chapter 06."""

from coursepkg.stored import load


def outcome() -> str:
    """Say how the course's network was trained, and how well it did over all seeds.

    Returns
    -------
    str
        One sentence with images, epochs, seeds, and the lowest and the highest accuracy.
    """
    stored = load("mnist")
    how, scores = stored["settings"], [run["accuracy"] for run in stored["runs"]["coursepkg"]]
    return (
        f"{how['train']:,} training images, {how['epochs']} epochs, {len(scores)} seeds: "
        f"accuracy {min(scores):.3f} to {max(scores):.3f}"
    )
