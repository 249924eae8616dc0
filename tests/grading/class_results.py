"""Results of a made-up class: right, wrong, broken, hostile and missing work, and names that try things."""

import numpy as np

from coursepkg.grading.running.results import (
    GRADED,
    INFRASTRUCTURE_ERROR,
    STUDENT_ERROR,
    WHOLE_SUBMISSION,
    Item,
    Result,
    write_result,
)

TITLES = {
    "01.1": ("Rates multiply along a chain", 2),
    "01.2": ("Parallel paths add", 3),
    "01.9": ("Blame `flows` back", 3),
    "01.10": ("One step down", 4),
}
SCRIPT = "<script>alert(1)</script>"
NAMES = {
    "ana@example.org": "Ana López",
    "bo@example.org": SCRIPT,
    "cy@example.org": '=HYPERLINK("http://evil.example","mark")',
    "di@example.org": "\u202egro.live\u202c & Söhne\n\x07",
    "@ed": "+Ed -1",
}
WRONG = ("adds-rates", "Every number is the sum of the rates.", "A chain asks how often.", "notebook 01, 'Chains'")


def result(student, exercise, verdict="passed", misconception="", message="", **changes):
    """One result as batch grading writes it."""
    title, top = TITLES[exercise]
    points = {"passed": float(top), "infrastructure": None, "pending": None}.get(verdict, 0.0)
    item = Item(exercise, title, points, float(top), verdict, misconception, message)
    fields = {
        "student": student, "name": NAMES.get(student, student.partition("@")[0].title()), "exercise": exercise,
        "notebook_sha256": "ab" * 32, "spec_sha256": "cd" * 32, "seed_id": "s1", "sandbox": "bubblewrap",
        "versions": {"python": "3.11.7"}, "items": (item,), "flags": (),
        "status": INFRASTRUCTURE_ERROR if verdict == "infrastructure" else GRADED,
    }  # fmt: skip
    return Result(**fields | changes)


def told(exercise, words):
    """A message of a check."""
    return "\n".join([f"{exercise} not yet · {words}", "Look at the first call.", "Read again: notebook 01"])


def small_class():
    """Five learners, each with something particular, and one whose hand-in could not be read."""
    wrong = told("01.1", WRONG[1])
    results = [result("ana@example.org", exercise) for exercise in TITLES]
    results += [
        result("bo@example.org", "01.1", "wrong", "adds-rates", wrong),
        result("bo@example.org", "01.2", "error", "ZeroDivisionError", f"01.2 error · {SCRIPT} `x < {SCRIPT}`"),
        result("bo@example.org", "01.9", "wrong", "value", told("01.9", "entry 2 is too large.")),
        result("bo@example.org", "01.10", "not-attempted"),
        result("cy@example.org", "01.1", "wrong", "adds-rates", wrong, flags=("recovered: 01.1",)),
        result("cy@example.org", "01.2", "wrong", "twice", told("01.2", "Every number is twice what it should be.")),
        result("cy@example.org", "01.9", "wrong", "value", told("01.9", "entry 3 is too large.")),
        result("di@example.org", "01.1"),
        result("di@example.org", "01.2", "infrastructure", "", "This check could not run."),
        result("@ed", "01.1"),
        result("@ed", "01.2", "pending", "", "A person reads this."),
        Result("fay", "Fay", WHOLE_SUBMISSION, "ef" * 32, "", "s1", "bubblewrap", {}, status=STUDENT_ERROR),
    ]
    return results


def large_class(count=60, seed=5):
    """A class whose learners differ in ability, so that difficulty and discrimination mean something."""
    rng = np.random.default_rng(seed)
    results = []
    for number in range(count):
        student, ability = f"s{number:03d}@example.org", rng.normal()
        for exercise, hard in zip(TITLES, (-1.2, -0.3, 0.6, 0.1), strict=True):
            luck = 0.0 if exercise == "01.10" else ability  # the last exercise measures nothing
            if luck + 0.7 * rng.normal() > hard:
                results.append(result(student, exercise))
                continue
            kind = rng.choice(["adds-rates", "twice", "value", "shape", "TypeError", "not-attempted"])
            verdict = {"TypeError": "error", "not-attempted": "not-attempted"}.get(kind, "wrong")
            words = {
                "adds-rates": WRONG[1],
                "twice": "Every number is twice what it should be.",
                "value": f"entry {rng.integers(4)} is too large.",
                "shape": "the answer should have shape (3,).",
            }
            message = (
                told(exercise, words.get(kind, "TypeError: unsupported `+`")) if verdict != "not-attempted" else ""
            )
            results.append(result(student, exercise, verdict, "" if verdict == "not-attempted" else str(kind), message))
    return results  # fmt: skip


def store(results, folder):
    """Write results as batch grading does, with times."""
    for number, item in enumerate(results):
        write_result(folder, item, {"seconds": 0.05 + 0.01 * (number % 7)})
    return folder
