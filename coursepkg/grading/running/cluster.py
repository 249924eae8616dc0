"""Grading on many machines: Dask's distributed scheduler hands out notebooks, and survives machines that go away.

Grading is a pure function of notebook, specification and seed, so it does not matter where it happens, nor how often:
when a machine is lost, Dask gives its notebooks to another one, and the results are the same bytes. Specifications and
secret are sent once to each worker; then one line of JSON goes out for each notebook and one comes back (``serving``).
Each worker proves its own sandbox before it grades. See Rocklin, "Dask: parallel computation with blocked algorithms
and task scheduling", SciPy 2015. Dask is optional; nothing else in the package imports this module.

Between scheduler, workers and this process Dask moves Python objects, so these must trust each other: they are one
grader on several machines. What a learner wrote is only ever text in a line.
"""

from __future__ import annotations

import asyncio
import math
import secrets
import tempfile
import threading
import time
from collections.abc import Mapping
from concurrent.futures import Executor, Future
from functools import cache
from pathlib import Path
from typing import Any, cast

from distributed import Client, WorkerPlugin, get_worker

from coursepkg.grading.running.grader import Graded, Work, versions
from coursepkg.grading.running.results import Result
from coursepkg.grading.running.serving import GradingProcess, Lost, graded_from_json, work_to_json
from coursepkg.grading.sandbox.doctor import examine
from coursepkg.grading.sandbox.launch import BUBBLEWRAP, NONE, SECOND
from coursepkg.grading.specification.chapters import spec_files

CONNECT_SECONDS, COUNT_SECONDS = 10, 5


class Unsuited(OSError):
    """The cluster cannot grade; the message says which worker cannot, and why."""


class Cluster(Executor):
    """The graders of a cluster, as an executor whose ``submit`` takes a notebook.

    Parameters
    ----------
    address : str
        Where the scheduler listens (``tcp://host:8786``).

    Raises
    ------
    Unsuited
        If nobody answers there, or no worker has joined.
    """

    def __init__(self, address: str):
        try:
            self._client = Client(address, timeout=CONNECT_SECONDS, set_as_default=False)
        except (OSError, ValueError) as error:
            raise Unsuited(f"no scheduler answers at {address} ({type(error).__name__})") from None
        self._name = ""
        self._counted = -math.inf
        if not self.width:
            self._client.close()
            raise Unsuited(f"no worker has joined the scheduler at {address}; start some with `dask worker {address}`")

    @property
    def width(self) -> int:
        """How many notebooks can be graded at once; counted anew every few seconds, since workers come and go."""
        if time.monotonic() - self._counted > COUNT_SECONDS:
            self._width, self._counted = sum(self._client.nthreads().values()), time.monotonic()
        return self._width

    def tier(self) -> tuple[str | None, str]:
        """The tier that holds on every worker, or None; and words about those on which none does."""
        words = []
        for tier in (BUBBLEWRAP, SECOND):
            leaks = self._client.run(_leaks, tier)
            if not any(leaks.values()):
                return tier, ""
            words += [f"{tier} on {worker}: {leak}" for worker, leak in sorted(leaks.items()) if leak]
        return None, "\n".join(words)

    def prepare(self, specs: Path, secret: bytes, tier: str) -> None:
        """Send specifications and secret to all workers, and to those that join later.

        Raises
        ------
        Unsuited
            If a worker has other versions than this process, so that its numbers could differ.
        """
        for worker, found in sorted(self._client.run(versions).items()):
            if found != versions():
                raise Unsuited(f"worker {worker} has {_listed(found)}; here it is {_listed(versions())}")
        texts = {str(path.relative_to(specs)): path.read_bytes() for path in spec_files(specs)}
        self._name = f"coursepkg-grading-{secrets.token_hex(8)}"
        self._client.register_plugin(_Graders(texts, secret.hex(), tier, versions()), name=self._name)
        self._executor = self._client.get_executor(pure=False)

    def submit(self, function: Any, /, work: Work, **options: Any) -> Future[Graded]:  # type: ignore[override]
        """Grade a notebook somewhere; what does the grading is known there, so ``function`` is not sent.

        The future raises ``Lost`` if several workers were lost with it, and ``OSError`` if the scheduler is.
        """
        outer: Future[Graded] = Future()
        if self._client.status != "running":
            raise Unsuited("the scheduler is gone")
        inner = self._executor.submit(_grade_there, self._name, work_to_json(work))
        inner.add_done_callback(lambda done: _hand_on(done, outer, work))
        return outer

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Take specifications and secret back, and leave the cluster as it was."""
        if self._client.status == "running":
            if self._name:
                self._executor.shutdown(wait=False)
                self._client.unregister_worker_plugin(self._name)
            self._client.close()


def _hand_on(done: Future[str], outer: Future[Graded], work: Work) -> None:
    try:
        graded = graded_from_json(done.result())
        if not all(_belongs(result, work) for result in graded.results):
            raise ValueError("it is about something else")
    except Exception as error:  # noqa: BLE001 - Dask says in many ways that a worker was lost
        outer.set_exception(Lost(f"a worker of the cluster failed ({type(error).__name__}: {error})"))
    else:
        outer.set_result(graded)


def _belongs(result: Result, work: Work) -> bool:
    return (result.student, result.notebook_sha256) == (work.student, work.sha256)


def _listed(found: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {version}" for name, version in found.items())


# --- on a worker -----------------------------------------------------------------------------------------------------


@cache
def _leaks(tier: str) -> str:
    """What leaks here; it is tried once in each worker."""
    return "; ".join(f"{finding.name}: {finding.leak}" for finding in examine(tier) if finding.leak)


class _Graders(WorkerPlugin):
    """What a worker keeps for one batch: the specifications in a folder, and a grading process for each thread."""

    def __init__(self, texts: dict[str, bytes], secret: str, tier: str, wanted: dict[str, str]):
        self.texts, self.secret, self.tier, self.wanted = texts, secret, tier, wanted

    async def setup(self, worker: Any) -> None:
        """Prove the sandbox, also on a worker that joins late or was started again."""
        if versions() != self.wanted:
            raise Unsuited(f"this worker has {_listed(versions())}; the batch was begun with {_listed(self.wanted)}")
        if self.tier != NONE and (leak := await asyncio.to_thread(_leaks, self.tier)):
            raise Unsuited(f"the sandbox does not hold on this worker ({leak})")
        # In the worker's own folder: that of a worker that was killed is cleared away by the next one that starts.
        self._folder = tempfile.TemporaryDirectory(prefix="coursepkg-specs-", dir=worker.local_directory)
        for name, text in self.texts.items():
            path = Path(self._folder.name, name)
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(text)
        self._processes: dict[int, GradingProcess] = {}

    async def teardown(self, worker: Any) -> None:
        """End all grading processes."""
        for process in self._processes.values():
            await asyncio.to_thread(process.close)
        self._folder.cleanup()

    def grade(self, work: str) -> str:
        """Grade in the calling thread's own process; one that was lost is started again, once."""
        for last in (False, True):
            process = self._processes.pop(threading.get_ident(), None)
            try:
                process = process or GradingProcess(
                    {"specs": self._folder.name, "secret": self.secret, "tier": self.tier}
                )
                reply = process.grade(work)
            except Lost:
                if process is not None:
                    process.close()
                if last:
                    raise
                continue
            self._processes[threading.get_ident()] = process
            return reply
        raise AssertionError("not reached")


def _grade_there(name: str, work: str) -> str:
    return cast("_Graders", get_worker().plugins[name]).grade(work)
