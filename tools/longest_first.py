"""A pytest plug-in for two workers: what takes long comes first, so that neither waits for the other at the end.

With ``--dist loadfile`` alone, pytest-xdist begins with the files that have the most tests. Files with few and long
tests, such as a tour in a browser, would then come last, and one worker would wait. The proof over all exercises takes
longer than anything else; it goes chapter by chapter, and all that is asked of one exercise stays on one worker.
"""

from __future__ import annotations

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling
from xdist.workermanage import WorkerController

PROOF = "tests/grading/test_every_exercise.py"
# Seconds on a quiet machine, roughly, of each file there; of the proof for a chapter. Only the order follows from them.
LONG = {
    "tests/browser/": 250,
    PROOF: 40,
    "tests/grading/sandbox/": 60,
    "tests/visualize/alive/": 60,
    "tests/site/test_site_browser.py": 60,
    "tests/test_package.py": 30,
    "tests/notebooks/": 20,
    "tests/estimators/": 10,
    "notebooks/": 10,
}
USUAL = 0.01  # of a test anywhere else


class LongestFirst(LoadFileScheduling):
    """Whoever is free takes the longest of what is left."""

    def _split_scope(self, nodeid: str) -> str:
        return unit_of(nodeid)

    def _assign_work_unit(self, node: WorkerController) -> None:
        longest = max(self.workqueue, key=lambda name: seconds(name, len(self.workqueue[name])))
        self.workqueue.move_to_end(longest, last=False)
        super()._assign_work_unit(node)

    def remove_node(self, node: WorkerController) -> str | None:
        """Hand on what a lost worker had not done; returns the test that it was lost with.

        pytest-xdist also hands on finished units, of which no worker ever reports, and asks for the lost test again.
        """
        left = {name: unit for name, unit in self.assigned_work.pop(node).items() if not all(unit.values())}
        lost = next((test for unit in left.values() for test, done in unit.items() if not done), None)
        if lost is not None:
            left[unit_of(lost)][lost] = True
            self.workqueue.update({name: unit for name, unit in left.items() if not all(unit.values())})
            for other in self.assigned_work:
                self._reschedule(other)
        return lost


@pytest.hookimpl
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LongestFirst | None:
    return LongestFirst(config, log) if config.getvalue("dist") == "loadfile" else None


def unit_of(nodeid: str) -> str:
    """What stays on one worker with a test: its file, and of the proof its chapter, as in "... 03" for "...[03.2]"."""
    file, _, test = nodeid.partition("::")
    return f"{file} {test.partition('[')[2][:2]}" if file == PROOF else file


def seconds(unit: str, tests: int) -> float:
    """About how long a unit with so many tests takes."""
    return next((known for begin, known in LONG.items() if unit.startswith(begin)), 0) + USUAL * tests
