"""A batch on a cluster gives the same bytes as on one machine, also when a worker is killed in the middle."""

import contextlib
import json
import os
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import machine
import pytest
from hostile_notebooks import PRODUCT, RIGHT, SECRET, SPECS, SUBMISSIONS, WRONG, notebook_bytes
from test_batch import bytes_of, hand_in, points

from coursepkg.grading import cli
from coursepkg.grading.running import serving
from coursepkg.grading.running.batch import Batch, run
from coursepkg.grading.running.grader import Grader, Work
from coursepkg.grading.running.results import read_results
from coursepkg.grading.specification.chapters import Chapters
from coursepkg.grading.submissions.archives import open_tree
from coursepkg.grading.submissions.cells import read_notebook, unread

QUIET = {"OMP_NUM_THREADS": "1", "DASK_LOGGING__DISTRIBUTED": "error"}
FORGES, FILLS = (SUBMISSIONS[name].cells for name in ("forges nonsense", "fills the scratch folder"))
CELLS = [
    [RIGHT, PRODUCT], [WRONG, PRODUCT], [RIGHT], ["def product(a, b):\n    return a / 0"], [],
    SUBMISSIONS["ends the process"].cells, FORGES, FILLS,
]  # fmt: skip
# Some work for each notebook, so that a worker is caught at it.
SLOW = "import time\ntime.sleep(0.2)"


def a_class(size):
    return {f"learner{number:02}": [SLOW, *CELLS[number % len(CELLS)]] for number in range(size)}


@contextmanager
def a_cluster(folder, workers=2):
    """A scheduler and workers as one starts them by hand; yields the address, and the workers' processes."""
    pytest.importorskip("distributed", reason="Dask is optional; grading on a cluster is tested where it is installed")
    listed, started = folder / "scheduler.json", []
    environment = {**os.environ, **QUIET}

    def start(*words):
        command = [sys.executable, "-m", "dask", *words, "--scheduler-file", str(listed)]
        log = (folder / f"log{len(started)}").open("w")
        with log:
            started.append(subprocess.Popen(command, stdout=log, stderr=log, env=environment, cwd=folder))
        return started[-1]

    try:
        start("scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard")
        wait_for(lambda: listed.is_file() and listed.stat().st_size)
        address = json.loads(listed.read_text())["address"]
        options = ("--nthreads", "1", "--no-dashboard", "--local-directory", str(folder), "--no-nanny")
        yield address, [start("worker", *options) for _ in range(workers)]
    finally:
        for process in started:
            process.kill()
            process.wait()


def wait_for(condition, seconds=machine.PATIENCE):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)


def joined(address, workers):
    """Wait until so many workers have joined."""
    from distributed import Client

    with Client(address, timeout=machine.PATIENCE, set_as_default=False) as client:
        client.wait_for_workers(workers, timeout=machine.PATIENCE)


def batch_on(address, folder, results, secret, *more):
    """Grade from the command line, in a process of its own."""
    words = ["grade", "batch", str(folder), "--secret", str(secret), "--out", str(results), "--specs", str(SPECS)]
    command = [sys.executable, "-m", "coursepkg", *words, "--scheduler", address, *more]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=os.environ | QUIET
    )


@pytest.fixture
def secret(tmp_path):
    path = tmp_path / "secret"
    path.write_bytes(SECRET)
    return path


def on_this_machine(folder, results):
    run(Batch(SPECS, results, SECRET, machine.best_tier(), 2), open_tree(folder), quiet=True)
    return bytes_of(results)


def test_kills_on_either_side_change_no_byte_and_nothing_is_graded_twice(tmp_path, secret):
    """First the run itself is killed; the next one loses a worker in the middle; the last one finds all done."""
    folder, results = hand_in(tmp_path / "all", a_class(24)), tmp_path / "results"
    expected = on_this_machine(folder, tmp_path / "here")
    with a_cluster(tmp_path) as (address, workers):
        joined(address, 2)
        process = batch_on(address, folder, results, secret)
        wait_for(lambda: len(list(results.glob("*/91.2.json"))) >= 3 or process.poll() is not None)
        process.kill()
        process.communicate()
        done = {path: path.stat().st_mtime_ns for path in results.glob("*/91.?.json")}
        assert 0 < len(done) < 48
        process = batch_on(address, folder, results, secret, "--resume")
        wait_for(lambda: len(list(results.glob("*/91.2.json"))) >= len(done) / 2 + 4 or process.poll() is not None)
        workers[0].kill()
        # What a killed worker leaves of the specifications lies where Dask clears it away, and nowhere else.
        assert list((tmp_path / "dask-scratch-space").glob("worker-*/coursepkg-specs-*"))
        assert process.poll() is None
        output, _ = process.communicate(timeout=machine.PATIENCE)
        assert process.returncode == 0, output
        assert bytes_of(results) == expected
        assert {path: path.stat().st_mtime_ns for path in done} == done
        output, _ = batch_on(address, folder, results, secret, "--resume").communicate(timeout=machine.PATIENCE)
        assert "48 kept from before" in output, output
    assert bytes_of(results) == expected
    assert not graders_left()


def graders_left():
    """Grading processes that are still there a little later."""

    def found():
        names = []
        for process in Path("/proc").glob("[0-9]*"):
            try:
                if b"coursepkg.grading.running.serving" in (process / "cmdline").read_bytes():
                    names.append(process.name)
            except OSError:
                continue
        return names

    end = time.monotonic() + machine.TO_END
    while (names := found()) and time.monotonic() < end:
        time.sleep(0.1)
    return names


# --- refusals --------------------------------------------------------------------------------------------------------


