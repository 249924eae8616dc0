"""A worker in the sandbox, seen from outside: nothing it says is believed beyond being numbers."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from coursepkg.grading.calling import Outcome
from coursepkg.grading.checking import Worker
from coursepkg.grading.sandbox.launch import ENVIRONMENT, Unavailable, command

READY_SECONDS = 60.0
NOTEBOOK_SECONDS = 300.0


class SandboxedWorker(Worker):
    """A ``Worker`` that runs in a tier of the sandbox.

    Parameters
    ----------
    cells : sequence of str
        Code of the notebook.
    tier : str
        Tier of the sandbox.
    slot : int
        Number among the workers that run at the same time.
    """

    def __init__(self, cells: Sequence[str], tier: str, slot: int = 0):
        super().__init__(cells, Path("/"), command(tier, slot), environment=ENVIRONMENT)
        self._unloadable: Outcome | None = None
        self._deadline: float | None = None

    def call(self, compiled: Mapping[str, Any], item: Mapping[str, Any]) -> Outcome:
        """Use an answer, as long as the notebook as a whole has time left."""
        self._deadline = self._deadline or time.monotonic() + NOTEBOOK_SECONDS
        if time.monotonic() > self._deadline:
            return Outcome("time-limit", message="the notebook as a whole takes too long")
        return super().call(compiled, item)

    def _start(self) -> Outcome | None:
        """Start and load; a notebook that cannot be loaded once is not tried again for each of its exercises."""
        if self._unloadable is not None:
            return self._unloadable
        trouble = super()._start()
        if trouble is not None and trouble.kind != "infrastructure":
            self._unloadable = trouble
        return trouble

    def _greet(self) -> Outcome | None:
        """The sandbox says that it stands before it reads the learner's code; without that, the trouble is ours."""
        reply = self._reply(READY_SECONDS)
        if reply == {"ready": True}:
            return None
        return Outcome("infrastructure", message="the sandbox could not be set up; see `grade doctor`")


def run_probe(tier: str, plan: str, *, seconds: float) -> tuple[int, str]:
    """Run ``doctor``'s probe in a tier; returns the exit code and what it wrote."""
    try:
        ran = subprocess.run(
            command(tier, 0, "probe"), input=plan, capture_output=True, text=True, env=ENVIRONMENT, cwd="/",
            timeout=seconds, check=False, start_new_session=True,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return -1, ""
    except Unavailable as error:
        return -2, str(error)
    return ran.returncode, ran.stdout or ran.stderr