def words_for(folder, secret, results, address):
    folder.mkdir(exist_ok=True)
    words = ["grade", "batch", str(folder), "--secret", str(secret), "--out", str(results), "--specs", str(SPECS)]
    return [*words, "--scheduler", address]


def test_without_dask_the_words_say_how_to_get_it(tmp_path, secret, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    monkeypatch.delitem(sys.modules, "coursepkg.grading.running.cluster", raising=False)
    assert cli.main(words_for(tmp_path / "all", secret, tmp_path / "results", "tcp://127.0.0.1:1")) == 2
    assert "pip install distributed" in capsys.readouterr().err


def test_processes_and_a_cluster_exclude_each_other(tmp_path, secret, capsys):
    words = words_for(tmp_path / "all", secret, tmp_path / "results", "tcp://127.0.0.1:1")
    with pytest.raises(SystemExit, match="2"):
        cli.main([*words, "--jobs", "2"])
    assert "not allowed with" in capsys.readouterr().err


def test_a_scheduler_that_does_not_answer_and_one_without_workers_are_told_apart(tmp_path, secret):
    with a_cluster(tmp_path, workers=0) as (address, _):
        (tmp_path / "all").mkdir()
        process = batch_on(address, tmp_path / "all", tmp_path / "results", secret)
        output, _ = process.communicate(timeout=machine.PATIENCE)
        assert (process.returncode, "no worker has joined" in output) == (3, True), output
    process = batch_on("tcp://127.0.0.1:9", tmp_path / "all", tmp_path / "results", secret)
    output, _ = process.communicate(timeout=machine.PATIENCE)
    assert (process.returncode, "no scheduler answers at tcp://127.0.0.1:9" in output) == (3, True), output
    assert not (tmp_path / "results").exists()


# --- the line between grader and cluster -----------------------------------------------------------------------------

WORK = Work("änn\udc80", "Änn <b>", "91", "91.ipynb", b"\x00\xff{}", ("a flag",))


def test_work_and_results_survive_the_line():
    assert serving.work_from_json(serving.work_to_json(WORK)) == WORK
    grader = Grader(Chapters(SPECS), SECRET, "none (trusted)")
    graded = grader.grade(
        Work("ann", "Ann", "91", "91.ipynb", notebook_bytes([RIGHT, "def product(a, b): return 1 / 0"]))
    )
    grader.close()
    assert serving.graded_from_json(serving.graded_to_json(graded)) == graded
    assert "\n" not in serving.work_to_json(WORK) + serving.graded_to_json(graded)


def test_a_notebook_keeps_the_hash_of_its_file_on_the_line_and_why_it_was_not_read():
    file = b"\xef\xbb\xbf" + notebook_bytes([RIGHT])
    read = read_notebook(iter([file]), "91.ipynb")
    for notebook, data in ((read, bytes(read)), (unread("it is a link"), b"")):
        work = Work("ann", "Ann", "91", "91.ipynb", notebook)
        there = serving.work_from_json(serving.work_to_json(work))
        assert (there.data, there.sha256, there.data.trouble) == (data, work.sha256, notebook.trouble)
    assert read != file


@pytest.mark.parametrize(
    "line", ["{}", "[]", "3", '{"results": 3}', '{"results": [{}], "times": [], "out_of_time": 0}', "x"]
)
def test_a_reply_that_is_no_result_is_refused(line):
    with pytest.raises((ValueError, TypeError)):
        serving.graded_from_json(line)


def test_a_grading_process_that_ends_is_noticed(tmp_path):
    process = serving.GradingProcess({"specs": str(tmp_path), "secret": "00", "tier": "none (trusted)"})
    with pytest.raises(serving.Lost, match="ended"):
        process.grade(serving.work_to_json(WORK))
    process.close()


def test_a_grading_process_can_be_ended_while_it_grades(tmp_path, monkeypatch):
    monkeypatch.setattr(serving, "END_SECONDS", 0.2)
    process = serving.GradingProcess({"specs": str(SPECS), "secret": "00" * 16, "tier": "none (trusted)"})
    ended = []
    sleeps = Work("ann", "Ann", "91", "91.ipynb", notebook_bytes(["import time\ntime.sleep(14)", RIGHT]))

    def grade():
        with contextlib.suppress(serving.Lost):
            process.grade(serving.work_to_json(sleeps))
        ended.append(True)

    thread = threading.Thread(target=grade)
    thread.start()
    time.sleep(0.5)
    process.close()
    thread.join(12)
    assert ended
    assert not graders_left()


def test_what_the_cluster_loses_has_no_mark_and_is_tried_again(tmp_path):
    class Losing:
        """A cluster of one that loses its first notebook."""

        width, lost = 1, 0

        def prepare(self, specs, secret, tier):
            self.grader = Grader(Chapters(specs), secret, tier)

        def submit(self, function, work):
            from concurrent.futures import Future

            future = Future()
            if not self.lost:
                self.lost = 1
                future.set_exception(serving.Lost("four workers ended with it"))
            else:
                future.set_result(self.grader.grade(work))
            return future

        def shutdown(self, **options):
            self.grader.close()

    folder = hand_in(tmp_path / "all", {"ann": [RIGHT, PRODUCT], "ben": [RIGHT, PRODUCT]})
    batch = Batch(SPECS, tmp_path / "results", SECRET, "none (trusted)")
    cluster = Losing()
    assert run(batch, open_tree(folder), cluster=cluster, quiet=True).counts == {"infrastructure error": 2, "graded": 2}
    assert points(tmp_path / "results")["ann", "91.1"] is None
    assert "four workers" in next(iter(read_results(tmp_path / "results"))).items[0].message
    assert run(batch, open_tree(folder), cluster=cluster, quiet=True).counts == {"graded": 2, "kept": 2}
